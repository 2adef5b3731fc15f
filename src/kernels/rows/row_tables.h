#pragma once

#include <cstdint>
#include <span>

#include "kernels/rows/row_math.h"

/// The functions of row_math.h for one instruction set, by the file that has them.
namespace taugrad::kernels {

template <class S>
using RowFunction = void (*)(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n,
                             S* out, std::int64_t ldo);

template <class S>
struct ReducingRows {
  RowFunction<S> centre, normalize, sum, mean, max;
};

template <class S>
struct ExponentialRows {
  RowFunction<S> softmax, log_softmax;
  void (*nll)(std::int64_t rows, const S* logits, std::int64_t ldx, std::int64_t n, const S* target,
              std::int64_t ldt, S* out, std::int64_t ldo);
};

template <class S>
struct SummingRows {
  void (*add)(std::int64_t rows, std::int64_t n, std::span<const RowOperand<S>> operands, S* out,
              std::int64_t ldo);
  void (*columns)(std::int64_t rows, const S* x, std::int64_t ldx, std::int64_t n, bool accumulate,
                  S* out);
  void (*scatter)(std::int64_t rows, const S* category, std::int64_t ldc, const S* x,
                  std::int64_t ldx, std::int64_t n, std::int64_t size, S* out);
};

/// 0..size-1, or -1 where x is none of them.
template <class S>
std::int64_t category_in(S x, std::int64_t size) {
  // written so that NaN is outside, and nothing outside is converted
  return x >= 0 && x < static_cast<S>(size) ? static_cast<std::int64_t>(x) : -1;
}

}  // namespace taugrad::kernels
