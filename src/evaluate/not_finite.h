#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/not_finite.h"
#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"

namespace taugrad {

/// Where in a result [index..., batch, shape...] an element stands.
struct ResultPlace {
  std::vector<std::int64_t> position;  ///< 1.. along each index
  std::int64_t item = -1;              ///< -1: not per example
  std::vector<std::int64_t> element;
};
/// @param axes  number of index axes
ResultPlace place_in(const Dims& dims, std::size_t axes, bool per_example, std::int64_t flat);

/// The first element that is an infinity or NaN, or -1.
std::int64_t first_not_finite(const Tensor& t);

/// N004 of a result: where it is first not finite, and what that comes from where it is known.
Diagnostic told(const std::string& output, double value, const ResultPlace& place,
                const std::optional<NotFinite>& source);

/// Whether the reference interpreter, which keeps every value, can well be asked about this graph.
bool fits_interpreter(const Tape& tape);

}  // namespace taugrad
