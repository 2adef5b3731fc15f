#include "kernels/rows/row_math.h"

#include <catch2/catch.hpp>
#include <string>

#include "support_tiles.h"

using namespace taugrad;
using namespace taugrad::kernels;
using namespace taugrad::testing;

namespace {

constexpr std::int64_t kRows = 9;
constexpr std::int64_t kLengths[] = {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130, 257};

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// [kRows, n] numbers within -limit..limit; where `special`, most rows hold a few special ones.
template <class S>
std::vector<S> matrix(std::int64_t n, double limit, bool special) {
  std::mt19937_64 random(static_cast<unsigned>(n));
  std::uniform_real_distribution<double> draw(-limit, limit);
  std::vector<S> x(index(kRows * n));
  for (S& v : x) v = static_cast<S>(draw(random));
  const auto inf = std::numeric_limits<S>::infinity(), nan = std::numeric_limits<S>::quiet_NaN();
  const S planted[kRows][2] = {{inf, 1},     {-inf, 2},  {nan, inf},    {inf, inf}, {-inf, -inf},
                               {S(1e30), 0}, {0, -S(0)}, {-S(0), S(0)}, {1, 1}};
  for (std::int64_t r = 0; special && r < kRows; ++r) {
    if (r >= 6) std::fill_n(x.begin() + r * n, n, S(-1));
    for (const S v : planted[r]) x[index(r * n) + random() % index(n)] = v;
  }
  return x;
}

template <class S>
using Rows = void (*)(std::int64_t, const S*, std::int64_t, std::int64_t, S*, std::int64_t);

template <class S>
struct Case {
  const Op* op;
  Rows<S> run;
  bool whole;        // a row gives a row, not a number
  double tolerance;  // in units of epsilon, of numbers about 1, for each element of the row
};

template <class S>
const Case<S> kCases[] = {
    {&kSoftmax, &softmax_rows<S>, true, 2}, {&kLogSoftmax, &log_softmax_rows<S>, true, 8},
    {&kCentre, &centre_rows<S>, true, 8},   {&kNormalize, &normalize_rows<S>, true, 8},
    {&kSum, &sum_rows<S>, false, 20},       {&kMean, &mean_rows<S>, false, 20},
    {&kMax, &max_rows<S>, false, 0}};

/// Equal, or so near as other orders of a sum over n elements leave it.
template <class S>
bool near(S got, S want, double tolerance) {
  if (same_bits(got, want)) return true;
  return std::isfinite(got) && std::isfinite(want) &&
         std::abs(got - want) <=
             tolerance * std::numeric_limits<S>::epsilon() * (1 + std::abs(want));
}

template <class S>
void compare_with_rules(std::int64_t n, bool special) {
  const auto x = matrix<S>(n, 10, special);
  for (const Case<S>& c : kCases<S>) {
    const Shape out = c.whole ? Shape{n} : Shape{};
    const std::int64_t ldo = c.whole ? n : 1;
    const auto want = by_rule<S>(*c.op, {x}, {Shape{n}}, out, kRows);
    std::vector<S> got(want.size());
    c.run(kRows, x.data(), n, n, got.data(), ldo);
    for (std::size_t i = 0; i < got.size(); ++i) {
      // a huge element leaves no digit of the others in a sum, whatever its order
      if (special && static_cast<std::int64_t>(i) / ldo == 5 && c.op != &kMax) continue;
      CAPTURE(c.op->name, sizeof(S), n, i, got[i], want[i], special);
      REQUIRE(near(got[i], want[i], c.tolerance * static_cast<double>(n)));
    }
  }
}

/// A row among others, at any distance, has the bits that it has alone; and over its operand.
template <class S>
void compare_places(std::int64_t n) {
  const auto x = matrix<S>(n, 90, true);
  for (const Case<S>& c : kCases<S>) {
    const std::int64_t size = c.whole ? n : 1, ldx = n + 3, ldo = size + 2;
    std::vector<S> spread(index(kRows * ldx)), got(index(kRows * ldo), S(7)), alone(index(size));
    for (std::int64_t r = 0; r < kRows; ++r)
      std::copy_n(x.begin() + r * n, n, spread.begin() + r * ldx);
    c.run(kRows, spread.data(), ldx, n, got.data(), ldo);
    if (c.whole) c.run(kRows, spread.data(), ldx, n, spread.data(), ldx);
    for (std::int64_t r = 0; r < kRows; ++r) {
      c.run(1, x.data() + r * n, n, n, alone.data(), size);
      CAPTURE(c.op->name, sizeof(S), n, r);
      for (std::int64_t i = 0; i < ldo; ++i)
        REQUIRE(same_bits(got[index(r * ldo + i)], i < size ? alone[index(i)] : S(7)));
      for (std::int64_t i = 0; c.whole && i < n; ++i)
        REQUIRE(same_bits(spread[index(r * ldx + i)], alone[index(i)]));
    }
  }
}

/// Categories, among them absent ones and such as are outside 0..n-1.
template <class S>
std::vector<S> categories(std::int64_t n) {
  return {0,       S(n - 1),     -1, S(n), S(n / 2), std::numeric_limits<S>::quiet_NaN(),
          S(1e30), S(n - 1) / 2, 0};
}

template <class S>
void compare_likelihoods(std::int64_t n) {
  const auto z = matrix<S>(n, 10, false), target = categories<S>(n);
  auto p = z;
  for (S& v : p) v = std::abs(v);
  const std::vector<Shape> shapes{Shape{n}, Shape{}};
  const auto want = by_rule<S>(kNllCategorical, {z, target}, shapes, Shape{}, kRows);
  const auto want_p = by_rule<S>(kNllCategoricalP, {p, target}, shapes, Shape{}, kRows);
  std::vector<S> got(kRows), got_p(kRows), alone(1);
  nll_rows<S>(kRows, z.data(), n, n, target.data(), 1, got.data(), 1);
  nll_p_rows<S>(kRows, p.data(), n, n, target.data(), 1, got_p.data(), 1);
  for (std::size_t r = 0; r < kRows; ++r) {
    CAPTURE(sizeof(S), n, r, got[r], want[r]);
    REQUIRE(near(got[r], want[r], 4 * static_cast<double>(n)));
    REQUIRE(near(got_p[r], want_p[r], 2));
    nll_rows<S>(1, z.data() + static_cast<std::int64_t>(r) * n, 0, n, target.data() + r, 0,
                alone.data(), 0);
    REQUIRE(same_bits(alone[0], got[r]));
  }
}

template <class S>
void compare_sums(std::int64_t n) {
  const Shape row{n};
  std::vector<std::vector<S>> terms;
  for (const double limit : {1.0, 10.0, 1e-3, 1e3})
    terms.push_back(matrix<S>(n, limit, limit == 10));
  const auto want = by_rule<S>(kAddN, terms, {row, row, row, row}, row, kRows);
  std::vector<S> got(want.size()), gaps(index(kRows * (n + 1)));
  std::vector<RowOperand<S>> operands;
  for (const auto& x : terms) operands.push_back({x.data(), n});
  add_rows<S>(kRows, n, operands, gaps.data(), n + 1);
  for (std::int64_t r = 0; r < kRows; ++r)
    std::copy_n(gaps.begin() + r * (n + 1), n, got.begin() + r * n);
  CAPTURE(sizeof(S), n);
  REQUIRE(same_bits(got, want));
  add_rows<S>(kRows, n, operands, terms[2].data(), n);  // over an operand, without gaps
  REQUIRE(same_bits(terms[2], want));

  std::vector<S> columns(index(n), S(1));
  sum_columns<S>(kRows, terms[0].data(), n, n, false, columns.data());
  REQUIRE(same_bits(columns, by_rule<S>(kSumItems, {terms[0]}, {row}, row, kRows)));
  auto more = columns;
  sum_columns<S>(0, terms[0].data(), n, n, true, more.data());
  REQUIRE(same_bits(more, columns));
  sum_columns<S>(kRows, terms[0].data(), n, n, true, more.data());
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t i = 0; i < n; ++i) columns[index(i)] += terms[0][index(r * n + i)];
  REQUIRE(same_bits(more, columns));

