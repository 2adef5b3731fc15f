// Programs, executors and planning from several threads, after fork(), and where threads and stacks
// are few. Built with TAUGRAD_SANITIZE=thread these find races; fork() is left out there.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "taugrad/autodiff/gradient.h"
#include "taugrad/base/error.h"
#include "taugrad/evaluate/program.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/language/definition.h"
#include "taugrad/ops/ops.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;

namespace {

/// A recurrence whose runs are long enough to be shared out to threads.
Definition wide() {
  return parse_definition(
      R"json({"name": "wide", "index": {"t": "tau"}, "sizes": {"n": 40, "m": 96},
    "inputs": {"x[t]": ["n"]}, "weights": {"W": ["m", "m"], "U": ["m", "n"], "b": ["m"]},
    "equations": ["h[t] = tanh(b + W @ h[t-1] + U @ x[t])"], "loss": "sum(h[t] * h[t])"})json",
      "wide.json");
}

struct Case {
  Definition definition = wide();
  Unfolded unfolded;
  Gradients gradients;
  Tensors inputs, weights;
  explicit Case(std::int64_t steps, std::int64_t batch = 48)
      : unfolded(unfold(definition, {.steps = steps, .ragged = true})),  // some items are shorter
        gradients(gradient(unfolded.loss(), {unfolded.weight("W"), unfolded.weight("b")})),
        inputs(random_inputs(definition, {.steps = steps, .batch = batch, .seed = 3})),
        weights(initial_weights(definition, {.seed = 4})) {}
  Vars outputs() const { return {unfolded.loss(), gradients["W"], gradients["b"]}; }
  Program program(int threads) const {
    return Program(unfolded.graph(), outputs(), {.dtype = f64, .engine = {.threads = threads}});
  }
};

// frames of code that is not optimised, or is watched by a sanitizer, are several times larger
#if defined(NDEBUG) && !defined(TAUGRAD_SANITIZED)
constexpr std::size_t kSmallStack = 96 << 10;
#else
constexpr std::size_t kSmallStack = 1 << 20;
#endif

void in_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& t : threads) t.join();
}

