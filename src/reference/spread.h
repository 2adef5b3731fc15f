#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>

namespace taugrad {

/// Visits 0..count-1, each once, in such an order that wherever the visit ends, what it has seen is
/// spread evenly: steps of the golden section (the additive recurrence of Weyl and Kronecker).
class Spread {
 public:
  /// @param start  in 0..1: where it begins
  Spread(std::int64_t count, double start) : count_(count) {
    if (count < 1) return;
    at_ = static_cast<std::int64_t>(start * static_cast<double>(count)) % count;
    stride_ = static_cast<std::int64_t>(static_cast<double>(count) / std::numbers::phi);
    while (std::gcd(stride_, count) != 1) ++stride_;
  }
  std::int64_t next() {
    const std::int64_t now = at_;
    at_ = at_ < count_ - stride_ ? at_ + stride_ : at_ + stride_ - count_;
    return now;
  }

 private:
  std::int64_t count_, at_ = 0, stride_ = 1;
};

}  // namespace taugrad
