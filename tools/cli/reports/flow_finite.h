#pragma once

#include <optional>

#include "taugrad/analysis/flow.h"
#include "taugrad/analysis/influence.h"
#include "taugrad/analysis/memory.h"
#include "taugrad/base/error.h"

/// N004: the first number of a report that is not finite, by what it is of.
namespace taugrad::cli {

std::optional<Diagnostic> not_finite_in(const FlowReport& r);
std::optional<Diagnostic> not_finite_in(const InfluenceReport& r);
std::optional<Diagnostic> not_finite_in(const MemoryReport& r);
std::optional<Diagnostic> not_finite_in(const RtrlReport& r);

}  // namespace taugrad::cli
