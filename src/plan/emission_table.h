#pragma once

#include <array>

#include "plan/emitter.h"
#include "plan/law.h"

/// Emissions as tables of whole numbers, so that those of longer tapes follow by a law.
namespace taugrad::plan {

/// Operands, jobs, values, storages, steps, leaves, their values, outputs, work and use of sets of
/// items, levels, attributes.
inline constexpr std::size_t kTables = 12;
using Tables = std::array<Table, kTables>;
using Laws = std::array<Law, kTables>;

/// @param kinds  of attributes without their whole numbers: known ones, and those that are new
template <class S>
Tables tables_of(const Emission<S>& emission, std::vector<Attrs>& kinds);

/// Whether what is not in the tables is equal: programs, matrices, shapes, names.
template <class S>
bool differ_in_tables_only(const Emission<S>& a, const Emission<S>& b);

/// Puts the rows of a sample in the place of what the tables hold.
template <class S>
void fill(Emission<S>& emission, const Laws& laws, std::int64_t sample,
          const std::vector<Attrs>& kinds);

}  // namespace taugrad::plan
