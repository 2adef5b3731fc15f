// The rules of the language one by one, against values worked out by hand: names, positions, what
// lies outside, order, shapes. (docs/language.md R1-R6)
#include "language_support.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {
const char* const kTime = R"("index": {"t": "tau"}, "inputs": {"x[t]": []}, )";
Definition in_time(const std::string& rest) { return define(kTime + rest); }
Definition of_equations(const std::string& quoted) {
  return in_time("\"equations\": [" + quoted + "]");
}
}  // namespace

TEST_CASE("R1: operators bind as in Python", "[language]") {
  const Definition d = of_equations(
      R"j("a[t] = 2 + 3 * x[t] - 8 / 4 / 2", "b[t] = -x[t] * 2 - -x[t]", "c[t] = 1 + x[t] > 2", "e[t] = (x[t] >= 1) + (x[t] == 1)")j");
  const Tensors v = evaluate(d, {{"x", series({1, 2})}}, {}, {"a", "b", "c", "e"});
  check_values(v.at("a"), {2, 1}, {4, 7});
  check_values(v.at("b"), {2, 1}, {-1, -2});
  check_values(v.at("c"), {2, 1}, {0, 1});
  check_values(v.at("e"), {2, 1}, {2, 1});
}

TEST_CASE("R1: @ binds as * does, from left to right", "[language]") {
  const Definition d =
      define(R"("sizes": {"n": 2}, "inputs": {"x": ["n"]}, "weights": {"A": ["n", "n"]},
    "equations": ["p = 2 * A @ x", "q = A @ x * x", "r = x @ A", "s = x @ x", "u = x / 2 @ x"])");
  const Tensors v = evaluate(d, {{"x", numbers({1, 2}, {1, 10})}},
                             {{"A", numbers({2, 2}, {1, 2, 3, 4})}}, {"p", "q", "r", "s", "u"});
  check_values(v.at("p"), {1, 2}, {42, 86});
  check_values(v.at("q"), {1, 2}, {21, 430});
  check_values(v.at("r"), {1, 2}, {31, 42});
  check_values(v.at("s"), {1}, {101});
  check_values(v.at("u"), {1}, {50.5});
}

TEST_CASE(
    "R1: constants, sizes, lengths and indices are numbers; a length may be a size or an integer",
    "[language]") {
  const Definition d =
      define(R"j("index": {"i": 3, "j": "w"}, "sizes": {"w": 2}, "constants": {"p": 0.5},
    "equations": ["a[i,j] = i * w + j * p", "b[i] = sum[j](a[i,j])"])j");
  const Tensors v = evaluate(d, {{"item", symbols({1}, {0})}}, {}, {"a", "b"});
  check_values(v.at("a"), {3, 2, 1}, {2.5, 3, 4.5, 5, 6.5, 7});
  check_values(v.at("b"), {3, 1}, {5.5, 9.5, 13.5});
}

TEST_CASE("R2: tau is the item's own length", "[language]") {
  const Definition d = of_equations(R"("v[t] = tau - t", "w[t] = t + 0 * x[t]")");
  const Tensors inputs{{"x", numbers({3, 2}, {0, 0, 0, 0, 0, 0})},
                       {"lengths", symbols({2}, {3, 1})}};
  const Tensors v = evaluate(d, inputs, {}, {"v", "w"});
  check_values(v.at("v"), {3, 2}, {2, 0, 1, 0, 0, 0});
  check_values(v.at("w"), {3, 2}, {1, 1, 2, 0, 3, 0});
}

TEST_CASE("R2: a variable is read through any index of its length", "[language]") {
  const Definition d = define(R"("index": {"s": "tau", "t": "tau"}, "inputs": {"x[s]": []},
    "equations": ["v[t] = 10 * x[t-1]", "q[s,t] = x[s] - x[t]", "d[t] = q[t,t-1]"])");
  const Tensors v = evaluate(d, {{"x", series({1, 2, 4})}}, {}, {"v", "q", "d"});
  check_values(v.at("v"), {3, 1}, {0, 10, 20});
  check_values(v.at("q"), {3, 3, 1}, {0, -1, -3, 1, 0, -2, 3, 2, 0});
  check_values(v.at("d"), {3, 1}, {0, 1, 2});
}

