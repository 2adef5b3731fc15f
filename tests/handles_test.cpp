// Handles, ids, names and numbers that do not fit: each is refused where it enters.
#include <taugrad/taugrad.h>

#include <catch2/catch.hpp>
#include <functional>
#include <limits>

#include "taugrad/graph/reachable.h"
#include "taugrad/graph/verify.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/runtime/executor.h"

using namespace taugrad;

namespace {

struct Refusal {
  Status status = Status::ok;
  std::string code;
  std::string message;
};

Refusal refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return {e.status(), e.diagnostics()[0].code, e.diagnostics()[0].message};
  }
  return {};
}

struct Row {
  const char* what;
  std::function<void()> call;
  const char* code;
};

void check_usage(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    INFO(row.what);
    const Refusal r = refusal(row.call);
    CHECK(r.code == row.code);
    CHECK(r.status == Status::usage);
  }
}

Graph moved_from(Graph g) {
  const Graph other = std::move(g);
  return g;  // NOLINT: what is left of it
}

}  // namespace

TEST_CASE("a Var keeps its graph alive", "[handles]") {
  Var x;
  {
    Graph g;
    x = g.input("x", {2});
  }
  const Var y = tanh(x * x + 1.0);
  CHECK(y.shape() == Shape{2});
  CHECK(x.name() == "x");
  Gradients g = gradient(sum(y), {x});
  std::size_t count = 0;
  for (Var v : gradient(sum(y), {x, y}).values()) count += v.shape() == Shape{2} ? 1 : 0;
  CHECK(count == 2);
  x = {};
  CHECK(g["x"].shape() == Shape{2});
  for (const auto& e : gradient(sum(y * y), {y}).edges(y)) CHECK(e.value.shape() == Shape{2});
}

TEST_CASE("an empty Var is refused by whatever takes it", "[handles]") {
  Graph g;
  const Var x = g.input("x", {2}), none;
  Interpreter<double> reference(g.tape(), std::vector<NodeId>{x.id});
  check_usage({
      {"total + x",
       [&] {
         Var total;
         total = total + x;
       },
       "U021"},
      {"x + total", [&] { x + none; }, "U021"},
      {"x * 2", [&] { none * 2.0; }, "U021"},
      {"2 / x", [&] { 2.0 / none; }, "U021"},
      {"tanh", [&] { tanh(none); }, "U021"},
      {"copy", [&] { copy(none); }, "U021"},
      {"where", [&] { where(none, x, x); }, "U021"},
      {"where, later", [&] { where(x, x, none); }, "U021"},
      {"matmul", [&] { matmul(x, none); }, "U021"},
      {"concat",
       [&] {
         concat(Vars{x, none});
       },
       "U021"},
      {"stack",
       [&] {
         stack(Vars{none, x});
       },
       "U021"},
      {"add_n",
       [&] {
         add_n(Vars{x, none});
       },
       "U021"},
      {"conv", [&] { conv(none, Vars{x}); }, "U021"},
      {"reshape", [&] { reshape(none, {2}); }, "U021"},
      {"sum_to", [&] { sum_to(none, {2}); }, "U021"},
      {"embed", [&] { embed(none, x); }, "U021"},
      {"category_size", [&] { category_size(none); }, "U021"},
      {"draw_normal", [&] { draw_normal(none, "s"); }, "U021"},
      {"dropout_mask", [&] { dropout_mask(none, 0.5, "s"); }, "U021"},
      {"to_items", [&] { to_items(none, kEveryItem); }, "U021"},
      {"at_length", [&] { at_length(Vars{none}, 0, 0, kEveryItem); }, "U021"},
      {"layer_norm", [&] { layer_norm(x, none, x); }, "U021"},
      {"nll_normal", [&] { nll_normal(x, x, none); }, "U021"},
      {"shape", [&] { none.shape(); }, "U021"},
      {"extent", [&] { none.per_example(); }, "U021"},
      {"op", [&] { none.op(); }, "U021"},
      {"name", [&] { none.name(); }, "U021"},
      {"Graph::name", [&] { g.name(none, "y"); }, "U021"},
      {"gradient of nothing", [&] { gradient(none, {x}); }, "G023"},
      {"gradient to nothing", [&] { gradient(sum(x), {none}); }, "G023"},
      {"tangent", [&] { tangent(Vars{none}, Vars{x}, Vars{x}); }, "G023"},
      {"Program", [&] { Program(g, {none}); }, "U021"},
      {"Gradients::of", [&] { gradient(sum(x), {x}).of(none); }, "G014"},
      {"a moved-from graph", [&] { moved_from(g).input("z"); }, "U021"},
      {"its size", [&] { moved_from(g).size(); }, "U021"},
      {"its tape", [&] { moved_from(g).tape(); }, "U021"},
      {"its JSON", [&] { to_json(moved_from(g)); }, "U021"},
      {"its program", [&] { Program(moved_from(g), {x}); }, "U021"},
      {"its picture", [&] { fold(moved_from(g)); }, "U021"},
  });
  verify(g.tape());
}

