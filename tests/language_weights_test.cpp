// Weights and their copies, one by one, against values worked out by hand.      (docs/language.md
// R7-R8)
#include "language_support.h"
#include "taugrad/autodiff/gradient.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

Tensors weights_of(const std::string& declaration, std::uint64_t seed = 1) {
  const Definition d =
      define("\"weights\": {\"w\": " + declaration + "}, \"equations\": [\"v = sum(w)\"]");
  DrawOptions options;
  options.seed = seed;
  return initial_weights(d, options);
}
Tensor weight_of(const std::string& declaration, std::uint64_t seed = 1) {
  return weights_of(declaration, seed).at("w");
}

}  // namespace

TEST_CASE("R7: init", "[language]") {
  check_values(weight_of(R"({"shape": [2], "init": {"values": [0.25, "1/3"]}})"), {2},
               {0.25, 1.0 / 3});
  check_values(weight_of(R"({"shape": [], "init": 0.5})"), {}, {0.5});
  check_values(weight_of(R"({"shape": [2, 2], "init": 3})"), {2, 2}, {3, 3, 3, 3});
  check_values(weight_of(R"({"shape": [2], "init": "ones"})"), {2}, {1, 1});
  check_values(weight_of(R"({"shape": [2, 2], "init": "zeros"})"), {2, 2}, {0, 0, 0, 0});
  check_values(weight_of(R"({"shape": [2, 3], "init": "identity"})"), {2, 3}, {1, 0, 0, 0, 1, 0});
  check_values(weight_of("[3]"), {3}, {0, 0, 0});
}

TEST_CASE("R7: drawn weights keep their bounds and depend on the seed", "[language]") {
  const auto largest = [](const Tensor& t) {
    double a = 0;
    for (const double v : values_of(t)) a = std::max(a, std::abs(v));
    return a;
  };
  const Tensor by_default = weight_of("[40, 25]");
  CHECK(largest(by_default) <= 1.0 / 5);  // uniform(+-1/sqrt(last axis))
  CHECK(largest(by_default) > 0.9 / 5);
  CHECK(largest(weight_of(R"j({"shape": [1000], "init": "uniform(0.1)"})j")) <= 0.1);
  const Tensor xavier = weight_of(R"({"shape": [10, 50], "init": "xavier"})");
  CHECK(largest(xavier) <= std::sqrt(6.0 / 60));
  CHECK(largest(xavier) > 0.9 * std::sqrt(6.0 / 60));
  const Tensor normal = weight_of(R"j({"shape": [10000], "init": "normal(2)"})j");
  CHECK(norm(normal) / 100 == Approx(2).epsilon(0.03));
  CHECK(weight_of("[4, 4]", 1) == weight_of("[4, 4]", 1));
  CHECK_FALSE(weight_of("[4, 4]", 1) == weight_of("[4, 4]", 2));
}

TEST_CASE("R7: an orthogonal matrix has orthonormal rows, or columns where it is tall",
          "[language]") {
  for (const bool tall : {false, true}) {
    const Tensor w = weight_of(tall ? R"({"shape": [5, 3], "init": "orthogonal"})"
                                    : R"({"shape": [3, 5], "init": "orthogonal"})");
    for (std::int64_t a = 0; a < 3; ++a)
      for (std::int64_t b = 0; b < 3; ++b) {
        double dot = 0;
        for (std::int64_t i = 0; i < 5; ++i)
          dot += tall ? w.at(i * 3 + a) * w.at(i * 3 + b) : w.at(a * 5 + i) * w.at(b * 5 + i);
        CHECK(dot == Approx(a == b ? 1 : 0).margin(1e-14));
      }
  }
}

TEST_CASE("R7: an indexed weight is untied: one for each position", "[language]") {
  const Definition d =
      define(R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w[t]": []},
    "equations": ["h[t] = w[t] * h[t-1] + x[t]"], "loss": "h[last]")");
  const Tensors v = evaluate(d, {{"x", series({1, 1, 1})}}, {{"w", numbers({3}, {5, 2, 3})}},
                             {"h", "grad:w", "grad:w[2]"});
  check_values(v.at("h"), {3, 1}, {1, 3, 10});
  check_values(v.at("grad:w"), {3}, {0, 3, 3});
  check_values(v.at("grad:w[2]"), {1}, {3});
  CHECK(initial_weights(d, {.steps = 4}).at("w").dims() == Dims{4});
}

