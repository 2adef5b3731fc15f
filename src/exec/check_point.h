#pragma once

#include <span>
#include <string>
#include <vector>

#include "exec/bind.h"
#include "exec/stream.h"
#include "taugrad/base/tensor.h"
#include "taugrad/reference/check.h"

namespace taugrad::exec {

/// Inputs and weights of a tape, in tape order.
std::vector<NodeId> given_leaves(const Tape& tape);

/// The values of leaves, from the tensors of their names (`y` for the leaf `data:y`); a leaf
/// without one is drawn from `seed` by its label.
/// @throws Error (D011, D013, G020)
CheckPoint point_of(Tape& tape, std::span<const NodeId> leaves, const Tensors& tensors,
                    BatchContext batch, std::int64_t items, std::uint64_t seed);

/// A number of a source: a category uniform, the target of a bernoulli 0 or 1, else normal.
double draw_input(const Source& s, Stream& stream);
/// [positions..., batch, shape...] of a source: as many positions as the graph has steps, or where
/// that is not known, as its leaves reach.
Dims drawn_dims(const Source& s, const LengthRules& rules, std::int64_t batch);

/// The tensors, and for every leaf with a name that none is given for one drawn from `seed`, as for
/// a definition: weights uniform and normal, inputs by draw_input.
/// @param batch  items, where no tensor tells
Tensors with_drawn(const std::vector<Source>& sources, const LengthRules& rules, Tensors tensors,
                   std::int64_t batch, std::uint64_t seed);

}  // namespace taugrad::exec