/// Runs `work` in a child process; what it returned, or -1 if it did not end by itself.
int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(120);  // one that waits for ever fails
    int status = 99;
    try {
      status = work();
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void with_stack_of(std::size_t bytes, std::function<void()> work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
  pthread_t thread;
  const auto start = [](void* given) -> void* {
    (*static_cast<std::function<void()>*>(given))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, start, &work) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace

TEST_CASE("one Program in several threads: calls take turns", "[threads]") {
  const Case c(6);
  for (const int threads : {1, 3}) {
    Program run = c.program(threads);
    const Tensors want = run(c.inputs, c.weights);
    Tensors fewer = c.inputs;
    fewer["lengths"] = Tensor::of({48}, std::vector<std::int64_t>(48, 3));
    const Tensors brief = run(fewer, c.weights);
    std::atomic<int> wrong = 0;
    in_threads(4, [&](int number) {
      for (int i = 0; i < 5; ++i) {
        if (!(run(c.inputs, c.weights) == want)) ++wrong;
        if (number == 0 && !(run(fewer, c.weights) == brief)) ++wrong;
        if (number == 1) run.set_seed(static_cast<std::uint64_t>(i));
        if (number == 2 && run.bytes() == 0) ++wrong;
        if (number == 3 && run.operations().per_item == 0) ++wrong;
      }
    });
    CHECK(wrong == 0);
  }
}

TEST_CASE("Programs of one graph, planned and run in several threads at once", "[threads]") {
  const Case c(6);
  const Tensors want = c.program(1)(c.inputs, c.weights);
  std::atomic<int> wrong = 0;
  in_threads(4, [&](int number) {
    Program run = c.program(1 + number % 3);
    for (int i = 0; i < 3; ++i)
      if (!(run(c.inputs, c.weights) == want)) ++wrong;
  });
  CHECK(wrong == 0);
}

TEST_CASE("definitions are unfolded, planned and run in several threads at once", "[threads]") {
  std::vector<Tensors> want(3);
  const auto result = [](int number) {
    const Definition d = number == 0 ? wide() : load_definition(number == 1 ? "lstm" : "elman");
    const RunOptions options{.fetch = {number == 0 ? "grad:W" : "h"}, .steps = 30 + number};
    return run(d, {}, {}, options).values;
  };
  for (int i = 0; i < 3; ++i) want[static_cast<std::size_t>(i)] = result(i);
  std::atomic<int> wrong = 0;
  in_threads(6, [&](int number) {
    if (!(result(number % 3) == want[static_cast<std::size_t>(number % 3)])) ++wrong;
  });
  CHECK(wrong == 0);
}

TEST_CASE("a graph is read, and its Vars copied, in several threads", "[threads]") {
  const Case c(4);
  const Graph g = c.unfolded.graph();
  std::atomic<int> wrong = 0;
  in_threads(4, [&](int) {
    for (std::int32_t t = 1; t <= 4; ++t) {
      const Var h = c.unfolded.at("h", t);
      Vars many(10, h);
      if (g.at("h", {t}) != h || many.back().shape() != Shape{96}) ++wrong;
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("an Executor refuses a second thread while it is at work", "[threads]") {
  const Case c(6);
  const std::vector<NodeId> outputs{c.unfolded.loss().id};
  Executor<double> run(c.unfolded.graph().tape(), outputs, {.engine = {.threads = 2}});
  run.set_batch({.lengths = {std::vector<std::int64_t>(48, 6)}}, 48);
  for (const NodeId leaf : run.leaves()) std::ranges::fill(run.leaf(leaf), 0.01);
  run.run();
  const double want = run.value(0)[0];
  std::atomic<int> wrong = 0, done = 0;
  in_threads(3, [&](int) {
    for (int i = 0; i < 20; ++i) try {
        run.run();
        ++done;
      } catch (const Error& e) {
        if (e.status() != Status::usage || e.diagnostics()[0].code != "U023") ++wrong;
      }
  });
  CHECK(wrong == 0);
  CHECK(done > 0);
  run.run();
  CHECK(run.value(0)[0] == want);
}

#if !defined(__SANITIZE_THREAD__)

TEST_CASE("a used Program after fork()", "[threads]") {
  const Case c(6);
  Program run = c.program(3);
  const Tensors want = run(c.inputs, c.weights);
  const auto same = [&] { return run(c.inputs, c.weights) == want ? 0 : 1; };
  CHECK(in_child(same) == 0);
  CHECK(in_child([&] { return in_child(same); }) == 0);
  CHECK(same() == 0);
  // forked while another thread is inside: the child is told, or runs; it never waits for ever
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) run(c.inputs, c.weights);
  });
  for (int i = 0; i < 10; ++i) {
    const int status = in_child([&] {
      try {
        return same();
      } catch (const Error& e) {
        return e.diagnostics()[0].code == "U023" ? 0 : 2;
      }
    });
    CHECK(status == 0);
    CHECK(in_child([&] { return c.program(2)(c.inputs, c.weights) == want ? 0 : 1; }) == 0);
  }
  stop = true;
  other.join();
}

TEST_CASE("where the system starts no threads, a run takes fewer", "[threads]") {
  const Case c(6);
  const Tensors want = c.program(1)(c.inputs, c.weights);
  const auto limited = [&](rlim_t processes) {
    // a user of its own: the limit counts all processes of one, and none of root's
    if (::getuid() == 0 && ::setuid(54321) != 0) return 50;
    const rlimit limit{processes, processes};
    if (::setrlimit(RLIMIT_NPROC, &limit) != 0) return 51;
    Program run = c.program(4);
    for (int i = 0; i < 3; ++i)
      if (!(run(c.inputs, c.weights) == want)) return 1;
    return 0;
  };
  for (const rlim_t processes : {1, 2, 3}) CHECK(in_child([&] { return limited(processes); }) == 0);
}

#endif

TEST_CASE("runs on a small stack", "[threads]") {
  const Case c(6, 130);
  const Tensors want = c.program(2)(c.inputs, c.weights);
  Tensors ragged = c.inputs;
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < 130; ++i) lengths.push_back(i % 7);
  ragged["lengths"] = Tensor::of({130}, lengths);
  with_stack_of(kSmallStack, [&] {
    for (const int threads : {1, 3}) {
      Program run = c.program(threads);
      CHECK(run(c.inputs, c.weights) == want);
      run(ragged, c.weights);
      Program floats(c.unfolded.graph(), c.outputs(), {.engine = {.threads = threads}});
      floats(c.inputs, c.weights);
    }
  });
}
