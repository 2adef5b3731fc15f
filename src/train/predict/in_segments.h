#pragma once

#include <cstdint>

#include "evaluate/segments/segment_plan.h"
#include "language/resolve/resolved_model.h"

/// Sequences of any length, one segment after the other.
namespace taugrad {

constexpr std::int64_t kRead = 256;  ///< steps of given values that are read at once
constexpr std::int64_t kDraw = 32;   ///< steps that are drawn at once

/// Segments that tell values and likelihoods of the random variables.
inline SegmentRequest request_of(const ResolvedModel& model, const Modes& modes, bool ends) {
  SegmentRequest r;
  r.modes = modes;
  r.ends = ends;
  for (const Symbol& s : model.symbols) {
    if (!s.random()) continue;
    r.values.push_back(s.name);
    r.likelihoods.push_back(s.name);
  }
  return r;
}

}  // namespace taugrad