  const auto category = categories<S>(5);
  std::vector<S> table(index(5 * n), S(0));
  scatter_rows<S>(kRows, category.data(), 1, terms[0].data(), n, n, 5, table.data());
  REQUIRE(same_bits(
      table, by_rule<S>(kScatterRows, {category, terms[0]}, {Shape{}, row}, Shape{5, n}, kRows)));
}

template <class S>
void compare_all() {
  for (const std::int64_t n : kLengths) {
    compare_with_rules<S>(n, false);
    compare_with_rules<S>(n, true);
    compare_places<S>(n);
    compare_likelihoods<S>(n);
    compare_sums<S>(n);
  }
}

}  // namespace

TEST_CASE("rows: values of the ops' own rules, and bits that a row's place does not change",
          "[row]") {
  each_instruction_set([](const std::string& set) {
    CAPTURE(set);
    compare_all<float>();
    compare_all<double>();
  });
}

TEST_CASE("rows: none, or of nothing", "[row]") {
  float x = 3, y = 5;
  softmax_rows<float>(1, &x, 0, 0, &y, 0);
  normalize_rows<float>(0, &x, 1, 1, &y, 1);
  CHECK(y == 5);
  for (const auto run : {&sum_rows<float>, &mean_rows<float>, &max_rows<float>}) {
    y = 5;
    run(1, &x, 0, 0, &y, 1);
    CHECK(y == 0);
  }
}
