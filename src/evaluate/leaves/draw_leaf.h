#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/init.h"
#include "evaluate/leaves/bind.h"
#include "runtime/stream.h"
#include "taugrad/base/tensor.h"

/// Numbers for what a graph or a definition is given, keyed by the seed and a name.
namespace taugrad::runtime {

/// One weight, as its `init` says.                                                          (R7)
void fill_weight(const Init& init, std::span<const std::int64_t> shape, Stream& stream,
                 std::span<double> to);

/// A symbol of so many, else 0 or 1 where a likelihood of Bernoulli reads it, else a normal number.
double draw_input(Stream& stream, std::int64_t category, bool binary);

/// What the leaves of a weight say of how it begins.
Init init_of(const Tape& tape, const Source& weight);

/// [positions..., batch, shape...] of a source: as many positions as the graph has steps, or where
/// that is not known, as its leaves reach.
/// @throws Error (G011) where that is far beyond the leaves that there are
Dims dims_of(const Source& s, const LengthRules& rules, std::int64_t batch);

/// A graph's weight or input, as a definition's of that name is drawn.
Tensor drawn_weight(const Tape& tape, const Source& weight, std::uint64_t seed);
Tensor drawn_input(const Source& input, const LengthRules& rules, std::int64_t batch,
                   std::uint64_t seed);

}  // namespace taugrad::runtime
