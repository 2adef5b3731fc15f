#pragma once

#include <span>

#include "taugrad/draw/values.h"

namespace taugrad::draw {

inline constexpr std::size_t kBins = 24;            ///< of a histogram
inline constexpr std::size_t kMostElements = 4096;  ///< of a tensor whose elements are told

/// What is told of the elements of a tensor of one example.
TensorFacts facts_of(std::span<const double> values, const Shape& shape);

}  // namespace taugrad::draw
