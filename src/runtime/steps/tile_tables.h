#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/plan.h"
#include "runtime/line_aligned.h"

namespace taugrad::runtime {

/// What the instructions of fused regions name, by program: its registers, its constants, and
/// places for the streams of an instance. Made once for a worker, as a small region takes no longer
/// than its table.
template <class S>
class TileTables {
 public:
  /// @param constants  by program: a tile of each
  void prepare(const std::vector<plan::RegionProgram<S>>& programs,
               const std::vector<LineAligned<S>>& constants) {
    if (first_.size() == programs.size()) return;
    pointers_.clear();
    first_.clear();
    std::size_t elements = 0;
    for (const plan::RegionProgram<S>& p : programs)
      elements = std::max(elements, (p.registers + p.apart.size()) * spacing(p));
    tiles_.resize(elements);
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const plan::RegionProgram<S>& p = programs[i];
      first_.push_back(pointers_.size());
      for (std::size_t k = 0; k < p.registers; ++k) pointers_.push_back(tile(p, k));
      for (std::size_t k = 0; k < p.constants.size(); ++k)  // only read
        pointers_.push_back(constants[i].data() + k * static_cast<std::size_t>(p.width()));
      pointers_.resize(pointers_.size() + p.apart.size());
    }
  }
  S** of(std::int32_t program) {
    return pointers_.data() + first_[static_cast<std::size_t>(program)];
  }
  /// Registers, then as many as the program has streams.
  S* tile(const plan::RegionProgram<S>& program, std::size_t number) const {
    return tiles_.data() + number * spacing(program);
  }

 private:
  /// Of tiles, which do not lie 4 KiB apart.
  static std::size_t spacing(const plan::RegionProgram<S>& program) {
    constexpr std::size_t kLine = 16;  // elements of whole cache lines
    return (static_cast<std::size_t>(program.width()) + 2 * kLine - 1) / kLine * kLine;
  }

  LineAligned<S> tiles_;
  std::vector<S*> pointers_;
  std::vector<std::size_t> first_;  // in `pointers_`, by program
};

}  // namespace taugrad::runtime
