#pragma once

#include <span>
#include <string>
#include <vector>

#include "evaluate/leaves/bind.h"
#include "taugrad/base/tensor.h"
#include "taugrad/reference/check.h"

namespace taugrad::runtime {

/// Inputs and weights of a tape, in tape order.
std::vector<NodeId> given_leaves(const Tape& tape);

/// The values of leaves, from the tensors of their names (`y` for the leaf `data:y`); a leaf
/// without one is drawn from `seed` by its label.
/// @throws Error (D011, D013, G020)
CheckPoint point_of(Tape& tape, std::span<const NodeId> leaves, const Tensors& tensors,
                    BatchContext batch, std::int64_t items, std::uint64_t seed);

/// The tensors, and for every leaf with a name that none is given for one drawn from `seed`, as for
/// a definition; weights without an `init` moved off zero.
/// @param batch  items, where no tensor tells
Tensors with_drawn(const Tape& tape, const std::vector<Source>& sources, const LengthRules& rules,
                   Tensors tensors, std::int64_t batch, std::uint64_t seed);

}  // namespace taugrad::runtime
