#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "evaluate/leaves/batch_data.h"
#include "language/resolve/resolved_model.h"

/// What may stand in the data of an input or a random variable.
namespace taugrad {

/// Of a category a whole number of its range, of a bernoulli 0..1.
bool in_range(const Symbol& s, double value);
std::string range_text(const Symbol& s);

/// @param at  where in the data of a position input a value stands, from 1
/// @throws Error (D017) where it is no whole number, or lies where the order of evaluation forbids
void check_position(const ResolvedModel& model, const Symbol& s,
                    const std::vector<std::int64_t>& at, double value, std::size_t item);

/// Symbols must be in range wherever an item has a step; what stands beyond is never read (R4).
/// @throws Error (D013, D017)
void check_values(const ResolvedModel& model, const BatchData& data, const Symbol& s,
                  const Tensor& tensor);

/// A stop variable that is not given is 1 at the item's end and 0 before (R14).
void add_stops(const ResolvedModel& model, const Modes& modes, BatchData& data);

}  // namespace taugrad
