// Rows S59, S62, S65: how far a network sees, how strongly, and at what cost.      (sections 3.4,
// 4)
#include <nlohmann/json.hpp>

#include "language_support.h"
#include "taugrad/analysis/influence.h"
#include "taugrad/draw/flow_picture.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

constexpr std::int64_t kSteps = 11;

InfluenceReport of_output(const Definition& d, const Tensors& weights = {},
                          std::map<std::string, std::int64_t> lengths = {}) {
  FlowOptions options;
  options.steps = kSteps;
  options.lengths = std::move(lengths);
  return influence(d, {}, weights, "o", "x", options);
}

/// The sizes n, m, k of a definition.
Definition sized(Definition d, std::int64_t n, std::int64_t m, std::int64_t k) {
  for (auto& s : d.sizes) s.value = s.name == "n" ? n : s.name == "m" ? m : k;
  return d;
}

/// A layer of 3 x 3 convolution with a readout, or two layers.
Definition convolution(bool two) {
  return define(std::string(R"j("index": {"i": "rows", "j": "cols"},
    "sizes": {"n": 1, "m": 4, "k": 2}, "inputs": {"x[i,j]": ["n"]},
    "weights": {"K": [3, 3, "m", "n"], "b": ["m"], "V": ["k", "m"], "c": ["k"])j") +
                (two ? R"j(, "L": [3, 3, "m", "m"])j" : "") + R"j(},
    "equations": ["h[i,j] = tanh(b + conv[i,j](K, x[i-1,j-1]))", )j" +
                (two ? R"j("g[i,j] = tanh(conv[i,j](L, h[i-1,j-1]))", "o[i,j] = c + V @ g[i,j]"])j"
                     : R"j("o[i,j] = c + V @ h[i,j]"])j"));
}

}  // namespace

TEST_CASE("S59: influence on a bidirectional net is the norm of its Jacobian, element by element",
          "[rows]") {
  const Definition d = load_definition("bidirectional");
  FlowOptions options;
  options.norm = MatrixNorm::frobenius;
  Tensors inputs = random_inputs(d, {.steps = 6, .batch = 2, .seed = 2});
  inputs["lengths"] = symbols({2}, {6, 4});
  const Tensors weights = initial_weights(d, {.seed = 2});
  const InfluenceReport r = influence(d, inputs, weights, "o", "x", options);
  for (std::int64_t t = 0; t < 6; ++t) {
    std::vector<std::vector<double>> squares(2, std::vector<double>(6, 0));
    for (std::int64_t i = 0; i < 3; ++i) {  // a row of do(t)/dx
      Tensors with = inputs;
      with["cotangent:o"] = Tensor({6, 2, 3}, Dtype::f64);
      for (std::int64_t item = 0; item < 2; ++item)
        with["cotangent:o"].set((t * 2 + item) * 3 + i, 1);
      const Tensor g = evaluate_one(d, with, weights, "grad:x");
      for (std::size_t item = 0; item < 2; ++item)
        for (std::size_t k = 0; k < 6; ++k)
          for (std::size_t j = 0; j < 2; ++j)
            squares[item][k] +=
                std::pow(g.at(static_cast<std::int64_t>((k * 2 + item) * 2 + j)), 2);
    }
    for (std::size_t k = 0; k < 6; ++k) {
      const double a = std::sqrt(squares[0][k]), b = std::sqrt(squares[1][k]);
      const double mean = t < 4 && k < 4 ? (a + b) / 2 : a;  // the second item has 4 steps
      CHECK(r.influence[static_cast<std::size_t>(t)][k] == Approx(mean).epsilon(1e-12));
      CHECK(a > 0);
    }
  }
}

TEST_CASE("S59: most sensitive near t, without a window", "[rows]") {
  const InfluenceReport r = of_output(load_definition("bidirectional"));
  CHECK(r.sees == kSteps);
  REQUIRE(r.reach.size() == 1);
  CHECK(r.reach[0].index == "t");
  CHECK(r.reach[0].back == kSteps - 1);
  CHECK(r.reach[0].ahead == kSteps - 1);
  REQUIRE(r.profile.size() == 2 * kSteps - 1);
  CHECK(std::ranges::max_element(r.profile) - r.profile.begin() == kSteps - 1);  // offset 0
  CHECK(r.profile.front() > 0);
  CHECK(r.profile.back() > 0);
  for (std::size_t t = 0; t < kSteps; ++t)
    for (std::size_t k = 0; k < kSteps; ++k) CHECK(r.influence[t][k] > 0);
  const auto j = nlohmann::json::parse(to_json(r));
  CHECK(j["format"] == "taugrad-influence");
  CHECK(j["profile"].get<std::vector<double>>() == r.profile);
  CHECK(j["influence"].get<std::vector<std::vector<double>>>() == r.influence);
  CHECK(j["from_positions"][3] == nlohmann::json::array({4}));
  const std::string svg = to_svg(r);
  CHECK(svg.find("t = 5, k = 1") != std::string::npos);
  CHECK(svg.find("k - t = -10") != std::string::npos);
}

