#include "taugrad/exec/describe_plan.h"

#include "exec/memory_estimate.h"
#include "exec/plan_of.h"
#include "graph/adjoint.h"
#include "plan/describe.h"
#include "taugrad/ops/records.h"
#include "taugrad/passes/gradient.h"
#include "taugrad/passes/loss.h"
#include "taugrad/passes/surgery.h"

namespace taugrad {
namespace {

/// The loss and the gradients of all weights.
std::vector<NodeId> with_gradients(Var loss) {
  Tape& tape = *loss.tape;
  std::vector<NodeId> outputs;
  Vars weights;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &kWeight) weights.push_back(tape.var(id));
  outputs.push_back(loss.id);
  const Gradients g = gradient(loss, weights);
  for (const Var& v : g.values()) outputs.push_back(v.id);
  return outputs;
}

/// The same; without a loss, all variables.
std::vector<NodeId> outputs_of(Unfolded& u) {
  if (u.has_loss()) return with_gradients(u.loss());
  std::vector<NodeId> outputs;
  for (const std::string& name : u.variables())
    u.each_value(name, [&](const auto&, NodeId id) { outputs.push_back(id); });
  return outputs;
}

PlanSummary summary_of(const Tape& tape, const std::vector<NodeId>& outputs,
                       const ExecutorOptions& options) {
  plan::PassSet on;
  for (const std::string& name : options.without) on = on.without(name);
  const plan::Plan<float> plan = exec::plan_of<float>(tape, outputs, options);
  PlanSummary summary;
  summary.nodes = tape.size();
  summary.steps = static_cast<std::int64_t>(plan.steps.size());
  summary.levels = plan.levels;
  summary.programs = static_cast<std::int64_t>(plan.programs.size());
  for (const plan::PassInfo& pass : plan::passes())
    summary.passes.push_back({std::string(pass.name), std::string(pass.about), on.has(pass.pass)});
  if (options.checkpoint >= 0)
    summary.passes.push_back({"checkpoint", "values are computed again, segment by segment"});
  if (options.precision == Precision::bf16)
    summary.passes.push_back({"round", "products read operands rounded to bfloat16"});
  summary.lines = plan::fold_repeats(plan::lines_of(plan));
  return summary;
}

}  // namespace

PlanSummary describe_plan(const Definition& d, const UnfoldOptions& unfolding,
                          const ExecutorOptions& options) {
  for (const std::string& name : options.without) plan::PassSet().without(name);
  const GraphSize size = graph_size(*resolve(d), unfolding).with_gradient();
  require_memory("planning", memory_of_graph(size, 0, sizeof(float)));
  Unfolded u = unfold(d, unfolding);
  ExecutorOptions own = options;
  if (!u.has_loss()) own.checkpoint = -1;
  if (own.checkpoint >= 0) own.checkpoint = u.graph().size() - 1;
  const std::vector<NodeId> outputs = outputs_of(u);
  return summary_of(u.graph().tape(), outputs, own);
}

PlanSummary describe_plan(const Graph& graph, const std::string& loss,
                          const ExecutorOptions& options) {
  const Graph copy = clone(graph).graph();
  const Var of = find_loss(copy, loss);
  ExecutorOptions own = options;
  own.checkpoint = of && options.checkpoint >= 0 ? copy.size() - 1 : -1;
  const std::vector<NodeId> outputs = of ? with_gradients(of) : sinks(copy.tape());
  return summary_of(copy.tape(), outputs, own);
}

}  // namespace taugrad
