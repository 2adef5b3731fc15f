// Row S63: items of different length in one batch equal the items alone, in any order, length 0
// included.
#include <filesystem>
#include <random>

#include "language/resolve/resolved_model.h"
#include "language_support.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// A batch with lengths of its own for every item, and all there is to fetch of it.
struct Ragged {
  Definition definition;
  Tensors inputs, weights;
  std::vector<std::string> per_example, shared;
  std::int64_t items;

  Ragged(Definition d, std::vector<std::vector<std::int64_t>> lengths, std::uint64_t seed)
      : definition(std::move(d)), items(static_cast<std::int64_t>(lengths[0].size())) {
    const auto model = resolve(definition);
    DrawOptions draw{.batch = items, .seed = seed};
    for (std::size_t l = 0, open = 0; l < model->lengths.size(); ++l)
      if (model->fixed_lengths[l] < 0 && !model->is_derived(l)) {
        const std::vector<std::int64_t>& own = lengths[open++ % lengths.size()];
        draw.lengths[model->lengths[l]] = *std::max_element(own.begin(), own.end());
        inputs["lengths:" + model->lengths[l]] = symbols({items}, own);
      }
    for (auto& [name, tensor] : random_inputs(definition, draw))
      if (!name.starts_with("lengths")) inputs[name] = tensor;
    weights = initial_weights(definition, draw);
    bool loss = !definition.loss.empty();
    for (const Symbol& s : model->symbols) loss = loss || s.random();
    for (const Symbol& s : model->symbols) {
      if (s.length >= 0) continue;
      (s.per_example ? per_example : shared).push_back(s.name);
      if (s.random()) per_example.push_back("nll:" + s.name);
      if (loss && s.category < 0 && s.position < 0)
        (s.per_example ? per_example : shared).push_back("grad:" + s.name);
    }
    if (loss) per_example.push_back("loss");
  }

  Tensors all(Dtype dtype, const Tensors& data) const {
    RunOptions o;
    o.dtype = dtype;
    o.fetch = per_example;
    o.fetch.insert(o.fetch.end(), shared.begin(), shared.end());
    return run(definition, data, weights, o).values;
  }
  /// Axes in front of the batch's.
  std::size_t batch_axis(const std::string& fetch) const {
    std::string name =
        fetch.substr(fetch.rfind(':') == std::string::npos ? 0 : fetch.rfind(':') + 1);
    const auto model = resolve(definition);
    return name == "loss" || fetch.starts_with("lengths")
               ? 0
               : model->symbols[static_cast<std::size_t>(model->find(name))].axes.size();
  }
  /// The data of some items alone, in a given order; axes over time stay as long as they are.
  Tensors data_of(const std::vector<std::int64_t>& chosen) const {
    Tensors data;
    for (const auto& [name, tensor] : inputs) {
      Tensor picked;
      for (std::size_t k = 0; k < chosen.size(); ++k) {
        const std::size_t axis = batch_axis(name);
        const Tensor one = part(tensor, axis, chosen[k], chosen[k] + 1);
        if (k == 0) {
          Dims dims = one.dims();
          dims[axis] = static_cast<std::int64_t>(chosen.size());
          picked = Tensor(dims, tensor.dtype());
        }
        std::int64_t inner = 1, outer = 1;
        for (std::size_t a = 0; a < axis; ++a) outer *= one.dims()[a];
        for (std::size_t a = axis + 1; a < one.dims().size(); ++a) inner *= one.dims()[a];
        for (std::int64_t o = 0; o < outer; ++o)
          for (std::int64_t i = 0; i < inner; ++i)
            picked.set(
                (o * static_cast<std::int64_t>(chosen.size()) + static_cast<std::int64_t>(k)) *
                        inner +
                    i,
                one.at(o * inner + i));
      }
      data[name] = picked;
    }
    return data;
  }
};

