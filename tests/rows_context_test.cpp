// Rows S44, S53-S58: what a prediction is conditioned on.                              (eq 26-31,
// sections 3.3-4)
#include "language_support.h"
#include "runtime/stream.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

struct Net {
  Definition definition;
  Tensors inputs, weights;
  Net(Definition d, std::int64_t steps, std::int64_t batch = 1, std::uint64_t seed = 1)
      : definition(std::move(d)) {
    const DrawOptions draw{.steps = steps, .batch = batch, .seed = seed};
    inputs = random_inputs(definition, draw);
    weights = initial_weights(definition, draw);
    for (auto& [name, w] : weights)  // biases that are not zero
      if (w.dims().size() == 1)
        for (std::int64_t i = 0; i < w.size(); ++i)
          w.set(i, 0.3 * std::sin(static_cast<double>(i + 1) + static_cast<double>(name[0])));
  }
  Tensors operator()(std::vector<std::string> fetch) const {
    return evaluate(definition, inputs, weights, std::move(fetch));
  }
  Tensor operator()(const char* fetch) const {
    return evaluate_one(definition, inputs, weights, fetch);
  }
};

/// A shipped definition in which y is read through a node e[t] = one_hot(y[t], k), scored at its
/// last step alone.
Definition through_one_hot(const char* name) {
  Definition d = load_definition(name);
  for (Text& e : d.equations) {
    const std::string from = "one_hot(y[t-1], k)";
    if (const auto at = e.text.find(from); at != std::string::npos)
      e.text.replace(at, from.size(), "e[t-1]");
  }
  d.equation("e[t] = one_hot(y[t], k)");
  d.loss_term("nll(y[last])");
  return d;
}

double entropy(double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); }

}  // namespace

TEST_CASE(
    "S44: conditioned on x alone a likelihood does not depend on earlier y; with an edge it does "
    "(eq 26-27)",
    "[rows]") {
  const Tensor without = Net(through_one_hot("elman"), 5)("grad:e");
  CHECK(norm(without) == 0);
  const Tensor with = Net(through_one_hot("same_length_output_edges"), 5)("grad:e");
  for (std::int64_t s = 0; s < 4; ++s) CHECK(norm(part(with, 0, s, s + 1)) > 0);
  CHECK(norm(part(with, 0, 4, 5)) == 0);
}

TEST_CASE("S53: parameters made by another graph: the gradient flows into it", "[rows]") {
  const Definition d = load_definition("generated_weights");
  const Net net(d, 4, 2);
  const Tensors v = net({"grad:R", "grad:P", "grad:d", "grad:z", "grad:B"});
  for (const auto& [name, g] : v) CHECK(norm(g) > 0);
  // dL/dR = sum over items of dL/dB(item) z(item)^T: what reaches the parameter B of an item goes
  // on
  const Tensor B = v.at("grad:B"), z = net.inputs.at("z");
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 2; ++j)
      CHECK(v.at("grad:R").at(i * 2 + j) ==
            Approx(B.at(i) * z.at(j) + B.at(3 + i) * z.at(2 + j)).epsilon(1e-12));
  const CheckReport report = check(d, {.steps = 4});
  CHECK(report.ok());
  CHECK(report.checked > 30);
}

TEST_CASE("S54: a fixed vector as input of each step, as first state, and both", "[rows]") {
  for (const char* name :
       {"vector_to_sequence_input", "vector_to_sequence_state", "vector_to_sequence_both"}) {
    CAPTURE(name);
    const Net net(load_definition(name), 4, 2);
    const Tensors v = net({"grad:R", "grad:R[0]", "grad:R[2]", "grad:x", "h[0]"});
    const bool as_input = std::string(name) != "vector_to_sequence_state",
               as_state = std::string(name) != "vector_to_sequence_input";
    CHECK((norm(v.at("grad:R[2]")) > 0) == as_input);
    CHECK((norm(v.at("grad:R[0]")) > 0) == as_state);
    CHECK((norm(v.at("h[0]")) > 0) == as_state);
    CHECK(norm(v.at("grad:x")) > 0);
    const auto total_loss = [&](const Tensors& weights) {
      const Tensor loss = evaluate_one(net.definition, net.inputs, weights, "loss");
      return loss.at(0) + loss.at(1);
    };
    for (std::int64_t i = 0; i < 6; ++i) {  // four-point differences
      double sum = 0;
      for (const auto& [shift, factor] : {std::pair{-2, 1.0}, {-1, -8.0}, {1, 8.0}, {2, -1.0}}) {
        Tensors w = net.weights;
        w.at("R").set(i, w.at("R").at(i) + shift * 1e-3);
        sum += factor * total_loss(w);
      }
      CHECK(v.at("grad:R").at(i) == Approx(sum / 12e-3).epsilon(1e-9).margin(2e-11));
    }
    CHECK(check(net.definition, {.steps = 3}).ok());
  }
}

