#pragma once

#include <array>

#include "ops/rules.h"
#include "taugrad/ops/gated.h"

/// Lines [..,C,d] of the steps of a chunk, and weights [..,C,C] between them.
namespace taugrad {

struct ChunkSizes {
  std::int64_t heads, steps, width;
};
/// Of gates.
inline ChunkSizes chunk_sizes(const Shape& a) {
  const int rank = a.rank();
  return {leading(a, 2).size(), a[rank - 2], a[rank - 1]};
}

/// Of the attribute `reverse`.
inline Way way_of(const Attrs& attrs) {
  return attrs.integer_or("reverse", 0) != 0 ? Way::backwards : Way::forwards;
}

/// Calls body(sizes, inputs, y) for every head of every item; the last input are the gates.
template <class S, class Body>
void each_head(const Call<S>& c, const Body& body) {
  const ChunkSizes sizes = chunk_sizes(*c.in.back().shape);
  const std::int64_t elements = c.shape->size();
  if (sizes.heads == 0) return;
  std::array<const S*, 4> x{};
  for (std::int64_t item = 0; item < c.items; ++item)
    for (std::int64_t head = 0; head < sizes.heads; ++head) {
      for (std::size_t i = 0; i < c.in.size(); ++i)
        x[i] = row(c.in[i], item) + c.in[i].shape->size() / sizes.heads * head;
      body(sizes, x, c.out + item * elements + elements / sizes.heads * head);
    }
}

}  // namespace taugrad
