#pragma once

#include <optional>
#include <span>

#include "plan/lower/lowering.h"

namespace taugrad::plan {

/// The emission of a long tape from those of three short ones: the tape's repeats come a few times,
/// once more, and twice more (repeats.h, shorten.h). What the passes do to a node depends on what
/// is near it, so where the three grow by the same law (law.h) longer ones do too. Nothing where
/// the tape does not repeat, is short, or the three follow no law.
template <class S>
std::optional<Emission<S>> emit_from_periods(const Tape& tape, std::span<const NodeId> outputs,
                                             PassSet passes);

}  // namespace taugrad::plan