TEST_CASE("S65: a time-delay network sees its window, a recurrent one all that was", "[rows]") {
  const InfluenceReport window = of_output(load_definition("time_delay")),
                        past = of_output(load_definition("elman"));
  CHECK(window.sees == 3);
  CHECK(window.reach[0].back == 2);
  CHECK(window.reach[0].ahead == 0);
  CHECK(past.sees == kSteps);
  CHECK(past.reach[0].back == kSteps - 1);
  CHECK(past.reach[0].ahead == 0);
}

TEST_CASE("S62: in one dimension at equal parameters: operations and receptive field", "[rows]") {
  // n = 1, k = 1: elman m^2 + m + m + m + 1, time_delay 3 m + m + m + 1: equal where m = 2
  const InfluenceReport recurrent = of_output(sized(load_definition("elman"), 1, 2, 1)),
                        window = of_output(sized(load_definition("time_delay"), 1, 2, 1));
  CHECK(recurrent.parameters == 11);
  CHECK(window.parameters == 11);
  CHECK(recurrent.sees == 11);
  CHECK(window.sees == 3);
  // a multiply-add counts 2: W h 8, U x 4, two sums 4, tanh 2, V h 4, c 1
  CHECK(recurrent.operations == 11 * (8 + 4 + 4 + 2 + 4 + 1));
  // three taps 12, b 2, tanh 2, V h 4, c 1
  CHECK(window.operations == 11 * (12 + 2 + 2 + 4 + 1));
}

TEST_CASE("S62: on a grid at equal parameters recurrence costs more and reaches farther",
          "[rows]") {
  const std::map<std::string, std::int64_t> nine{{"rows", 9}, {"cols", 9}};
  const InfluenceReport four =
      of_output(sized(load_definition("grid_four_directions"), 1, 4, 2), {}, nine);
  const InfluenceReport one = of_output(convolution(false), {}, nine);
  const InfluenceReport two = of_output(convolution(true), {}, nine);
  CHECK(four.parameters == 50);
  CHECK(one.parameters == 50);
  CHECK(one.sees == 9);
  CHECK(two.sees == 25);
  CHECK(four.sees == 81);
  for (const Reach& r : one.reach) CHECK(std::pair(r.back, r.ahead) == std::pair(1L, 1L));
  for (const Reach& r : two.reach) CHECK(std::pair(r.back, r.ahead) == std::pair(2L, 2L));
  for (const Reach& r : four.reach) CHECK(std::pair(r.back, r.ahead) == std::pair(8L, 8L));
  CHECK(four.operations > 2 * one.operations);
  CHECK(four.profile.empty());
}

TEST_CASE("influence: other indices, no index, a shared state; what it cannot measure", "[flow]") {
  const InfluenceReport last = of_output(load_definition("many_to_one"));
  CHECK(last.of_positions.size() == 1);
  CHECK(last.sees == kSteps);
  CHECK(last.reach.empty());
  FlowOptions options;
  options.steps = 4;
  const InfluenceReport across = influence(load_definition("attention"), {}, {}, "o", "h", options);
  CHECK(across.sees == 4);
  const InfluenceReport shared =
      influence(load_definition("dynamical_system"), {}, {}, "s", "s", options);
  CHECK(shared.reach[0].back == 3);
  CHECK(shared.influence[2][2] == Approx(1));
  const auto code = [](const char* of, const char* from) {
    return problems_of([&] { influence(load_definition("elman"), {}, {}, of, from); }).front().code;
  };
  CHECK(code("o", "W") == "U002");
  CHECK(code("x", "x") == "U002");
  CHECK(code("o", "y") == "U002");
  CHECK(code("q", "x") == "U002");
}
