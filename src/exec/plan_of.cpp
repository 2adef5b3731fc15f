#include "exec/plan_of.h"

#include <type_traits>

#include "base/fail.h"
#include "base/memory_limit.h"
#include "passes/checkpoint.h"
#include "passes/equal_nodes.h"
#include "passes/rounding.h"
#include "recurrence/graph_size.h"

namespace taugrad::exec {
namespace {

plan::PassSet passes_of(const ExecutorOptions& options) {
  plan::PassSet passes;
  for (const std::string& name : options.without) passes = passes.without(name);
  return passes;
}

/// A category is held as a number, which has to tell it from the next one.
void require_told_apart(const Tape& tape) {
  constexpr std::int64_t kFloatCategories = std::int64_t{1} << 24;
  AttrsId known = 0;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (tape.attrs_id(id) == known) continue;
    known = tape.attrs_id(id);
    if (const std::int64_t size = tape.attrs(id).integer_or("category", 0); size > kFloatCategories)
      fail(Status::bad_input, "D013", "{} has {} symbols, more than f32 can tell apart: use f64",
           tape.label(id), size);
  }
}

/// The leaves of the plan of a rewritten tape are known by their numbers in the first one.
template <class S>
plan::Plan<S> of_leaves(plan::Plan<S> plan, const Rewritten& other) {
  for (NodeId& leaf : plan.leaves) leaf = other.original[static_cast<std::size_t>(leaf)];
  return plan;
}

template <class S>
plan::Plan<S> cut_plan(const Tape& tape, std::span<const NodeId> outputs, plan::PassSet passes,
                       NodeId last) {
  const Rewritten other = checkpoint(tape, outputs, last);
  return of_leaves(plan::make_plan<S>(other.graph.tape(), other.outputs, passes), other);
}

template <class S>
plan::Plan<S> plan_of(const Tape& tape, std::span<const NodeId> outputs, plan::PassSet passes,
                      NodeId recompute) {
  if (recompute < 0) return plan::make_plan<S>(tape, outputs, passes);
  if (!passes.has(plan::Pass::merge)) return cut_plan<S>(tape, outputs, passes, recompute);
  const Rewritten once = merge_equal_nodes(tape, outputs, recompute);
  return of_leaves(cut_plan<S>(once.graph.tape(), once.outputs, passes, once.last), once);
}

}  // namespace

template <class S>
plan::Plan<S> plan_of(const Tape& tape, std::span<const NodeId> outputs,
                      const ExecutorOptions& options) {
  const plan::PassSet passes = passes_of(options);
  if (std::is_same_v<S, float>) require_told_apart(tape);
  require_memory("planning",
                 {{fmt::format("the plan of {} nodes", tape.size()),
                   GraphSize{.nodes = static_cast<double>(tape.size())}.plan_bytes()}});
  if (options.precision == Precision::bf16 && std::is_same_v<S, double>)
    fail(Status::usage, "U006", "products in bf16 add up in f32: they do not go with f64");
  if (options.precision == Precision::full)
    return plan_of<S>(tape, outputs, passes, options.checkpoint);
  const Rewritten other = round_operands(tape, outputs, options.checkpoint);
  return of_leaves(plan_of<S>(other.graph.tape(), other.outputs, passes, other.last), other);
}

template plan::Plan<float> plan_of(const Tape&, std::span<const NodeId>, const ExecutorOptions&);
template plan::Plan<double> plan_of(const Tape&, std::span<const NodeId>, const ExecutorOptions&);

}  // namespace taugrad::exec
