// Values as people type them: tensors, what is printed, outputs of programs.
#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "taugrad/taugrad.h"

namespace tg = taugrad;
using namespace taugrad;

TEST_CASE("printing", "[natural]") {
  Graph g;
  const Var x = g.input("x", {2}), y = g.name(tanh(x), "y"), z = y * 2.0;
  std::ostringstream out;
  out << x << "; " << y << "; " << z << "; " << y.shape() << "; " << Var{};
  CHECK(out.str() ==
        "x (input) [2]; y (tanh) [2]; node 3 (mul) [2]; [2]; a Var that holds nothing");
  std::ostringstream tensors;
  tensors << Tensor::of({{1., 2.5}, {3., -4.}}) << ' ' << Tensor::of(7) << ' ' << Tensor::of({1, 2})
          << ' ' << Tensor::zeros({3, 0});
  CHECK(tensors.str() == "[[1, 2.5], [3, -4]] 7 [1, 2] a tensor [3,0]");
  std::ostringstream types;
  types << Tensor::of(0.1).to(f32) << ' ' << Tensor::of({1}, {9007199254740993});
  CHECK(types.str() == "0.1 [9007199254740993]");
  std::ostringstream large;
  large << Tensor::zeros({2000});
  CHECK(large.str() == "[0, 0, 0, 0, 0, 0, ..]");
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
  CHECK(Tensor::of({1., 2.}, {3., 4.}) == Tensor::of({{1., 2.}, {3., 4.}}));
  CHECK(Tensor::of({1., 2.}, {3., 4.}, {5., 6.}).dims() == tg::Dims{3, 2});
  CHECK(Tensor::of({2}, {3., 4.}) == Tensor::of({3., 4.}));
  CHECK(Tensor::of({2, 1}, {3, 4}).dtype() == tg::Dtype::i64);
  CHECK(Tensor::zeros({2, 3}).dims() == tg::Dims{2, 3});
  CHECK(Tensor::ones({2}, f32) == Tensor::of({1., 1.}).to(f32));
  const Tensor t = Tensor::of({{1., 2., 3.}, {4., 5., 6.}});
  CHECK(t(1, 2) == 6);
  CHECK(t[1][0] == 4);
  const double middle = t[0][1];
  CHECK(middle == 2);
  CHECK(Tensor::of({7., 8.})[1] == 8);
  CHECK(Tensor::of(5)() == 5);
  CHECK_THROWS_AS(t(2, 0), tg::Error);
  CHECK_THROWS_AS(t(1), tg::Error);
  CHECK_THROWS_AS(t[2], tg::Error);
  CHECK_THROWS_AS(t[-1], tg::Error);
  CHECK_THROWS_AS(t[0][0][0], tg::Error);
  CHECK_THROWS_AS(static_cast<double>(t[0]), tg::Error);
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
    const tg::Outputs out = run({{"x", Tensor::of({{1., 2.}})}}, {{"w", Tensor::of({0., 0.})}});
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
