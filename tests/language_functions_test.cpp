// Reductions, functions and imports, one by one, against values worked out by hand.
// (docs/language.md R9-R11)
#include "language_support.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {
/// A definition over t with a number x[t], a vector a of three and equations.
Definition with_x(const std::string& quoted_equations, const std::string& more = "") {
  return define(R"("index": {"t": "tau"}, "inputs": {"x[t]": [], "a": [3]}, )" + more +
                "\"equations\": [" + quoted_equations + "]");
}
Tensor of_a(const std::string& expression, const std::vector<double>& a = {1, -2, 0.5}) {
  const Definition d =
      define("\"inputs\": {\"a\": [3]}, \"equations\": [\"v = " + expression + "\"]");
  return evaluate_one(d, {{"a", numbers({1, 3}, a)}}, {}, "v");
}
}  // namespace

TEST_CASE("R9: sum, mean and max take all elements of one example", "[language]") {
  const Definition d = define(
      R"j("inputs": {"a": [2, 2]}, "equations": ["s = sum(a)", "m = mean(a)", "l = max(a)"])j");
  const Tensors v =
      evaluate(d, {{"a", numbers({2, 2, 2}, {1, 2, 3, 6, -1, -2, -3, -6})}}, {}, {"s", "m", "l"});
  check_values(v.at("s"), {2}, {12, -12});
  check_values(v.at("m"), {2}, {3, -3});
  check_values(v.at("l"), {2}, {6, -1});
}

TEST_CASE("R9: reductions over an index run over the item's own length, element by element",
          "[language]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
    "equations": ["s = sum[t](x[t])", "m = mean[t](x[t])", "l = max[t](x[t])"], "loss": ["sum(s)", "sum(m)", "sum(l)"])j");
  // items of length 3, 1 and 0
  const Tensors inputs{
      {"x", numbers({3, 3, 2}, {1, -1, 5, -5, 9, 9, 3, -2, 9, 9, 9, 9, 2, -6, 9, 9, 9, 9})},
      {"lengths", symbols({3}, {3, 1, 0})}};
  const Tensors v = evaluate(d, inputs, {}, {"s", "m", "l", "grad:x"});
  check_values(v.at("s"), {3, 2}, {6, -9, 5, -5, 0, 0});
  check_values(v.at("m"), {3, 2}, {2, -3, 5, -5, 0, 0});
  check_values(v.at("l"), {3, 2}, {3, -1, 5, -5, 0, 0});
  const double third = 1 + 1.0 / 3;
  check_values(
      v.at("grad:x"), {3, 3, 2},
      {third, 1 + third, 3, 3, 0, 0, 1 + third, third, 0, 0, 0, 0, third, third, 0, 0, 0, 0});
}

TEST_CASE("R9: over zero steps a reduction is zero", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["s = sum[t](w * x[t])", "m = mean[t](w * x[t])", "l = max[t](w * x[t] - 5)"], "loss": ["s", "m", "l"])j");
  const Tensors v = evaluate(d, {{"x", Tensor({0, 2}, Dtype::f64)}}, {{"w", numbers({}, {1})}},
                             {"s", "m", "l", "grad:w", "loss", "grad:x"});
  for (const char* name : {"s", "m", "l", "loss"}) check_values(v.at(name), {2}, {0, 0});
  check_values(v.at("grad:w"), {1}, {0});
  CHECK(v.at("grad:x").dims() == Dims{0, 2});
}

TEST_CASE("R9: ties in max go to the first", "[language]") {
  const Definition d = with_x(R"j("l = max[t](x[t])", "e = max(a)")j", R"("loss": ["l", "e"], )");
  const Tensors v = evaluate(d, {{"x", series({1, 4, 4})}, {"a", numbers({1, 3}, {2, 2, 1})}}, {},
                             {"grad:x", "grad:a"});
  check_values(v.at("grad:x"), {3, 1}, {0, 1, 0});
  check_values(v.at("grad:a"), {1, 3}, {1, 0, 0});
}

