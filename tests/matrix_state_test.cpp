// Recurrences whose state is a matrix: the plan's values beside the reference interpreter's, the
// bits of items alone and of any number of threads, and what the plan makes of them.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <string_view>

#include "plan/describe.h"
#include "support_plan.h"

using namespace taugrad;
using namespace support;
using taugrad::test::define;

namespace {

struct Net {
  const char* name;
  const char* inputs;
  const char* equations;
};

/// Gates that are a number, a column, a row and a matrix; products from both sides, turned, and in
/// stacks of heads.
const Net kNets[] = {
    {"a number", R"j("q[t]": ["k"], "u[t]": ["v"], "w[t]": ["k"], "f[t]": [])j",
     R"j("S[t] = sigmoid(f[t]) * S[t-1] + reshape(u[t], v, 1) @ reshape(w[t], 1, k)",
        "y[t] = S[t] @ q[t]")j"},
    {"a column", R"j("q[t]": ["k"], "u[t]": ["v"], "w[t]": ["k"], "f[t]": ["k"])j",
     R"j("S[t] = reshape(sigmoid(f[t]), k, 1) * S[t-1] + outer(w[t], u[t])", "y[t] = q[t] @ S[t]")j"},
    {"a row and an error",
     R"j("q[t]": ["k"], "u[t]": ["v"], "w[t]": ["k"], "f[t]": ["v"], "b[t]": [])j",
     R"j("S[t] = S[t-1] * reshape(tanh(f[t]), 1, v) + b[t] * outer(w[t], u[t] - w[t] @ S[t-1])",
        "y[t] = q[t] @ S[t]")j"},
    {"turned", R"j("q[t]": ["k"], "u[t]": ["v"], "w[t]": ["k"], "f[t]": ["k", "v"])j",
     R"j("S[t] = sigmoid(f[t]) * S[t-1] + outer(w[t], u[t])",
        "y[t] = transpose(S[t]) @ reshape(q[t], k, 1)")j"},
    {"heads", R"j("q[t]": [3, "k"], "u[t]": [3, "v"], "w[t]": [3, "k"], "f[t]": [3])j",
     R"j("S[t] = reshape(sigmoid(f[t]), 3, 1, 1) * S[t-1] + reshape(w[t], 3, k, 1) @ reshape(u[t], 3, 1, v)",
        "y[t] = reshape(q[t], 3, 1, k) @ S[t]")j"},
    {"heads and a gate of what is written",
     R"j("q[t]": [3, "k"], "u[t]": [3, "v"], "w[t]": [3, "k"], "f[t]": [3], "i[t]": [3])j",
     R"j("S[t] = reshape(sigmoid(f[t]), 3, 1, 1) * S[t-1] + reshape(i[t], 3, 1, 1) * outer(u[t], w[t])",
        "y[t] = matvec(S[t], q[t])")j"},
};

Definition net(const Net& n, std::int64_t k, std::int64_t v) {
  return define(fmt::format(R"j("index": {{"t": "tau"}}, "sizes": {{"k": {}, "v": {}}},
      "inputs": {{{}}}, "weights": {{"g": []}}, "equations": [{}],
      "loss": "g * sum(y[t] * y[t])")j",
                            k, v, n.inputs, n.equations));
}

/// The loss, the gradient of its weight and of everything that has a name.
Work work_of_all(const Net& n, std::int64_t k, std::int64_t v, std::int64_t steps) {
  Work work = work_of(net(n, k, v), steps, true, false);
  Vars wanted;
  for (const NodeId id : work.outputs)
    if (!work.tape().name(id).empty()) wanted.push_back(work.unfolded.graph().tape().var(id));
  const Gradients g = gradient(work.unfolded.loss(), wanted);
  for (const Var& x : g.values()) work.outputs.push_back(x.id);
  return work;
}

