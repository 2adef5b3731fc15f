#include "kernels/gemm/lu.h"

#include <cblas.h>

#include <limits>
#include <type_traits>

#include "base/fail.h"

extern "C" {
void sgetrf_(const blasint*, const blasint*, float*, const blasint*, blasint*, blasint*);
void dgetrf_(const blasint*, const blasint*, double*, const blasint*, blasint*, blasint*);
void sgetrs_(const char*, const blasint*, const blasint*, const float*, const blasint*,
             const blasint*, float*, const blasint*, blasint*, std::size_t);
void dgetrs_(const char*, const blasint*, const blasint*, const double*, const blasint*,
             const blasint*, double*, const blasint*, blasint*, std::size_t);
}

namespace taugrad::kernels {
namespace {

static_assert(std::is_same_v<blasint, std::int32_t>);

blasint checked(std::int64_t size) {
  if (size > std::numeric_limits<blasint>::max())
    fail(Status::resource, "R003", "a matrix has a size of {}, more than LAPACK can count", size);
  return static_cast<blasint>(size);
}

}  // namespace

template <class S>
bool factor(std::int64_t n, S* a, std::int32_t* pivots) {
  if (n == 0) return true;
  openblas_set_num_threads(1);
  const blasint size = checked(n);
  blasint info = 0;
  if constexpr (std::is_same_v<S, float>)
    sgetrf_(&size, &size, a, &size, pivots, &info);
  else
    dgetrf_(&size, &size, a, &size, pivots, &info);
  return info == 0;
}

template <class S>
void solve_factored(std::int64_t n, std::int64_t columns, const S* a, const std::int32_t* pivots,
                    bool transposed, S* b) {
  if (n == 0 || columns == 0) return;
  const blasint size = checked(n), count = checked(columns);
  const char* how = transposed ? "T" : "N";
  blasint info = 0;
  if constexpr (std::is_same_v<S, float>)
    sgetrs_(how, &size, &count, a, &size, pivots, b, &size, &info, 1);
  else
    dgetrs_(how, &size, &count, a, &size, pivots, b, &size, &info, 1);
}

template bool factor(std::int64_t, float*, std::int32_t*);
template bool factor(std::int64_t, double*, std::int32_t*);
template void solve_factored(std::int64_t, std::int64_t, const float*, const std::int32_t*, bool,
                             float*);
template void solve_factored(std::int64_t, std::int64_t, const double*, const std::int32_t*, bool,
                             double*);

}  // namespace taugrad::kernels
