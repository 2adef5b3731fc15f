#include "taugrad/evaluate/program.h"

#include <catch2/catch.hpp>
#include <limits>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/ops/ops.h"

using namespace taugrad;

namespace {

std::vector<std::int32_t> at(std::int32_t t) { return {t}; }

/// s[t] = s[t-1] + w * x[t] for the items that have a step t; loss: the sum of all s.
struct Sums {
  Graph graph;
  Vars s;
  Var w, loss;
};

Sums sums(std::int32_t steps) {
  Sums m;
  Tape& tape = m.graph.tape();
  tape.length_names = {"tau"};
  m.w = weight(tape, "w", {2});
  Var before = to_items(constant(tape, 0, {2}), kEveryItem);
  Vars terms;
  for (std::int32_t t = 1; t <= steps; ++t) {
    const ExtentId running = tape.intern_extent({{{0, t}}});
    const Var x = input(tape, "x", {2}, at(t), running);
    before = restrict_to(before, running) + copy(m.w) * x;
    m.s.push_back(m.graph.name(before, "s", {t}));
    terms.push_back(extend_to(sum(before), kEveryItem));
  }
  m.loss = m.graph.name(add_n(terms), "loss");
  return m;
}

Tensors inputs_of(std::int64_t steps, std::int64_t batch) {
  Tensor x({steps, batch, 2}, Dtype::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, static_cast<double>(i + 1));
  return {{"x", x}};
}

Tensors weights_of() { return {{"w", Tensor::of({2}, std::vector<double>{2, 3})}}; }

Diagnostic refusal(Program& run, const Tensors& inputs, const Tensors& weights) {
  try {
    run(inputs, weights);
  } catch (const Error& e) {
    CHECK(e.status() == Status::bad_input);
    return e.diagnostics()[0];
  }
  FAIL("no error");
  return {};
}

}  // namespace

TEST_CASE("program: results in the order of the user's items, zero past their ends", "[program]") {
  const Sums m = sums(3);
  Program run(m.graph, {m.s[0], m.s[2], m.loss}, {.dtype = f64});
  Tensors inputs = inputs_of(3, 3);
  inputs["lengths"] = Tensor::of({3}, std::vector<std::int64_t>{1, 3, 0});
  const Tensors out = run(inputs, weights_of());
  REQUIRE(out.size() == 3);
  CHECK(out.at("s[1]") == Tensor::of({3, 2}, std::vector<double>{2, 6, 6, 12, 0, 0}));
  CHECK(out.at("s[3]") ==
        Tensor::of({3, 2}, std::vector<double>{0, 0, 6 + 18 + 30, 12 + 30 + 48, 0, 0}));
  CHECK(out.at("loss").dims() == Dims{3});
  CHECK(out.at("loss").at(0) == 8);
  CHECK(out.at("loss").at(2) == 0);
}

TEST_CASE(
    "program: without lengths all items have the axes' length; numbers past an end are not read",
    "[program]") {
  const Sums m = sums(3);
  Program run(m.graph, {m.loss}, {.dtype = f32});
  Tensors inputs = inputs_of(3, 2);
  const Tensors whole = run(inputs, weights_of());
  CHECK(whole.at("loss").dtype() == Dtype::f32);
  inputs["lengths"] = Tensor::of({2}, std::vector<std::int64_t>{3, 1});
  const double before = run(inputs, weights_of()).at("loss").at(1);
  for (std::int64_t t = 1; t < 3; ++t)
    for (std::int64_t i = 0; i < 2; ++i)
      inputs["x"].set((t * 2 + 1) * 2 + i, std::numeric_limits<double>::quiet_NaN());
  const Tensors cut = run(inputs, weights_of());
  CHECK(cut.at("loss").at(0) == whole.at("loss").at(0));
  CHECK(cut.at("loss").at(1) == before);
  // items that are all short need no tensor of full length
  Tensors brief = inputs_of(1, 2);
  brief["lengths"] = Tensor::of({2}, std::vector<std::int64_t>{1, 1});
  CHECK(run(brief, weights_of()).at("loss").at(0) == 8);
}

