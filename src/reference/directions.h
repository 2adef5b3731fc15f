#pragma once

#include <cstdint>
#include <string>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// Number i of the fixed random direction of a variable, in 0..1.
double uniform(std::uint64_t seed, std::size_t variable, std::int64_t i);

/// sum_i <values[i], v_i>, summed over the items, with a fixed random direction v_i each: a number,
/// not per example. `stream` names the draws.
Var along_random_directions(const Vars& values, const std::string& stream);

}  // namespace taugrad
