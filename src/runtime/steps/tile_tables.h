#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "plan/plan.h"

namespace taugrad::runtime {

/// Memory of a whole number of cache lines: no vector of a tile lies in two of them.
template <class S>
class LineAligned {
 public:
  void resize(std::size_t elements) {
    size_ = elements;
    if (elements > 0) lines_.reset(static_cast<S*>(::operator new[](elements * sizeof(S), kLine)));
  }
  S* data() const { return lines_.get(); }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(S* p) const { ::operator delete[](p, kLine); }
  };
  std::unique_ptr<S[], Free> lines_;
  std::size_t size_ = 0;
};

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
