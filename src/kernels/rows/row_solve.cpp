#include "kernels/rows/row_solve.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows/row_solve.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/tiles/tile_vectors.h"

// Rows in the order in which they are found: of the transpose from the last one on.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

template <class S>
struct System {
  const S *a, *b;
  S* x;
  std::int64_t size, row, column, line;  ///< steps in A from row to row and along one; in B and X

  S at(std::int64_t i, std::int64_t j) const { return a[i * row + j * column]; }
};

/// kRows rows from `first` on, of kCount vectors each, which stay in registers.
template <class S, int kRows, int kCount, class Part>
HWY_INLINE void find_rows(const System<S>& s, std::int64_t first, std::int64_t from,
                          const Part& part) {
  Vector<S> v[kRows][kCount];
  const auto place = [&](std::int64_t i, int c) { return i * s.line + from + c * kLanes<S>; };
  for (int r = 0; r < kRows; ++r)
    for (int c = 0; c < kCount; ++c) v[r][c] = part.load(s.b + place(first + r, c));
  for (std::int64_t j = 0; j < first; ++j) {
    Vector<S> known[kCount];
    for (int c = 0; c < kCount; ++c) known[c] = part.load(s.x + place(j, c));
    for (int r = 0; r < kRows; ++r) {
      const Vector<S> weight = hn::Set(Lanes<S>(), s.at(first + r, j));
      for (int c = 0; c < kCount; ++c) v[r][c] = hn::NegMulAdd(weight, known[c], v[r][c]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < r; ++j) {
      const Vector<S> weight = hn::Set(Lanes<S>(), s.at(first + r, first + j));
      for (int c = 0; c < kCount; ++c) v[r][c] = hn::NegMulAdd(weight, v[j][c], v[r][c]);
    }
    for (int c = 0; c < kCount; ++c) part.store(v[r][c], s.x + place(first + r, c));
  }
}

template <class S, int kCount, class Part>
HWY_INLINE void find_columns(const System<S>& s, std::int64_t from, const Part& part) {
  constexpr int kRows = 4;
  std::int64_t first = 0;
  for (; first + kRows <= s.size; first += kRows) find_rows<S, kRows, kCount>(s, first, from, part);
  for (; first < s.size; ++first) find_rows<S, 1, kCount>(s, first, from, part);
}

template <class S>
void solve(std::int64_t size, std::int64_t columns, const S* a, bool transposed, const S* b, S* x) {
  System<S> s{a, b, x, size, size, 1, columns};
  if (transposed) {
    const std::int64_t last = (size - 1) * columns;
    s = {a + (size - 1) * (size + 1), b + last, x + last, size, -1, -size, -columns};
  }
  std::int64_t from = 0;
  for (; from + 2 * kLanes<S> <= columns; from += 2 * kLanes<S>)
    find_columns<S, 2>(s, from, Whole<S>());
  each_vector<S>(columns - from, [&](std::int64_t i, const auto& part)
                                     HWY_ATTR { find_columns<S, 1>(s, from + i, part); });
}
void solve_f32(std::int64_t size, std::int64_t columns, const float* a, bool transposed,
               const float* b, float* x) {
  solve(size, columns, a, transposed, b, x);
}
void solve_f64(std::int64_t size, std::int64_t columns, const double* a, bool transposed,
               const double* b, double* x) {
  solve(size, columns, a, transposed, b, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {
namespace {

HWY_EXPORT(solve_f32);
HWY_EXPORT(solve_f64);

}  // namespace

template <>
void solve_unit_lower(std::int64_t size, std::int64_t columns, const float* a, bool transposed,
                      const float* b, float* x) {
  if (size > 0) HWY_DYNAMIC_DISPATCH(solve_f32)(size, columns, a, transposed, b, x);
}
template <>
void solve_unit_lower(std::int64_t size, std::int64_t columns, const double* a, bool transposed,
                      const double* b, double* x) {
  if (size > 0) HWY_DYNAMIC_DISPATCH(solve_f64)(size, columns, a, transposed, b, x);
}

}  // namespace taugrad::kernels
#endif
