#pragma once

#include "taugrad/base/tensor.h"
#include "taugrad/evaluate/run.h"

namespace taugrad {

/// What a segment gave, and what it hands on.
struct SegmentResult : RunResult {
  Tensors state;
};

/// Evaluates a segment of a sequence that goes on.                              (language.md R19)
/// What equations read at earlier steps comes from `state` and is handed on in the result, with the
/// number of steps: `steps` (I64, [batch]) and, by the step where it stands, "h[t]", "x[t-4]",
/// "nll:y[t]", [batch, shape...]. Segments give the bits of the whole sequence. An empty state: all
/// items begin; an item whose `steps` is 0 begins anew. `inputs` are those of the segment,
/// `lengths` its items' steps in it: 0 leaves an item as it is. Fetches are variables, nll:y, the
/// loss of these steps, and gradients of it without positions (grad:W), which stop at the segment's
/// beginning; what does not belong to a step counts with an item's first segment.
/// @throws Error (G040) naming what cannot be handed on, where a fetch needs it; (D010, D011, D014)
/// for a state that does not fit; all of `run`
SegmentResult run_segment(const Definition& d, const Tensors& inputs, const Tensors& weights,
                          const Tensors& state, const RunOptions& options);

}  // namespace taugrad
