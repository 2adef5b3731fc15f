#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/gemm/panels.h"

namespace taugrad::kernels {

/// Rows that two operands share: D [rows, m] and X [rows, n], their rows `ldd` and `ldx` apart (0:
/// one row for all).
template <class S>
struct Segment {
  const S* d;
  std::int64_t ldd;
  const S* x;
  std::int64_t ldx;
  std::int64_t rows;
};

/// What `outer_rows` packs into: grown where needed, reused between calls; one for each thread.
template <class S>
class OuterScratch {
 public:
  /// At least `elements` elements, aligned to a cache line. @throws std::bad_alloc
  S* fit(std::int64_t elements);
  S* fit_pairs(std::int64_t elements);  ///< beside the other ones

 private:
  static S* fit(std::int64_t elements, std::vector<S>& storage);
  std::vector<S> storage_, pairs_;
};

/// What rows of one segment count in a block: as many places, or pairs of rows.
inline std::int64_t places(std::int64_t rows, bool pairs) { return pairs ? (rows + 1) / 2 : rows; }

/// Where a sum over rows stands that is made in parts.
template <class S>
struct Carry {
  S* block = nullptr;              ///< [m, ldc] the sum of an open block; null: there are no parts
  std::int64_t places_before = 0;  ///< of the segments of the parts before
  bool more = false;               ///< another part goes on where this one ends
};

/// C[m,n] (+)= the sum over the rows r of all segments, in their order, of D[r]^T X[r], in the
/// columns of the panels [first_panel, last_panel): groups of Panels<S>::kWidth columns of C. Rows
/// count on through the segments in blocks of 256; the sum of a block is one chain of multiply-adds
/// in row order from zero, and is added to C, blocks in order (the first one is written where not
/// `accumulate`). So the bits depend on the rows alone, not on how they are cut into segments nor
/// on the range of panels. No rows: zeros, or C unchanged with `accumulate`. With a carry, blocks
/// go on from part to part: after the last one C holds, bit for bit, what one call for all rows
/// leaves.
/// @throws std::bad_alloc
template <class S>
void outer_rows(std::span<const Segment<S>> segments, std::int64_t m, std::int64_t n,
                std::int64_t first_panel, std::int64_t last_panel, bool accumulate, S* c,
                std::int64_t ldc, OuterScratch<S>& scratch,
                InstructionSet set = best_instruction_set(), const Carry<S>& carry = {});

}  // namespace taugrad::kernels