TEST_CASE("R8: one copy for each position of a left side, shared by all mentions there",
          "[language]") {
  // W stands twice in an equation and in two equations
  const Definition d =
      define(R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["h[t] = w * h[t-1] + w * x[t]", "o[t] = w * h[t]"], "loss": "o[last]")");
  const Tensors v = evaluate(d, {{"x", series({1, 2})}}, {{"w", numbers({}, {3})}},
                             {"loss", "grad:w", "grad:w[1]", "grad:w[2]", "grad:w[2]@h",
                              "grad:w[2]@o", "grad:w[1]@h", "grad:w[1]@o"});
  // h1 = 3, h2 = 9 + 6 = 15, o2 = 45 = w^3 x1 + w^2 x2
  check_values(v.at("loss"), {1}, {45});
  check_values(v.at("grad:w"), {1}, {27 + 12});
  check_values(v.at("grad:w[1]"), {1}, {9});        // dh1/dw1 = x1, through w2 w2
  check_values(v.at("grad:w[2]"), {1}, {15 + 15});  // o: h2; h: w (h1 + x2)
  check_values(v.at("grad:w[2]@o"), {1}, {15});
  check_values(v.at("grad:w[2]@h"), {1}, {15});
  check_values(v.at("grad:w[1]@h"), {1}, {9});
  check_values(v.at("grad:w[1]@o"), {1}, {0});
}

TEST_CASE("R8: boundaries and equations without an index have copies named as written",
          "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []}, "equations": [
    "h[0] = 2 * w", "h[t] = w * h[t-1] + x[t]", "g[tau+1] = 3 * w", "g[t] = w * g[t+1] + x[t]", "o = w * (h[last] + g[1])"],
    "loss": "o")j");
  const std::vector<std::string> copies{"grad:w[0]", "grad:w[1]", "grad:w[2]", "grad:w[tau+1]",
                                        "grad:w[]"};
  std::vector<std::string> fetch = copies;
  fetch.insert(fetch.end(), {"grad:w", "o"});
  const Tensors v = evaluate(d, {{"x", series({1, 1})}}, {{"w", numbers({}, {2})}}, fetch);
  // h: 4, 9, 19; g: 6 <- 13 <- 27
  check_values(v.at("o"), {1}, {2 * (19 + 27)});
  check_values(v.at("grad:w[]"), {1}, {46});
  check_values(v.at("grad:w[0]"), {1}, {2 * 4 * 2});
  check_values(v.at("grad:w[tau+1]"), {1}, {2 * 4 * 3});
  check_values(v.at("grad:w[1]"), {1}, {2 * 2 * 4 + 2 * 13});  // h[0] through w, and g[2]
  check_values(v.at("grad:w[2]"), {1}, {2 * 9 + 2 * 2 * 6});
  double sum = 0;
  for (const std::string& c : copies) sum += v.at(c).at(0);
  check_values(v.at("grad:w"), {1}, {sum});
}

TEST_CASE("R8: a fixed position inside shares the copy of that position", "[language]") {
  const Definition d =
      define(R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["h[1] = 5 * w", "h[t] = w * h[t-1]", "o[t] = w * x[t]"], "loss": ["h[last]", "o[t]"])");
  const Tensors v = evaluate(d, {{"x", series({1, 10})}}, {{"w", numbers({}, {2})}},
                             {"grad:w[1]", "grad:w[2]", "grad:w"});
  check_values(v.at("grad:w[1]"), {1}, {2 * 5 + 1});
  check_values(v.at("grad:w[2]"), {1}, {10 + 10});
  check_values(v.at("grad:w"), {1}, {31});
}

TEST_CASE("R8: on a grid a copy has two positions; elsewhere letters tell them apart",
          "[language]") {
  const Definition grid =
      define(R"("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": []}, "weights": {"w": []},
    "equations": ["p[i,j] = w * p[i-1,j] + x[i,j]"], "loss": "p[i,j]")");
  const Tensors inputs{{"x", numbers({2, 2, 1}, {1, 2, 3, 4})}};
  const Tensors v = evaluate(grid, inputs, {{"w", numbers({}, {1})}},
                             {"grad:w", "grad:w[2,1]", "grad:w[2,2]", "grad:w[1,2]"});
  check_values(v.at("grad:w[2,1]"), {1}, {1});
  check_values(v.at("grad:w[2,2]"), {1}, {2});
  check_values(v.at("grad:w[1,2]"), {1}, {0});
  check_values(v.at("grad:w"), {1}, {3});
  const Definition two = define(
      R"("index": {"s": "n", "t": "tau"}, "inputs": {"u[s]": [], "x[t]": []}, "weights": {"w": []},
    "equations": ["h[s] = h[s-1] + w * u[s]", "d[t] = w * x[t]"], "loss": ["h[last]", "d[t]"])");
  const Tensors copies =
      evaluate(two, {{"u", series({1, 2, 4})}, {"x", series({10, 20})}}, {{"w", numbers({}, {1})}},
               {"grad:w", "grad:w[s=2]", "grad:w[t=2]", "grad:w[s=3]"});
  check_values(copies.at("grad:w[s=2]"), {1}, {2});
  check_values(copies.at("grad:w[t=2]"), {1}, {20});
  check_values(copies.at("grad:w[s=3]"), {1}, {4});
  check_values(copies.at("grad:w"), {1}, {37});
}

