#include <pthread.h>

#include <catch2/catch.hpp>
#include <exception>
#include <functional>
#include <vector>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/graph/verify.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"

// Depth costs memory in proportion, and no stack.
namespace {

using namespace taugrad;

struct Task {
  std::function<void()> body;
  std::exception_ptr failed;
};

void* run_task(void* task) {
  auto& t = *static_cast<Task*>(task);
  try {
    t.body();
  } catch (...) {
    t.failed = std::current_exception();
  }
  return nullptr;
}

void with_stack_of(std::size_t bytes, std::function<void()> body) {
  Task task{std::move(body), nullptr};
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  REQUIRE(pthread_attr_setstacksize(&attr, bytes) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attr, run_task, &task) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attr);
  if (task.failed) std::rethrow_exception(task.failed);
}

struct Chain {
  Graph graph;
  Var w, h0, last;
};

// h[t] = tanh(W(t) h[t-1]): three nodes a step, every value named
Chain chain(std::int32_t steps) {
  Chain c;
  Tape& tape = c.graph.tape();
  c.w = c.graph.weight("w");
  c.h0 = c.graph.weight("h", {});
  const NameId h = tape.intern_name("h");
  c.last = c.h0;
  for (std::int32_t t = 1; t <= steps; ++t) {
    const IndexId index = tape.intern_index({&t, 1});
    tape.set_owner(h, index);
    c.last = tanh(copy(c.w) * c.last);
    tape.set_value(c.last.id, h, index);
  }
  return c;
}

struct Counts {
  std::int64_t nodes, bytes, gradient_nodes, gradient_bytes, visited;
  bool operator==(const Counts&) const = default;
};

Counts counts(std::int32_t steps) {
  Chain c = chain(steps);
  Counts n{};
  n.nodes = c.graph.size();
  n.bytes = static_cast<std::int64_t>(c.graph.tape().bytes());
  const Var g = gradient(c.last, {c.w})[0];
  n.gradient_nodes = c.graph.size();
  n.gradient_bytes = static_cast<std::int64_t>(c.graph.tape().bytes());
  for (const char mark : reachable(c.graph.tape(), {&g.id, 1})) n.visited += mark;
  return n;
}

}  // namespace

TEST_CASE("2,000,000 nodes deep on a stack of 256 KiB", "[deep]") {
  double slope = 0;
  NodeId nodes = 0;
  with_stack_of(256 << 10, [&] {
    Chain c = chain(700'000);
    nodes = c.graph.size();
    const Var g = gradient(c.last, {c.h0})[0];
    verify(c.graph.tape());
    Interpreter<double> run(c.graph.tape(), {&g.id, 1});
    run.leaf(c.w.id)[0] = 1;
    run.leaf(c.h0.id)[0] = 1e-9;
    run.run();
    slope = run.value(g.id)[0];
  });
  CHECK(nodes >= 2'000'000);
  CHECK(slope == Approx(1).epsilon(1e-9));  // tanh x = x so near to 0
}

TEST_CASE("nodes, bytes and visited nodes are affine in the steps: S23", "[deep]") {
  const Counts one = counts(1000), two = counts(2000);
  for (const std::int32_t k : {4, 16, 64}) {
    const Counts many = counts(1000 * k);
    const auto affine = [k](std::int64_t a, std::int64_t b) { return a + (k - 1) * (b - a); };
    CHECK(many.nodes == affine(one.nodes, two.nodes));
    CHECK(many.bytes == affine(one.bytes, two.bytes));
    CHECK(many.gradient_nodes == affine(one.gradient_nodes, two.gradient_nodes));
    CHECK(many.gradient_bytes == affine(one.gradient_bytes, two.gradient_bytes));
    CHECK(many.visited == affine(one.visited, two.visited));
  }
}

TEST_CASE("a sum over 500,000 terms, and as many users of one node", "[deep]") {
  with_stack_of(256 << 10, [] {
    Graph g;
    const Var w = g.weight("w");
    Vars terms;
    for (int i = 0; i < 500'000; ++i) terms.push_back(copy(w));
    const Gradients grad = gradient(add_n(terms), {w});
    CHECK(grad.edges(w).size() == 500'000);
    Interpreter<double> run(g.tape(), std::vector<NodeId>{grad[0].id});
    run.run();
    CHECK(run.value(grad[0].id)[0] == 500'000);
  });
}
