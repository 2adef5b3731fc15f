// C++ as people type it: each line compiles, and means what it says.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <type_traits>

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
    const tg::Outputs out = run({{"x", Tensor::of({{1., -2.}})},
                                 {"y", Tensor::of({{3., 0.5}})},
                                 {"s", Tensor::of({2.})}},
                                {{"W", Tensor::of({{1., 2.}, {3., 4.}})}});
    const auto values = out[0].values<double>();
    return {values.begin(), values.end()};
  }
};

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
}

TEST_CASE("what would be wrong does not compile, or says so", "[natural]") {
  Fixture f;
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
  CHECK(code_of([&] { f.x[2]; }) == "G020");
  CHECK(code_of([&] { f.x[-1]; }) == "G020");
  CHECK(code_of([&] { f.s[0]; }) == "G020");
  CHECK(code_of([&] { sum(f.W, 2); }) == "G020");
  CHECK(code_of([&] { mean(f.W, -3); }) == "G020");
  CHECK(code_of([&] { Tensor::of({{1., 2.}, {3.}}); }) == "D011");
  Var nothing;
  CHECK(code_of([&] { nothing += f.x; }) == "U021");
  CHECK(code_of([&] { (void)(nothing < 1); }) == "U021");
}

TEST_CASE("tensors as people write them", "[natural]") {
  CHECK(Tensor::of({1., 2.}).dims() == tg::Dims{2});
  CHECK(Tensor::of({1, 2}).dtype() == tg::Dtype::f64);
  CHECK(Tensor::of(3.5).dims().empty());
  CHECK(Tensor::of(3.5).at(0) == 3.5);
  const Tensor rows = Tensor::of({{1., 2., 3.}, {4., 5., 6.}});
  CHECK(rows.dims() == tg::Dims{2, 3});
  CHECK(rows.at(4) == 5);
  CHECK(Tensor::of({{2.}}).dims() == tg::Dims{1, 1});
  CHECK(Tensor::of({2.}).dims() == tg::Dims{1});
  CHECK(Tensor::of({1, 2.5, 3.f}).at(1) == 2.5);
}

TEST_CASE("outputs of a program by node, by position, by label", "[natural][program]") {
  tg::Graph g;
  const Var x = g.input("x", {2});
  const Var a = x * 2, b = x * 3, named = g.name(x + 1, "named");
  {
    const auto step = g.step("t", 1);
    const Var unnamed = tanh(a);
    g.name(sum(unnamed), "h");
  }
  const Var on_the_way = g.tape().var(g.tape().inputs(g.at("h", {1}).id)[0]);
  tg::Program run(g, {a, b, named, on_the_way, a}, {.dtype = tg::f64});
  const tg::Outputs out = run({{"x", Tensor::of({{1., 2.}})}}, {});
  CHECK(out[a].at(1) == 4);
  CHECK(out[b].at(1) == 6);
  CHECK(out[2].at(1) == 3);
  CHECK(out[4].at(1) == 4);
  CHECK(out["named"].at(0) == 2);
  CHECK(out.at("named").at(0) == 2);
  CHECK(out[on_the_way].at(0) == Approx(std::tanh(2)));
  CHECK(out.size() == 4);  // a map still, in which one node stands once
  CHECK_THROWS_AS(out[x], tg::Error);
  CHECK_THROWS_AS(out[5], tg::Error);
  CHECK_THROWS_AS(out["y"], tg::Error);
  CHECK_THROWS_AS(out[Var{}], tg::Error);
  const tg::Tensors map = run({{"x", Tensor::of({{1., 2.}})}}, {});
  CHECK(map.size() == 4);
}

TEST_CASE("labels of outputs do not depend on what was asked for before", "[natural][program]") {
  const auto labels = [](int gradients_before) {
    tg::Graph g;
    const Var w = g.weight("w", {2}), x = g.input("x", {2});
    const Var L = sum(tanh(w * x));
    for (int i = 0; i < gradients_before; ++i) gradient(sum(w * x), w);
    tg::Program run(g, {gradient(L, w)}, {.dtype = tg::f64});
    const tg::Outputs out =
        run({{"x", Tensor::of({{1., 2.}})}}, {{"w", Tensor::of({0., 0.})}});
    CHECK(out["grad:w"].at(1) == 2);
    return out.begin()->first;
  };
  CHECK(labels(0) == labels(1));
  CHECK(labels(0) == labels(2));
  // two of them in one program: by node and position, and apart as labels
  tg::Graph g;
  const Var w = g.weight("w", {1});
  const Var one = gradient(sum(w * w), w), other = gradient(sum(w * w * w), w);
  tg::Program run(g, {one, other}, {.dtype = tg::f64});
  const tg::Outputs out = run({}, {{"w", Tensor::of({2.})}});
  CHECK(out.size() == 2);
  CHECK(out[one].at(0) == 4);
  CHECK(out[other].at(0) == 12);
  CHECK(out["grad:w"].at(0) == 4);
}
