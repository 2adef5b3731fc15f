#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "autodiff/sweep.h"
#include "taugrad/reference/check.h"

namespace taugrad {

/// How much time a check has left.
class Watch {
 public:
  /// @param seconds  from now on; 0: any
  explicit Watch(double seconds) : seconds_(seconds) {}
  bool limited() const { return seconds_ > 0; }
  double left() const {
    return seconds_ - std::chrono::duration<double>(Clock::now() - start_).count();
  }
  bool over() const { return limited() && left() <= 0; }
  /// Seconds that a search for faults has in any case: a tenth of all, 1 to 10.
  double least_for_faults() const { return std::clamp(0.1 * seconds_, 1.0, 10.0); }
  /// One that starts now, with what is left of this, and at least `least`.
  Watch rest(double least) const { return Watch(limited() ? std::max(left(), least) : 0); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  double seconds_;
};

struct FaultSearch {
  std::size_t limit = 10;
  SweepOptions sweep = {};
  Watch watch = Watch(0);
};

/// As find_faults, where a node is spoiled; a search that is out of time tells what it has found.
/// First each op is asked along one random direction an input, and only where that finds nothing,
/// entry by entry.
std::vector<OpFault> search_faults(Var loss, std::span<const Var> variables,
                                   const CheckPoint& point, const FaultSearch& how);

/// As check_gradients, where a node is spoiled.
CheckReport check_spoiled(Var loss, std::span<const Var> variables, const CheckPoint& point,
                          const CheckOptions& options, const SweepOptions& sweep,
                          const Watch& watch);

}  // namespace taugrad