TEST_CASE("a Var of another graph, and ids that no node has", "[handles]") {
  Graph g, other;
  const Var x = g.input("x", {2}), far = other.input("x", {2});
  Tape& tape = g.tape();
  const NodeId big = std::numeric_limits<NodeId>::max(), small = std::numeric_limits<NodeId>::min();
  const Var beyond{&tape, 17};
  check_usage({
      {"x + far", [&] { x + far; }, "U021"},
      {"of other shapes", [&] { x + sum(far); }, "U021"},
      {"Graph::name", [&] { g.name(far, "y"); }, "U021"},
      {"Program", [&] { Program(g, {far}); }, "U021"},
      {"checkpoint", [&] { Program(g, {x}, {.checkpoint = far}); }, "U021"},
      {"gradient", [&] { gradient(sum(x), {far}); }, "G023"},
      {"cotangent", [&] { gradient(Vars{x}, Vars{far}, Vars{x}); }, "G023"},
      {"check", [&] { check_gradients(sum(x), Vars{far}, {}); }, "G023"},
      {"a Var without its node", [&] { tanh(beyond); }, "U022"},
      {"its shape", [&] { beyond.shape(); }, "U022"},
      {"its name", [&] { g.name(beyond, "y"); }, "U022"},
      {"node(-1)", [&] { g.node(-1); }, "U022"},
      {"node(size)", [&] { g.node(g.size()); }, "U022"},
      {"node, large", [&] { g.node(big); }, "U022"},
      {"node, small", [&] { g.node(small); }, "U022"},
      {"var(-1)", [&] { tape.var(-1); }, "U022"},
      {"op", [&] { tape.op(g.size()); }, "U022"},
      {"inputs", [&] { tape.inputs(g.size()); }, "U022"},
      {"shape", [&] { tape.shape(-1); }, "U022"},
      {"attrs", [&] { tape.attrs(big); }, "U022"},
      {"label", [&] { tape.label(small); }, "U022"},
      {"index", [&] { tape.index(-2); }, "U022"},
      {"shape_of", [&] { tape.shape_of(99); }, "U022"},
      {"attrs_of", [&] { tape.attrs_of(99); }, "U022"},
      {"name_of", [&] { tape.name_of(99); }, "U022"},
      {"index_of", [&] { tape.index_of(99); }, "U022"},
      {"index_of, the last number", [&] { tape.index_of(UINT32_MAX); }, "U022"},
      {"extent", [&] { tape.extent(99); }, "U022"},
      {"set_value", [&] { tape.set_value(99, 0, 0); }, "U022"},
      {"set_value, a name", [&] { tape.set_value(x.id, 99, 0); }, "U022"},
      {"set_owner", [&] { tape.set_owner(99, 0); }, "U022"},
      {"append_raw, a shape", [&] { tape.append_raw(kTanh, {{0}}, 99, 0, kEveryItem); }, "U022"},
      {"append_raw, attributes", [&] { tape.append_raw(kTanh, {{0}}, 0, 99, kEveryItem); }, "U022"},
      {"append_raw, items", [&] { tape.append_raw(kTanh, {{0}}, 0, 0, 99); }, "U022"},
      {"needed", [&] { reachable(tape, std::vector<NodeId>{-3}); }, "U022"},
      {"an output outside the tape",
       [&] {
         Executor<float>(tape, std::vector<NodeId>{x.id, 7});
       },
       "U022"},
      {"a negative one", [&] { Executor<double>(tape, std::vector<NodeId>{-1}); }, "U022"},
      {"a checkpoint outside",
       [&] { Executor<float>(tape, std::vector<NodeId>{x.id}, {.checkpoint = 9}); }, "U022"},
      {"threads",
       [&] { Executor<float>(tape, std::vector<NodeId>{x.id}, {.engine = {.threads = -3}}); },
       "U002"},
      {"many threads",
       [&] {
         Executor<float>(tape, std::vector<NodeId>{x.id}, {.engine = {.threads = 1'000'000}});
       },
       "U002"},
      {"the interpreter", [&] { Interpreter<double>(tape, std::vector<NodeId>{9}); }, "U022"},
      {"Graph::at", [&] { g.at("typo"); }, "G014"},
      {"gradients by number", [&] { gradient(sum(x), {x})[std::size_t{5}]; }, "U022"},
      {"gradients by name", [&] { gradient(sum(x), {x})["typo"]; }, "G014"},
  });
  CHECK(other.size() == 2);  // a sum; nothing of what was refused
  verify(tape);
}

