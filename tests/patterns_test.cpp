// Rows read and summed by a pattern, beside loops over all places.
#include "kernels/tiles/patterns.h"

#include <catch2/catch.hpp>
#include <utility>

#include "support_tiles.h"

using namespace taugrad;
using namespace taugrad::kernels;
using namespace taugrad::testing;

namespace {

using Axes = std::vector<std::pair<std::int64_t, std::int64_t>>;

Pattern pattern(const Axes& axes) {
  Pattern p;
  for (const auto& [size, step] : axes) p.add(size, step);
  return p;
}

/// The element of the smaller row for each place, axis by axis.
std::vector<std::size_t> elements(const Axes& axes) {
  std::vector<std::size_t> all{0};
  for (const auto& [size, step] : axes) {
    std::vector<std::size_t> next;
    for (const std::size_t base : all)
      for (std::int64_t i = 0; i < size; ++i)
        next.push_back(base + static_cast<std::size_t>(i * step));
    all = std::move(next);
  }
  return all;
}

// numbers, columns, rows, both in stacks; lines shorter and longer than a register and a tile
const std::vector<Axes> kAxes = {
    {{7, 0}},
    {{300, 0}},
    {{5, 1}, {3, 0}},
    {{4, 1}, {64, 0}},
    {{2, 1}, {300, 0}},
    {{3, 0}, {5, 1}},
    {{6, 0}, {64, 1}},
    {{2, 0}, {300, 1}},
    {{2, 3}, {4, 0}, {3, 1}},
    {{2, 5}, {5, 1}, {17, 0}},
    {{3, 16}, {8, 0}, {16, 1}},
    {{3, 1}, {128, 0}},
    {{2, 0}, {3, 1}, {2, 0}, {33, 3}},
};

template <class S>
std::vector<S> numbers(std::size_t n, int seed) {
  std::vector<S> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] =
        static_cast<S>(static_cast<int>((i * 37 + static_cast<std::size_t>(seed) * 11) % 29) - 14) /
        8;
  return x;
}

/// Whole numbers over 64: sums of them are exact, so that any order gives the same.
template <class S>
void check(const Axes& axes) {
  const auto functions = pattern_functions<S>();
  const Pattern p = pattern(axes);
  const std::vector<std::size_t> at = elements(axes);
  const std::size_t n = at.size();
  const auto narrow = static_cast<std::size_t>(p.elements());
  REQUIRE(p.places() == static_cast<std::int64_t>(n));
  const std::vector<S> x = numbers<S>(2 * narrow, 1), a = numbers<S>(n, 2), b = numbers<S>(n, 3);
  for (const std::size_t tile : {n, std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    std::vector<S> spread(n), sum(narrow, S(0)), dot(narrow, S(0)), product(n), added(n);
    std::vector<S> want_sum(narrow, S(0)), want_dot(narrow, S(0));
    const std::int64_t inner = p.step[static_cast<std::size_t>(p.rank - 1)];
    for (std::size_t from = 0; from < n; from += tile) {
      const auto begin = static_cast<std::int64_t>(from);
      const auto count = static_cast<std::int64_t>(std::min(tile, n - from));
      functions.spread(p, x.data(), 0, begin + count, begin, count, &spread[from]);
      functions.sum(p, {&a[from]}, {}, begin, count, sum.data());
      functions.sum(p, {&a[from]}, {&b[from]}, begin, count, dot.data());
      if (inner > 1) continue;
      functions.product({&a[from]}, {x.data(), &p}, nullptr, false, begin, count, &product[from]);
      functions.product({x.data(), &p}, {&a[from]}, &b[from], true, begin, count, &added[from]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      want_sum[at[i]] += a[i];
      want_dot[at[i]] += a[i] * b[i];
      REQUIRE(spread[i] == x[at[i]]);
      if (inner > 1) continue;
      REQUIRE(product[i] == a[i] * x[at[i]]);
      REQUIRE(added[i] == b[i] + a[i] * x[at[i]]);
    }
    CHECK(sum == want_sum);
    CHECK(dot == want_dot);
  }
}

}  // namespace

TEST_CASE("patterns: spread, products and sums by each of them", "[kernels]") {
  each_instruction_set([](const char* set) {
    INFO(set);
    for (const Axes& axes : kAxes) {
      CAPTURE(axes);
      check<float>(axes);
      check<double>(axes);
    }
  });
}

TEST_CASE("patterns: axes that go on with one another are one", "[kernels]") {
  CHECK(pattern({{3, 4}, {4, 1}}).whole());
  CHECK(pattern({{1, 0}, {9, 1}, {1, 0}}).whole());
  CHECK(pattern({{3, 0}, {4, 0}}).single());
  CHECK(pattern({{3, 4}, {4, 1}, {2, 0}}) == pattern({{12, 1}, {2, 0}}));
  CHECK_FALSE(pattern({{3, 1}, {4, 0}}).whole());
}

TEST_CASE("patterns: sums of both factors by patterns; several rows in one tile", "[kernels]") {
  each_instruction_set([](const char* set) {
    INFO(set);
    const auto functions = pattern_functions<float>();
    const Pattern column = pattern({{5, 1}, {7, 0}}), row = pattern({{5, 0}, {7, 1}});
    const std::vector<float> u = numbers<float>(5, 4), v = numbers<float>(7, 5);
    std::vector<float> along(5, 0), down(7, 0), outer(35), zeros(35);
    functions.sum(column, {u.data(), &column}, {v.data(), &row}, 0, 35, along.data());
    functions.sum(row, {u.data(), &column}, {v.data(), &row}, 0, 35, down.data());
    functions.product({u.data(), &column}, {v.data(), &row}, nullptr, false, 0, 35, outer.data());
    std::vector<float> want_along(5, 0), want_down(7, 0);
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t j = 0; j < 7; ++j) {
        want_along[i] += u[i] * v[j];
        want_down[j] += u[i] * v[j];
        CHECK(outer[i * 7 + j] == u[i] * v[j]);
      }
    CHECK(along == want_along);
    CHECK(down == want_down);
    // rows of 6 places, 2 elements each that lie 5 apart, from place 4 of the first on
    const Pattern pairs = pattern({{2, 1}, {3, 0}});
    const std::vector<float> x = numbers<float>(20, 6);
    std::vector<float> spread(13);
    functions.spread(pairs, x.data(), 5, 6, 4, 13, spread.data());
    for (std::size_t i = 0; i < 13; ++i) {
      const std::size_t place = i + 4;
      CHECK(spread[i] == x[place / 6 * 5 + place % 6 / 3]);
    }
    // 0 + a b is never -0, a b may be
    const float minus = -1, none = 0;
    float out = 1;
    functions.product({&minus}, {&none}, nullptr, true, 0, 1, &out);
    CHECK_FALSE(std::signbit(out));
    functions.product({&minus}, {&none}, nullptr, false, 0, 1, &out);
    CHECK(std::signbit(out));
  });
}

