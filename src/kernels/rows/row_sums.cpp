#include "kernels/rows/row_tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rows/row_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/tiles/tile_vectors.h"

// Several rows to one, each element by a chain of its own in a fixed order: exact whatever the
// vectors are.
HWY_BEFORE_NAMESPACE();
namespace taugrad::kernels {
namespace HWY_NAMESPACE {

/// The sum of the operands from element `at` on: kCount vectors.
template <class S, int kCount>
HWY_INLINE void add_block(std::int64_t r, std::int64_t at, std::span<const RowOperand<S>> operands,
                          S* out) {
  const Lanes<S> d;
  Vector<S> sums[kCount];
  for (int k = 0; k < kCount; ++k)
    sums[k] = hn::LoadU(d, operands[0].data + r * operands[0].stride + at + k * kLanes<S>);
  for (const RowOperand<S>& x : operands.subspan(1))
    for (int k = 0; k < kCount; ++k)
      sums[k] = hn::Add(sums[k], hn::LoadU(d, x.data + r * x.stride + at + k * kLanes<S>));
  for (int k = 0; k < kCount; ++k) hn::StoreU(sums[k], d, out + k * kLanes<S>);
}

template <class S>
void add(std::int64_t rows, std::int64_t n, std::span<const RowOperand<S>> operands, S* out,
         std::int64_t ldo) {
  // rows that follow one another are one long row
  if (ldo == n && std::all_of(operands.begin(), operands.end(),
                              [&](const RowOperand<S>& x) { return x.stride == n; })) {
    n *= rows;
    rows = rows > 0 ? 1 : 0;
  }
  for (std::int64_t r = 0; r < rows; ++r, out += ldo) {
    std::int64_t at = 0;
    for (; at + 4 * kLanes<S> <= n; at += 4 * kLanes<S>) add_block<S, 4>(r, at, operands, out + at);
    each_vector<S>(n - at, [&](std::int64_t i, const auto& part) HWY_ATTR {
      auto sum = part.load(operands[0].data + r * operands[0].stride + at + i);
      for (const RowOperand<S>& x : operands.subspan(1))
        sum = hn::Add(sum, part.load(x.data + r * x.stride + at + i));
      part.store(sum, out + at + i);
    });
  }
}

/// kCount vectors side by side, so that the chains of additions overlap.
template <class S, int kCount>
HWY_INLINE void column_block(std::int64_t rows, const S* x, std::int64_t ldx, bool accumulate,
                             S* out) {
  const Lanes<S> d;
  Vector<S> sums[kCount];
  for (int k = 0; k < kCount; ++k)
    sums[k] = accumulate ? hn::LoadU(d, out + k * kLanes<S>) : hn::Zero(d);
  for (std::int64_t r = 0; r < rows; ++r, x += ldx)
    for (int k = 0; k < kCount; ++k) sums[k] = hn::Add(sums[k], hn::LoadU(d, x + k * kLanes<S>));
  for (int k = 0; k < kCount; ++k) hn::StoreU(sums[k], d, out + k * kLanes<S>);
}

template <class S>
void columns(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, bool accumulate,
             S* out) {
  std::int64_t at = 0;
  for (; at + 8 * kLanes<S> <= n; at += 8 * kLanes<S>)
    column_block<S, 8>(rows, x + at, ldx, accumulate, out + at);
  for (; at + 2 * kLanes<S> <= n; at += 2 * kLanes<S>)
    column_block<S, 2>(rows, x + at, ldx, accumulate, out + at);
  each_vector<S>(n - at, [&](std::int64_t i, const auto& part) HWY_ATTR {
    auto sum = accumulate ? part.load(out + at + i) : hn::Zero(Lanes<S>());
    const S* from = x + at + i;
    for (std::int64_t r = 0; r < rows; ++r, from += ldx) sum = hn::Add(sum, part.load(from));
    part.store(sum, out + at + i);
  });
}

template <class S>
void scatter(std::int64_t rows, const S* category, std::int64_t ldc, const S* x, std::int64_t ldx,
             std::int64_t n, std::int64_t size, S* out) {
  for (std::int64_t r = 0; r < rows; ++r, x += ldx) {
    const std::int64_t k = category_in(category[r * ldc], size);
    if (k < 0) continue;
    S* to = out + k * n;
    // a store of some lanes is slow to load again, as a category that comes twice would
    if (n < kLanes<S>) {
      for (std::int64_t i = 0; i < n; ++i) to[i] += x[i];
      continue;
    }
    each_vector<S>(n, [&](std::int64_t i, const auto& part) HWY_ATTR {
      part.store(hn::Add(part.load(to + i), part.load(x + i)), to + i);
    });
  }
}

template <class S>
SummingRows<S> summing() {
  return {&add<S>, &columns<S>, &scatter<S>};
}
SummingRows<float> summing_f32() { return summing<float>(); }
SummingRows<double> summing_f64() { return summing<double>(); }

}  // namespace HWY_NAMESPACE
}  // namespace taugrad::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace taugrad::kernels {
namespace {

HWY_EXPORT(summing_f32);
HWY_EXPORT(summing_f64);

template <class S>
SummingRows<S> functions() {
  if constexpr (sizeof(S) == sizeof(float))
    return HWY_DYNAMIC_DISPATCH(summing_f32)();
  else
    return HWY_DYNAMIC_DISPATCH(summing_f64)();
}

}  // namespace

template <class S>
void add_rows(std::int64_t rows, std::int64_t n, std::span<const RowOperand<S>> operands, S* out,
              std::int64_t ldo) {
  functions<S>().add(rows, n, operands, out, ldo);
}
template <class S>
void sum_columns(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, bool accumulate,
                 S* out) {
  functions<S>().columns(rows, x, ldx, n, accumulate, out);
}
template <class S>
void scatter_rows(std::int64_t rows, const S* category, std::int64_t ldc, const S* x,
                  std::int64_t ldx, std::int64_t n, std::int64_t size, S* out) {
  functions<S>().scatter(rows, category, ldc, x, ldx, n, size, out);
}

using Size = std::int64_t;
template void add_rows(Size, Size, std::span<const RowOperand<float>>, float*, Size);
template void add_rows(Size, Size, std::span<const RowOperand<double>>, double*, Size);
template void sum_columns(Size, const float*, Size, Size, bool, float*);
template void sum_columns(Size, const double*, Size, Size, bool, double*);
template void scatter_rows(Size, const float*, Size, const float*, Size, Size, Size, float*);
template void scatter_rows(Size, const double*, Size, const double*, Size, Size, Size, double*);

}  // namespace taugrad::kernels
#endif
