// The graphical model of several random variables and skips, against enumerated dependence.
#include "taugrad/analysis/graphical_model.h"

#include <nlohmann/json.hpp>

#include "language_support.h"
#include "taugrad/draw/model_picture.h"
#include "taugrad/draw/render.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// A discrete model small enough to enumerate: binary variables, no inputs.
struct Small {
  const char* name;
  const char* body;
  std::int64_t steps;
};

const Small kModels[] = {
    {"recurrent", R"j("index": {"t": "tau"}, "sizes": {"m": 3},
      "weights": {"U": ["m", 2], "W": ["m", "m"], "V": [2, "m"], "c": [2]},
      "equations": ["h[t] = tanh(W @ h[t-1] + U @ one_hot(y[t-1], 2))",
                    "y[t] ~ categorical(logits = c + V @ h[t])"])j",
     4},
    {"skip of two", R"j("index": {"t": "tau"}, "weights": {"V": [2, 2], "c": [2]},
      "equations": ["y[t] ~ categorical(logits = c + V @ one_hot(y[t-2], 2))"])j",
     5},
    {"order one, compared", R"j("index": {"t": "tau"}, "weights": {"c": [2], "d": [2]},
      "equations": ["y[t] ~ categorical(logits = where(y[t-1] == 0, c, d))"])j",
     4},
    {"skip and state", R"j("index": {"t": "tau"}, "weights": {"W": [2, 2], "V": [2, 2], "c": [2]},
      "equations": ["h[t] = tanh(W @ h[t-3] + V @ one_hot(y[t-1], 2))",
                    "y[t] ~ categorical(logits = c + h[t])"])j",
     5},
    {"two in turn", R"j("index": {"t": "tau"}, "weights": {"A": [2, 2], "B": [2, 2], "c": [2]},
      "equations": ["z[t] ~ categorical(logits = c + A @ one_hot(y[t-1], 2))",
                    "y[t] ~ categorical(logits = B @ one_hot(z[t], 2))"])j",
     3},
    {"one hides in the other",
     R"j("index": {"t": "tau"}, "weights": {"A": [2, 2], "c": [2], "d": []},
      "equations": ["y[t] ~ categorical(logits = c + A @ one_hot(y[t-1], 2))",
                    "s[t] ~ bernoulli(logits = d + 0.5 * (y[t-1] == 1) + sum(A @ one_hot(y[t], 2)))"])j",
     3},
    {"a common cause", R"j("index": {"t": "tau"}, "weights": {"c": [2], "e": [2], "d": []},
      "equations": ["u ~ bernoulli(logits = d)", "y[t] ~ categorical(logits = c + u * e)"])j",
     3},
    {"a common effect", R"j("index": {"t": "tau"}, "weights": {"c": [2], "d": [], "e": []},
      "equations": ["y[t] ~ categorical(logits = c)", "u ~ bernoulli(logits = d + e * sum[t](y[t] == 1))"])j",
     3},
    {"independent", R"j("index": {"t": "tau"}, "weights": {"c": [2]},
      "equations": ["y[t] ~ categorical(logits = c * t)"])j",
     4},
    {"from behind", R"j("index": {"t": "tau"}, "weights": {"V": [2, 2], "c": [2]},
      "equations": ["y[t] ~ categorical(logits = c + V @ one_hot(y[t+1], 2))"])j",
     4},
};

