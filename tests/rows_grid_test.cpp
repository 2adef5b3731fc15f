// Rows S60, S61, S64, S65: two dimensions, the convolution form, positions that are not time.
// (section 4)
#include <fmt/core.h>

#include "language_support.h"
#include "taugrad/evaluate/check.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

constexpr std::int64_t kRows = 4, kCols = 5;

Tensors grid_inputs(const Definition& d) {
  return random_inputs(d, {.lengths = {{"rows", kRows}, {"cols", kCols}}, .seed = 3});
}

/// Which x(k,l) variable(i,j) depends on, [i,j,k,l]: the support of the Jacobian.
std::vector<bool> support(const Definition& d, const std::string& variable) {
  Tensors inputs = grid_inputs(d);
  const Tensors weights = initial_weights(d, {.seed = 3});
  const Tensor value = evaluate_one(d, inputs, weights, variable);
  const std::int64_t width = value.dims()[3];
  std::vector<bool> depends;
  for (std::int64_t at = 0; at < kRows * kCols; ++at) {
    Tensor cotangent(value.dims(), Dtype::f64);
    for (std::int64_t i = 0; i < width; ++i)
      cotangent.set(at * width + i, 1 + 0.1 * static_cast<double>(i));
    inputs["cotangent:" + variable] = cotangent;
    const Tensor g = evaluate_one(d, inputs, weights, "grad:x");
    for (std::int64_t k = 0; k < kRows * kCols; ++k)
      depends.push_back(g.at(2 * k) != 0 || g.at(2 * k + 1) != 0);
  }
  return depends;
}

template <class F>
void check_support(const Definition& d, const std::string& variable, F&& expected) {
  CAPTURE(variable);
  const std::vector<bool> depends = support(d, variable);
  std::size_t at = 0;
  for (std::int64_t i = 0; i < kRows; ++i)
    for (std::int64_t j = 0; j < kCols; ++j)
      for (std::int64_t k = 0; k < kRows; ++k)
        for (std::int64_t l = 0; l < kCols; ++l) {
          CAPTURE(i, j, k, l);
          CHECK(depends[at++] == expected(i, j, k, l));
        }
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("S60: each of the four nets of a grid sees its own quadrant, together they see all",
          "[rows]") {
  const Definition d = load_definition("grid_four_directions");
  check_support(d, "p", [](auto i, auto j, auto k, auto l) { return k <= i && l <= j; });
  check_support(d, "q", [](auto i, auto j, auto k, auto l) { return k <= i && l >= j; });
  check_support(d, "r", [](auto i, auto j, auto k, auto l) { return k >= i && l <= j; });
  check_support(d, "s", [](auto i, auto j, auto k, auto l) { return k >= i && l >= j; });
  check_support(d, "o", [](auto, auto, auto, auto) { return true; });
}

TEST_CASE(
    "S60: four nets along lines see half-lines, together a cross, and all after a second layer",
    "[rows]") {
  Definition d = load_definition("grid_lines");
  check_support(d, "u", [](auto i, auto j, auto k, auto l) { return l == j && k <= i; });
  check_support(d, "d", [](auto i, auto j, auto k, auto l) { return l == j && k >= i; });
  check_support(d, "l", [](auto i, auto j, auto k, auto l) { return k == i && l <= j; });
  check_support(d, "r", [](auto i, auto j, auto k, auto l) { return k == i && l >= j; });
  check_support(d, "o", [](auto i, auto j, auto k, auto l) { return k == i || l == j; });
  for (const char* equation :
       {"u2[i,j] = tanh(W @ u2[i-1,j] + o[i,j])", "d2[i,j] = tanh(W @ d2[i+1,j] + o[i,j])",
        "l2[i,j] = tanh(Z @ l2[i,j-1] + o[i,j])", "r2[i,j] = tanh(Z @ r2[i,j+1] + o[i,j])",
        "O[i,j] = u2[i,j] + d2[i,j] + l2[i,j] + r2[i,j]"})
    d.equation(equation);
  check_support(d, "O", [](auto, auto, auto, auto) { return true; });
}

TEST_CASE("S60: gradients on a 4 x 5 grid, numerically", "[rows]") {
  for (const char* name : {"grid_four_directions", "grid_lines", "grid_convolution"}) {
    CAPTURE(name);
    const CheckReport report = check(
        load_definition(name),
        {.lengths = {{"rows", kRows}, {"cols", kCols}}, .batch = 1, .control = {.max_runs = 3000}});
    CHECK(report.ok());
    CHECK(report.checked > 100);
  }
}

TEST_CASE("S61: the convolution form equals the sum over neighbours cell by cell", "[rows]") {
  const Definition d = load_definition("grid_convolution");
  Tensors weights = initial_weights(d, {.seed = 3});
  Definition written = d;
  std::string sum = "a[i,j] = b";
  std::erase_if(written.weights, [](const WeightDeclaration& w) { return w.name.text == "K"; });
  const Tensor K = weights.at("K");
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      const std::string name = fmt::format("K{}{}", a, b);
      written.weight(name, {Expr("m", 9), Expr("n", 9)});
      weights[name] = numbers({3, 2}, values_of(part(part(K, 0, a, a + 1), 1, b, b + 1)));
      const auto offset = [](const char* letter, int o) {
        return std::string(letter) + (o < 0 ? "-1" : o > 0 ? "+1" : "");
      };
      sum += " + " + name + " @ x[" + offset("i", a - 1) + "," + offset("j", b - 1) + "]";
    }
  for (Text& e : written.equations)
    if (e.text.starts_with("a[i,j]")) e.text = sum;
  const std::vector<std::string> fetch{"a", "h", "o", "loss", "grad:x", "grad:W"};
  const Tensors v = evaluate(d, grid_inputs(d), weights, fetch),
                w = evaluate(written, grid_inputs(d), weights, fetch);
  for (const std::string& name : fetch) check_near(v.at(name), w.at(name), 1e-12);
}