TEST_CASE("R8: bound indices do not count: a sum over s at position t has one copy", "[language]") {
  const Definition d =
      define(R"j("index": {"s": "tau", "t": "tau"}, "inputs": {"x[s]": []}, "weights": {"w": []},
    "equations": ["v[t] = sum[s](w * x[s])"], "loss": "v[t]")j");
  const Tensors v =
      evaluate(d, {{"x", series({1, 2, 4})}}, {{"w", numbers({}, {1})}}, {"grad:w[2]", "grad:w"});
  check_values(v.at("grad:w[2]"), {1}, {7});
  check_values(v.at("grad:w"), {1}, {21});
}

TEST_CASE("R8: both directions share the copies of a position, functions and imports too",
          "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"n": 1, "m": 1}, "inputs": {"x[t]": ["n"]},
    "weights": {"W": ["m", "m"], "U": ["m", "n"], "b": ["m"]}, "functions": ["twice(a) = W @ a + W @ a"], "imports": {
      "f": {"from": "rnn", "inputs": {"x[t]": "x[t]"}, "weights": {"W": "W", "U": "U", "b": "b"}},
      "g": {"from": "rnn", "inputs": {"x[t]": "x[t]"}, "weights": {"W": "W", "U": "U", "b": "b"}, "reverse": ["t"]}},
    "equations": ["o[t] = twice(f.h[t] + g.h[t])"], "loss": "o[t]")j");
  const Tensors w{
      {"W", numbers({1, 1}, {0.5})}, {"U", numbers({1, 1}, {1})}, {"b", numbers({1}, {0.1})}};
  const Tensors v = evaluate(d, {{"x", numbers({2, 1, 1}, {0.3, -0.2})}}, w,
                             {"grad:W", "grad:W[1]", "grad:W[2]", "f.h", "g.h", "grad:W[1]@g.h",
                              "grad:W[2]@g.h", "grad:W[2]@o"});
  const double f1 = std::tanh(0.4), f2 = std::tanh(-0.1 + 0.5 * f1), g2 = std::tanh(-0.1),
               g1 = std::tanh(0.4 + 0.5 * g2);
  check_values(v.at("f.h"), {2, 1, 1}, {f1, f2});
  check_values(v.at("g.h"), {2, 1, 1}, {g1, g2});
  check_values(v.at("grad:W[2]@o"), {1, 1}, {2 * (f2 + g2)});
  check_values(v.at("grad:W[1]@g.h"), {1, 1}, {(1 - g1 * g1) * g2});  // o = 2 W h: 1 flows into g1
  check_values(v.at("grad:W[2]@g.h"), {1, 1}, {0});
  check_values(v.at("grad:W[1]"), {1, 1}, {2 * (f1 + g1) + (1 - g1 * g1) * g2});
  check_values(v.at("grad:W[2]"), {1, 1}, {2 * (f2 + g2) + (1 - f2 * f2) * f1});
  check_near(v.at("grad:W"), plus(v.at("grad:W[1]"), v.at("grad:W[2]")), 1e-15);
}

TEST_CASE("R8: a copy sums over the items that have its position", "[language]") {
  const Definition d =
      define(R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["o[t] = w * x[t]"], "loss": "o[t]")");
  const Tensors inputs{{"x", numbers({3, 2}, {1, 2, 4, 8, 16, 32})},
                       {"lengths", symbols({2}, {3, 2})}};
  const Tensors v =
      evaluate(d, inputs, {{"w", numbers({}, {1})}}, {"grad:w[2]", "grad:w[3]", "grad:w"});
  check_values(v.at("grad:w[2]"), {1}, {12});
  check_values(v.at("grad:w[3]"), {1}, {16});
  check_values(v.at("grad:w"), {1}, {31});
}

TEST_CASE("R8: a copy that nothing reads is zero, with a warning", "[language]") {
  const Definition d =
      define(R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["o[t] = w * x[t]"], "loss": "o[t]")");
  const RunResult r = run(d, {{"x", series({1, 2})}}, {{"w", numbers({}, {1})}},
                          {.fetch = {"grad:w[3]"}, .dtype = Dtype::f64});
  check_values(r.values.at("grad:w[3]"), {1}, {0});
  REQUIRE(r.warnings.size() == 1);
  CHECK(r.warnings[0].find("w[3]") != std::string::npos);
}