/// @param exact_gradients  of what is read at many steps the gradient is a sum whose order may
/// follow the batch
void check_ragged(const Ragged& batch, std::uint64_t seed, bool exact_gradients = true) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch.items));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
  for (const Dtype dtype : {Dtype::f64, Dtype::f32}) {
    const Tensors whole = batch.all(dtype, batch.inputs);
    const Tensors shuffled = batch.all(dtype, batch.data_of(order));
    Tensors sums;
    for (std::size_t k = 0; k < order.size(); ++k) {
      const Tensors alone = batch.all(dtype, batch.data_of({order[k]}));
      for (const std::string& name : batch.per_example) {
        CAPTURE(batch.definition.name, name, order[k]);
        const std::size_t axis = batch.batch_axis(name);
        const auto at = static_cast<std::int64_t>(k);
        Tensor own = part(whole.at(name), axis, order[k], order[k] + 1);
        CHECK(own == part(shuffled.at(name), axis, at, at + 1));
        for (std::size_t a = 0; a < axis;
             ++a) {  // without data an axis is as long as the longest item
          CHECK(norm(part(own, a, alone.at(name).dims()[a], own.dims()[a])) == 0);
          own = part(own, a, 0, alone.at(name).dims()[a]);
        }
        if (!exact_gradients && name.starts_with("grad:"))
          CHECK(distance(own, alone.at(name)) <=
                (dtype == Dtype::f64 ? 1e-14 : 1e-5) * std::max(1.0, norm(own)));
        else
          CHECK(own == alone.at(name));
      }
      for (const std::string& name : batch.shared)
        if (name.starts_with("grad:"))
          sums[name] = k == 0 ? alone.at(name) : plus(sums.at(name), alone.at(name));
    }
    for (const auto& [name, sum] : sums) {
      CAPTURE(batch.definition.name, name);
      const double scale = std::max(1.0, norm(sum));
      CHECK(distance(whole.at(name), sum) <= (dtype == Dtype::f64 ? 1e-12 : 1e-4) * scale);
      CHECK(distance(whole.at(name), shuffled.at(name)) <=
            (dtype == Dtype::f64 ? 1e-12 : 1e-4) * scale);
    }
  }
}

}  // namespace

TEST_CASE(
    "S63: every shipped definition: a ragged batch equals its items alone, bit for bit, in any "
    "order",
    "[rows]") {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/graphs"))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  REQUIRE(names.size() > 30);
  for (std::size_t n = 0; n < names.size(); ++n) {
    CAPTURE(names[n]);
    const Definition d = load_definition(names[n]);
    if (d.indices.empty()) continue;
    // attention divides by a sum over the source, which needs a step
    const std::int64_t shortest = names[n] == "attention" ? 1 : 0;
    // a source is read at every target step; a source without one has zeros of either sign
    const bool exact = names[n] != "attention" && names[n] != "pointer";
    check_ragged(Ragged(d, {{3, shortest, 5, 1, 3}, {2, 4, 0, 4, 1}}, n), n, exact);
  }
}

