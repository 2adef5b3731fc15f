#pragma once

#include <cstdint>
#include <vector>

namespace taugrad::folding {

/// How one orbit reads another: its instance i (from 1) reads instance i - offset, for i in
/// from..to; other instances read a boundary.
struct OrbitRead {
  int reader = 0;
  int read = 0;
  std::int64_t offset = 0;
  std::int64_t from = 1, to = 0;
};

/// Where an orbit lies: its instance i stands at position i + shift of a sequence of `steps`.
/// Instances outside 1..steps are boundaries that look like a step.
struct Timing {
  std::int64_t shift = 0;
  std::int64_t steps = 0;
  int domain = 0;
  std::int64_t first() const { return shift >= 0 ? 1 : 1 - shift; }
  std::int64_t last(std::int64_t count) const {
    return count + shift <= steps ? count : steps - shift;
  }
};

/// Places orbits of `counts` instances. Orbits that read one another run over one domain; its
/// length is that of most of its orbits. Structure leaves it open where the others lie (a circuit
/// can be retimed): they go where each boundary is explained by a delay, then where delays are
/// least.
std::vector<Timing> place_orbits(const std::vector<std::int64_t>& counts,
                                 const std::vector<OrbitRead>& reads);

}  // namespace taugrad::folding