TEST_CASE("R9: a reduction over two indices, and one inside another", "[language]") {
  const Definition d =
      define(R"j("index": {"s": "n", "t": "tau"}, "inputs": {"x[s]": [], "y[t]": []}, "equations": [
    "a = sum[s,t](x[s] * y[t])", "b[t] = max[s](x[s] * y[t])", "c = sum[t](y[t] * sum[s](x[s]))"])j");
  const Tensors v =
      evaluate(d, {{"x", series({1, 2})}, {"y", series({1, -1, 3})}}, {}, {"a", "b", "c"});
  check_values(v.at("a"), {1}, {9});
  check_values(v.at("b"), {3, 1}, {2, -1, 6});
  check_values(v.at("c"), {1}, {9});
}

TEST_CASE(
    "R9: softmax, log_softmax and layer_norm work on the last axis; concat, slice and stack on the "
    "first",
    "[language]") {
  const Definition d =
      define(R"j("inputs": {"a": [2, 2]}, "equations": ["p = softmax(a)", "l = log_softmax(a)",
    "n = layer_norm(a, ones(2), zeros(2))", "c = concat(a, 2 * a)", "s = slice(a, 1, 2)", "k = stack(a, -a)"])j");
  const Tensors v = evaluate(d, {{"a", numbers({1, 2, 2}, {0, std::log(3), 1, 3})}}, {},
                             {"p", "l", "n", "c", "s", "k"});
  const double e2 = std::exp(-2), p = 1 / (1 + e2), n = 1 / std::sqrt(1 + 1e-5);
  check_values(v.at("p"), {1, 2, 2}, {0.25, 0.75, 1 - p, p});
  check_values(v.at("l"), {1, 2, 2},
               {std::log(0.25), std::log(0.75), std::log(p) - 2, std::log(p)});
  check_values(part(v.at("n"), 1, 1, 2), {1, 1, 2}, {-n, n});
  check_values(v.at("c"), {1, 4, 2}, {0, std::log(3), 1, 3, 0, 2 * std::log(3), 2, 6});
  check_values(v.at("s"), {1, 1, 2}, {1, 3});
  check_values(v.at("k"), {1, 2, 2, 2}, {0, std::log(3), 1, 3, 0, -std::log(3), -1, -3});
}

TEST_CASE("R10: elementwise functions", "[language]") {
  const auto each = [](const std::string& text, double (*f)(double)) {
    check_values(of_a(text), {1, 3}, {f(1), f(-2), f(0.5)}, 4e-15);
  };
  each("tanh(a)", [](double x) { return std::tanh(x); });
  each("sigmoid(a)", [](double x) { return 1 / (1 + std::exp(-x)); });
  each("relu(a)", [](double x) { return x > 0 ? x : 0; });
  each("exp(a)", [](double x) { return std::exp(x); });
  each("log(a * a)", [](double x) { return std::log(x * x); });
  each("sqrt(a * a)", [](double x) { return std::abs(x); });
  each("abs(a)", [](double x) { return std::abs(x); });
  each("min(a, 0.7)", [](double x) { return std::min(x, 0.7); });
  each("clamp(a, -1, 0.75)", [](double x) { return std::min(std::max(x, -1.0), 0.75); });
  each("where(a < 0, 10, a)", [](double x) { return x < 0 ? 10 : x; });
  each("pow(a, 3)", [](double x) { return x * x * x; });
  each("stop_gradient(a)", [](double x) { return x; });
  each("dropout(a, 0.5)", [](double x) { return x; });  // active in train alone
  each("dropout(a, 0)", [](double x) { return x; });
  each("dropout(a, 1)", [](double x) { return x; });
}

TEST_CASE("R10: layout", "[language]") {
  check_values(of_a("concat(a, slice(a, 0, 2))"), {1, 5}, {1, -2, 0.5, 1, -2});
  check_values(of_a("reshape(a, 3, 1) @ reshape(a, 1, 3)"), {1, 3, 3},
               {1, -2, 0.5, -2, 4, -1, 0.5, -1, 0.25});
  check_values(of_a("transpose(reshape(concat(a, a), 2, 3))"), {1, 3, 2}, {1, 1, -2, -2, 0.5, 0.5});
  check_values(of_a("a + ones(3) - zeros(3)"), {1, 3}, {2, -1, 1.5});
}