TEST_CASE("S55: the vector's product with R acts as a bias of its own for each example", "[rows]") {
  const Net net(load_definition("vector_to_sequence_input"), 6);
  Definition plain = load_definition("sequence_model");
  Tensors weights = net.weights, inputs = net.inputs;
  for (std::int64_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < 2; ++j)
      sum += weights.at("R").at(i * 2 + j) * inputs.at("x").at(j);
    weights.at("b").set(i, weights.at("b").at(i) + sum);
  }
  weights.erase("R");
  inputs.erase("x");
  const Tensors v = net({"h", "o"}), w = evaluate(plain, inputs, weights, {"h", "o"});
  check_near(v.at("h"), w.at("h"), 1e-15);
  check_near(v.at("o"), w.at("o"), 1e-15);
}

TEST_CASE(
    "S56: given x, the outputs are independent: changing y(s) leaves every other likelihood as it "
    "is (eq 31)",
    "[rows]") {
  Net net(load_definition("elman"), 6);
  Net edges(load_definition("same_length_output_edges"), 6);
  const Tensor before = net("nll:y"), with_edges = edges("nll:y");
  for (std::int64_t s = 0; s < 6; ++s) {
    Net other = net;
    other.inputs.at("y").set(
        s, static_cast<double>((static_cast<std::int64_t>(net.inputs.at("y").at(s)) + 1) % 3));
    const Tensor after = other("nll:y");
    for (std::int64_t t = 0; t < 6; ++t) CHECK((after.at(t) == before.at(t)) == (t != s));
    Net changed = edges;
    changed.inputs.at("y").set(
        s, static_cast<double>((static_cast<std::int64_t>(edges.inputs.at("y").at(s)) + 1) % 3));
    const Tensor later = changed("nll:y");
    for (std::int64_t t = 0; t < 6; ++t) CHECK((later.at(t) == with_edges.at(t)) == (t < s));
  }
}

namespace {
constexpr double kCoin = 0.9;
constexpr std::int64_t kChain = 5;
/// Expected loss of an item under y(t) = y(t-1) xor coin, y(0) = 0, P(coin) = 0.9: all 2^5 chains
/// as one batch.
double expected_loss(const Definition& d, const Tensors& weights) {
  const std::int64_t n = std::int64_t{1} << kChain;
  Tensors inputs{{"x", Tensor({kChain, n, 1}, Dtype::f64)}, {"y", Tensor({kChain, n}, Dtype::i64)}};
  std::vector<double> probability(static_cast<std::size_t>(n), 1.0);
  for (std::int64_t item = 0; item < n; ++item) {
    std::int64_t y = 0;
    for (std::int64_t t = 0; t < kChain; ++t) {
      const std::int64_t coin = item >> t & 1;
      probability[static_cast<std::size_t>(item)] *= coin ? kCoin : 1 - kCoin;
      y ^= coin;
      inputs.at("y").set(t * n + item, static_cast<double>(y));
    }
  }
  const Tensor loss = evaluate_one(d, inputs, weights, "loss");
  double sum = 0;
  for (std::int64_t item = 0; item < n; ++item)
    sum += probability[static_cast<std::size_t>(item)] * loss.at(item);
  return sum;
}
/// The least without the edge: y(t) are independent then, and each step costs the entropy of its
/// own marginal.
double chain_marginals() {
  double bound = 0, marginal = 0;
  for (std::int64_t t = 0; t < kChain; ++t) {
    marginal = marginal * (1 - kCoin) + (1 - marginal) * kCoin;
    bound += entropy(marginal);
  }
  return bound;
}
Definition chain_net() {
  Definition d = load_definition("same_length_output_edges");
  for (auto& s : d.sizes) s.value = s.name == "n" ? 1 : s.name == "m" ? 1 : 2;
  return d;
}
}  // namespace

TEST_CASE("S57: an edge from y(t-1) lets the net hold a chain of flips, without it none can",
          "[rows]") {
  // h = tanh(1) where y(t-1) = 1, tanh(-1) else; the logit of y = 1 against 0 is log 9 times the
  // sign
  const double swing = std::log(kCoin / (1 - kCoin)) / std::tanh(1.0);
  Tensors weights{{"U", numbers({1, 1}, {0})},        {"W", numbers({1, 1}, {0})},
                  {"b", numbers({1}, {-1})},          {"R", numbers({1, 2}, {0, 2})},
                  {"V", numbers({2, 1}, {swing, 0})}, {"c", numbers({2}, {0, 0})}};
  CHECK(expected_loss(chain_net(), weights) == Approx(kChain * entropy(kCoin)).epsilon(1e-12));
  const double bound = chain_marginals();
  CHECK(bound > kChain * entropy(kCoin) + 0.4);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Tensors w = initial_weights(chain_net(), {.seed = seed});
    w["R"] = numbers({1, 2}, {0, 0});
    for (const char* name : {"V", "W"})
      for (std::int64_t i = 0; i < w.at(name).size(); ++i) w.at(name).set(i, 4 * w.at(name).at(i));
    w["b"] = numbers({1}, {0.5});
    CHECK(expected_loss(chain_net(), w) >= bound - 1e-12);
  }
}