TEST_CASE("tensors: elements, types and what was moved from", "[handles]") {
  Tensor two = Tensor::of({2}, std::vector<double>{1, 2});
  const Tensor none;
  Tensor gone = two;
  const Tensor taken = std::move(gone);
  check_usage({
      {"at(7)", [&] { two.at(7); }, "U022"},
      {"at(2)", [&] { two.at(2); }, "U022"},
      {"at(-1)", [&] { two.at(-1); }, "U022"},
      {"set(5000000)", [&] { two.set(5000000, 1); }, "U022"},
      {"set(-1)", [&] { two.set(std::numeric_limits<std::int64_t>::min(), 1); }, "U022"},
      {"of nothing", [&] { none.at(0); }, "U022"},
      {"of what was moved from", [&] { gone.at(0); }, "U022"},
      {"another type", [&] { two.values<float>(); }, "D015"},
      {"whole numbers", [&] { none.values<std::int64_t>(); }, "D015"},
      {"no type", [&] { Tensor({1}, static_cast<Dtype>(9)); }, "U022"},
      {"no axis", [&] { Shape({3})[1]; }, "U022"},
      {"a negative axis", [&] { Shape({3})[-1]; }, "U022"},
      {"axis of a number", [&] { Shape()[0]; }, "U022"},
  });
  CHECK(gone == none);
  CHECK(taken.size() == 2);
  double sum = 0;
  for (const double x : Tensor(two).values<double>()) sum += x;
  for (const double x : two.to(Dtype::f32).to(Dtype::f64).values<double>()) sum += x;
  for (const std::int64_t d : Tensor(two).dims()) sum += static_cast<double>(d);
  CHECK(sum == 8);
}

