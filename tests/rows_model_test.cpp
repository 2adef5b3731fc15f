// Rows S43-S48: a recurrent network as a directed graphical model.             (section 3.3, eq
// 26-31)
#include <nlohmann/json.hpp>
#include <numbers>

#include "language_support.h"
#include "taugrad/analysis/graphical_model.h"
#include "taugrad/language/describe.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// Every assignment of n variables of k symbols as a batch: y [n, k^n].
Tensor every_sequence(std::int64_t n, std::int64_t k) {
  std::int64_t count = 1;
  for (std::int64_t i = 0; i < n; ++i) count *= k;
  Tensor y({n, count}, Dtype::i64);
  for (std::int64_t item = 0; item < count; ++item)
    for (std::int64_t t = 0, rest = item; t < n; ++t, rest /= k)
      y.set(t * count + item, static_cast<double>(rest % k));
  return y;
}

Tensors random_weights(const Definition& d, std::uint64_t seed) {
  Tensors weights = initial_weights(d, {.seed = seed});
  double next = static_cast<double>(seed);
  for (auto& [name, w] : weights)
    for (std::int64_t i = 0; i < w.size(); ++i) w.set(i, w.at(i) + 0.7 * std::sin(next += 1.3));
  return weights;
}

/// Descends the mean loss of a data set; returns weights.
Tensors descended(const Definition& d, const Tensors& data, int updates, double rate) {
  Tensors weights = initial_weights(d, {.steps = 6, .seed = 1});
  std::vector<std::string> fetch;
  for (const auto& [name, w] : weights) fetch.push_back("grad:" + name);
  const auto items = static_cast<double>(data.at("y").dims()[1]);
  for (int i = 0; i < updates; ++i) {
    const Tensors g = evaluate(d, data, weights, fetch);
    for (auto& [name, w] : weights)
      for (std::int64_t e = 0; e < w.size(); ++e)
        w.set(e, w.at(e) - rate / items * g.at("grad:" + name).at(e));
  }
  return weights;
}

double mean_loss(const Definition& d, const Tensors& data, const Tensors& weights) {
  const Tensor loss = evaluate_one(d, data, weights, "loss");
  double sum = 0;
  for (std::int64_t i = 0; i < loss.size(); ++i) sum += loss.at(i);
  return sum / static_cast<double>(loss.size());
}

}  // namespace

TEST_CASE("S43: squared error is -log N(., 1) up to a constant, with its gradient", "[rows]") {
  const char* body = R"j("index": {"t": "tau"}, "sizes": {"n": 2, "m": 3, "k": 2},
    "inputs": {"x[t]": ["n"], "z[t]": ["k"]},
    "weights": {"U": ["m", "n"], "W": ["m", "m"], "V": ["k", "m"]},)j";
  const std::string net = R"j("h[t] = tanh(W @ h[t-1] + U @ x[t])", "o[t] = V @ h[t]")j";
  const Definition squared = define(std::string(body) + R"j("equations": [)j" + net +
                                    R"j(, "e[t] = z[t] - o[t]"], "loss": "0.5*sum(e[t]*e[t])")j");
  std::string other = body;
  const std::string_view input = ", \"z[t]\": [\"k\"]";
  other.replace(other.find(input), input.size(), "");
  const Definition normal =
      define(other + R"j("equations": [)j" + net + R"j(, "y[t] ~ normal(mean = o[t], std = 1)"])j");
  const DrawOptions draw{.steps = 5, .batch = 3, .seed = 2};
  Tensors data = random_inputs(squared, draw), targets = data;
  targets["y"] = targets.at("z");
  targets.erase("z");
  const Tensors w = initial_weights(squared, draw);
  const std::vector<std::string> fetch{"loss", "grad:U", "grad:W", "grad:V"};
  const Tensors a = evaluate(squared, data, w, fetch), b = evaluate(normal, targets, w, fetch);
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(b.at("loss").at(i) - a.at("loss").at(i) ==
          Approx(5 * 2 * 0.5 * std::log(2 * std::numbers::pi)).epsilon(1e-14));
  for (const char* g : {"grad:U", "grad:W", "grad:V"})
    CHECK(distance(a.at(g), b.at(g)) <= 1e-15 * std::max(1.0, norm(a.at(g))));
}

TEST_CASE("S44: given x alone no y reaches another; with an edge all earlier ones do", "[rows]") {
  const Definition alone = load_definition("elman"),
                   fed = load_definition("same_length_output_edges");
  const GraphicalModel a = graphical_model(alone, 5), b = graphical_model(fed, 5);
  CHECK(structure_of(a).kind == ModelStructure::Kind::independent);
  CHECK(a.edges(ModelRole::given, ModelRole::random) == 15);  // x(1..t) -> y(t)
  CHECK(b.edges(ModelRole::random, ModelRole::random) == 10);
  CHECK(b.edges() == 25);
  for (const Definition* d : {&alone, &fed}) {
    const Confirmation c = confirm(*d, 5);
    CHECK(c.wrong == 0);
    CHECK(c.unfelt == 0);
    CHECK(c.pairs.size() == 45);
    for (const Influence& p : c.pairs) {
      CHECK((p.derivative != 0) == p.edge);  // exactly 0 where there is none
      CHECK((p.change != 0) == p.edge);
    }
  }
}