TEST_CASE("R10: stop_gradient stops, where leaks nothing of the branch not taken", "[language]") {
  const Definition d = define(
      R"j("inputs": {"a": [3]}, "equations": ["v = stop_gradient(a) * a + where(a > 0, sqrt(a), 0)"], "loss": "sum(v)")j");
  check_values(evaluate_one(d, {{"a", numbers({1, 3}, {4, -9, 0})}}, {}, "grad:a"), {1, 3},
               {4.25, -9, 0});
}

TEST_CASE("R10: conv over one index: the reference is the first tap", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1]}, "weights": {"K": [3, 1, 1]},
    "equations": ["h[t] = conv[t](K, x[t-2])", "c[t] = conv[t](K, x[t-1])"], "loss": "sum(h[t])")j");
  const Tensors inputs{{"x", numbers({4, 2, 1}, {1, 1, 2, 2, 3, 3, 4, 99})},
                       {"lengths", symbols({2}, {4, 3})}};
  const Tensors v = evaluate(d, inputs, {{"K", numbers({3, 1, 1}, {100, 10, 1})}},
                             {"h", "c", "grad:K", "grad:x"});
  check_values(v.at("h"), {4, 2, 1}, {1, 1, 12, 12, 123, 123, 234, 0});
  check_values(v.at("c"), {4, 2, 1}, {12, 12, 123, 123, 234, 230, 340, 0});
  check_values(v.at("grad:K"), {3, 1, 1}, {3 + 1, 6 + 3, 10 + 6});
  check_values(v.at("grad:x"), {4, 2, 1}, {111, 111, 111, 11, 11, 1, 1, 0});
}

TEST_CASE("R10: conv over two indices", "[language]") {
  const Definition d = define(
      R"j("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": [1]}, "weights": {"K": [2, 2, 1, 1]},
    "equations": ["h[i,j] = conv[i,j](K, x[i-1,j-1])"])j");
  const Tensors v = evaluate(d, {{"x", numbers({2, 3, 1, 1}, {1, 2, 3, 4, 5, 6})}},
                             {{"K", numbers({2, 2, 1, 1}, {1000, 100, 10, 1})}}, {"h"});
  check_values(v.at("h"), {2, 3, 1, 1}, {1, 12, 23, 104, 1245, 2356});
}

TEST_CASE("R10: a convolution inside a recurrence", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1]}, "weights": {"K": [2, 1, 1]},
    "equations": ["h[t] = x[t] + conv[t](K, h[t-2])"])j");
  check_values(evaluate_one(d, {{"x", numbers({4, 1, 1}, {1, 0, 0, 0})}},
                            {{"K", numbers({2, 1, 1}, {1, 2})}}, "h"),
               {4, 1, 1}, {1, 2, 5, 12});
}

TEST_CASE("R11: functions are expanded at the call", "[language]") {
  const Definition d = define(
      R"j("sizes": {"m": 2}, "constants": {"p": 10}, "inputs": {"a": ["2*m"]}, "weights": {"w": ["m"]},
    "functions": ["gate(a, j) = p * square(slice(a, j*m, (j+1)*m)) + w", "square(z) = z * z"],
    "equations": ["u = gate(a, 0)", "v = gate(2 * a, 1)"])j");
  const Tensors v = evaluate(d, {{"a", numbers({1, 4}, {1, 2, 3, 4})}},
                             {{"w", numbers({2}, {1, 2})}}, {"u", "v"});
  check_values(v.at("u"), {1, 2}, {11, 42});
  check_values(v.at("v"), {1, 2}, {361, 642});
}

namespace {
/// A cell in a folder of its own, imported by a definition beside it.
struct Cell {
  explicit Cell(const std::string& text);
  Definition outer(const std::string& body) const;
  std::string folder;
};
}  // namespace

#include <unistd.h>

#include <filesystem>
#include <fstream>

