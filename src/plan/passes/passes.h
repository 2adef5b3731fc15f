#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace taugrad::plan {

/// The rewritings between a graph and its plan, in their order. Each can be left out: the plan is
/// slower then, and computes the same.
enum class Pass : std::uint8_t {
  period,      ///< the plan of a long sequence is continued from those of a few steps
  levels,      ///< steps that data order run level by level, over all items of the batch
  merge,       ///< equal subexpressions are computed once
  transpose,   ///< transposes are folded into the products that read them
  time,        ///< products of one weight that do not depend on each other run together
  gates,       ///< products at one level run as one
  outer,       ///< the outer products of a weight's gradient run as one product over all steps
  accumulate,  ///< products that are added up add to one place
  place,       ///< parts of a concatenation are written in their place
  alike,       ///< equal ops that do not depend on each other run together
  fuse,        ///< chains of elementwise ops run tile by tile
  sink,        ///< what is cheap is computed where it is used
  reuse,       ///< a result takes the place of values that nobody reads any more
};
inline constexpr int kPasses = static_cast<int>(Pass::reuse) + 1;

struct PassInfo {
  Pass pass;
  std::string_view name, about;
};
/// All passes, in their order.
std::span<const PassInfo> passes();

/// The passes that are on: all, but for those left out.
class PassSet {
 public:
  bool has(Pass pass) const { return (without_ & bit(pass)) == 0; }
  PassSet without(Pass pass) const {
    PassSet set = *this;
    set.without_ |= bit(pass);
    return set;
  }
  /// @throws Error (U002) for a name that no pass has, with the nearest known one
  PassSet without(std::string_view name) const;
  bool operator==(const PassSet&) const = default;

 private:
  static std::uint32_t bit(Pass pass) { return 1u << static_cast<unsigned>(pass); }
  std::uint32_t without_ = 0;
};

}  // namespace taugrad::plan
