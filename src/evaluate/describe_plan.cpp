#include "taugrad/evaluate/describe_plan.h"

#include <fmt/core.h>

#include <algorithm>

#include "evaluate/memory_estimate.h"
#include "evaluate/planner.h"
#include "graph/adjoint.h"
#include "plan/describe.h"
#include "runtime/generic.h"
#include "runtime/plan_of.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/ops/records.h"
#include "taugrad/rewrite/surgery.h"

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
std::vector<NodeId> outputs_of(const Unfolded& u) {
  if (u.has_loss()) return with_gradients(u.loss());
  std::vector<NodeId> outputs;
  for (const std::string& name : u.variables())
    u.each_value(name, [&](const auto&, NodeId id) { outputs.push_back(id); });
  return outputs;
}

/// Without a loss the values of all variables are asked for.
std::set<std::string> names_of(const ResolvedModel& model) {
  std::set<std::string> names;
  for (const Symbol& s : model.symbols) names.insert(s.name);
  return names;
}

PlanSummary summary_of(const plan::Plan<float>& plan, std::int64_t nodes,
                       const ExecutorOptions& options) {
  const plan::PassSet on = runtime::passes_of(options);
  PlanSummary summary;
  summary.nodes = nodes;
  summary.steps = static_cast<std::int64_t>(plan.steps.size());
  summary.levels = plan.levels;
  summary.programs = static_cast<std::int64_t>(plan.programs.size());
  for (const plan::PassInfo& pass : plan::passes())
    summary.passes.push_back({std::string(pass.name), std::string(pass.about), on.has(pass.pass)});
  if (options.checkpoint >= 0)
    summary.passes.push_back({"checkpoint", "values are computed again, segment by segment"});
  if (options.engine.precision == Precision::bf16)
    summary.passes.push_back({"round", "products read operands rounded to bfloat16"});
  summary.lines = plan::fold_repeats(plan::lines_of(plan));
  return summary;
}

}  // namespace

PlanSummary describe_plan(const Definition& d, const UnfoldOptions& unfolding,
                          const ExecutorOptions& options) {
  for (const std::string& name : options.engine.without) plan::PassSet().without(name);
  const GraphSize size = graph_size(*resolve(d), unfolding).with_gradient();
  require_memory("planning", memory_of_graph(size, 0, sizeof(float)));
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  ExecutorOptions own = options;
  const bool again = options.checkpoint >= 0 && has_loss(*model);
  own.checkpoint = -1;
  runtime::Planner<float> planner(
      model,
      [](const Unfolded& u) {
        const NodeId forward_end = u.graph().size() - 1;
        return runtime::Asked{outputs_of(u), {}, forward_end};
      },
      own, again, 0, has_loss(*model) ? std::set<std::string>{} : names_of(*model));
  const runtime::Made<float> made = planner.make(unfolding);
  own.checkpoint = again ? 0 : -1;  // for the list of passes
  PlanSummary summary = summary_of(*made.plan, made.nodes, own);
  summary.by_law = made.by_law;
  if (options.engine.chunk > 0 && made.chunked.empty())
    summary.passes.push_back(
        {"chunk",
         fmt::format("{}{}", kNoChunks,
                     has_loss(*model) ? "" : ", as all variables are where there is no loss"),
         false});
  for (const ChunkedStates& states : made.chunked)
    summary.passes.push_back({"chunk", fmt::format("{}: {} steps as products of {} at once",
                                                   states.name.empty() ? "a state" : states.name,
                                                   states.steps, options.engine.chunk)});
  for (const std::int64_t length : made.longest)
    summary.longest = std::max(summary.longest, length);
  return summary;
}

PlanSummary describe_plan(const Graph& graph, const std::string& loss,
                          const ExecutorOptions& options) {
  const Graph copy = clone(graph).graph();
  const Var of = find_loss(copy, loss);
  ExecutorOptions own = options;
  own.checkpoint = of && options.checkpoint >= 0 ? copy.size() - 1 : -1;
  const std::vector<NodeId> outputs = of ? with_gradients(of) : sinks(copy.tape());
  return summary_of(runtime::plan_of<float>(copy.tape(), outputs, own), copy.size(), own);
}

}  // namespace taugrad
