#pragma once

#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "language_support.h"
#include "plan/plan.h"
#include "support_executor.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/records.h"
#include "taugrad/unfold/unfold.h"

/// Graphs of definitions as plans see them.
namespace support {

using namespace taugrad;

struct Work {
  Unfolded unfolded;
  std::vector<NodeId> outputs;
  const Tape& tape() const { return unfolded.graph().tape(); }
};

/// The loss and the gradients of all weights, and, with `values`, everything that has a name.
inline Work work_of(const Definition& d, std::int64_t steps, bool values = false,
                    bool gradients = true, bool uniform = false) {
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  UnfoldOptions options;
  options.steps = steps;
  options.ragged = !uniform && can_be_ragged(*model);
  Work work{unfold(model, options), {}};
  Tape& tape = work.unfolded.graph().tape();
  Vars weights;
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (values && tape.is_value(id)) work.outputs.push_back(id);
    if (&tape.op(id) == &kWeight) weights.push_back(tape.var(id));
  }
  if (!work.unfolded.has_loss()) return work;
  work.outputs.push_back(work.unfolded.loss().id);
  if (!gradients) return work;
  const Gradients g = gradient(work.unfolded.loss(), weights);
  for (const Var& v : g.values()) work.outputs.push_back(v.id);
  return work;
}

inline plan::Plan<float> plan_of(const Work& work, plan::PassSet passes = {}) {
  return plan::make_plan<float>(work.tape(), work.outputs, passes);
}

}  // namespace support
