#include <algorithm>
#include <catch2/catch.hpp>

#include "base/fail.h"
#include "support_executor.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/language/register_op.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/own.h"

using namespace taugrad;
using support::alone;
using support::difference;
using support::execute;
using support::interpret;
using support::only_item;
using support::same_bits;
using support::Values;

namespace {

struct Built {
  Graph graph;
  std::vector<NodeId> outputs;
  const Tape& tape() const { return graph.tape(); }
  void fetch(Var v) { outputs.push_back(v.id); }
  void fetch(const Vars& vars) {
    for (const Var& v : vars) fetch(v);
  }
};

ExtentId at_least(Tape& tape, std::int32_t which, std::int32_t steps) {
  return tape.intern_extent({{{which, steps}}});
}

std::vector<std::int32_t> position(std::int32_t t) { return {t}; }

/// h[t] = tanh(b + W(t) h[t-1] + U(t) x[t]) for the items that have a step t; the loss reads the
/// last state of each.
Built recurrence(std::int32_t steps, std::int64_t m, std::int64_t n) {
  Built built;
  Tape& tape = built.graph.tape();
  tape.length_names = {"tau"};
  const Var w = weight(tape, "W", {m, m}), u = weight(tape, "U", {m, n}),
            b = weight(tape, "b", {m});
  Vars states{to_items(constant(tape, 0.25, {m}), kEveryItem)};
  Vars copies;
  for (std::int32_t t = 1; t <= steps; ++t) {
    const ExtentId running = at_least(tape, 0, t);
    const Var x = input(tape, "x", {n}, position(t), running);
    const Var wt = copy(w);
    copies.push_back(wt);
    states.push_back(
        tanh(copy(b) + matmul(wt, restrict_to(states.back(), running)) + matmul(copy(u), x)));
    built.fetch(states.back());
  }
  const Var last = at_length(states, 0, 0, kEveryItem);
  const Var loss = sum(last * last);
  built.fetch(last);
  built.fetch(loss);
  const Gradients g = gradient(loss, {w, u, b, states[1], copies[0], copies.back()});
  built.fetch(g.values());
  return built;
}

BatchContext with_lengths(std::vector<std::int64_t> lengths) {
  BatchContext batch;
  batch.seed = 7;
  batch.lengths = {std::move(lengths)};
  return batch;
}

/// Values against the interpreter, in both precisions, and each item against itself alone.
void check_everything(const Built& built, const BatchContext& batch, std::int64_t items) {
  const auto& [graph, outputs] = built;
  Executor<double> wide(graph.tape(), outputs);
  Executor<float> narrow(graph.tape(), outputs);
  const Values want = interpret<double>(graph.tape(), outputs, batch, items, 1);
  const Values d = execute(wide, graph.tape(), outputs, batch, items, 1);
  const Values f = execute(narrow, graph.tape(), outputs, batch, items, 1);
  CHECK(difference(d, want) <= 1e-12);
  CHECK(difference(f, want) <= 1e-5);
  for (std::int64_t i = 0; i < items; ++i) {
    CAPTURE(i);
    CHECK(same_bits(only_item(d, graph.tape(), outputs, i),
                    execute(wide, graph.tape(), outputs, alone(batch, i), 1, 1)));
    CHECK(same_bits(only_item(f, graph.tape(), outputs, i),
                    execute(narrow, graph.tape(), outputs, alone(batch, i), 1, 1)));
  }
}

template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  FAIL("no error");
  throw;
}

}  // namespace

TEST_CASE("executor: a ragged recurrence and its gradients", "[executor]") {
  const Built built = recurrence(5, 4, 3);
  check_everything(built, with_lengths({2, 5, 0, 5, 1, 3, 4}), 7);
  check_everything(built, with_lengths({0}), 1);
  check_everything(built, with_lengths({5, 5, 5}), 3);
  check_everything(built, with_lengths({}), 0);
}

TEST_CASE("executor: widths beyond a tile and an odd number of items", "[executor]") {
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 37; ++i) lengths.push_back(i % 4);
  check_everything(recurrence(3, 67, 41), with_lengths(lengths), 37);
}