TEST_CASE("S45: the complete graph; its joint sums to 1 and L is -log of the product", "[rows]") {
  const GraphicalModel m = graphical_model(load_definition("sequence_model"), 5);
  CHECK(m.nodes.size() == 5);
  CHECK(m.edges() == 10);
  CHECK(structure_of(m).kind == ModelStructure::Kind::complete);
  for (int t = 0; t < 5; ++t)
    CHECK(m.nodes[static_cast<std::size_t>(t)].parents.size() == static_cast<std::size_t>(t));
  const Definition d = load_definition("sequence_model");
  const Tensors out =
      evaluate(d, {{"y", every_sequence(6, 3)}}, random_weights(d, 4), {"loss", "nll:y"});
  REQUIRE(out.at("loss").size() == 729);
  double joint = 0;
  for (std::int64_t item = 0; item < 729; ++item) {
    double product = 1;
    for (std::int64_t t = 0; t < 6; ++t) product *= std::exp(-out.at("nll:y").at(t * 729 + item));
    CHECK(out.at("loss").at(item) == Approx(-std::log(product)).epsilon(1e-13));
    joint += product;
  }
  CHECK(std::abs(joint - 1) < 1e-12);
}

TEST_CASE("S46: with states 3 tau - 2 edges; marginalised the complete graph again", "[rows]") {
  const Definition d = load_definition("sequence_model");
  for (const std::int64_t tau : {1, 2, 5, 9}) {
    const GraphicalModel m = graphical_model(d, tau, {.states = true});
    CHECK(m.nodes.size() == static_cast<std::size_t>(2 * tau));
    CHECK(m.edges() == 3 * tau - 2);
  }
  for (const char* name :
       {"sequence_model", "elman", "char_lm", "skip_connections", "bidirectional",
        "encoder_decoder", "bernoulli_stop", "vector_to_sequence_both",
        "stacked_bidirectional_lstm", "predicted_length", "grid_lines"}) {
    CAPTURE(name);
    const Definition other = load_definition(name);
    const GraphicalModel whole = graphical_model(other, 4);
    const GraphicalModel states = graphical_model(other, 4, {.states = true});
    CHECK(states.edges(ModelRole::state, ModelRole::random) > 0);
    const GraphicalModel m = marginalised(states);
    REQUIRE(m.nodes.size() == whole.nodes.size());
    for (std::size_t n = 0; n < m.nodes.size(); ++n) {
      CHECK(m.nodes[n].label() == whole.nodes[n].label());
      CHECK(m.nodes[n].parents == whole.nodes[n].parents);
    }
  }
}

TEST_CASE("S47: a table has 10^6 - 1 free entries, the network as many whatever tau", "[rows]") {
  Definition d = load_definition("sequence_model");
  for (SizeDeclaration& s : d.sizes)
    if (s.name == "k") s.value = 10;
  CHECK(table_entries(graphical_model(d, 6)) == 999'999);
  for (const std::int64_t tau : {1, 2, 6, 12}) {
    const GraphicalModel m = graphical_model(d, tau);
    CHECK(m.parameters == describe(d).parameters);
    CHECK(table_entries(m) == std::pow(10.0, static_cast<double>(tau)) - 1);
  }
  CHECK(std::isinf(table_entries(graphical_model(load_definition("elman"), 2))));
  CHECK(graphical_model(load_definition("untied"), 6).parameters >
        graphical_model(load_definition("untied"), 5).parameters);
}

TEST_CASE("S48: a shifted input gives a shifted output after the first steps", "[rows]") {
  const Stationarity s = stationarity(load_definition("elman"), 40, 7);
  CHECK(s.shared);
  REQUIRE(s.difference.size() == 40);
  CHECK(s.difference.front() > 1e-3);
  CHECK(s.difference.back() < 1e-6);
  CHECK_FALSE(stationarity(load_definition("untied"), 5, 1).shared);
  const Stationarity counted =
      stationarity(define(R"j("index": {"t": "tau"}, "weights": {"c": [2], "d": [2]},
                "equations": ["y[t] ~ categorical(logits = c + t * d)"])j"),
                   20, 7);
  CHECK(counted.difference.back() > 0.1);  // the conditional depends on t
}

TEST_CASE("S48: tied weights win on a stationary source, untied ones on a drifting one", "[rows]") {
  const char* form = R"j("index": {"t": "tau"}, "weights": {"V%s": [2, 2], "c%s": [2]},
    "equations": ["y[t] ~ categorical(logits = c%s + V%s @ one_hot(y[t-1], 2))"])j";
  const auto filled = [&](const std::string& index) {
    std::string text = form;
    for (std::size_t p; (p = text.find("%s")) != std::string::npos;) text.replace(p, 2, index);
    return define(text);
  };
  const Definition tied = filled(""), untied = filled("[t]");
  std::uint64_t state = 12345;
  const auto uniform = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) / 9007199254740992.0;
  };
  const auto source = [&](std::int64_t items, bool drifts) {  // p(stay) = 0.8, or moving with t
    Tensor y({6, items}, Dtype::i64);
    for (std::int64_t i = 0; i < items; ++i)
      for (std::int64_t t = 0, last = 0; t < 6; ++t) {
        const double stay = drifts ? 0.95 - 0.18 * static_cast<double>(t) : 0.8;
        last = uniform() < stay ? last : 1 - last;
        y.set(t * items + i, static_cast<double>(last));
      }
    return Tensors{{"y", y}};
  };
  for (const bool drifts : {false, true}) {
    const Tensors few = source(30, drifts), fresh = source(4000, drifts);
    const double with_one = mean_loss(tied, fresh, descended(tied, few, 800, 0.3)),
                 with_many = mean_loss(untied, fresh, descended(untied, few, 800, 0.3));
    CAPTURE(drifts, with_one, with_many);
    CHECK((with_one < with_many) == !drifts);
  }
}
