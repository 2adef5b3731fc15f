#include "reference/ladder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace taugrad {
namespace {

double larger(double a, double b) { return std::max(std::abs(a), std::abs(b)); }

// Whether every value is the one before it times about one factor, beyond 1e4 or below its inverse.
bool goes_on(std::span<const Rung> rungs, bool up) {
  for (std::size_t k = 1; k < rungs.size(); ++k) {
    const double before = std::abs(rungs[k - 1].value), now = std::abs(rungs[k].value);
    if (!(up ? now > 1e4 * before : now < 1e-4 * before)) return false;
  }
  return true;
}

}  // namespace

Limit limit_of(std::span<const Rung> rungs) {
  for (std::size_t k = 1; k < rungs.size(); ++k) {
    const Rung &a = rungs[k - 1], &b = rungs[k];
    const double apart = std::abs(a.value - b.value);
    if (a.stays && b.stays && apart <= 1e-12 * larger(a.value, b.value)) return {a.value, 0};
  }
  if (goes_on(rungs, true)) return {std::numeric_limits<double>::infinity(), 0};
  if (goes_on(rungs, false)) return {0, 0};
  Limit best{std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()};
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 1; k < rungs.size(); ++k) {
    const Rung &a = rungs[k - 1], &b = rungs[k];
    const double apart = std::abs(a.value - b.value), size = larger(a.value, b.value);
    if (!a.stays || !b.stays || !(apart < nearest * size)) continue;
    nearest = apart / size;
    best = {b.value, apart};
  }
  return best;
}

}  // namespace taugrad
