#include "kernels/gemm.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "kernels/panels.h"
#include "taugrad/base/error.h"

using namespace taugrad;
using namespace taugrad::kernels;

namespace {

constexpr std::int64_t kSizes[] = {0, 1, 2, 3, 7, 8, 17, 64};

template <class S>
std::vector<S> numbers(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> draw(-1, 1);
  std::vector<S> values(static_cast<std::size_t>(count));
  for (S& v : values) v = static_cast<S>(draw(random));
  return values;
}

template <class S>
S entry(const Matrix<S>& x, std::int64_t row, std::int64_t column) {
  return x.transposed ? x.data[column * x.stride + row] : x.data[row * x.stride + column];
}

template <class S>
bool agrees(const std::vector<S>& c, std::int64_t ldc, std::int64_t m, std::int64_t n,
            std::int64_t k, const Matrix<S>& a, const Matrix<S>& b, double start) {
  const double bound = std::numeric_limits<S>::epsilon() * static_cast<double>(k + 1);
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double want = start;
      for (std::int64_t p = 0; p < k; ++p)
        want += static_cast<double>(entry(a, i, p)) * static_cast<double>(entry(b, p, j));
      const double got = static_cast<double>(c[static_cast<std::size_t>(i * ldc + j)]);
      if (!(std::abs(got - want) <= bound * (1 + static_cast<double>(k)))) return false;
    }
  return true;
}

/// C outside its m x n block must stay what it was.
template <class S>
bool margin_is(const std::vector<S>& c, std::int64_t ldc, std::int64_t m, std::int64_t n, S mark) {
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = n; j < ldc; ++j)
      if (c[static_cast<std::size_t>(i * ldc + j)] != mark) return false;
  return true;
}

std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets{InstructionSet::generic};
  if (best_instruction_set() >= InstructionSet::avx2) sets.push_back(InstructionSet::avx2);
  if (best_instruction_set() >= InstructionSet::avx512) sets.push_back(InstructionSet::avx512);
  return sets;
}

template <class S>
bool gemm_agrees(std::int64_t m, std::int64_t n, std::int64_t k, bool ta, bool tb,
                 bool accumulate) {
  const std::int64_t lda = (ta ? m : k) + 2, ldb = (tb ? k : n) + 1, ldc = n + 3;
  const auto a_values = numbers<S>(64 * 70, 1), b_values = numbers<S>(64 * 70, 2);
  const Matrix<S> a{a_values.data(), lda, ta}, b{b_values.data(), ldb, tb};
  std::vector<S> c(static_cast<std::size_t>(m * ldc), S(5));
  for (std::int64_t i = 0; i < m && !accumulate; ++i)  // what is only written may hold anything
    for (std::int64_t j = 0; j < n; ++j)
      c[static_cast<std::size_t>(i * ldc + j)] = std::numeric_limits<S>::quiet_NaN();
  gemm(m, n, k, a, b, accumulate, c.data(), ldc);
  return agrees(c, ldc, m, n, k, a, b, accumulate ? 5.0 : 0.0) && margin_is(c, ldc, m, n, S(5));
}

template <class S>
bool rows_agree(std::int64_t m, std::int64_t n, std::int64_t k, bool transposed, bool accumulate,
                InstructionSet set) {
  const std::int64_t lda = k + 2, ldb = (transposed ? k : n) + 1, ldc = n + 3;
  const auto a_values = numbers<S>(64 * 70, 1), b_values = numbers<S>(64 * 70, 2);
  const Matrix<S> a{a_values.data(), lda, false}, b{b_values.data(), ldb, transposed};
  Panels<S> panels;
  panels.resize(k, n);
  panels.fill(b.data, transposed ? 1 : ldb, transposed ? ldb : 1);
  std::vector<S> c(static_cast<std::size_t>(m * ldc), S(5));
  for (std::int64_t i = 0; i < m && !accumulate; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      c[static_cast<std::size_t>(i * ldc + j)] = std::numeric_limits<S>::quiet_NaN();
  multiply_rows(m, a.data, lda, panels, accumulate, c.data(), ldc, set);
  return agrees(c, ldc, m, n, k, a, b, accumulate ? 5.0 : 0.0) && margin_is(c, ldc, m, n, S(5));
}

template <class S>
void compare_all_sizes() {
  for (const std::int64_t m : kSizes)
    for (const std::int64_t n : kSizes)
      for (const std::int64_t k : kSizes)
        for (const bool accumulate : {false, true})
          for (const bool tb : {false, true}) {
            CAPTURE(m, n, k, tb, accumulate, sizeof(S));
            for (const bool ta : {false, true})
              REQUIRE(gemm_agrees<S>(m, n, k, ta, tb, accumulate));
            for (const InstructionSet set : instruction_sets())
              REQUIRE(rows_agree<S>(m, n, k, tb, accumulate, set));
          }
}

/// Row by row, the product of m rows has the bits of each row alone, whatever stands in the others.
template <class S>
void check_row_promise(std::int64_t k, std::int64_t n, InstructionSet set) {
  constexpr std::int64_t kRows = 65;
  auto a = numbers<S>(kRows * k, 3);
  const auto b = numbers<S>(k * n, 4);
  Panels<S> panels;
  panels.resize(k, n);
  panels.fill(b.data(), n, 1);
  std::vector<S> alone(static_cast<std::size_t>(kRows * n)), c(alone.size());
  for (std::int64_t i = 0; i < kRows; ++i)
    multiply_rows(1, a.data() + i * k, k, panels, false, alone.data() + i * n, n, set);
  for (std::int64_t m = 1; m <= 64; ++m)
    for (const std::int64_t from : {std::int64_t{0}, 65 - m}) {
      multiply_rows(m, a.data() + from * k, k, panels, false, c.data(), n, set);
      CAPTURE(k, n, m, from, sizeof(S), static_cast<int>(set));
      REQUIRE(std::memcmp(c.data(), alone.data() + from * n,
                          sizeof(S) * static_cast<std::size_t>(m * n)) == 0);
    }
  a[static_cast<std::size_t>(k)] = std::numeric_limits<S>::infinity();  // row 1
  multiply_rows(3, a.data(), k, panels, false, c.data(), n, set);
  REQUIRE(std::memcmp(c.data(), alone.data(), sizeof(S) * static_cast<std::size_t>(n)) == 0);
  REQUIRE(std::memcmp(c.data() + 2 * n, alone.data() + 2 * n,
                      sizeof(S) * static_cast<std::size_t>(n)) == 0);
}

}  // namespace

TEST_CASE("gemm and multiply_rows equal the naive product", "[gemm]") {
  compare_all_sizes<float>();
  compare_all_sizes<double>();
}

TEST_CASE("multiply_rows: a row has the same bits alone and among others", "[gemm]") {
  for (const InstructionSet set : instruction_sets())
    for (const std::int64_t k : {1, 2, 3, 17, 64, 255, 256, 257, 511, 512, 513, 1000, 1024, 2048})
      for (const std::int64_t n : {1, 5, 16, 31, 32, 33, 100}) {
        check_row_promise<float>(k, n, set);
        check_row_promise<double>(k, n, set);
      }
}

TEST_CASE("gemm refuses sizes that BLAS cannot count", "[gemm]") {
  const double x = 0;
  double c = 0;
  const Matrix<double> a{&x, 1, false};
  try {
    gemm(std::int64_t{1} << 40, std::int64_t{1}, std::int64_t{1}, a, a, false, &c, std::int64_t{1});
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.status() == Status::resource);
    CHECK(e.diagnostics()[0].code == "R003");
  }
}
