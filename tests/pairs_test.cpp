// Products and outer sums of numbers of bfloat16, two at a time.
#include "kernels/gemm/pairs.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "kernels/gemm/outer.h"
#include "support_panels.h"

using namespace taugrad;
using namespace taugrad::kernels;

namespace {

std::vector<float> cut_numbers(std::int64_t count, unsigned seed) {
  std::vector<float> values = numbers<float>(count, seed);
  for (float& v : values) v = std::bit_cast<float>(std::bit_cast<std::uint32_t>(v) & 0xFFFF0000u);
  return values;
}

/// |got - want| within the rounding of a sum of `terms` products below 1.
bool close(float got, double want, std::int64_t terms) {
  return std::fabs(double{got} - want) <= 1e-7 * static_cast<double>(terms + 1);
}

bool skipped() {
  if (pairs_supported()) return false;
  WARN("skipped: this machine does not multiply pairs");
  return true;
}

}  // namespace

TEST_CASE("pairs: products of any shape", "[pairs]") {
  if (skipped()) return;
  for (const std::int64_t k : {0, 1, 2, 31, 64, 257, 1100})
    for (const std::int64_t n : {1, 16, 33, 100})
      for (const std::int64_t m : {1, 2, 3, 13, 61}) {
        const auto a = cut_numbers(m * k, 1), b = cut_numbers(k * n, 2);
        for (const bool transposed : {false, true}) {
          Panels<float> panels;
          panels.resize(k, n, true);
          panels.fill(b.data(), transposed ? 1 : n, transposed ? k : 1);
          std::vector<float> c(static_cast<std::size_t>(m * n), 0.5F), row(c);
          multiply_rows<float>(m, a.data(), k, panels, true, c.data(), n);
          for (std::int64_t i = 0; i < m; ++i)
            multiply_rows<float>(1, a.data() + i * k, k, panels, true, row.data() + i * n, n);
          CHECK(same_bits(c.data(), row.data(), m * n));  // whatever rows stand beside it
          bool right = true;
          for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
              double sum = 0.5;
              for (std::int64_t p = 0; p < k; ++p)
                sum += double{a[static_cast<std::size_t>(i * k + p)]} *
                       double{b[static_cast<std::size_t>(transposed ? j * k + p : p * n + j)]};
              right = right && close(c[static_cast<std::size_t>(i * n + j)], sum, k);
            }
          CAPTURE(k, n, m, transposed);
          CHECK(right);
        }
      }
}

TEST_CASE("pairs: outer sums of segments, in parts too", "[pairs]") {
  if (skipped()) return;
  constexpr std::int64_t kM = 30, kN = 70;
  const InstructionSet set = InstructionSet::avx512_pairs;
  for (const std::int64_t length : {1, 2, 5, 16, 300}) {
    const std::int64_t rows = 3 * 300;
    const auto d = cut_numbers(rows * kM, 3), x = cut_numbers(rows * kN, 4);
    std::vector<Segment<float>> segments;
    for (std::int64_t r = 0; r < rows; r += length)
      segments.push_back(
          {d.data() + r * kM, kM, x.data() + r * kN, kN, std::min(length, rows - r)});
    OuterScratch<float> scratch;
    const std::int64_t panels = (kN + Panels<float>::kWidth - 1) / Panels<float>::kWidth;
    std::vector<float> all(kM * kN), parts(kM * kN), block(kM * kN);
    outer_rows<float>(segments, kM, kN, 0, panels, false, all.data(), kN, scratch, set);
    std::int64_t before = 0;
    for (std::size_t first = 0; first < segments.size();) {
      const std::size_t end = std::min(segments.size(), first + 7);
      const auto part = std::span(segments).subspan(first, end - first);
      for (std::int64_t p = 0; p < panels; ++p)  // panel by panel, as threads share them out
        outer_rows<float>(part, kM, kN, p, p + 1, false, parts.data(), kN, scratch, set,
                          {block.data(), before, end < segments.size()});
      for (const Segment<float>& s : part) before += places(s.rows, true);
      first = end;
    }
    CAPTURE(length);
    CHECK(same_bits(all.data(), parts.data(), kM * kN));
    bool right = true;
    for (std::int64_t i = 0; i < kM; ++i)
      for (std::int64_t j = 0; j < kN; ++j) {
        double sum = 0;
        for (std::int64_t r = 0; r < rows; ++r)
          sum += double{d[static_cast<std::size_t>(r * kM + i)]} *
                 double{x[static_cast<std::size_t>(r * kN + j)]};
        right = right && close(all[static_cast<std::size_t>(i * kN + j)], sum, rows);
      }
    CHECK(right);
  }
}