TEST_CASE("executor: one plan runs batches of any size and lengths", "[executor]") {
  const Built built = recurrence(4, 3, 2);
  Executor<double> executor(built.tape(), built.outputs);
  for (const auto& lengths :
       std::vector<std::vector<std::int64_t>>{{4, 4}, {1, 2, 3, 4, 0}, {3}, {}, {4, 0}, {4, 4}}) {
    const auto items = static_cast<std::int64_t>(lengths.size());
    const BatchContext batch = with_lengths(lengths);
    for (int again = 0; again < 2; ++again)
      CHECK(difference(execute(executor, built.tape(), built.outputs, batch, items, 3),
                       interpret<double>(built.tape(), built.outputs, batch, items, 3)) <= 1e-12);
  }
}

TEST_CASE("executor: sets of items of two lengths, which are no prefixes of each other",
          "[executor]") {
  Built built;
  Tape& tape = built.graph.tape();
  tape.length_names = {"rows", "cols"};
  const Var w = weight(tape, "W", {3, 3});
  const ExtentId tall = at_least(tape, 0, 2), wide = at_least(tape, 1, 2);
  const ExtentId both = tape.intern_extent({{{0, 2}, {1, 2}}});
  const Var x = input(tape, "x", {3});
  const Var a = tanh(matmul(w, restrict_to(x, tall))), b = tanh(matmul(w, restrict_to(x, wide)));
  const Var c = restrict_to(a, both) * restrict_to(b, both);
  const Var loss =
      sum(extend_to(c, kEveryItem) + extend_to(a, kEveryItem)) + sum(extend_to(b, kEveryItem));
  for (const Var& v : {a, b, c, loss}) built.fetch(v);
  built.fetch(gradient(loss, {w, x}).values());
  BatchContext batch;
  batch.lengths = {{1, 2, 3, 2, 0, 5}, {4, 1, 2, 3, 3, 0}};
  check_everything(built, batch, 6);
}

TEST_CASE("executor: views of rows, shared matrices from both sides, products of every rank",
          "[executor]") {
  Built built;
  Tape& tape = built.graph.tape();
  const Var z = input(tape, "z", {12}), a = input(tape, "A", {3, 4}), b = input(tape, "B", {4, 5});
  const Var w = weight(tape, "W", {4, 6}), v = weight(tape, "v", {4}),
            k = weight(tape, "K", {2, 3, 4});
  const Var lo = slice(z, 0, 4), mid = slice(z, 4, 8), hi = slice(slice(z, 2, 12), 6, 10);
  const Var gates = sigmoid(lo) * tanh(mid) + hi;
  const Vars taps{mid, hi};
  for (const Var& x : {lo,
                       gates,
                       mid * mid,
                       matmul(lo, w),
                       matmul(transpose(w), hi),
                       matmul(a, w),
                       matmul(a, v),
                       matmul(v, lo),
                       matmul(lo, v),
                       matmul(a, b),
                       matmul(transpose(b), transpose(a)),
                       matmul(transpose(w), w),
                       matmul(slice(w, 1, 3), matmul(transpose(w), transpose(a))),
                       matmul(slice(transpose(w), 2, 5), mid),
                       conv(k, taps),
                       reshape(slice(z, 3, 9), {2, 3}),
                       outer(lo, hi),
                       matmul(lo, b),
                       matmul(reshape(z, {3, 4}), w),
                       copy(to_items(v, kEveryItem))})
    built.fetch(x);
  const Var loss = sum(gates * matmul(slice(transpose(w), 2, 6), mid)) +
                   sum(matmul(matmul(a, w), transpose(w))) + sum(matmul(a, b)) + sum(conv(k, taps));
  built.fetch(gradient(loss, {w, k, z, a, b}).values());
  check_everything(built, {}, 5);
}

