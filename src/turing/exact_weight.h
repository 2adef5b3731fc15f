#pragma once

#include <string>
#include <vector>

#include "taugrad/base/rational.h"
#include "taugrad/language/definition.h"

namespace taugrad {

/// A weight whose values stand in the definition, fractions as text: "3/16". Each axis is "m".
WeightDeclaration exact_weight(std::string name, const Dims& dims,
                               const std::vector<Rational>& values);
/// The values as written, without rounding. @throws Error (N002) for a weight without values
std::vector<Rational> exact_values(const WeightDeclaration& w);

}  // namespace taugrad