TEST_CASE("R3: a fixed position goes before the general equation, inside 1..tau too",
          "[language]") {
  const Definition fibonacci = of_equations(R"("f[1] = 1", "f[2] = 1", "f[t] = f[t-1] + f[t-2]")");
  const Tensor x = series({0, 0, 0, 0, 0, 0, 0});
  check_values(evaluate_one(fibonacci, {{"x", x}}, {}, "f"), {7, 1}, {1, 1, 2, 3, 5, 8, 13});
  const Definition outside =
      of_equations(R"("h[t] = h[t-1] + x[t]", "h[0] = 100", "g[tau+1] = 7", "g[t] = 10 * g[t+1]")");
  const Tensors v = evaluate(outside, {{"x", series({1, 2, 3})}}, {}, {"h", "h[0]", "g", "g[4]"});
  check_values(v.at("h"), {3, 1}, {101, 103, 106});
  check_values(v.at("h[0]"), {1}, {100});
  check_values(v.at("g"), {3, 1}, {7000, 700, 70});
  check_values(v.at("g[4]"), {1}, {7});
}

TEST_CASE("R3: last, the length's name and integers are positions", "[language]") {
  const Definition d = of_equations(
      R"("h[0] = -1", "h[t] = h[t-1] + x[t]", "a = h[last]", "b = h[tau-1]", "c = h[2]", "e[t] = h[last] - h[t]")");
  const Tensors inputs{{"x", numbers({3, 3}, {1, 1, 1, 2, 2, 2, 4, 4, 4})},
                       {"lengths", symbols({3}, {3, 1, 0})}};
  const Tensors v = evaluate(d, inputs, {}, {"a", "b", "c", "e", "h[last]", "h[tau-1]"});
  check_values(v.at("a"), {3}, {6, 0, -1});  // length 0: h[last] is h[0]
  check_values(v.at("b"), {3}, {2, -1, 0});  // h[2], h[0], h[-1]
  check_values(v.at("c"), {3}, {2, 0, 0});   // a position past the item's end is zero
  check_values(v.at("e"), {3, 3}, {6, 0, 0, 4, 0, 0, 0, 0, 0});
  check_same(v.at("h[last]"), v.at("a"));
  check_same(v.at("h[tau-1]"), v.at("b"));
}

TEST_CASE("R3: of two equations for a position the one with more fixed positions wins",
          "[language]") {
  const Definition d = define(R"("index": {"i": 3, "j": 3},
    "equations": ["p[i,j] = 1", "p[2,j] = 2", "p[2,3] = 23", "p[0,j] = 5", "p[0,0] = 9"])");
  const Tensors v =
      evaluate(d, {{"item", symbols({1}, {0})}}, {}, {"p", "p[0,2]", "p[0,0]", "p[2,0]"});
  check_values(v.at("p"), {3, 3, 1}, {1, 1, 1, 2, 2, 23, 1, 1, 1});
  check_values(v.at("p[0,2]"), {1}, {5});
  check_values(v.at("p[0,0]"), {1},
               {9});  // a letter runs over 1..length: corners need a line of their own
  check_values(v.at("p[2,0]"), {1}, {0});
}

TEST_CASE("R3: two equations with as many fixed positions are an error where they meet",
          "[language]") {
  const Definition d = define(
      R"("index": {"i": 2, "j": 2}, "equations": ["p[i,j] = 1", "p[1,j] = 2", "p[i,2] = 3"])");
  const auto e = problems_of([&] { evaluate_one(d, {{"item", symbols({1}, {0})}}, {}, "p"); });
  CHECK(e[0].code == "E016");
}

