#pragma once

#include <string>
#include <vector>

#include "plan/plan.h"

namespace taugrad::plan {

/// What a plan's steps do, a line each, without names of variables: plans that differ only in names
/// or in the order of equations have the same lines.
template <class S>
std::vector<std::string> lines_of(const Plan<S>& plan);

/// The line of one of its steps: "fused", "product", "pack" or what else it is, blanks, the rest.
template <class S>
std::string line_of(const Plan<S>& plan, const Step<S>& step);

/// Lines that come again and again told once: "64 times:" and the lines, indented.
std::vector<std::string> fold_repeats(const std::vector<std::string>& lines);

}  // namespace taugrad::plan
