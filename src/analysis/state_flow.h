#pragma once

#include <functional>
#include <vector>

#include "taugrad/analysis/flow.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::analysis {

/// A loss that counts less than a definition's own: not the targets that are not given.
struct CountedLoss {
  std::function<Var(const Unfolded&)> loss = {};  ///< empty: the definition's own
  Tensors inputs = {};  ///< what it reads beside a batch, or in place of tensors of it
};

/// As `state_flow`, of such a loss; nothing where only the batch's lengths leave no variable that
/// hands something on. @throws Error (G028) where no lengths would have one
std::vector<StateFlow> counted_state_flow(const Definition& d, const Tensors& inputs,
                                          const Tensors& weights, const FlowOptions& options,
                                          const CountedLoss& counted);

}  // namespace taugrad::analysis