TEST_CASE("R4: outside 1..tau everything is zero, whatever the tensor holds there", "[language]") {
  const Definition d = of_equations(
      R"j("a[t] = x[t-1]", "b[t] = x[t+1]", "c[t] = a[t-3] + a[t+2]", "e[t] = exp(h[t-1])", "h[t] = 1")j");
  const Tensors inputs{{"x", numbers({3, 2}, {1, 2, 3, 99, 5, 99})},
                       {"lengths", symbols({2}, {3, 1})}};
  const Tensors v = evaluate(d, inputs, {}, {"a", "b", "c", "e", "h[0]", "a[7]"});
  check_values(v.at("a"), {3, 2}, {0, 0, 1, 0, 3, 0});
  check_values(v.at("b"), {3, 2}, {3, 0, 5, 0, 0, 0});
  check_values(v.at("c"), {3, 2}, {3, 0, 0, 0, 0, 0});
  // the boundary belongs to the variable, not to the expression
  check_values(v.at("e"), {3, 2}, {1, 1, std::exp(1), 0, std::exp(1), 0});
  check_values(v.at("h[0]"), {2}, {0, 0});
  check_values(v.at("a[7]"), {2}, {0, 0});
}

TEST_CASE("R4: a category outside is absent", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"u[t]": "category(3)"}, "weights": {"E": [3, 2]},
    "equations": ["a[t] = one_hot(u[t-1], 3)", "b[t] = embed(E, u[t+1])", "c[t] = u[t-1] == 0", "e[t] = u[t-1] == u[t]"])j");
  const Tensors v = evaluate(d, {{"u", symbols({3, 1}, {0, 0, 2})}},
                             {{"E", numbers({3, 2}, {1, 2, 3, 4, 5, 6})}}, {"a", "b", "c", "e"});
  check_values(v.at("a"), {3, 1, 3}, {0, 0, 0, 1, 0, 0, 1, 0, 0});
  check_values(v.at("b"), {3, 1, 2}, {1, 2, 5, 6, 0, 0});
  check_values(v.at("c"), {3, 1}, {0, 1, 1});
  check_values(v.at("e"), {3, 1}, {0, 1, 0});
}

