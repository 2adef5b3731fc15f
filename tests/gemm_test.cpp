#include "kernels/gemm/gemm.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "kernels/gemm/panels.h"
#include "support_panels.h"
#include "taugrad/base/error.h"

using namespace taugrad;
using namespace taugrad::kernels;

namespace {

constexpr std::int64_t kSizes[] = {0, 1, 2, 3, 7, 8, 17, 64};

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

/// A row alone, in some of the panels: the bits of multiply_blocks, and no other column touched.
template <class S>
bool row_agrees(std::int64_t n, std::int64_t k, bool accumulate) {
  const auto a = numbers<S>(k, 1), b = numbers<S>(k * n, 2);
  Panels<S> panels;
  panels.resize(k, n);
  panels.fill(b.data(), n, 1);
  for (std::int64_t first = 0; first <= panels.count(); ++first)
    for (std::int64_t last = first; last <= panels.count(); ++last) {
      std::vector<S> one(static_cast<std::size_t>(n), S(5)), other = one;
      multiply_row<S>({a.data(), k, one.data(), n, 1}, panels, first, last, accumulate);
      const RowBlock<S> block{a.data(), k, other.data(), n, 1};
      multiply_blocks<S>({&block, 1}, panels, first, last, accumulate);
      if (one != other) return false;
    }
  return true;
}

template <class S>
void compare_all_sizes() {
  for (const std::int64_t n : {1, 16, 32, 33, 64, 100, 129, 300})
    for (const std::int64_t k : {0, 1, 7, 64, 600})
      for (const bool accumulate : {false, true}) {
        CAPTURE(n, k, accumulate, sizeof(S));
        REQUIRE(row_agrees<S>(n, k, accumulate));
      }
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

template <class S>
Panels<S> packed(const std::vector<S>& b, std::int64_t k, std::int64_t n) {
  Panels<S> panels;
  panels.resize(k, n);
  panels.fill(b.data(), n, 1);
  return panels;
}

/// Row by row, the product of m rows has the bits of each row alone, whatever stands in the others.
template <class S>
void check_row_promise(std::int64_t k, std::int64_t n, InstructionSet set) {
  constexpr std::int64_t kRows = 65;
  auto a = numbers<S>(kRows * k, 3);
  const Panels<S> panels = packed(numbers<S>(k * n, 4), k, n);
  std::vector<S> alone(static_cast<std::size_t>(kRows * n)), c(alone.size());
  for (std::int64_t i = 0; i < kRows; ++i)
    multiply_rows(1, a.data() + i * k, k, panels, false, alone.data() + i * n, n, set);
  for (std::int64_t m = 1; m <= 64; ++m)
    for (const std::int64_t from : {std::int64_t{0}, 65 - m}) {
      multiply_rows(m, a.data() + from * k, k, panels, false, c.data(), n, set);
      CAPTURE(k, n, m, from, sizeof(S), static_cast<int>(set));
      REQUIRE(same_bits(c.data(), alone.data() + from * n, m * n));
    }
  for (const S bad : {std::numeric_limits<S>::infinity(), std::numeric_limits<S>::quiet_NaN()}) {
    a[static_cast<std::size_t>(k)] = bad;  // row 1
    multiply_rows(kRows, a.data(), k, panels, false, c.data(), n, set);
    REQUIRE(same_bits(c.data(), alone.data(), n));
    REQUIRE_FALSE(std::isfinite(c[static_cast<std::size_t>(n)]));
    REQUIRE(same_bits(c.data() + 2 * n, alone.data() + 2 * n, (kRows - 2) * n));
  }
}

/// The same product column range by column range, in blocks of rows, in another order: same bits,
/// and nothing else is touched.
template <class S>
void check_blocks(std::int64_t k, std::int64_t n, std::int64_t gap, InstructionSet set) {
  constexpr std::int64_t kRows = 150;
  const std::int64_t lda = k + gap, ldc = n + 3;
  const auto a = numbers<S>(2 * kRows * lda, 3);
  const Panels<S> panels = packed(numbers<S>(k * n, 4), k, n);
  for (const bool accumulate : {false, true}) {
    std::vector<S> whole(static_cast<std::size_t>(kRows * ldc), S(2)), parts = whole;
    std::vector<RowBlock<S>> rows, blocks;
    for (std::int64_t i = 0; i < kRows; ++i)  // uneven: every third row from the second half
      rows.push_back({a.data() + (i % 3 == 0 ? kRows + i : i) * lda, lda, nullptr, ldc, 1});
    for (std::int64_t i = 0; i < kRows; ++i) {
      const std::size_t at = static_cast<std::size_t>(i);
      multiply_rows(1, rows[at].a, lda, panels, accumulate, whole.data() + i * ldc, ldc, set);
      rows[at].c = parts.data() + i * ldc;
      if (i % 3 == 2) blocks.back().m = 2;  // rows 3 i + 1 and 3 i + 2 are neighbours
      if (i % 3 != 2) blocks.push_back(rows[at]);
      if (i % 30 == 2) blocks.push_back({a.data(), lda, nullptr, ldc, 0});
    }
    std::shuffle(blocks.begin(), blocks.end(), std::mt19937(7));
    for (std::int64_t from = panels.count(); from > 0;) {
      const std::int64_t first = std::max<std::int64_t>(0, from - 3);
      multiply_blocks<S>(blocks, panels, first, from, accumulate, set);
      from = first;
    }
    CAPTURE(k, n, gap, accumulate, sizeof(S), static_cast<int>(set));
    REQUIRE(same_bits(whole.data(), parts.data(), kRows * ldc));
  }
}

/// Rows of B, or of its transpose, `gap` elements longer than they need to be.
template <class S>
void check_packing(std::int64_t k, std::int64_t n, std::int64_t gap, InstructionSet set) {
  constexpr std::int64_t kWidth = Panels<S>::kWidth;
  const auto b = numbers<S>((k + gap) * (n + gap), 1);
  std::vector<S> t(b.size(), S(9));
  for (std::int64_t p = 0; p < k; ++p)
    for (std::int64_t j = 0; j < n; ++j)
      t[static_cast<std::size_t>(j * (k + gap) + p)] =
          b[static_cast<std::size_t>(p * (n + gap) + j)];
  Panels<S> forward, transposed;
  forward.resize(k, n);
  transposed.resize(k, n);
  forward.fill(b.data(), n + gap, 1, set);
  transposed.fill(t.data(), 1, k + gap, set);
  CAPTURE(k, n, gap, sizeof(S), static_cast<int>(set));
  for (std::int64_t p = 0; p < k; ++p)
    for (std::int64_t j = 0; j < forward.count() * kWidth; ++j) {
      const std::int64_t at = p * kWidth + j % kWidth;
      const S want = j < n ? b[static_cast<std::size_t>(p * (n + gap) + j)] : S(0);
      REQUIRE(forward.panel(j / kWidth)[at] == want);
      REQUIRE(transposed.panel(j / kWidth)[at] == want);
    }
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

TEST_CASE("multiply_rows: more rows than a cache holds", "[gemm]") {
  constexpr std::int64_t kRows = 40000, kK = 40, kN = 36;
  const auto a = numbers<float>(kRows * kK, 1), b = numbers<float>(kK * kN, 2);
  for (const InstructionSet set : instruction_sets()) {
    Panels<float> panels;
    panels.resize(kK, kN);
    panels.fill(b.data(), kN, 1, set);
    std::vector<float> c(kRows * kN), row(kN);
    multiply_rows<float>(kRows, a.data(), kK, panels, false, c.data(), kN, set);
    for (std::int64_t r = 0; r < kRows; r += 7) {
      multiply_rows<float>(1, a.data() + r * kK, kK, panels, false, row.data(), kN, set);
      REQUIRE(same_bits(c.data() + r * kN, row.data(), kN));
    }
  }
}

TEST_CASE("multiply_blocks: the same bits in any blocks, order and range of panels", "[gemm]") {
  for (const InstructionSet set : instruction_sets())
    for (const std::int64_t k : {0, 1, 100, 512, 1024, 1100})
      for (const std::int64_t n : {16, 33, 128, 300})
        for (const std::int64_t gap : {0, 5}) {
          check_blocks<float>(k, n, gap, set);
          check_blocks<double>(k, n, gap, set);
        }
}

TEST_CASE("products of many terms stay near those in double", "[gemm]") {
  constexpr std::int64_t kM = 33, kN = 40, kK = 2048;
  const auto a = numbers<float>(kM * kK, 1), b = numbers<float>(kK * kN, 2);
  const Panels<float> panels = packed(b, kK, kN);
  for (const InstructionSet set : instruction_sets()) {
    std::vector<float> c(kM * kN);
    multiply_rows(kM, a.data(), kK, panels, false, c.data(), kN, set);
    for (std::int64_t i = 0; i < kM; ++i)
      for (std::int64_t j = 0; j < kN; ++j) {
        double want = 0;
        for (std::int64_t p = 0; p < kK; ++p)
          want += static_cast<double>(a[static_cast<std::size_t>(i * kK + p)]) *
                  static_cast<double>(b[static_cast<std::size_t>(p * kN + j)]);
        REQUIRE(std::abs(want - static_cast<double>(c[static_cast<std::size_t>(i * kN + j)])) <
                1e-3);
      }
  }
}

TEST_CASE("panels hold a matrix and its transpose alike", "[gemm]") {
  for (const InstructionSet set : instruction_sets())
    for (const std::int64_t k : {1, 7, 16, 33, 100})
      for (const std::int64_t n : {1, 15, 32, 47, 130}) {
        check_packing<float>(k, n, 0, set);
        check_packing<float>(k, n, 3, set);
        check_packing<double>(k, n, 3, set);
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
