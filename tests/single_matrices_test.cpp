// Weights that are stacks of matrices, a matrix a tap or a head: each is worked on by itself, with
// the values of the operation on all of them.
#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "runtime/plan_of.h"
#include "support_plan.h"

using namespace taugrad;
using namespace support;
using taugrad::test::define;

namespace {

struct Net {
  const char* name;
  std::size_t products;  ///< outer products of the gradient: a matrix each, and one at an edge
  Definition definition;
};

std::vector<Net> nets() {
  std::vector<Net> all;
  all.push_back(
      {"a convolution", 3 + 1, define(R"j("index": {"t": "tau"}, "sizes": {"m": 5, "n": 3},
    "inputs": {"x[t]": ["n"]}, "weights": {"K": [3, "m", "n"]},
    "equations": ["h[t] = tanh(conv[t](K, x[t-2]) + h[t-1])"], "loss": "sum[t](sum(h[t] * h[t]))")j")});
  all.push_back({"a matrix a head", 2, define(R"j("index": {"t": "tau"}, "sizes": {"m": 4},
    "inputs": {"x[t]": [2, "m"]}, "weights": {"R": [2, "m", "m"]},
    "equations": ["h[t] = tanh(matvec(R, h[t-1]) + x[t])"], "loss": "sum[t](sum(h[t] * h[t]))")j")});
  all.push_back({"large matrices of heads, from both sides", 4, define(R"j("index": {"t": "tau"},
    "sizes": {"m": 36, "n": 33}, "inputs": {"x[t]": [2, "m"]},
    "weights": {"R": [2, "n", "m"], "Q": [2, "n", "m"], "W": ["m", "m"]},
    "equations": ["u[t] = matvec(R, h[t-1])", "v[t] = reshape(u[t], 2, 1, n) @ Q",
      "h[t] = tanh(x[t] @ W + 0.1 * reshape(v[t], 2, m))"],
    "loss": "sum[t](sum(h[t] * h[t]))")j")});
  all.push_back(
      {"a weight of heads", 1, define(R"j("index": {"t": "tau"}, "sizes": {"m": 4, "n": 3},
    "inputs": {"x[t]": ["n"]}, "weights": {"W": [2, "m", "n"]},
    "equations": ["h[t] = tanh(W @ x[t] + h[t-1])"], "loss": "sum[t](sum(h[t] * h[t]))")j")});
  all.push_back({"taps along two axes", 4 + 13,
                 define(R"j("index": {"i": "I", "j": "J"}, "sizes": {"m": 3, "n": 2},
    "inputs": {"x[i,j]": ["n"]}, "weights": {"K": [2, 2, "m", "n"]},
    "equations": ["h[i,j] = tanh(conv[i,j](K, x[i-1,j-1]) + h[i-1,j])"],
    "loss": "sum[i,j](sum(h[i,j] * h[i,j]))")j")});
  return all;
}

template <class S>
Values run(const Work& work, const BatchContext& batch, std::int64_t items,
           ExecutorOptions options = {}) {
  Executor<S> executor(work.tape(), work.outputs, options);
  return execute(executor, work.tape(), work.outputs, batch, items, 5);
}

BatchContext batch_of(const Work& work, std::int64_t items) {
  BatchContext batch;
  const bool ragged = work.tape().extent_count() > 2;
  for (std::size_t l = 0; l < work.tape().length_names.size(); ++l) {
    batch.lengths.emplace_back();
    for (std::int64_t i = 0; i < items; ++i) batch.lengths.back().push_back(ragged ? 7 - i % 3 : 7);
  }
  return batch;
}

ExecutorOptions threads(int n, std::vector<std::string> without = {}) {
  ExecutorOptions options;
  options.engine.threads = n;
  options.engine.without = std::move(without);
  return options;
}

}  // namespace

TEST_CASE("gradients of stacks: one product over all steps for each matrix", "[plan]") {
  for (const Net& n : nets()) {
    CAPTURE(n.name);
    const Work work = work_of(n.definition, 7);
    const plan::Plan<float> plan = runtime::plan_of<float>(work.tape(), work.outputs, threads(1));
    std::size_t products = 0;
    for (const auto& step : plan.steps) products += step.form == plan::Form::outer_sum ? 1 : 0;
    CHECK(products == n.products);
  }
}

TEST_CASE("gradients of stacks: values of the interpreter, bits of any threads and checkpoints",
          "[exec]") {
  constexpr std::int64_t kItems = 5;
  for (const Net& n : nets()) {
    CAPTURE(n.name);
    const Work work = work_of(n.definition, 7, true);
    const BatchContext batch = batch_of(work, kItems);
    const Values want = interpret<double>(work.tape(), work.outputs, batch, kItems, 5);
    const Values one = run<double>(work, batch, kItems, threads(1));
    CHECK(difference(one, want) <= 1e-12);
    CHECK(difference(run<float>(work, batch, kItems, threads(1)), want) <= 2e-5);
    CHECK(same_bits(run<double>(work, batch, kItems, threads(3)), one));
    CHECK(difference(run<double>(work, batch, kItems, threads(1, {"outer"})), want) <= 1e-12);
    ExecutorOptions again = threads(1);
    again.checkpoint = work.unfolded.loss().id;
    CHECK(same_bits(run<double>(work, batch, kItems, again), one));
    ExecutorOptions rounded = threads(1);
    rounded.engine.precision = Precision::bf16;
    CHECK(difference(run<float>(work, batch, kItems, rounded), want) <= 0.1);
  }
}

TEST_CASE("large matrices of a stack are multiplied one by one, small ones by a region", "[plan]") {
  const auto products = [](std::int64_t m) {
    const Definition d = define(fmt::format(
        R"j("index": {{"t": "tau"}}, "inputs": {{"x[t]": [3, {0}]}}, "weights": {{"R": [3, {0}, {0}]}},
        "equations": ["h[t] = tanh(matvec(R, h[t-1]) + x[t])"])j",
        m));
    const Work work = work_of(d, 5, true, false);
    const plan::Plan<float> plan = runtime::plan_of<float>(work.tape(), work.outputs, threads(1));
    std::size_t jobs = 0;
    for (const auto& step : plan.steps) jobs += step.form == plan::Form::rows ? step.job_count : 0;
    return jobs;
  };
  CHECK(products(8) == 0);
  CHECK(products(32) == 3 * 5);
}