Cell::Cell(const std::string& text) {
  folder = (std::filesystem::temp_directory_path() / ("taugrad_cell_" + std::to_string(::getpid())))
               .string();
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/cell.json") << "{\"name\": \"cell\", " << text << "}";
}
Definition Cell::outer(const std::string& body) const {
  return parse_definition("{\"name\": \"outer\", " + body + "}", folder + "/outer.json");
}

TEST_CASE("R11: reverse negates offsets and swaps p and tau+1-p", "[language]") {
  const Cell cell(R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": [
    "h[0] = 100", "h[t] = h[t-1] + t * x[t]", "n = h[last]", "f = x[1]", "e[t] = x[t+1] + tau"])");
  const Definition d = cell.outer(R"("index": {"s": "len"}, "inputs": {"x[s]": []}, "imports": {
      "a": {"from": "cell", "index": {"t": "s"}, "inputs": {"x[t]": "x[s]"}},
      "b": {"from": "cell", "index": {"t": "s"}, "inputs": {"x[t]": "x[s]"}, "reverse": ["t"]}},
    "equations": ["o[s] = a.h[s] + b.h[s]", "u = a.n + b.n", "v = a.f + b.f", "w[s] = a.e[s] + b.e[s]"])");
  const Tensors inputs{{"x", numbers({3, 2}, {1, 10, 2, 20, 4, 99})},
                       {"lengths", symbols({2}, {3, 2})}};
  const Tensors v =
      evaluate(d, inputs, {}, {"a.h", "b.h", "b.h[4]", "a.n", "b.n", "v", "b.e", "o"});
  check_values(v.at("a.h"), {3, 2}, {101, 110, 105, 150, 117, 0});
  // reversed: at s the cell's t is tau + 1 - s
  check_values(v.at("b.h"), {3, 2},
               {100 + 4 + 4 + 3, 100 + 20 + 20, 100 + 4 + 4, 100 + 20, 100 + 4, 0});
  check_values(v.at("a.n"), {2}, {117, 150});
  check_values(v.at("b.n"), {2}, {111, 140});
  check_values(v.at("b.h[4]"), {2}, {100, 0});  // beyond tau + 1 of the shorter item
  check_values(v.at("v"), {2}, {5, 30});
  check_values(v.at("b.e"), {3, 2}, {3, 2, 4, 12, 5, 0});
}

TEST_CASE("R11: sizes, bound expressions, own and bound weights, and only what is needed",
          "[language]") {
  const Cell cell(
      R"j("index": {"t": "tau"}, "sizes": {"n": 1, "m": 1, "q": 7}, "inputs": {"x[t]": ["n"]},
    "weights": {"A": ["m", "n"], "unused": ["q"]}, "equations": ["h[t] = A @ x[t-1]", "big[t] = sum(unused) * h[t]"],
    "loss": "sum(big[t])")j");
  const Definition d =
      cell.outer(R"("index": {"t": "tau"}, "sizes": {"n": 2, "m": 1}, "inputs": {"x[t]": ["n"]},
    "weights": {"B": ["m", "n"]}, "imports": {
      "c": {"from": "cell", "inputs": {"x[t]": "x[t+1]"}},
      "e": {"from": "cell", "inputs": {"x[t]": "2 * x[t]"}, "weights": {"A": "B2"}},
      "f": {"from": "cell", "sizes": {"n": "m"}, "inputs": {"x[t]": "c.h[t]"}}},
    "equations": ["B2 = 3 * B", "o[t] = c.h[t] + e.h[t] + f.h[t]"])");
  const Tensors inputs{{"x", numbers({2, 1, 2}, {1, 2, 3, 4})}};
  const Tensors weights{{"B", numbers({1, 2}, {1, 1})},
                        {"c.A", numbers({1, 2}, {1, 10})},
                        {"f.A", numbers({1, 1}, {5})}};
  const RunResult r =
      run(d, inputs, weights, {.fetch = {"c.h", "e.h", "f.h", "o"}, .dtype = Dtype::f64});
  CHECK(r.warnings.empty());
  check_values(r.values.at("c.h"), {2, 1, 1}, {21, 43});  // x[t+1] read one step back
  check_values(r.values.at("e.h"), {2, 1, 1}, {0, 18});
  check_values(r.values.at("f.h"), {2, 1, 1}, {0, 105});
  CHECK(initial_weights(d).size() == 3);  // "unused" is not taken
}
