#pragma once

#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/base/tensor.h"
#include "train/data/items.h"

namespace taugrad {

/// Items of a dataset as one batch, as `run` takes it: tensors [index..., batch, shape...] of the
/// longest item, zero past an item's own length (a symbol: absent), and `lengths:NAME`.
Tensors stacked(const ResolvedModel& model, const Items& data,
                const std::vector<std::size_t>& items);
/// The inputs by which a loss counts the targets of a variable that are given (counted_input), as
/// tensors [index..., batch], 0 where an item lacks one. @param like  the variable's own, stacked
Tensor counted_targets(const Symbol& s, const Items& data, const std::vector<std::size_t>& items,
                       const Tensor& like);

}  // namespace taugrad
