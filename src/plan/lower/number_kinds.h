#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plan/plan.h"
#include "taugrad/graph/attrs.h"

/// Attributes and programs as a kind and a few whole numbers, which move on with the length of a
/// sequence: positions and lengths, and the reciprocals of such, as a mean has.
namespace taugrad::plan {

inline constexpr std::size_t kMostNumbers = 6;
using Numbers = std::array<std::int64_t, kMostNumbers>;

/// How a number stands in a row.
enum class Coding : std::uint8_t {
  fixed,       ///< not at all: it is the kind's
  whole,       ///< as it is
  reciprocal,  ///< 1 / it
};

struct AttrsKind {
  Attrs attrs;                  ///< with 0 for what stands in rows
  std::vector<Coding> codings;  ///< by attribute
};
template <class S>
struct ProgramKind {
  RegionProgram<S> program;     ///< with 0 for constants that stand in rows
  std::vector<Coding> codings;  ///< by constant
};

/// The number of the kind, which joins those that are known, and the numbers.
std::int64_t kind_of(const Attrs& attrs, std::vector<AttrsKind>& known, Numbers& numbers);
template <class S>
std::int64_t kind_of(const RegionProgram<S>& program, std::vector<ProgramKind<S>>& known,
                     Numbers& numbers);

/// And back.
Attrs with_numbers(const AttrsKind& kind, const std::int64_t* numbers);
template <class S>
RegionProgram<S> with_numbers(const ProgramKind<S>& kind, const std::int64_t* numbers);

}  // namespace taugrad::plan
