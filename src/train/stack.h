#pragma once

#include <vector>

#include "recurrence/model.h"
#include "taugrad/base/tensor.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

/// Items of a dataset as one batch, as `run` takes it: tensors [index..., batch, shape...] of the
/// longest item, zero past an item's own length (a symbol: absent), and `lengths:NAME`.
Tensors stacked(const Model& model, const Dataset& data, const std::vector<std::size_t>& items);

}  // namespace taugrad
