#pragma once

#include <cstdint>

/// The ops of taugrad/ops/gated.h for one head: lines [steps,width] with gates a, and weights
/// [steps,steps] between them. S is float or double. Bits depend on the head's numbers, on the
/// sizes and on the machine's instruction set.
namespace taugrad::kernels {

struct GatedSizes {
  std::int64_t steps, width;
};

template <class S>
struct GatedRows {
  void (*scores)(const GatedSizes&, const S* q, const S* k, const S* a, S* y);
  void (*sums)(const GatedSizes&, const S* m, const S* x, const S* a, S* y);
  void (*sums_back)(const GatedSizes&, const S* m, const S* x, const S* a, S* y);
  void (*slopes)(const GatedSizes&, const S* m, const S* q, const S* k, const S* a, S* y);
};
template <class S>
const GatedRows<S>& gated_rows();
template <>
const GatedRows<float>& gated_rows();
template <>
const GatedRows<double>& gated_rows();

}  // namespace taugrad::kernels