/// -log p of every node for every assignment: [node][assignment], bit n of an assignment is node n.
std::vector<std::vector<double>> enumerated(const Definition& d, const GraphicalModel& m,
                                            std::int64_t steps) {
  const std::size_t n = m.nodes.size(), count = std::size_t{1} << n;
  Tensors inputs;
  std::vector<std::string> fetch;
  for (std::size_t v = 0; v < n; ++v) {
    const ModelNode& node = m.nodes[v];
    auto [it, fresh] = inputs.try_emplace(node.name);
    if (fresh) {
      const auto items = static_cast<std::int64_t>(count);
      const Dims dims = node.position.empty() ? Dims{items} : Dims{steps, items};
      it->second = Tensor(dims, node.distribution == "categorical" ? Dtype::i64 : Dtype::f64);
      fetch.push_back("nll:" + node.name);
    }
    const std::size_t row =
        node.position.empty() ? 0 : static_cast<std::size_t>(node.position[0]) - 1;
    for (std::size_t a = 0; a < count; ++a)
      it->second.set(static_cast<std::int64_t>(row * count + a), static_cast<double>(a >> v & 1));
  }
  Tensors weights = initial_weights(d, {.seed = 3});
  double next = 0.2;
  for (auto& [name, w] : weights)
    for (std::int64_t i = 0; i < w.size(); ++i) w.set(i, 1.5 * std::sin(next += 1.7));
  const Tensors out = evaluate(d, inputs, weights, fetch);
  std::vector<std::vector<double>> nll(n, std::vector<double>(count));
  for (std::size_t v = 0; v < n; ++v) {
    const ModelNode& node = m.nodes[v];
    const std::size_t row =
        node.position.empty() ? 0 : static_cast<std::size_t>(node.position[0]) - 1;
    for (std::size_t a = 0; a < count; ++a)
      nll[v][a] = out.at("nll:" + node.name).at(static_cast<std::int64_t>(row * count + a));
  }
  return nll;
}

/// Whether bits a and b are independent given the bits of `given`, from the joint itself.
bool independent(const std::vector<double>& joint, std::size_t a, std::size_t b,
                 std::size_t given) {
  const std::size_t mask = given | std::size_t{1} << a | std::size_t{1} << b;
  std::map<std::size_t, double> p, pa, pb, pc;
  for (std::size_t x = 0; x < joint.size(); ++x) {
    p[x & mask] += joint[x];
    pa[x & (mask & ~(std::size_t{1} << b))] += joint[x];
    pb[x & (mask & ~(std::size_t{1} << a))] += joint[x];
    pc[x & given] += joint[x];
  }
  for (const auto& [x, value] : p)
    if (std::abs(value * pc[x & given] -
                 pa[x & ~(std::size_t{1} << b)] * pb[x & ~(std::size_t{1} << a)]) > 1e-10)
      return false;
  return true;
}

}  // namespace

TEST_CASE("edges are the dependences that enumeration finds", "[model]") {
  for (const Small& small : kModels) {
    CAPTURE(small.name);
    const Definition d = define(small.body);
    const GraphicalModel m = graphical_model(d, small.steps);
    const auto nll = enumerated(d, m, small.steps);
    for (std::size_t to = 0; to < m.nodes.size(); ++to)
      for (std::size_t from = 0; from < m.nodes.size(); ++from) {
        if (from == to) continue;
        bool depends = false;
        for (std::size_t x = 0; x < nll[to].size(); ++x)
          depends = depends || nll[to][x] != nll[to][x ^ std::size_t{1} << from];
        CAPTURE(m.nodes[from].label(), m.nodes[to].label());
        CHECK(depends == std::ranges::binary_search(m.nodes[to].parents, static_cast<int>(from)));
      }
    const Confirmation c = confirm(d, small.steps);
    CHECK(c.wrong == 0);
    CHECK(c.unfelt == 0);
  }
}

