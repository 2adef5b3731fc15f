#pragma once

#include "ops/rules.h"

namespace taugrad {

/// Of one system: equations, and right sides.
struct TriangularSizes {
  std::int64_t size, columns;
};

/// Calls body(sizes, A, B, X) for every system of a call.
template <class S, class Body>
void each_system(const Call<S>& c, const Body& body) {
  const Shape& b = *c.in[1].shape;
  const TriangularSizes s{b[b.rank() - 2], b[b.rank() - 1]};
  const std::int64_t count = leading(b, 2).size();
  for (std::int64_t item = 0; item < c.items; ++item)
    for (std::int64_t place = 0; place < count; ++place)
      body(s, row(c.in[0], item) + place * s.size * s.size,
           row(c.in[1], item) + place * s.size * s.columns,
           c.out + (item * count + place) * s.size * s.columns);
}

}  // namespace taugrad