TEST_CASE("executor: draws and masks are keyed by item, whatever the order", "[executor]") {
  Built built;
  Tape& tape = built.graph.tape();
  tape.length_names = {"tau"};
  const Var x = input(tape, "x", {6});
  tape.set_owner(tape.intern_name("y"), tape.intern_index(position(2)));
  const Var drawn = draw_categorical(restrict_to(x, at_least(tape, 0, 2)), "value");
  built.fetch(drawn);
  built.fetch(draw_categorical(x, "of two", 2));
  built.fetch(argmax(x));
  built.fetch(x * dropout_mask(x, 0.5, "dropout"));
  built.fetch(draw_normal(x, "noise"));
  BatchContext batch = with_lengths({1, 3, 2, 5, 0});
  batch.item = {40, 10, 7, 3, 99};
  batch.train = true;
  check_everything(built, batch, 5);
}

TEST_CASE("executor: the work counted for a batch is that of its items alone", "[executor]") {
  const Built built = recurrence(6, 8, 5);
  const std::vector<std::int64_t> lengths{3, 6, 0, 1, 6, 2};
  Executor<float> executor(built.tape(), built.outputs);
  const BatchContext batch = with_lengths(lengths);
  execute(executor, built.tape(), built.outputs, batch, 6, 1);
  const OperationCount together = executor.operations();
  std::int64_t sum_alone = 0;
  for (std::int64_t i = 0; i < 6; ++i) {
    execute(executor, built.tape(), built.outputs, alone(batch, i), 1, 1);
    sum_alone += executor.operations().per_item;
    CHECK(executor.operations().shared == together.shared);
  }
  CHECK(together.per_item == sum_alone);
  CHECK(together.per_item > 0);

  Executor<float> forward(built.tape(), std::vector<NodeId>{built.outputs[5]});  // h[6] alone
  execute(forward, built.tape(), std::vector<NodeId>{built.outputs[5]}, batch, 6, 1);
  // a step: W h, U x, two sums and a tanh
  const std::int64_t step = 2 * 8 * 8 + 2 * 8 * 5 + 2 * 8 + 8;
  CHECK(forward.operations().per_item == (3 + 6 + 0 + 1 + 6 + 2) * step);
}