TEST_CASE("an executor says what a call of it lacks", "[handles]") {
  Graph g;
  const Var x = g.input("x", {2}), w = g.weight("w", {2}), y = x * w;
  Executor<double> run(g.tape(), std::vector<NodeId>{y.id});
  const BatchContext batch;
  const std::vector<double> values = {1, 2};
  check_usage({
      {"a run before a batch", [&] { run.run(); }, "U023"},
      {"items before a batch", [&] { run.items(x.id); }, "U023"},
      {"a leaf before a batch", [&] { run.leaf(x.id); }, "U023"},
      {"an output before a run", [&] { run.value(0); }, "U023"},
      {"no leaf", [&] { run.leaf(y.id); }, "U022"},
      {"no such node", [&] { run.leaf(-1); }, "U022"},
      {"no output", [&] { run.value(1); }, "U022"},
      {"items of no output", [&] { run.output_items(9); }, "U022"},
      {"too few numbers", [&] { run.bind(w.id, std::span(values).first(1)); }, "U022"},
      {"numbers for an input", [&] { run.bind(x.id, values); }, "U022"},
      {"a negative batch", [&] { run.set_batch(batch, -1); }, "U022"},
      {"keys",
       [&] {
         run.set_batch({.item = {1, 2, 3}}, 1);
       },
       "U022"},
  });
  run.set_batch(batch, 1);
  check_usage({{"a run without a weight", [&] { run.run(); }, "U023"},
               {"its output", [&] { run.value(0); }, "U023"}});
  run.bind(w.id, values);
  std::ranges::copy(values, run.leaf(x.id).begin());
  run.run();
  CHECK(run.value(0)[1] == 4);
  run.set_batch(batch, 2);
  check_usage({{"an output of the batch before", [&] { run.value(0); }, "U023"}});
  Executor<double> taken = std::move(run);
  CHECK(taken.steps() > 0);
  check_usage({{"moved from", [&] { run.run(); }, "U021"},
               {"its leaves", [&] { run.leaves(); }, "U021"},
               {"its steps", [&] { run.steps(); }, "U021"},
               {"its bytes", [&] { run.bytes(); }, "U021"}});
  Program program(g, {y});
  const Program other = std::move(program);
  check_usage({{"a moved program", [&] { program({}, {}); }, "U021"},
               {"its seed", [&] { program.set_seed(1); }, "U021"},
               {"its bytes", [&] { program.bytes(); }, "U021"},
               {"its operations", [&] { program.operations(); }, "U021"},
               {"threads", [&] { Program(g, {y}, {.engine = {.threads = -3}}); }, "U002"},
               {"i64", [&] { Program(g, {y}, {.dtype = Dtype::i64}); }, "U020"}});
}

TEST_CASE("the reference interpreter says what a call of it lacks", "[handles]") {
  Graph g;
  const Var x = g.input("x", {2}), y = tanh(x), other = exp(x);
  Interpreter<double> run(g.tape(), std::vector<NodeId>{y.id});
  const std::vector<double> three(3);
  check_usage({
      {"a leaf that is none", [&] { run.leaf(y.id); }, "U022"},
      {"what it does not evaluate", [&] { run.value(other.id); }, "U022"},
      {"no node", [&] { run.value(-1); }, "U022"},
      {"beyond", [&] { run.value(99); }, "U022"},
      {"a nudge outside", [&] { run.nudge(y.id, 0, three); }, "U022"},
      {"a nudge far outside",
       [&] { run.nudge(y.id, std::numeric_limits<std::int64_t>::max(), three); }, "U022"},
      {"a negative batch", [&] { run.set_batch({}, -5); }, "U022"},
      {"keys",
       [&] {
         run.set_batch({.item = {1, 2}}, 1);
       },
       "U022"},
  });
  CHECK_FALSE(run.needs(-1));
  CHECK_FALSE(run.needs(99));
}

TEST_CASE("names of an unfolded definition that there are not", "[handles]") {
  const Unfolded u = unfold(load_definition("elman"), {.steps = 3});
  check_usage({
      {"a copy", [&] { tanh(u.copy_named("typo", "1")); }, "G014"},
      {"a copy at no position", [&] { tanh(u.copy_named("W", "9")); }, "U021"},
      {"copies", [&] { u.copies_named("typo", ""); }, "G014"},
      {"copy(9)", [&] { u.copy("W", 9); }, "G014"},
      {"at", [&] { u.at("h", 9); }, "G014"},
      {"a name", [&] { u.at("typo"); }, "G014"},
      {"a weight", [&] { u.weight("h"); }, "G014"},
      {"a likelihood", [&] { u.nll("h", {1}); }, "G014"},
      {"a length", [&] { u.length("typo"); }, "G014"},
      {"an end", [&] { tanh(u.end(5)); }, "U021"},
  });
}
