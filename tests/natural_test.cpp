// C++ as people type it: each line compiles, and means what it says.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <type_traits>
#include <unordered_map>

#include "taugrad/taugrad.h"

namespace tg = taugrad;
using namespace std;  // as many do
using namespace taugrad;

namespace {

using Values = std::vector<double>;

// a graph with x = (1, -2), y = (3, 0.5), W = (1 2; 3 4), s = 2
struct Fixture {
  tg::Graph g;
  Var x = g.input("x", {2}), y = g.input("y", {2}), s = g.input("s");
  Var W = g.weight("W", {2, 2});

  Values of(const Var& v) const {
    tg::Program run(g, {v}, {.dtype = tg::f64});
    const tg::Outputs out = run(
        {{"x", Tensor::of({{1., -2.}})}, {"y", Tensor::of({{3., 0.5}})}, {"s", Tensor::of({2.})}},
        {{"W", Tensor::of({{1., 2.}, {3., 4.}})}});
    const auto values = out[0].values<double>();
    return {values.begin(), values.end()};
  }
};

template <class V>
constexpr bool kMaximumBesideNothing = requires(V v) {
  tg::max(v, {});
}
|| requires(V v) { tg::min(v, {}); };

void check_values(const Values& got, const Values& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(want[i]).margin(1e-14));
}

}  // namespace

TEST_CASE("natural lines", "[natural]") {
  Fixture f;
  const Var x = f.x, y = f.y, s = f.s, W = f.W;
  const auto is = [&](const Var& v, const Values& want) { check_values(f.of(v), want); };

  is(pow(x, 2), {1, 4});
  is(pow(x, 3.0), {1, -8});
  is(pow(2, x), {2, 0.25});
  is(pow(y, x), {3, 4});
  is(max(x, 0.0), {1, 0});
  is(max(0, x), {1, 0});
  is(min(x, 0), {0, -2});
  is(min(0.5, x), {0.5, -2});
  is(max(x, y), {3, 0.5});
  is(min(x, y), {1, -2});
  is(where(x > 0, x, 0.0), {1, 0});
  is(where(x < 0.0, 0.0, x), {1, 0});
  is(where(x <= y, 1, -1), {1, 1});
  is(where(0 >= x, x, y), {3, -2});
  is(x < y, {1, 1});
  is(x >= 1, {1, 0});
  is(1 > x, {0, 1});
  is((x < 0) * x, {0, -2});
  is(1.0 - (x > y), {1, 1});
  is(equal(x, 1), {1, 0});
  is(not_equal(x, -2), {1, 0});
  Var z = x;
  z += y;
  is(z, {4, -1.5});
  z -= 1;
  is(z, {3, -2.5});
  z *= y;
  is(z, {9, -1.25});
  z /= 2;
  is(z, {4.5, -0.625});
  z += s;
  is(z, {6.5, 1.375});
  is(x, {1, -2});  // what was named so before is what it was
  is(concat({x, y}), {1, -2, 3, 0.5});
  is(concat({x, y, 2 * x}), {1, -2, 3, 0.5, 2, -4});
  is(stack({x, y}), {1, -2, 3, 0.5});
  is(matmul(stack({x, y}), x), {5, 2});
  is(x[0], {1});
  is(x[1] * y, {-6, -1});
  is(W[1], {3, 4});
  is(slice(x, 1, 2), {-2});
  is(sum(W, 0), {4, 6});
  is(sum(W, 1), {3, 7});
  is(sum(W, -1), {3, 7});
  is(mean(W, 0), {2, 3});
  is(mean(x), {-0.5});
  is(2 * x + y / 2 - 1, {2.5, -4.75});
  is(1 / y, {1.0 / 3, 2});
  is(3 - x, {2, 5});
  is(-x * 2.0f, {-2, 4});
  is(add_n({x, y, x}), {5, -3.5});
  is(softmax(x - x), {0.5, 0.5});
  is(tanh(matmul(W, x) + 3), {0, std::tanh(-2)});
  is(sqrt(sum(x * x)), {std::sqrt(5)});
  is(matmul(transpose(W), x), {-5, -6});
  is(+x, {1, -2});
  is(x == 1, {1, 0});
  is(1 == x, {1, 0});
  is(x != -2, {1, 0});
  is(0.5 != y, {1, 0});
  is(!(x > 0), {0, 1});
  is(x > 0 && y > 1, {1, 0});
  is(x > 0 || y < 1, {1, 1});
  is(where(x > 0 && !(y == 0.5), x, 0.0), {1, 0});
  CHECK(x == f.x);  // of two variables: whether they are one node
  CHECK(x != y);
}

