#include "runtime/plan_of.h"

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "base/system/memory_limit.h"
#include "rewrite/checkpoint.h"
#include "rewrite/equal_nodes.h"
#include "rewrite/rounding.h"
#include "rewrite/single_matrices.h"
#include "unfold/graph_size.h"

namespace taugrad::runtime {

plan::PassSet passes_of(const ExecutorOptions& options) {
  plan::PassSet passes;
  for (const std::string& name : options.engine.without) passes = passes.without(name);
  return passes;
}

namespace {

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

/// Rewrites what has been rewritten: the tape between is let go, its numbers lead to the first.
template <class Rewriting>
void rewrite_again(Rewritten& r, const Rewriting& rewriting) {
  Rewritten next = rewriting(r.graph.tape(), r.outputs, r.last);
  for (NodeId& id : next.original)
    if (id >= 0) id = r.original[static_cast<std::size_t>(id)];
  r = std::move(next);
}

}  // namespace

std::optional<Rewritten> with_own_products(const Tape& tape, std::span<const NodeId> outputs,
                                           plan::PassSet passes, Precision precision, NodeId last) {
  std::optional<Rewritten> r;
  if (passes.has(plan::Pass::outer) && has_stacks_of_matrices(tape))
    r = single_matrices(tape, outputs, last);
  if (precision == Precision::full) return r;
  if (r)
    rewrite_again(*r, round_operands);
  else
    r = round_operands(tape, outputs, last);
  return r;
}

namespace {

/// The tape that is planned, where that is not the one given.
std::optional<Rewritten> rewritten(const Tape& tape, std::span<const NodeId> outputs,
                                   plan::PassSet passes, const ExecutorOptions& options) {
  std::optional<Rewritten> r =
      with_own_products(tape, outputs, passes, options.engine.precision, options.checkpoint);
  const auto rewrite = [&](const auto& rewriting) {
    if (r)
      rewrite_again(*r, rewriting);
    else
      r = rewriting(tape, outputs, options.checkpoint);
  };
  if (options.checkpoint < 0) return r;
  if (passes.has(plan::Pass::merge)) rewrite(merge_equal_nodes);
  rewrite(checkpoint);
  return r;
}

/// Of the given tape: with --checkpoint a second one stands beside it, and for a while a third.
void require_for_plan(std::int64_t nodes, bool again) {
  const GraphSize size{.nodes = static_cast<double>(nodes)};
  std::vector<MemoryUse> plan = {
      {fmt::format("the plan of {} nodes", nodes), (again ? 2 : 1) * size.plan_bytes()}};
  if (again) plan.push_back({"the graph that computes again", 2 * size.graph_bytes()});
  require_memory("planning", plan);
}

}  // namespace

template <class S>
plan::Plan<S> plan_of(const Tape& tape, std::span<const NodeId> outputs,
                      const ExecutorOptions& options) {
  const plan::PassSet passes = passes_of(options);
  if (std::is_same_v<S, float>) require_told_apart(tape);
  require_for_plan(tape.size(), options.checkpoint >= 0);
  if (options.engine.precision == Precision::bf16 && std::is_same_v<S, double>)
    fail(Status::usage, "U006", "products in bf16 add up in f32: they do not go with f64");
  const std::optional<Rewritten> other = rewritten(tape, outputs, passes, options);
  if (!other) return plan::make_plan<S>(tape, outputs, passes);
  plan::Plan<S> plan = plan::make_plan<S>(other->graph.tape(), other->outputs, passes);
  // its leaves are known by their numbers in the first tape
  for (NodeId& leaf : plan.leaves) leaf = other->original[static_cast<std::size_t>(leaf)];
  return plan;
}

template plan::Plan<float> plan_of(const Tape&, std::span<const NodeId>, const ExecutorOptions&);
template plan::Plan<double> plan_of(const Tape&, std::span<const NodeId>, const ExecutorOptions&);

}  // namespace taugrad::runtime
