#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "samples.h"
#include "support_gradients.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/graph/verify.h"
#include "taugrad/reference/interpreter.h"

// Every op of the registry on its samples. A new op without samples, vjp or forward mode fails
// here.
namespace {

using namespace taugrad;
using samples::Placed;
using samples::Sample;
using support::failure;
using support::place;

bool differentiable(const Op& op) { return !op.traits.leaf && !op.traits.discrete; }

// float32 beside float64: the value and the gradients
double float_error(Var y, Var loss, const Vars& moving, const CheckPoint& point) {
  Vars asked = moving.empty() ? Vars{} : gradient(loss, moving).values();
  asked.push_back(y);
  std::vector<NodeId> ids;
  for (const Var& v : asked) ids.push_back(v.id);
  Interpreter<double> wide(*y.tape, ids);
  Interpreter<float> narrow(*y.tape, ids);
  place(wide, point);
  place(narrow, point);
  wide.run();
  narrow.run();
  double worst = 0;
  for (const NodeId id : ids) {
    double scale = 1;
    for (const double x : wide.value(id)) scale = std::max(scale, std::abs(x));
    for (std::size_t k = 0; k < wide.value(id).size(); ++k)
      worst = std::max(
          worst, std::abs(wide.value(id)[k] - static_cast<double>(narrow.value(id)[k])) / scale);
  }
  return worst;
}

void prove(const Sample& sample) {
  INFO(sample.text());
  Graph g;
  Tape& tape = g.tape();
  CheckPoint point;
  samples::begin(tape, point);
  const Placed placed = samples::place(tape, sample, point, 11);
  const Var y = samples::apply(tape, *sample.op, sample, placed);
  const Var loss = samples::weighted(y, point, 23);
  verify(tape);
  CHECK(float_error(y, loss, differentiable(*sample.op) ? placed.moving : Vars{}, point) < 1e-5);
  if (!differentiable(*sample.op) || placed.moving.empty()) return;
  CHECK(failure(check_gradients(loss, placed.moving, point)) == "");
  CHECK(failure(check_gradients(loss, placed.moving, point, {.order = 2})) == "");
  CHECK(support::adjoint_error(loss, placed.moving, point) <= 1e-12);
  verify(tape);
}

}  // namespace

TEST_CASE("every op: samples, vjp and forward mode are there", "[ops]") {
  for (const Op* op : registry()) {
    INFO(op->name);
    CHECK_FALSE(op->about.empty());
    CHECK(find_op(op->name) == op);
    CHECK(op->traits.leaf == (op->arity == 0));
    if (op->traits.leaf) continue;
    CHECK_FALSE(samples::of(*op).empty());
    CHECK(op->shape != nullptr);
    CHECK((op->forward.f32 && op->forward.f64 && op->forward.c128));
    if (op->traits.discrete) continue;
    CHECK(op->vjp != nullptr);
    CHECK((op->jvp != nullptr || op->traits.linear || op->traits.bilinear));
  }
}

TEST_CASE("every op: vjp against complex step and forward mode, to second order", "[ops]") {
  for (const Op* op : registry())
    for (const Sample& sample : samples::of(*op)) prove(sample);
}

TEST_CASE("every op: the vjp of one input alone is the one of all", "[ops]") {
  for (const Op* op : registry()) {
    if (!differentiable(*op)) continue;
    const Sample sample = samples::of(*op).front();
    INFO(sample.text());
    Graph g;
    CheckPoint point;
    samples::begin(g.tape(), point);
    const Placed placed = samples::place(g.tape(), sample, point, 5);
    const Var loss = samples::weighted(samples::apply(g.tape(), *op, sample, placed), point, 6);
    for (const Var& v : placed.moving) CHECK(failure(check_gradients(loss, {&v, 1}, point)) == "");
  }
}

namespace {

using Binary = Var (*)(Var, Var);

const std::vector<std::pair<Shape, Shape>> kBroadcasts{
    {{}, {}},         {{}, {3}},        {{3}, {}},           {{3}, {3}},
    {{1}, {3}},       {{3, 4}, {4}},    {{3, 1}, {1, 4}},    {{2, 3, 4}, {3, 1}},
    {{2, 3, 4}, {1}}, {{0, 3}, {1, 3}}, {{2, 1, 4}, {3, 1}}, {{5, 1}, {1}}};

void prove_pair(Binary f, const Shape& a, const Shape& b, int items_a, int items_b) {
  Graph g;
  CheckPoint point;
  samples::begin(g.tape(), point);
  Sample sample{.op = &kAdd};
  sample.leaves = {{.shape = a, .items = items_a, .lo = 0.3, .hi = 2},
                   {.shape = b, .items = items_b, .lo = 0.4, .hi = 2}};
  const Placed placed = samples::place(g.tape(), sample, point, 3);
  const Var loss = samples::weighted(f(placed.leaves[0], placed.leaves[1]), point, 4);
  INFO(to_string(a) << " with " << to_string(b));
  CHECK(failure(check_gradients(loss, placed.moving, point)) == "");
  CHECK(failure(check_gradients(loss, placed.moving, point, {.order = 2})) == "");
  CHECK(support::adjoint_error(loss, placed.moving, point) <= 1e-12);
}

}  // namespace

TEST_CASE("binary ops broadcast as NumPy does, and their gradients sum back", "[ops]") {
  const std::vector<Binary> functions{[](Var a, Var b) { return a + b; },
                                      [](Var a, Var b) { return a - b; },
                                      [](Var a, Var b) { return a * b; },
                                      [](Var a, Var b) { return a / b; },
                                      [](Var a, Var b) { return pow(a, b); },
                                      [](Var a, Var b) { return min(a, b); },
                                      [](Var a, Var b) { return max(a, b); },
                                      [](Var a, Var b) { return nll_bernoulli(a, b); },
                                      [](Var a, Var b) { return nll_normal(a, b, a + b); },
                                      [](Var a, Var b) { return where(less(a, b), a * a, b * b); }};
  for (const Binary f : functions)
    for (const auto& [a, b] : kBroadcasts)
      for (const int items_a : {0, -1})
        for (const int items_b : {0, -1}) prove_pair(f, a, b, items_a, items_b);
}

TEST_CASE("one variable on both sides", "[ops]") {
  const std::vector<Binary> functions{
      [](Var a, Var) { return a * a; },           [](Var a, Var) { return a - a; },
      [](Var a, Var) { return a / a; },           [](Var a, Var) { return pow(a, a); },
      [](Var a, Var) { return matmul(a, a); },    [](Var a, Var) { return outer(a, a); },
      [](Var a, Var) { return outer_sum(a, a); }, [](Var a, Var) { return max(a, a); }};
  for (const Binary f : functions)
    for (const int items : {0, -1}) prove_pair(f, {4}, {1}, items, items);
}