TEST_CASE("executor: a plan over the memory limit is refused before anything is allocated",
          "[executor]") {
  const Built built = recurrence(4, 16, 8);
  Executor<float> executor(built.tape(), built.outputs, {.engine = {.max_memory = 200'000}});
  const auto full = [&](std::size_t items) {
    return with_lengths(std::vector<std::int64_t>(items, 4));
  };
  execute(executor, built.tape(), built.outputs, full(3), 3, 1);
  const std::size_t before = executor.bytes();
  const Error e = error_of([&] { executor.set_batch(full(1 << 20), 1 << 20); });
  CHECK(e.status() == Status::resource);
  CHECK(e.diagnostics()[0].code == "R001");
  CHECK_THAT(e.diagnostics()[0].message, Catch::Contains("the budget is 195.3 KiB; largest: \""));
  CHECK(executor.bytes() == before);
  CHECK_THROWS_AS(executor.run(), Error);
  CHECK(difference(execute(executor, built.tape(), built.outputs, full(3), 3, 1),
                   interpret<double>(built.tape(), built.outputs, full(3), 3, 1)) <= 1e-5);
}

namespace {

bool broken = false;

template <class S>
void fragile(const Call<S>& c) {
  if (broken) fail(Status::numerical, "N001", "broken");
  std::copy_n(c.in[0].data, c.items * c.shape->size(), c.out);
}

Shape same_shape(std::span<const Shape> in, const Attrs&) { return in[0]; }

}  // namespace

TEST_CASE("executor: after a step that throws, the plan runs again", "[executor]") {
  const Op op{.name = "fragile",
              .about = "throws on demand",
              .shape = same_shape,
              .forward = {fragile<float>, fragile<double>, fragile<std::complex<double>>}};
  Built built;
  Tape& tape = built.graph.tape();
  const Var x = input(tape, "x", {5});
  const Var inputs[] = {tanh(x)};
  built.fetch(sum(exp(apply(op, inputs))));
  Executor<double> executor(tape, built.outputs);
  const Values before = execute(executor, tape, built.outputs, {}, 4, 1);
  broken = true;
  CHECK_THROWS_AS(execute(executor, tape, built.outputs, {}, 4, 1), Error);
  broken = false;
  CHECK(same_bits(execute(executor, tape, built.outputs, {}, 4, 1), before));
}

TEST_CASE("executor: weights in the caller's own storage", "[executor]") {
  Graph g;
  const Var w = g.weight("w", {3}), x = g.input("x", {3});
  const Var y = matmul(x, w);
  Executor<double> executor(g.tape(), std::vector<NodeId>{y.id});
  std::vector<double> weights{1, 2, 3};
  executor.set_batch({}, 2);
  const auto to = executor.leaf(x.id);
  std::fill(to.begin(), to.end(), 1.0);
  CHECK_THROWS_AS(executor.run(), Error);  // w has not been given
  CHECK_THROWS_AS(executor.bind(w.id, std::span(weights).first(2)), Error);
  executor.bind(w.id, weights);
  executor.run();
  CHECK(executor.value(0)[1] == 6);
  weights[0] = 10;
  executor.run();
  CHECK(executor.value(0)[0] == 15);
}

TEST_CASE("executor: other storage and other batches after runs", "[executor]") {
  Graph g;
  const Var w = g.weight("w", {3, 3}), b = g.weight("b", {3}), x = g.input("x", {3});
  const Var y = tanh(b + matmul(w, x)) * b;
  const std::vector<NodeId> outputs{y.id};
  Executor<double> kept(g.tape(), outputs);
  std::vector<double> ws(18), bs(6);
  for (std::size_t i = 0; i < ws.size(); ++i) ws[i] = 0.1 * static_cast<double>(i) - 0.7;
  for (std::size_t i = 0; i < bs.size(); ++i) bs[i] = 0.3 * static_cast<double>(i) - 0.4;
  const auto run = [&](Executor<double>& e, std::int64_t items, std::size_t place, bool batch) {
    if (batch) e.set_batch({}, items);
    e.bind(w.id, std::span(ws).subspan(9 * place, 9));
    if (place == 0)
      e.bind(b.id, std::span(bs).first(3));
    else
      std::copy_n(bs.begin() + 3, 3, e.leaf(b.id).begin());
    double value = 0;
    for (double& v : e.leaf(x.id)) v = value += 0.05;
    e.run();
    const auto got = e.value(0);
    return std::vector<double>(got.begin(), got.end());
  };
  for (const auto& [items, place] :
       {std::pair(2, 0), {2, 0}, {2, 1}, {5, 1}, {1, 0}, {100, 1}, {100, 0}, {3, 0}}) {
    CAPTURE(items, place);
    Executor<double> fresh(g.tape(), outputs);
    const auto at = static_cast<std::size_t>(place);
    CHECK(run(kept, items, at, true) == run(fresh, items, at, true));
    CHECK(run(kept, items, 1 - at, false) == run(fresh, items, 1 - at, false));
  }
}

TEST_CASE("executor: values that do not live together share their place", "[executor]") {
  Graph g;
  Var v = g.input("x", {1000});
  for (int i = 0; i < 500; ++i) v = tanh(v * 0.5 + 1.0);
  Executor<float> executor(g.tape(), std::vector<NodeId>{v.id});
  executor.set_batch({}, 10);
  CHECK(executor.bytes() < 4 * 1000 * 10 * 4);
}

// Plans of several lengths, of which one runs at a time, need no more than the largest.
TEST_CASE("executors that share memory give what they give alone", "[executor]") {
  const std::vector<Built> graphs = {recurrence(4, 5, 3), recurrence(40, 16, 3),
                                     recurrence(9, 33, 2)};
  const auto memory = shared_memory();
  std::vector<Executor<float>> alone, together;
  std::size_t largest = 0, all = 0;
  std::vector<Values> want;
  const std::int64_t items = 3;
  for (const Built& g : graphs) {
    alone.emplace_back(g.tape(), g.outputs);
    together.emplace_back(g.tape(), g.outputs, ExecutorOptions{.memory = memory});
    want.push_back(execute(alone.back(), g.tape(), g.outputs, with_lengths({2, 4, 1}), items, 1));
    largest = std::max(largest, alone.back().bytes());
    all += alone.back().bytes();
  }
  for (const std::size_t i : {0U, 1U, 0U, 2U, 1U, 1U, 0U, 2U}) {
    const Built& g = graphs[i];
    const Values got = execute(together[i], g.tape(), g.outputs, with_lengths({2, 4, 1}), items, 1);
    CAPTURE(i);
    CHECK(same_bits(got, want[i]));
    CHECK(together[i].bytes() <= largest);
  }
  CHECK(largest < all);
  // what another one has written over is refused
  const auto code = [](const auto& f) {
    try {
      f();
    } catch (const Error& e) {
      return e.diagnostics().front().code;
    }
    return std::string();
  };
  CHECK(code([&] { together[2].value(0); }).empty());
  together[0].set_batch(with_lengths({2, 4, 1}), items);
  CHECK(code([&] { together[2].value(0); }) == "U023");
  CHECK(code([&] { together[2].run(); }) == "U023");
  for (const NodeId leaf : together[2].leaves())
    if (graphs[2].tape().extent_id(leaf) != kShared)
      CHECK(code([&] { together[2].leaf(leaf); }) == "U023");
  together[2].set_batch(with_lengths({2, 4, 1}), items);
  CHECK(same_bits(
      execute(together[2], graphs[2].tape(), graphs[2].outputs, with_lengths({2, 4, 1}), items, 1),
      want[2]));
}

// Another batch's numbers, or another executor's, are never taken for those that were not given.
TEST_CASE("executor: leaves of items are filled for their batch", "[executor]") {
  Graph g;
  const Var x = g.input("x", {2}), y = g.input("y", {2});
  const std::vector<NodeId> outputs{(x * y).id};
  const auto memory = shared_memory();
  for (const auto& shared : {std::shared_ptr<runtime::Arena>(), memory}) {
    Executor<double> executor(g.tape(), outputs, {.memory = shared});
    Executor<double> other(g.tape(), outputs, {.memory = memory});
    const auto fill = [&](Executor<double>& e, std::initializer_list<NodeId> leaves) {
      for (const NodeId id : leaves) std::ranges::fill(e.leaf(id), 3.0);
    };
    const auto refused = [&](const char* name) {
      CHECK_THROWS_WITH(executor.run(),
                        Catch::Contains(fmt::format("\"{}\" was not filled", name)));
    };
    executor.set_batch({}, 2);
    refused("x");
    fill(executor, {x.id});
    refused("y");
    fill(executor, {y.id});
    executor.run();
    CHECK(executor.value(0)[3] == 9);
    executor.set_batch({}, 3);
    fill(executor, {y.id});
    refused("x");
    fill(executor, {x.id});
    executor.run();
    other.set_batch({}, 3);
    fill(other, {x.id, y.id});
    other.run();
    executor.set_batch({}, 3);
    if (shared) {
      refused("x");
      fill(executor, {x.id, y.id});
    }
    executor.run();
    CHECK(executor.value(0)[5] == 9);
    executor.set_batch({}, 0);  // nothing to fill
    executor.run();
  }
}

namespace {
void (*while_it_runs)() = nullptr;
Executor<float>* the_other = nullptr;
}  // namespace

// A second thread would come in the middle of a run, as this operation does.
TEST_CASE("executors that share memory refuse each other while one is at work", "[executor]") {
  const Op& op = register_op(elementwise_op(
      "disturbs", "calls another executor",
      [](auto a) {
        if (while_it_runs != nullptr) while_it_runs();
        return a;
      },
      [](const Primal&, std::size_t, Var d) { return d; }));
  Graph g;
  const Var x = g.input("x", {4});
  const std::vector<NodeId> outputs{apply(op, {{x}}).id};
  const auto memory = shared_memory();
  Executor<float> one(g.tape(), outputs, {.memory = memory});
  Executor<float> other(g.tape(), outputs, {.memory = memory});
  the_other = &other;
  while_it_runs = [] { the_other->set_batch({}, 900); };
  one.set_batch({}, 2);
  std::ranges::fill(one.leaf(x.id), 0.5F);
  CHECK_THROWS_WITH(one.run(), Catch::Contains("at work for another thread"));
  while_it_runs = nullptr;
  one.run();
  CHECK(one.value(0)[7] == 0.5F);
}