TEST_CASE("S61: in one dimension the input's share of all steps is one product", "[rows]") {
  const Definition sequence = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [40]}, "weights": {"U": [30, 40]}, "equations": ["a[t] = U @ x[t]"])j");
  const Definition single =
      define(R"j("inputs": {"x": [40]}, "weights": {"U": [30, 40]}, "equations": ["a = U @ x"])j");
  const Tensors inputs = random_inputs(sequence, {.steps = 50}),
                weights = initial_weights(sequence);
  const Tensor steps = evaluate_one(sequence, inputs, weights, "a");
  const Tensor at_once =
      evaluate_one(single, {{"x", numbers({50, 40}, values_of(inputs.at("x")))}}, weights, "a");
  CHECK(values_of(steps) == values_of(at_once));
}

TEST_CASE("S64: an index need not be time: other letters and lengths give the same bits",
          "[rows]") {
  for (const char* name : {"elman", "bidirectional", "lstm", "time_delay"}) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    std::string text = to_json(d);
    replace_all(text, "{\"t\": \"tau\"}", "{\"place\": \"width\"}");
    for (const char* follow : {"]", "-", "+"})
      replace_all(text, std::string("[t") + follow, std::string("[place") + follow);
    const Definition other = parse_definition(text, "renamed.json");
    const DrawOptions draw{.steps = 5, .batch = 2, .seed = 4};
    Tensors inputs = random_inputs(d, draw);
    inputs["lengths"] = symbols({2}, {3, 5});
    const Tensors weights = initial_weights(d, draw);
    const Tensors v = evaluate(d, inputs, weights, {"h"}),
                  w = evaluate(other, inputs, weights, {"h"});
    CHECK(norm(v.at("h")) > 0);
    check_same(v.at("h"), w.at("h"));
  }
}

TEST_CASE("S65: a time-delay network sees exactly its window", "[rows]") {
  const Definition d = load_definition("time_delay");
  Tensors inputs = random_inputs(d, {.steps = 9, .seed = 4});
  const Tensors weights = initial_weights(d, {.seed = 4});
  for (std::int64_t t = 0; t < 9; ++t) {
    inputs["cotangent:o"] = Tensor({9, 1, 3}, Dtype::f64);
    for (std::int64_t i = 0; i < 3; ++i) inputs["cotangent:o"].set(t * 3 + i, 1);
    const Tensor g = evaluate_one(d, inputs, weights, "grad:x");
    for (std::int64_t k = 0; k < 9; ++k)
      CHECK((norm(part(g, 0, k, k + 1)) > 0) == (k <= t && k >= t - 2));
  }
}