template <class S>
Values run(const Work& work, const BatchContext& batch, std::int64_t items, int threads,
           std::vector<std::string> without = {}) {
  ExecutorOptions options;
  options.engine.threads = threads;
  options.engine.without = std::move(without);
  Executor<S> executor(work.tape(), work.outputs, options);
  return execute(executor, work.tape(), work.outputs, batch, items, 5);
}

}  // namespace

TEST_CASE("matrix states: values and gradients, alone and in a ragged batch", "[exec]") {
  BatchContext batch;
  batch.lengths = {{4, 1, 6, 3}};
  for (const Net& n : kNets)
    for (const auto& [k, v] : {std::pair{3, 2}, {1, 4}, {5, 1}, {16, 20}, {7, 70}}) {
      CAPTURE(n.name, k, v);
      const Work work = work_of_all(n, k, v, 6);
      const Values want = interpret<double>(work.tape(), work.outputs, batch, 4, 5);
      const Values wide = run<double>(work, batch, 4, 1), narrow = run<float>(work, batch, 4, 1);
      CHECK(difference(wide, want) <= 1e-12);
      CHECK(difference(narrow, want) <= 2e-5);
      for (std::int64_t item = 0; item < 4; ++item)
        CHECK(same_bits(only_item(narrow, work.tape(), work.outputs, item),
                        run<float>(work, alone(batch, item), 1, 1)));
    }
}

TEST_CASE("matrix states: the same bits on any number of threads, near ones without fuse",
          "[exec]") {
  BatchContext batch;
  batch.lengths = {{9, 9, 8, 8, 7, 5, 3, 1, 9, 2}};
  for (const Net& n : kNets) {
    CAPTURE(n.name);
    const Work work = work_of_all(n, 40, 72, 9);
    const Values one = run<float>(work, batch, 10, 1);
    CHECK(same_bits(run<float>(work, batch, 10, 2), one));
    CHECK(same_bits(run<float>(work, batch, 10, 3), one));
    CHECK(difference(run<float>(work, batch, 10, 1, {"fuse"}), one) <= 2e-5);
    CHECK(difference(run<float>(work, batch, 10, 1, {"sink", "reuse", "place"}), one) <= 2e-5);
  }
}

TEST_CASE("matrix states: an update is one pass, whatever is spread or multiplied for it",
          "[plan]") {
  for (const Net& n : kNets) {
    const plan::Plan<float> plan = plan_of(work_of(net(n, 16, 32), 6));
    for (const auto& step : plan.steps) {
      CAPTURE(n.name, plan::line_of(plan, step));
      CHECK(step.form != plan::Form::each);
      const bool own_rule = step.form == plan::Form::forward;
      CHECK_FALSE(
          (own_rule && (step.op == &kMatmul || step.op == &kStackedMatmul || step.op == &kOuter ||
                        step.op == &kSumTo || step.op == &kBroadcastTo)));
    }
  }
}

TEST_CASE("matrix states: what two smaller rows make is not written down", "[plan]") {
  for (const Net& n : kNets) {
    CAPTURE(n.name);
    if (std::string_view(n.name) == "turned") continue;  // a transpose reads what lies in memory
    const Work work = work_of(net(n, 16, 32), 6);
    Work all = work;
    Vars inputs;
    for (NodeId id = 0; id < work.tape().size(); ++id)
      if (&work.tape().op(id) == &kInput) inputs.push_back(work.unfolded.graph().tape().var(id));
    const Gradients g = gradient(work.unfolded.loss(), inputs);
    for (const Var& x : g.values()) all.outputs.push_back(x.id);
    for (const auto& program : plan_of(all).programs)
      for (const auto& line : program.code) {
        using Line = plan::Instruction<float>;
        const bool spread = line.kind == Line::Kind::product && line.of_a != Line::kTiles &&
                            line.of_b != Line::kTiles && line.op != kernels::TileOp::add;
        CHECK((!spread || line.out < program.registers));
      }
  }
}
