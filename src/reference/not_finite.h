#pragma once

#include <optional>

#include "taugrad/reference/check.h"
#include "taugrad/reference/interpreter.h"

namespace taugrad {

/// The first node in the order of the tape that is not finite though its inputs are, of those that
/// make `from` so; none where `from` is finite. S: float, double, std::complex<double>.
template <class S>
std::optional<NotFinite> source_of_not_finite(const Tape& tape, const Interpreter<S>& run,
                                              NodeId from);

}  // namespace taugrad