namespace {
/// 600 chains drawn from the coin, and training on them.
Tensors trained_on_chains(const Definition& d) {
  Dataset data;
  Stream coins(1, "coins");
  for (int item = 0; item < 600; ++item) {
    Tensor y({kChain}, Dtype::i64);
    std::int64_t last_y = 0;
    for (std::int64_t t = 0; t < kChain; ++t) {
      last_y ^= coins.uniform() < kCoin;
      y.set(t, static_cast<double>(last_y));
    }
    data.examples.push_back(
        {{{"x", Tensor({kChain, 1}, Dtype::f64)}, {"y", y}}, {{"tau", kChain}}});
  }
  TrainOptions o;
  o.optimizer.lr = 0.03;
  o.final_lr = 0.05;
  o.epochs = 40;
  Trainer trainer(d, data, o);
  while (!trainer.done()) trainer.step();
  return trainer.weights();
}
}  // namespace

TEST_CASE("S57: trained, the net with the edge reaches the entropy of the coin, without it none",
          "[rows]") {
  const double least = kChain * entropy(kCoin);
  const double with = expected_loss(chain_net(), trained_on_chains(chain_net()));
  CHECK(with >= least - 1e-9);  // no model is better than the source
  CHECK(with < 1.01 * least);
  Definition plain = load_definition("elman");
  for (auto& s : plain.sizes) s.value = s.name == "n" ? 1 : s.name == "m" ? 8 : 2;
  const double without = expected_loss(plain, trained_on_chains(plain));
  CHECK(without >= chain_marginals() - 1e-9);
  CHECK(without < 1.05 * chain_marginals());  // it does learn what it can
  CHECK(without > 1.25 * least);
}

TEST_CASE("S57: x and y of unequal length are refused", "[rows]") {
  const Net net(load_definition("same_length_output_edges"), 4);
  Tensors inputs = net.inputs;
  inputs["y"] = part(inputs.at("y"), 0, 0, 3);
  CHECK(problems_of([&] { evaluate_one(net.definition, inputs, net.weights, "loss"); })[0].code ==
        "D011");
}

TEST_CASE("S58: both directions: every output depends on every input", "[rows]") {
  Net net(load_definition("bidirectional"), 5);
  for (std::int64_t t = 0; t < 5; ++t) {
    net.inputs["cotangent:o"] = Tensor({5, 1, 3}, Dtype::f64);
    for (std::int64_t i = 0; i < 3; ++i)
      net.inputs["cotangent:o"].set(t * 3 + i, 1 + static_cast<double>(i));
    const Tensor g = net("grad:x");
    for (std::int64_t k = 0; k < 5; ++k) CHECK(norm(part(g, 0, k, k + 1)) > 0);
  }
}

TEST_CASE(
    "S58: reversing the input swaps the two directions bit for bit, inside each item's own length",
    "[rows]") {
  const Definition d = load_definition("tied_bidirectional");
  Net net(d, 6, 3);
  const std::vector<std::int64_t> lengths{6, 4, 0};
  net.inputs["lengths"] = symbols({3}, lengths);
  const auto reversed = [&](const Tensor& t) {
    Tensor r(t.dims(), t.dtype());
    const std::int64_t width = t.dims()[2];
    for (std::int64_t item = 0; item < 3; ++item)
      for (std::int64_t s = 0; s < lengths[static_cast<std::size_t>(item)]; ++s)
        for (std::int64_t j = 0; j < width; ++j)
          r.set((s * 3 + item) * width + j,
                t.at(((lengths[static_cast<std::size_t>(item)] - 1 - s) * 3 + item) * width + j));
    return r;
  };
  const Tensors v = net({"f.h", "g.h"});
  net.inputs["x"] = reversed(net.inputs.at("x"));
  const Tensors w = net({"f.h", "g.h"});
  check_same(w.at("f.h"), reversed(v.at("g.h")));
  check_same(w.at("g.h"), reversed(v.at("f.h")));
  CHECK(norm(part(v.at("g.h"), 1, 1, 2)) > 0);
}
