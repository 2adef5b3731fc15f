#include "kernels/gemm/outer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support_panels.h"

using namespace taugrad;
using namespace taugrad::kernels;

namespace {

/// The bits that outer_rows promises: blocks of 256 rows, each a chain from zero.
template <class S>
std::vector<S> outer_by_rows(const std::vector<S>& d, const std::vector<S>& x, std::int64_t rows,
                             std::int64_t m, std::int64_t n, bool accumulate, bool fused, S start) {
  std::vector<S> c(static_cast<std::size_t>(m * n), accumulate ? start : S(0));
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t from = 0; from < rows; from += 256) {
        S sum = 0;
        for (std::int64_t r = from; r < std::min(rows, from + 256); ++r) {
          const S p = d[static_cast<std::size_t>(r * m + i)];
          const S q = x[static_cast<std::size_t>(r * n + j)];
          sum = fused ? std::fma(p, q, sum) : sum + p * q;
        }
        S& to = c[static_cast<std::size_t>(i * n + j)];
        to = from == 0 && !accumulate ? sum : to + sum;
      }
  return c;
}

template <class S>
struct Cut {  // rows of D and X in segments of one length, stored `gap` elements apart
  std::vector<S> d, x;
  std::vector<Segment<S>> segments;

  Cut(const std::vector<S>& d_rows, const std::vector<S>& x_rows, std::int64_t rows, std::int64_t m,
      std::int64_t n, std::int64_t length, std::int64_t gap) {
    const auto spread = [&](const std::vector<S>& from, std::int64_t width) {
      std::vector<S> to(static_cast<std::size_t>(rows * (width + gap) + rows), S(9));
      for (std::int64_t r = 0; r < rows; ++r)
        std::copy_n(from.data() + r * width, width, to.data() + at(r, width, gap, length));
      return to;
    };
    d = spread(d_rows, m);
    x = spread(x_rows, n);
    for (std::int64_t r = 0; r < rows; r += length) {
      segments.push_back({d.data() + at(r, m, gap, length), m + gap,
                          x.data() + at(r, n, gap, length), n + gap, std::min(length, rows - r)});
      segments.push_back({nullptr, 0, nullptr, 0, 0});
    }
  }
  static std::int64_t at(std::int64_t r, std::int64_t width, std::int64_t gap,
                         std::int64_t length) {
    return r * (width + gap) + (r / length) % 2 * std::min<std::int64_t>(gap, 1);
  }
};

template <class S>
void check_outer(std::int64_t rows, std::int64_t m, std::int64_t n, InstructionSet set) {
  const auto d = numbers<S>(rows * m, 5), x = numbers<S>(rows * n, 6);
  const std::int64_t panels = (n + Panels<S>::kWidth - 1) / Panels<S>::kWidth, ldc = n + 2;
  OuterScratch<S> scratch;
  for (const bool accumulate : {false, true}) {
    const auto want =
        outer_by_rows(d, x, rows, m, n, accumulate, set != InstructionSet::generic, S(0.5));
    for (const std::int64_t length : {1, 7, 32, 1000})
      for (const std::int64_t gap : {0, 5})
        for (const std::int64_t step : {std::int64_t{1}, std::max<std::int64_t>(panels, 1)}) {
          const Cut<S> cut(d, x, rows, m, n, length, gap);
          std::vector<S> c(static_cast<std::size_t>(m * ldc), S(0.5));
          for (std::int64_t p = 0; p < panels; p += step)
            outer_rows<S>(cut.segments, m, n, p, std::min(panels, p + step), accumulate, c.data(),
                          ldc, scratch, set);
          CAPTURE(rows, m, n, length, gap, step, accumulate, sizeof(S), static_cast<int>(set));
          for (std::int64_t i = 0; i < m; ++i)
            REQUIRE(same_bits(c.data() + i * ldc, want.data() + i * n, n));
          REQUIRE(margin_is(c, ldc, m, n, S(0.5)));
        }
  }
}