TEST_CASE("natural lines: making graphs", "[natural]") {
  Fixture f;
  Graph& g = f.g;
  const auto is = [&](const Var& v, const Values& want) { check_values(f.of(v), want); };
  is(g.ones({2}) + f.x, {2, -1});
  is(g.ones(2) * f.y, {3, 0.5});
  is(g.zeros(2) + f.x, {1, -2});
  is(g.constant({1., 2.}) * f.x, {1, -4});
  is(g.constant({3}) * 2.0, {6});
  is(matmul(g.constant({{1., 2.}, {3., 4.}}), f.x), {-3, -5});
  is(matmul(g.constant(Tensor::of({{0., 1.}, {1., 0.}})), f.x), {-2, 1});
  CHECK(g.input("z", 3).shape() == Shape{3});
  CHECK(g.weight("V", 4).shape() == Shape{4});
  CHECK(g.input("scalar", {}).shape() == Shape{});
  CHECK(reshape(f.W, 4).shape() == Shape{4});
  CHECK(g.weights().size() == 2);
  CHECK(g.weights()[0] == f.W);
  CHECK(g.inputs().size() == 5);
  int matmuls = 0;
  for (const auto& n : g) matmuls += n.op.name == "matmul";
  for (auto n : g) matmuls += n.op.name == "matmul";
  CHECK(matmuls == 4);
  Graph h = clone(g);
  CHECK(h.size() == g.size());
  Program p(g, f.x + f.y);  // one variable, without braces
  CHECK(p({{"x", Tensor::of({{1., 2.}})}, {"y", Tensor::of({{1., 2.}})}}, {})[0].at(1) == 4);
  std::map<Var, std::string> names{{f.x, "x"}, {f.y, "y"}};
  std::unordered_map<Var, int> numbers{{f.x, 1}};
  CHECK(names[f.y] == "y");
  CHECK(numbers[f.x] == 1);
  CHECK(names.size() == 2);
}

TEST_CASE("natural lines: names and positions as text", "[natural]") {
  Graph g;
  const Var W = g.weight("W", {2, 2});
  Var h = g.name(g.zeros({2}), "h[0]");
  CHECK(h == g.at("h", {0}));
  for (int t = 1; t <= 2; ++t) {
    const auto step = g.step("t", t);
    h = g.name(tanh(matmul(W, h) + g.input("x", {2})), "h");
    CHECK(g.at("h") == h);
    CHECK(g.at("x").shape() == Shape{2});
    CHECK(g.at("W") == W);
  }
  CHECK(g.at("h[2]") == h);
  CHECK(g.at("h[t=2]") == h);
  CHECK(g.at("#0") == W);
  const Var x3 = g.input("x[3]", {2}), R2 = g.weight("R[2]", 2);
  CHECK(x3 == g.at("x", {3}));
  CHECK(R2 == g.at("R", {2}));
}

