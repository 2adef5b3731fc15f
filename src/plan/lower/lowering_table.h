#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plan/family/law.h"
#include "plan/lower/lowering.h"
#include "plan/lower/number_kinds.h"

/// Emissions as tables of whole numbers, so that those of longer tapes follow by a law.
namespace taugrad::plan {

/// Operands, jobs, values, storages, slots and who shares them, steps, leaves, their values,
/// outputs, work and use of sets of items, levels, attributes, owners, programs.
inline constexpr std::size_t kTables = 16;
using Tables = std::array<Table, kTables>;
using Laws = std::array<Law, kTables>;

/// What rows name by number.
template <class S>
struct Kinds {
  std::vector<AttrsKind> attrs;
  std::vector<const Op*> ops;
  std::vector<std::string> owners;
  std::vector<ProgramKind<S>> programs;
  std::size_t size() const { return attrs.size() + ops.size() + owners.size() + programs.size(); }
};

/// Nothing where an owner's index has more axes than a row holds.
/// @param kinds  known ones, and those that are new
template <class S>
std::optional<Tables> tables_of(const Emission<S>& emission, Kinds<S>& kinds);

/// Whether what is not in the tables is equal: programs, matrices, shapes, names.
template <class S>
bool differ_in_tables_only(const Emission<S>& a, const Emission<S>& b);

/// Whether the records of a plan are written down, or stay the law's.
enum class Records : std::uint8_t { written, told };

/// Puts the rows of a sample in the place of what the tables hold.
template <class S>
void fill(Emission<S>& emission, const Laws& laws, std::int64_t sample,
          const std::shared_ptr<const Kinds<S>>& kinds, Records how);

}  // namespace taugrad::plan