/// One row for all (stride 0), and NaN or infinities only in their own rows and columns of C.
template <class S>
void check_outer_rows_and_columns(InstructionSet set) {
  constexpr std::int64_t kRows = 300, kM = 30, kN = 70;
  constexpr std::int64_t kPanels = (kN + Panels<S>::kWidth - 1) / Panels<S>::kWidth;
  auto d = numbers<S>(kRows * kM, 5), x = numbers<S>(kRows * kN, 6);
  OuterScratch<S> scratch;
  std::vector<S> one(kM * kN), c(one.size());
  const Segment<S> same{d.data(), 0, x.data(), kN, kRows};
  outer_rows<S>({&same, 1}, kM, kN, 0, kPanels, false, one.data(), kN, scratch, set);
  std::vector<S> copies;
  for (std::int64_t r = 0; r < kRows; ++r) copies.insert(copies.end(), d.begin(), d.begin() + kM);
  const Segment<S> each{copies.data(), kM, x.data(), kN, kRows};
  outer_rows<S>({&each, 1}, kM, kN, 0, kPanels, false, c.data(), kN, scratch, set);
  REQUIRE(same_bits(one.data(), c.data(), kM * kN));
  copies[17] = std::numeric_limits<S>::infinity();
  x[40] = std::numeric_limits<S>::quiet_NaN();
  outer_rows<S>({&each, 1}, kM, kN, 0, kPanels, false, c.data(), kN, scratch, set);
  for (std::int64_t i = 0; i < kM; ++i)
    for (std::int64_t j = 0; j < kN; ++j) {
      const std::size_t at = static_cast<std::size_t>(i * kN + j);
      CAPTURE(i, j);
      REQUIRE(std::isfinite(c[at]) == (i != 17 && j != 40));
      if (i != 17 && j != 40) REQUIRE(same_bits(&c[at], &one[at], 1));
    }
}

}  // namespace

TEST_CASE("outer_rows: blocks of 256 rows, whatever the segments and panels", "[outer]") {
  for (const InstructionSet set : instruction_sets())
    for (const std::int64_t rows : {0, 1, 3, 64, 255, 256, 257, 600})
      for (const auto& [m, n] : {std::pair{1, 1}, {5, 33}, {13, 64}, {64, 17}, {65, 100}}) {
        check_outer<float>(rows, m, n, set);
        check_outer<double>(rows, m, n, set);
      }
  for (const InstructionSet set : instruction_sets()) {
    check_outer<float>(70, 900, 40, set);  // more columns of D than are packed at once
    check_outer<double>(70, 900, 40, set);
    check_outer<float>(10, 0, 40, set);
    check_outer<float>(10, 4, 0, set);
  }
}

TEST_CASE("outer_rows: more rows than a cache holds, ascending and descending", "[outer]") {
  constexpr std::int64_t kRows = 40000, kM = 20, kN = 36;
  const auto d = numbers<float>(kRows * kM, 1), x = numbers<float>(kRows * kN, 2);
  std::vector<float> turned_d(d.size()), turned_x(x.size());
  for (std::int64_t r = 0; r < kRows; ++r) {
    std::copy_n(d.data() + r * kM, kM, turned_d.data() + (kRows - 1 - r) * kM);
    std::copy_n(x.data() + r * kN, kN, turned_x.data() + (kRows - 1 - r) * kN);
  }
  OuterScratch<float> scratch;
  for (const InstructionSet set : instruction_sets()) {
    const auto want =
        outer_by_rows(d, x, kRows, kM, kN, false, set != InstructionSet::generic, 0.0f);
    const Segment<float> up{d.data(), kM, x.data(), kN, kRows},
        down{turned_d.data() + (kRows - 1) * kM, -kM, turned_x.data() + (kRows - 1) * kN, -kN,
             kRows};
    for (const Segment<float>& segment : {up, down}) {
      std::vector<float> c(kM * kN);
      outer_rows<float>({&segment, 1}, kM, kN, 0, 2, false, c.data(), kN, scratch, set);
      CHECK(same_bits(c.data(), want.data(), kM * kN));
    }
  }
}

TEST_CASE("outer_rows: one row for all; bad numbers stay in their rows and columns", "[outer]") {
  for (const InstructionSet set : instruction_sets()) {
    check_outer_rows_and_columns<float>(set);
    check_outer_rows_and_columns<double>(set);
  }
}

TEST_CASE("outer_rows: in parts the same bits as at once", "[outer]") {
  constexpr std::int64_t kRows = 1000, kM = 17, kN = 45;
  const auto d = numbers<float>(kRows * kM, 5), x = numbers<float>(kRows * kN, 6);
  const std::int64_t panels = (kN + Panels<float>::kWidth - 1) / Panels<float>::kWidth;
  OuterScratch<float> scratch;
  for (const InstructionSet set : instruction_sets())
    for (const std::int64_t length : {1, 50, 256, 300, 999}) {
      std::vector<float> all(kM * kN), parts(kM * kN, 3), block(kM * kN, 4);
      const Segment<float> whole{d.data(), kM, x.data(), kN, kRows};
      outer_rows<float>({&whole, 1}, kM, kN, 0, panels, false, all.data(), kN, scratch, set);
      for (std::int64_t r = 0; r < kRows; r += length) {
        const std::int64_t rows = std::min(length, kRows - r);
        const Segment<float> part{d.data() + r * kM, kM, x.data() + r * kN, kN, rows};
        outer_rows<float>({&part, 1}, kM, kN, 0, panels, false, parts.data(), kN, scratch, set,
                          {block.data(), r, r + rows < kRows});
      }
      CAPTURE(length);
      CHECK(same_bits(all.data(), parts.data(), kM * kN));
    }
}