TEST_CASE("R4: a category past the end of an item is absent, in a ragged batch too", "[language]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"u[t]": "category(3)"},
    "equations": ["a[t] = one_hot(u[t+1], 3)", "z = one_hot(u[last], 3)", "s = one_hot(u[2], 3)"])j");
  const Tensors inputs{{"u", symbols({2, 3}, {1, 1, 1, 2, 77, 77})},
                       {"lengths", symbols({3}, {2, 1, 0})}};
  const Tensors v = evaluate(d, inputs, {}, {"a", "z", "s"});
  check_values(v.at("a"), {2, 3, 3}, {0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  check_values(v.at("z"), {3, 3}, {0, 0, 1, 0, 1, 0, 0, 0, 0});
  check_values(v.at("s"), {3, 3}, {0, 0, 1, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("R4: the gradient of a boundary can be fetched", "[language]") {
  const Definition d = in_time(R"("equations": ["h[t] = 2 * h[t-1] + x[t]"], "loss": "h[last]")");
  const Tensors v =
      evaluate(d, {{"x", series({1, 1, 1})}}, {}, {"grad:h[0]", "grad:h", "h[0]", "grad:x"});
  check_values(v.at("grad:h[0]"), {1}, {8});
  check_values(v.at("grad:h"), {3, 1}, {4, 2, 1});
  check_values(v.at("grad:x"), {3, 1}, {4, 2, 1});
}

TEST_CASE("R5: forward, backward, mutual and delayed systems are ordered", "[language]") {
  const Definition d = of_equations(
      R"("o[t] = a[t] + g[t]", "g[t] = g[t+1] + b[t]", "b[t] = a[t]", "a[t] = b[t-1] + b[t-5] + x[t]", "c[t] = g[last] + a[1]")");
  const Tensors v = evaluate(d, {{"x", series({1, 1, 1, 1, 1, 1})}}, {}, {"o", "c"});
  check_values(v.at("o"), {6, 1}, {1 + 22, 2 + 21, 3 + 19, 4 + 16, 5 + 12, 7 + 7});
  check_values(v.at("c"), {6, 1}, {8, 8, 8, 8, 8, 8});
}

TEST_CASE("R5: grids, diagonals and a rest ordered by another index", "[language]") {
  const Definition d =
      define(R"("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": []}, "equations": [
    "p[i,j] = p[i-1,j] + p[i,j-1] + x[i,j]", "q[i,j] = q[i-1,j+1] + x[i,j]",
    "r[i,j] = r[i-1,j] + r[i,j+1] + x[i,j]"])");
  const Tensors v =
      evaluate(d, {{"x", numbers({2, 3, 1}, {1, 2, 3, 4, 5, 6})}}, {}, {"p", "q", "r"});
  check_values(v.at("p"), {2, 3, 1}, {1, 3, 6, 5, 13, 25});
  check_values(v.at("q"), {2, 3, 1}, {1, 2, 3, 6, 8, 6});
  check_values(v.at("r"), {2, 3, 1}, {6, 5, 3, 29, 19, 9});
}

TEST_CASE("R6: what is per example has a batch axis, nothing else has", "[language]") {
  const Definition d =
      define(R"("index": {"t": "tau"}, "inputs": {"x[t]": [2], "z": []}, "weights": {"W": [2, 2]},
    "equations": ["A = W @ W", "n = 3", "k = A @ x[1]", "e = 2 * z", "l = 1 + tau", "v[t] = n"])");
  const Tensors inputs{{"x", numbers({1, 2, 2}, {1, 0, 0, 1})}, {"z", numbers({2}, {5, 6})}};
  const Tensors v =
      evaluate(d, inputs, {{"W", numbers({2, 2}, {1, 1, 0, 1})}}, {"A", "n", "k", "e", "l", "v"});
  check_values(v.at("A"), {2, 2}, {1, 2, 0, 1});
  check_values(v.at("n"), {1}, {3});
  check_values(v.at("k"), {2, 2}, {1, 0, 2, 1});
  check_values(v.at("e"), {2}, {10, 12});
  check_values(v.at("l"), {2}, {2, 2});
  check_values(v.at("v"), {1, 2}, {3, 3});
}

TEST_CASE("R6: shapes of one example broadcast as in NumPy, the batch takes no part",
          "[language]") {
  const Definition d = define(R"("inputs": {"x": [2], "y": [2, 1], "z": []},
    "equations": ["a = x + y", "b = x * z", "c = y @ x / 2"])");
  CHECK_THROWS_AS(evaluate_one(d, {}, {}, "c"), Error);  // [2,1] @ [2]
  const Definition e = define(
      R"("inputs": {"x": [2], "y": [2, 1], "z": []}, "equations": ["a = x + y", "b = x * z"])");
  const Tensors inputs{{"x", numbers({2, 2}, {1, 2, 3, 4})},
                       {"y", numbers({2, 2, 1}, {10, 20, 30, 40})},
                       {"z", numbers({2}, {1, -1})}};
  const Tensors v = evaluate(e, inputs, {}, {"a", "b"});
  check_values(v.at("a"), {2, 2, 2}, {11, 12, 21, 22, 33, 34, 43, 44});
  check_values(v.at("b"), {2, 2}, {1, 2, -3, -4});
}

TEST_CASE("R4: what only zeros stand before is a number, until an equation tells more",
          "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "equations": ["count[t] = count[t-1] + 1", "b[t] = h[t]",
    "h[t] = 2 * b[t-1] + 1", "r[t] ~ normal(mean = r[t-1], std = 1)", "z[t] = z[t-1]", "v[t] = v[t-1] + count[t] * ones(2)"])j");
  const Tensors inputs{{"r", series({1, 2, 4})}};
  const Tensors v = evaluate(d, inputs, {}, {"count", "h", "z", "v", "grad:r"});
  check_values(v.at("count"), {3, 1}, {1, 2, 3});
  check_values(v.at("h"), {3, 1}, {1, 3, 7});
  check_values(v.at("z"), {3, 1}, {0, 0, 0});
  check_values(v.at("v"), {3, 1, 2}, {1, 1, 3, 3, 6, 6});
  check_values(v.at("grad:r"), {3, 1}, {1 - 1, 1 - 2, 2});
}
