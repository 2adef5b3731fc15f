#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/panels.h"

namespace taugrad::exec {

/// What a worker's share of a step works on, as addresses: found in the first run of a batch, good
/// until storage or rows change. Finding it takes as long as a small product.
template <class S>
class Ready {
 public:
  /// Rows that meet one packed matrix.
  struct Group {
    std::uint32_t first, count;  ///< in `blocks`
    std::int32_t panels;
    bool accumulate;
    std::int64_t from, to;  ///< of its panels
  };
  struct Step {
    std::uint32_t first = 0, count = 0;  ///< in `groups`, or in `streams`; count 0: not found yet
    std::int64_t elements = 0;           ///< of each instance of a region
  };

  /// Forgets everything; of a plan with too many steps nothing is kept.
  void reset(std::size_t steps) {
    keeps_ = steps <= kMostSteps;
    of_step_.assign(keeps_ ? steps : 1, {});
    clear();
  }
  bool keeps() const { return keeps_; }
  Step& of(std::size_t step) {
    if (keeps_) return of_step_[step];
    clear();
    return of_step_[0] = {};
  }

  std::vector<kernels::RowBlock<S>> blocks;
  std::vector<Group> groups;
  std::vector<S*> streams;

 private:
  static constexpr std::size_t kMostSteps = 1 << 14;

  void clear() {
    blocks.clear();
    groups.clear();
    streams.clear();
  }
  bool keeps_ = false;
  std::vector<Step> of_step_;
};

}  // namespace taugrad::exec