TEST_CASE("patterns: factors and sums of a stack of matrices, tile by tile", "[kernels]") {
  each_instruction_set([](const char* set) {
    INFO(set);
    const auto functions = pattern_functions<float>();
    constexpr std::int64_t kStack = 3, kRows = 8, kColumns = 16, kAll = kStack * kRows * kColumns;
    const Pattern column = pattern({{kStack * kRows, 1}, {kColumns, 0}}),
                  row = pattern({{kStack, kColumns}, {kRows, 0}, {kColumns, 1}}),
                  number = pattern({{kStack, 1}, {kRows * kColumns, 0}});
    const std::vector<float> u = numbers<float>(24, 4), v = numbers<float>(48, 5),
                             g = numbers<float>(3, 6), a = numbers<float>(kAll, 7);
    for (const std::int64_t tile : {16, 48, 64, 128, 192, 384}) {
      CAPTURE(tile);
      std::vector<float> outer(kAll), gated(kAll), along(24), down(48), each(3);
      for (std::int64_t from = 0; from < kAll; from += tile) {
        const auto i = static_cast<std::size_t>(from);
        functions.product({u.data(), &column}, {v.data(), &row}, nullptr, false, from, tile,
                          &outer[i]);
        functions.product({&a[i]}, {g.data(), &number}, &outer[i], false, from, tile, &gated[i]);
        functions.sum(column, {&gated[i]}, {v.data(), &row}, from, tile, along.data());
        functions.sum(row, {&gated[i]}, {u.data(), &column}, from, tile, down.data());
        functions.sum(number, {&a[i]}, {g.data(), &number}, from, tile, each.data());
      }
      std::vector<float> want_along(24), want_down(48), want_each(3);
      for (std::size_t h = 0; h < 3; ++h)
        for (std::size_t r = 0; r < 8; ++r)
          for (std::size_t c = 0; c < 16; ++c) {
            const std::size_t at = (h * 8 + r) * 16 + c;
            const float value = u[h * 8 + r] * v[h * 16 + c] + a[at] * g[h];
            REQUIRE(gated[at] == value);
            want_along[h * 8 + r] += value * v[h * 16 + c];
            want_down[h * 16 + c] += value * u[h * 8 + r];
            want_each[h] += a[at] * g[h];
          }
      CHECK(along == want_along);
      CHECK(down == want_down);
      CHECK(each == want_each);
    }
  });
}
