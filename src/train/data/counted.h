#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/train/dataset.h"
#include "taugrad/unfold/unfold.h"

/// Targets that are not given: what a loss counts.
namespace taugrad {

/// The random variables of which some item lacks a target.
std::set<std::string> partly_given(const Dataset& data);

/// The loss of an unfolded model without the targets that are not given: each likelihood of these
/// variables counts where the input "counted:y" is 1. u.loss() where there is no such variable.
Var counted_loss(const Unfolded& u, const std::set<std::string>& partly);

/// The variable whose targets an input "counted:y" tells of; empty for any other name.
std::string counted_variable(const std::string& input);
/// Whether an item has the target at a position (from 1 along each index).
bool has_target(const Example& e, const std::string& variable, std::span<const std::int32_t> at);
/// Positions of random variables of an item; 1 where the model has none.                      (R13)
std::int64_t targets_of(const ResolvedModel& model, const Example& e);
/// How many targets of a variable an item lacks at steps from+1..to along one of its axes; all
/// where `axis` is -1.
std::int64_t missing_of(const Example& e, const Symbol& s, int axis = -1, std::int64_t from = 0,
                        std::int64_t to = 0);

}  // namespace taugrad