TEST_CASE("program: gradients by label, shared ones without a batch axis", "[program]") {
  Sums m = sums(2);
  const Gradients g = gradient(m.loss, {m.w});
  Program run(m.graph, {m.loss, g["w"]}, {.dtype = f64});
  const Tensors out = run(inputs_of(2, 2), weights_of());
  // loss = sum over items of 2 x1 + x2, element by element: x1 = (1,2), (3,4), x2 = (5,6), (7,8)
  CHECK(out.at("grad:w") == Tensor::of({2}, std::vector<double>{2 * 4 + 12, 2 * 6 + 14}));
}

TEST_CASE("program: categories, absent ones too, and draws keyed by item", "[program]") {
  Graph g;
  const Var y = g.category("y", 3), table = g.weight("E", {3, 2});
  const Var row = g.name(embed(table, y), "row");
  const Var drawn = g.name(draw_categorical(row * 0.0, "value"), "z");
  Program run(g, {row, drawn}, {.dtype = f32, .seed = 5});
  Tensors inputs{{"y", Tensor::of({3}, std::vector<std::int64_t>{2, -1, 0})}};
  const Tensors weights{{"E", Tensor::of({3, 2}, std::vector<double>{1, 2, 3, 4, 5, 6})}};
  const Tensors out = run(inputs, weights);
  CHECK(out.at("row").to(Dtype::f64) == Tensor::of({3, 2}, std::vector<double>{5, 6, 0, 0, 1, 2}));
  inputs["item"] = Tensor::of({3}, std::vector<std::int64_t>{2, 1, 0});
  const Tensors turned = run(inputs, weights);
  for (std::int64_t i = 0; i < 3; ++i) CHECK(turned.at("z").at(i) == out.at("z").at(2 - i));
  inputs["y"] = Tensor::of({3}, std::vector<std::int64_t>{0, 1, 3});
  const Diagnostic d = refusal(run, inputs, weights);
  CHECK(d.code == "D013");
  CHECK(d.message == "y of item 2 is 3, not a category 0..2 (-1: absent)");
}

TEST_CASE("program: bad tensors are refused by name, and the program runs again", "[program]") {
  const Sums m = sums(2);
  Program run(m.graph, {m.loss}, {.dtype = f64});
  const auto with = [](Tensors t, const std::string& name, Tensor tensor) {
    t[name] = std::move(tensor);
    return t;
  };
  const Tensors good = inputs_of(2, 2), weights = weights_of();
  const Tensor three = Tensor::of({3}, std::vector<std::int64_t>{1, 1, 1});
  const Tensor far = Tensor::of({2}, std::vector<std::int64_t>{1, 3});
  const Tensor real = Tensor::of({2}, std::vector<double>{1, 2});
  CHECK(refusal(run, {}, weights).message == "the input \"x\" is missing");
  CHECK(refusal(run, good, {}).code == "D010");
  CHECK(refusal(run, with(good, "x", Tensor({2, 2, 3}, Dtype::f64)), weights).message ==
        "the input \"x\" has axes [2,2,3], want [index, batch, 2]");
  CHECK(refusal(run, good, {{"w", Tensor({3}, Dtype::f64)}}).code == "D011");
  CHECK(refusal(run, with(good, "lengths", three), weights).message ==
        "\"x\" holds 2 items, \"lengths\" 3");
  CHECK(refusal(run, with(good, "lengths", far), weights).message ==
        "the length of item 1 is 3, not in 0..2 (\"tau\")");
  CHECK(refusal(run, with(good, "lengths", real), weights).code == "D015");
  CHECK(refusal(run, with(good, "item", three), weights).code == "D012");
  CHECK(run(good, weights).at("loss").at(0) > 0);
  Program two_steps(m.graph, {m.loss}, {.dtype = f64, .lengths = {2}});
  CHECK(refusal(two_steps, inputs_of(1, 2), weights).message ==
        "\"x\" has 1 positions along axis 0, but position 2 is read");
}

TEST_CASE("program: empty batches and batches of other sizes", "[program]") {
  const Sums m = sums(2);
  Program run(m.graph, {m.loss}, {.dtype = f32});
  for (const std::int64_t batch : {3, 0, 1, 64, 2})
    CHECK(run(inputs_of(2, batch), weights_of()).at("loss").dims() == Dims{batch});
  CHECK_THROWS_AS(Program(m.graph, {m.loss}, {.dtype = Dtype::i64}), Error);
}