TEST_CASE("separation is the independence of the enumerated joint", "[model]") {
  for (const Small& small : kModels) {
    CAPTURE(small.name);
    const Definition d = define(small.body);
    const GraphicalModel m = graphical_model(d, small.steps);
    const auto nll = enumerated(d, m, small.steps);
    std::vector<double> joint(nll[0].size(), 1);
    double total = 0;
    for (std::size_t x = 0; x < joint.size(); ++x) {
      for (const auto& node : nll) joint[x] *= std::exp(-node[x]);
      total += joint[x];
    }
    CHECK(total == Approx(1).epsilon(1e-12));
    for (std::size_t a = 0; a < m.nodes.size(); ++a)
      for (std::size_t b = a + 1; b < m.nodes.size(); ++b)
        for (std::size_t given = 0; given < joint.size(); ++given) {
          if ((given >> a & 1) != 0 || (given >> b & 1) != 0) continue;
          std::vector<int> list;
          for (std::size_t n = 0; n < m.nodes.size(); ++n)
            if ((given >> n & 1) != 0) list.push_back(static_cast<int>(n));
          const int one = static_cast<int>(a), other = static_cast<int>(b);
          CAPTURE(m.nodes[a].label(), m.nodes[b].label(), given);
          const bool separate = separated(m, {&one, 1}, {&other, 1}, list);
          CHECK(separate == independent(joint, a, b, given));
          CHECK(separate == separated(m, {&other, 1}, {&one, 1}, list));
        }
  }
}

TEST_CASE("structures are recognised", "[model]") {
  using Kind = ModelStructure::Kind;
  const std::pair<Kind, std::int32_t> want[] = {
      {Kind::complete, 0},    {Kind::other, 0}, {Kind::markov, 1}, {Kind::other, 0},
      {Kind::other, 0},       {Kind::other, 0}, {Kind::other, 0},  {Kind::other, 0},
      {Kind::independent, 0}, {Kind::other, 0}};
  for (std::size_t i = 0; i < std::size(kModels); ++i) {
    CAPTURE(kModels[i].name);
    const ModelStructure s =
        structure_of(graphical_model(define(kModels[i].body), kModels[i].steps));
    CHECK((s.kind == want[i].first && s.order == want[i].second));
    CHECK_FALSE(to_text(s).empty());
  }
}

TEST_CASE("edges of every shipped definition are felt, and nothing else is", "[model]") {
  for (const char* name :
       {"attention", "bidirectional", "bernoulli_stop", "char_lm", "encoder_decoder", "end_symbol",
        "gaussian_output", "generated_weights", "hierarchical", "many_to_one", "output_recurrent",
        "predicted_length", "time_delay", "two_level_import", "untied", "vector_to_sequence_state",
        "grid_lines"}) {
    CAPTURE(name);
    const Confirmation c = confirm(load_definition(name), 3);
    CHECK(c.wrong == 0);
    CHECK(c.unfelt == 0);
    CHECK_FALSE(c.pairs.empty());
  }
}

TEST_CASE("a model as JSON and as pictures", "[model]") {
  const GraphicalModel m = graphical_model(load_definition("sequence_model"), 5, {.states = true});
  const auto j = nlohmann::json::parse(to_json(m));
  CHECK(j["format"] == "taugrad-model");
  CHECK(j["edges"] == 13);
  CHECK(j["structure"] == "complete");
  REQUIRE(j["nodes"].size() == 10);
  CHECK(j["nodes"][0]["role"] == "state");
  CHECK(j["nodes"][1] == nlohmann::json({{"id", 1},
                                         {"name", "y"},
                                         {"position", {1}},
                                         {"role", "random"},
                                         {"distribution", "categorical"},
                                         {"symbols", 3},
                                         {"shape", nlohmann::json::array()},
                                         {"parents", {0}}}));
  const Picture p = picture_of(m);
  CHECK(p.nodes.size() == 10);
  CHECK(p.edges.size() == 13);
  CHECK(p.clusters.size() == 5);
  const std::string dot = to_dot(p);
  CHECK(dot.find("y_1 -> h_2") != std::string::npos);
  CHECK(picture_of(graphical_model(load_definition("sequence_model"), 20)).clusters.size() < 20);
}

TEST_CASE("no random variable, too many edges", "[model]") {
  CHECK(problems_of([] { graphical_model(load_definition("gru"), 3); }).front().code == "G027");
  CHECK(
      problems_of([] { graphical_model(load_definition("sequence_model"), 4000); }).front().code ==
      "R002");
  CHECK(graphical_model(load_definition("sequence_model"), 4000, {.states = true}).edges() ==
        11998);
}