TEST_CASE(
    "S63: boundaries at the end, last, reductions and symbols past the end, in ragged batches",
    "[rows]") {
  const char* const bodies[] = {
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2, 2]}, "equations": ["h[t] = tanh(W @ h[t-1] + x[t])",
        "g[tau+1] = h[last]", "g[t] = tanh(W @ g[t+1] - x[t])"], "loss": "sum(g[1] * h[last])")j",
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "u[t]": "category(3)"}, "weights": {"E": [3, 2]}, "equations": [
        "a[t] = embed(E, u[t+2]) * embed(E, u[t-1])", "b = embed(E, u[last-1])", "e[t] = x[t+2] - x[last] + (u[t+1] == u[last])",
        "r[tau+2] = b", "r[t] = r[t+1] + 0.5 * r[t+2] + a[t]"], "loss": ["sum(r[t] * e[t])", "sum(E * E)"])j",
      R"j("index": {"s": "tau", "t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []}, "equations": [
        "k[s,t] = w * x[s] * x[t] * (s <= t)", "m[t] = max[s](k[s,t] - x[s])", "v = mean[s,t](k[s,t])", "n[t] = sum[s](k[s,last] + k[1,t])"],
        "loss": ["m[t] * n[t]", "v"])j",
      R"j("index": {"t": "tau"}, "weights": {"l": [3], "p": [2]}, "inputs": {"x[t]": []}, "equations": [
        "y[t] ~ categorical(logits = l * x[t] + one_hot(y[t-1], 3) * tau)", "z[t] ~ bernoulli(logits = sum(one_hot(y[t], 3) * l) + z[t-1])",
        "q[t] ~ normal(mean = p * q[t-1], std = exp(0.1 * x[t] + 0 * p))", "c = mean[t](nll(y[t]))"], "loss": ["c", "nll(z[t]) + nll(q[t])"])j",
      R"j("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": []}, "weights": {"w": []}, "equations": [
        "p[0,j] = w", "p[i,0] = 2 * w", "p[i,j] = tanh(p[i-1,j] - w * p[i,j-1] + x[i,j])", "q[i,j] = p[i,j] + p[last,j] * p[i,1]",
        "c[i] = sum[j](q[i,j])", "d[j] = max[i](q[i,j+1])", "f[rows+1,j] = d[j]", "f[i,j] = 0.5 * f[i+1,j] + c[i]"], "loss": "f[1,j] * d[j]")j",
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1]}, "weights": {"K": [3, 1, 1]}, "equations": [
        "a[t] = conv[t](K, x[t-1])", "h[t] = tanh(conv[t](K, h[t-3]) + a[t])", "g[t] = tanh(conv[t](K, g[t+1]) + a[t])", "o = concat(h[last], g[1], h[1])"],
        "loss": "sum(o * o)")j",
  };
  std::uint64_t seed = 0;
  for (const char* body : bodies) {
    CAPTURE(body);
    ++seed;
    check_ragged(Ragged(define(body), {{3, 0, 5, 1, 3, 2}, {2, 4, 0, 4, 1, 3}}, seed), seed, false);
  }
}

TEST_CASE("S63: sums of more than 512 terms too", "[rows]") {
  Definition d = load_definition("elman");
  for (auto& s : d.sizes) s.value = s.name == "m" ? 700 : s.value;
  check_ragged(Ragged(d, {{2, 4, 1, 0, 4, 3, 2}}, 5), 5);
}

TEST_CASE("S63: an empty batch and a batch of empty items", "[rows]") {
  const Definition d = load_definition("elman");
  const Tensors weights = initial_weights(d);
  const std::vector<std::string> fetch{"h", "loss", "grad:W", "grad:x"};
  const Tensors none = evaluate(
      d, {{"x", Tensor({3, 0, 2}, Dtype::f64)}, {"y", Tensor({3, 0}, Dtype::i64)}}, weights, fetch);
  CHECK(none.at("h").dims() == Dims{3, 0, 3});
  CHECK(none.at("loss").dims() == Dims{0});
  CHECK(norm(none.at("grad:W")) == 0);
  const Tensors empty = evaluate(
      d, {{"x", Tensor({0, 2, 2}, Dtype::f64)}, {"y", Tensor({0, 2}, Dtype::i64)}}, weights, fetch);
  CHECK(empty.at("h").dims() == Dims{0, 2, 3});
  check_values(empty.at("loss"), {2}, {0, 0});
  CHECK(norm(empty.at("grad:W")) == 0);
}

TEST_CASE("S63: what does not move with the steps counts once a step of the item's own", "[rows]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"a": []},
    "equations": ["c = a * x[1]"], "loss": "c + a * x[t]")j");
  const Tensor x = numbers({3, 2}, {1, 2, 3, 4, 5, 0});
  const Tensors got = evaluate(d, {{"x", x}, {"lengths", symbols({2}, {3, 2})}},
                               {{"a", numbers({1}, {0.5})}}, {"grad:x", "grad:a"});
  check_values(got.at("grad:x"), {3, 2}, {2, 1.5, 0.5, 0.5, 0.5, 0});
  check_values(got.at("grad:a"), {1}, {(3 * 1 + 9) + (2 * 2 + 6)});
}