TEST_CASE("natural lines: derivatives", "[natural]") {
  Fixture f;
  const Var x = f.x, y = f.y;
  const Var L = sum(pow(x, 2) * y);
  check_values(f.of(gradient(L, x)), {6, -2});
  check_values(f.of(gradient(L, {x, y})[1]), {1, 4});
  check_values(f.of(gradient(L, {x})[0]), {6, -2});
  check_values(f.of(gradient({x * y}, {y}, {x})[0]), {9, 0.25});
  check_values(f.of(tangent({x * y}, {x}, {y})[0]), {9, 0.25});
  check_values(f.of(tangent(x * y, x, y)), {9, 0.25});
  check_values(f.of(gradient(sum(gradient(L, x)), x)), {6, 1});
  // the bound that binds, the branch that is taken
  check_values(f.of(gradient(sum(max(x, 0.0)), x)), {1, 0});
  check_values(f.of(gradient(sum(where(x < 0, 3 * x, y)), x)), {0, 3});
  check_values(f.of(gradient(x[1] * x[1], x)), {0, -4});
  check_values(f.of(gradient(sum(pow(sum(f.W, 1), 2)), f.W)), {6, 6, 14, 14});
  static_assert(std::is_same_v<decltype(gradient(L, x)), Var>);
  static_assert(std::is_same_v<decltype(gradient(L, {x})), tg::Gradients>);
  const Gradients d = gradient(L, {x, y});
  CHECK(d[x] == d[0]);
  CHECK(d[y] == d["y"]);
  std::size_t count = 0;
  for (auto [variable, slope] : d) {
    CHECK(d[variable] == slope);
    ++count;
  }
  CHECK(count == d.size());
}

TEST_CASE("natural lines: checks", "[natural]") {
  Graph g;
  const Var w = g.weight("w", {2}), x = g.input("x", {2});
  const Var l = sum(tanh(w * x));
  const NodeId size = g.size();
  CHECK(check(g).ok());
  CHECK(check(g, {.order = 2}).order == 2);
  CHECK(check(g, l).ok());
  CHECK(check(g, l, {.order = 2}).order == 2);
  CHECK(check(g, l, {{"w", Tensor::of({1., 2.})}}).ok());
  CHECK(check(g, l, {{"w", Tensor::of({1., 2.})}}, {.order = 2}).ok());
  CHECK(check(g, l, {}, {.method = Method::central}).ok());
  CHECK(g.size() == size);  // none of them leaves anything in the graph
  CHECK(check(g, l).variables[0].variable == w);
}

TEST_CASE("what would be wrong does not compile, or says so", "[natural]") {
  Fixture f;
  const auto has = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const auto told = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const tg::Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const auto code_of = [](const std::function<void()>& call) {
    try {
      call();
    } catch (const tg::Error& e) {
      return e.diagnostics().front().code;
    }
    return std::string();
  };
  // `if (x < y)` has no answer before the graph runs
  static_assert(!std::is_constructible_v<bool, decltype(f.x < f.y)>);
  static_assert(!std::is_constructible_v<bool, decltype(f.x == 0)>);
  // `{}` is no number, so no maximum beside 0
  static_assert(!kMaximumBesideNothing<Var>);
  CHECK(code_of([&] { f.x[2]; }) == "G020");
  CHECK(code_of([&] { f.x[-1]; }) == "G020");
  CHECK(has(told([&] { f.x[-1]; }), "x [2] has no row -1: rows count from 0"));
  CHECK(has(told([&] { f.x[-1]; }), "the last row is number 1"));
  // a matrix times a vector spreads the vector over the rows, which shows where it is added
  const Var A = f.g.weight("A", {3, 2}), B = f.g.weight("B", {3, 3}), h = f.g.input("v", {3});
  CHECK(has(told([&] { A* f.x + B* h; }), "did you mean matmul(A, x)?"));
  CHECK(has(told([&] { f.y + B*(h + 1.0) - A; }), "did you mean matmul(B, h)?"));
  CHECK(has(told([&] { A* h; }), "did you mean matmul(transpose(A), v)?"));
  CHECK(has(told([&] { matmul(A, h); }), "did you mean matmul(transpose(A), v)?"));
  f.g.name(f.x * 2.0, "h");
  CHECK(has(told([&] { f.g.name(f.x * 3.0, "h"); }),
            "auto step = g.step(\"t\", t); or name(v, \"h\", {t})"));
  CHECK(code_of([&] { f.s[0]; }) == "G020");
  CHECK(code_of([&] { sum(f.W, 2); }) == "G020");
  CHECK(code_of([&] { mean(f.W, -3); }) == "G020");
  CHECK(code_of([&] { Tensor::of({{1., 2.}, {3.}}); }) == "D011");
  Var nothing;
  CHECK(code_of([&] { nothing += f.x; }) == "U021");
  CHECK(code_of([&] { (void)(nothing < 1); }) == "U021");
}
