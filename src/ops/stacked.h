#pragma once

#include <array>

#include "taugrad/ops/forward.h"

namespace taugrad {

/// Of one product of a stack: op(A) [m,k] times op(B) [inner_b,n].
struct StackedSizes {
  std::int64_t m, k, n, inner_b;
  bool turned_a, turned_b;
};
StackedSizes stacked_sizes(const Shape& a, const Shape& b, const Attrs& attrs);

/// For each place of a stack `lead`, in order, the place in a stack that broadcasts to it.
class StackPlaces {
 public:
  StackPlaces(const Shape& narrow, int core, const Shape& lead) : count_(lead.size()) {
    std::int64_t stride = 1;
    const int missing = lead.rank() - (narrow.rank() - core);
    for (int axis = lead.rank(); axis-- > 0;) {
      const std::int64_t n = axis < missing ? 1 : narrow[axis - missing];
      const auto at = static_cast<std::size_t>(axis);
      size_[at] = lead[axis];
      step_[at] = n == 1 ? 0 : stride;
      stride *= n;
    }
    rank_ = lead.rank();
  }
  std::int64_t count() const { return count_; }
  std::int64_t operator[](std::int64_t place) const {
    std::int64_t found = 0;
    for (int axis = rank_; axis-- > 0;) {
      const auto at = static_cast<std::size_t>(axis);
      found += place % size_[at] * step_[at];
      place /= size_[at];
    }
    return found;
  }

 private:
  std::array<std::int64_t, kMaxRank> size_{}, step_{};
  std::int64_t count_;
  int rank_ = 0;
};

/// Calls body(sizes, A, B, Y) for every product of a call.
template <class S, class Body>
void each_matrix(const Call<S>& c, const Body& body) {
  const Shape &a = *c.in[0].shape, &b = *c.in[1].shape;
  const StackedSizes s = stacked_sizes(a, b, *c.attrs);
  const Shape lead(c.shape->dims().first(static_cast<std::size_t>(c.shape->rank() - 2)));
  const StackPlaces in_a(a, 2, lead), in_b(b, 2, lead);
  for (std::int64_t item = 0; item < c.items; ++item)
    for (std::int64_t place = 0; place < in_a.count(); ++place)
      body(s, row(c.in[0], item) + in_a[place] * s.m * s.k,
           row(c.in[1], item) + in_b[place] * s.k * s.n,
           c.out + (item * in_a.count() + place) * s.m * s.n);
}

}  // namespace taugrad
