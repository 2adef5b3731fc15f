#pragma once

#include <algorithm>
#include <chrono>

namespace taugrad::cli {

/// When the next save of a training is due: after so many seconds of work, more where saves take
/// long (at most a twentieth of the time is theirs), and the first one early, so that little is
/// lost of a training that ends soon.
class SaveClock {
 public:
  /// @param every  seconds; 0: always
  explicit SaveClock(double every) : every_(every) {}

  bool due() const {
    return every_ == 0 ||
           since(last_) >= std::max(first_ ? std::min(every_, 1.0) : every_, 20 * cost_);
  }
  void begin_save() { begun_ = Clock::now(); }
  void end_save() {
    cost_ = since(begun_);
    last_ = Clock::now();
    first_ = false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double since(Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  }

  double every_, cost_ = 0;
  bool first_ = true;
  Clock::time_point last_ = Clock::now(), begun_ = last_;
};

}  // namespace taugrad::cli
