#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <iostream>
#include <string>

#include "kernels/tiles/tile_math.h"
#include "kernels/tiles/tile_pairs.h"
#include "rewrite/rounding.h"
#include "support_tiles.h"

using namespace taugrad;
using namespace taugrad::kernels;
using namespace taugrad::testing;

namespace {

struct Case {
  const Op* op;
  Attrs attrs;
  TileOp tile;
};

/// Every function, with the op whose meaning it has.
std::vector<Case> cases() {
  const Op* const in_order[] = {
      &kCopy,  &kNeg,      &kAdd,     &kSub,      &kMul,  &kDiv,       &kMinimum,   &kMaximum,
      &kClamp, &kTanh,     &kSigmoid, &kRelu,     &kExp,  &kLog,       &kSqrt,      &kAbs,
      &kSign,  &kRound,    &kFloor,   &kSin,      &kCos,  &kErf,       &kNormalCdf, &kLog1p,
      &kExpm1, &kSoftplus, &kPow,     &kMod,      &kLess, &kLessEqual, &kGreater,   &kGreaterEqual,
      &kEqual, &kNotEqual, &kEqual,   &kNotEqual, &kWhere};
  static_assert(std::size(in_order) == kTileOps);
  std::vector<Case> all;
  for (const Op* op : in_order) {
    const auto tile = static_cast<TileOp>(all.size());
    Attrs attrs;
    if (tile == TileOp::clamp) attrs = {{"hi", 2.0}, {"lo", -0.5}};
    if (tile == TileOp::same_category || tile == TileOp::other_category)
      attrs = {{"category", std::int64_t{5}}};
    all.push_back({op, attrs, tile});
  }
  return all;
}

bool approximates(TileOp op) {
  return op == TileOp::tanh || op == TileOp::sigmoid || op == TileOp::exp || op == TileOp::log ||
         op == TileOp::pow || (op >= TileOp::sin && op <= TileOp::softplus);
}

template <class S>
void run(TileOp op, const std::vector<std::vector<S>>& in, S* out, std::int64_t n,
         std::int64_t from = 0) {
  const auto operand = [&](std::size_t k) { return k < in.size() ? in[k].data() + from : nullptr; };
  tile_function<S>(op)(operand(0), operand(1), operand(2), out, n, S(-0.5), S(2));
}

/// All pairs of special numbers, then hard ones; the third operand is the first one turned round.
template <class S>
std::vector<std::vector<S>> operands(int arity) {
  const std::vector<S> special = special_numbers<S>();
  std::vector<std::vector<S>> in(2);
  for (const S a : special)
    for (const S b : special) {
      in[0].push_back(a);
      in[1].push_back(b);
    }
  for (std::size_t k = 0; k < 2; ++k) {
    const std::vector<S> more = hard_numbers<S>(3000, static_cast<unsigned>(k + 1));
    in[k].insert(in[k].end(), more.begin(), more.end());
  }
  in.emplace_back(in[0].rbegin(), in[0].rend());
  in.resize(static_cast<std::size_t>(arity));
  return in;
}

template <class S>
void compare_with_rules() {
  for (const Case& c : cases()) {
    const auto in = operands<S>(c.op->arity);
    const auto n = static_cast<std::int64_t>(in[0].size());
    const Shape shape{n};
    const auto want = by_rule<S>(*c.op, in, {shape, shape, shape}, shape, 1, c.attrs);
    std::vector<S> got(in[0].size());
    run(c.tile, in, got.data(), n);
    for (std::size_t i = 0; i < got.size(); ++i) {
      CAPTURE(c.op->name, sizeof(S), in[0][i], i, got[i], want[i]);
      if (approximates(c.tile))
        REQUIRE(ulps(got[i], static_cast<long double>(want[i])) <= 4);
      else
        REQUIRE(same_bits(got[i], want[i]));
    }
  }
}

/// An element alone has the bits that it has anywhere in a tile of any length.
template <class S>
void compare_places() {
  for (const Case& c : cases()) {
    std::vector<std::vector<S>> in;
    for (int k = 0; k < c.op->arity; ++k)
      in.push_back(hard_numbers<S>(96, static_cast<unsigned>(11 + k), 90));
    std::vector<S> alone(in[0].size()), got(in[0].size());
    for (std::int64_t i = 0; i < 96; ++i) run(c.tile, in, alone.data() + i, 1, i);
    for (std::int64_t from = 0; from < 16; ++from)
      for (std::int64_t n = 0; n <= 70; ++n) {
        std::fill(got.begin(), got.end(), S(7));
        run(c.tile, in, got.data() + from, n, from);
        CAPTURE(c.op->name, sizeof(S), from, n);
        for (std::int64_t i = 0; i < 96; ++i) {
          const auto at = static_cast<std::size_t>(i);
          const S want = i >= from && i < from + n ? alone[at] : S(7);
          if (!same_bits(got[at], want)) REQUIRE(same_bits(got[at], want));
        }
      }
  }
}

template <class S>
void compare_in_place() {
  for (const Case& c : cases())
    for (int target = 0; target < c.op->arity; ++target) {
      const auto in = operands<S>(c.op->arity);
      const auto n = static_cast<std::int64_t>(in[0].size());
      std::vector<S> want(in[0].size());
      run(c.tile, in, want.data(), n);
      auto over = in;
      run(c.tile, over, over[static_cast<std::size_t>(target)].data(), n);
      CAPTURE(c.op->name, sizeof(S), target);
      REQUIRE(same_bits(over[static_cast<std::size_t>(target)], want));
    }
}

struct Function {
  TileOp op;
  const char* name;
  long double (*exact)(long double);
};

const Function kFunctions[] = {
    {TileOp::tanh, "tanh", [](long double x) { return std::tanh(x); }},
    {TileOp::sigmoid, "sigmoid",
     [](long double x) {
       return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
     }},
    {TileOp::exp, "exp", [](long double x) { return std::exp(x); }},
    {TileOp::log, "log", [](long double x) { return std::log(x); }},
    {TileOp::sin, "sin", [](long double x) { return std::sin(x); }},
    {TileOp::cos, "cos", [](long double x) { return std::cos(x); }},
    {TileOp::erf, "erf", [](long double x) { return std::erf(x); }},
    {TileOp::normal_cdf, "normal_cdf",
     [](long double x) { return std::erfc(-x * 0.70710678118654752440084436210485L) / 2; }},
    {TileOp::log1p, "log1p", [](long double x) { return std::log1p(x); }},
    {TileOp::expm1, "expm1", [](long double x) { return std::expm1(x); }},
    {TileOp::softplus, "softplus",
     [](long double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }},
};

/// Where each function is not settled, finely, and all magnitudes, coarsely.
template <class S>
std::vector<S> arguments() {
  std::vector<S> x = hard_numbers<S>(100'000, 5);
  for (const double limit : {1e-3, 0.5, 2.0, 30.0, 110.0, 800.0}) {
    const auto more = hard_numbers<S>(40'000, 6, limit);
    x.insert(x.end(), more.begin(), more.end());
  }
  return x;
}

template <class S>
double worst(const Function& f, const std::vector<S>& x) {
  std::vector<S> y(x.size());
  tile_function<S>(f.op)(x.data(), nullptr, nullptr, y.data(), static_cast<std::int64_t>(x.size()),
                         S(0), S(0));
  double most = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulps(y[i], f.exact(static_cast<long double>(x[i])));
    if (error > 4) FAIL(f.name << "(" << x[i] << ") = " << y[i]);
    most = std::max(most, error);
  }
  return most;
}

template <class S>
void compare_bound_calls() {
  for (const Case& c : cases()) {
    const int arity = tile_op_arity(c.tile);
    REQUIRE(arity == c.op->arity);
    const std::vector<std::vector<S>> in = operands<S>(arity);
    const auto at = [&](std::size_t k, std::int64_t from) {
      return k < in.size() ? in[k].data() + from : nullptr;
    };
    const auto size = static_cast<std::int64_t>(in[0].size());
    std::vector<S> want(in[0].size()), got(in[0].size());
    run(c.tile, in, want.data(), size);
    for (const std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 64, 100}) {
      const auto function = tile_call<S>(c.tile, n);
      for (std::int64_t from = 0; from + n <= size; from += n) {
        const TileCall<S> call{{function},        at(0, from), at(1, from), at(2, from),
                               got.data() + from, n,           S(-0.5),     S(2)};
        call.run(call);
      }
      std::int64_t other = 0;  // of two NaNs either may be the result
      for (std::size_t i = 0; i < static_cast<std::size_t>(size / n * n); ++i)
        other += !(std::isnan(got[i]) && std::isnan(want[i])) &&
                 std::memcmp(&got[i], &want[i], sizeof(S)) != 0;
      INFO(tile_op_name(c.tile) << ' ' << n);
      CHECK(other == 0);
    }
  }
}

/// Where NaN is, either of two may be.
template <class S>
bool same(const std::vector<S>& a, const std::vector<S>& b) {
  return std::ranges::equal(a, b, [](S x, S y) {
    return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof(S)) == 0;
  });
}

/// Two lines at once are the two by themselves, also where one place is another.
template <class S>
void compare_pairs() {
  const std::vector<std::vector<S>> in = operands<S>(3);
  const auto size = static_cast<std::int64_t>(in[0].size());
  for (const TileOp first : {TileOp::add, TileOp::mul, TileOp::tanh, TileOp::sigmoid})
    for (const TileOp second : {TileOp::add, TileOp::mul})
      for (const std::int64_t n : {1, 3, 4, 7, 8, 15, 16, 17, 32, 33, 64, 100})
        for (const int place : {0, 1, 2}) {  // of the result: its own, the first's, the operand's
          std::vector<S> between(in[0].size()), out = in[2], x(in[0].size()), y = in[2];
          const bool two = tile_op_arity(first) == 2;
          const auto function = pair_call<S>(first, second, n);
          for (std::int64_t i = 0; i + n <= size; i += n) {
            S* const to = place == 1 ? between.data() + i : out.data() + i;
            const S* const other = place == 2 ? out.data() + i : in[2].data() + i;
            const PairCall<S> call{{function}, in[0].data() + i,   two ? in[1].data() + i : nullptr,
                                   other,      between.data() + i, to,
                                   n};
            call.run(call);
            tile_function<S>(first)(in[0].data() + i, in[1].data() + i, nullptr, x.data() + i, n,
                                    S(0), S(0));
            tile_function<S>(second)(x.data() + i, in[2].data() + i, nullptr, y.data() + i, n, S(0),
                                     S(0));
          }
          CAPTURE(tile_op_name(first), tile_op_name(second), n, place);
          std::vector<S> got = place == 1 ? between : out;
          got.resize(static_cast<std::size_t>(size / n * n));
          y.resize(got.size());
          CHECK(same(got, y));
          if (place != 1) CHECK(same(between, x));
          for (std::int64_t i = size / n * n; i < size && place == 1; ++i)
            REQUIRE(between[static_cast<std::size_t>(i)] == 0);
        }
  for (const TileOp other : {TileOp::sub, TileOp::exp, TileOp::where}) {
    CHECK(pair_call<S>(other, TileOp::add, 8) == nullptr);
    CHECK(pair_call<S>(TileOp::add, other, 8) == nullptr);
  }
}

}  // namespace

TEST_CASE("tiles: every element has the value of the op's own rule", "[tile]") {
  each_instruction_set([](const std::string& set) {
    CAPTURE(set);
    compare_with_rules<float>();
    compare_with_rules<double>();
  });
}

TEST_CASE("tiles: an element's bits do not depend on its place", "[tile]") {
  each_instruction_set([](const std::string& set) {
    CAPTURE(set);
    compare_places<float>();
    compare_places<double>();
  });
}

// Registers of several lengths, as they fit: one way of computing a function is as good as another.
TEST_CASE("tiles: a call bound to its operands has the bits of the function", "[tile]") {
  compare_bound_calls<float>();
  compare_bound_calls<double>();
  each_instruction_set([](const char* name) {
    INFO(name);
    compare_bound_calls<float>();
    compare_bound_calls<double>();
  });
}

TEST_CASE("tiles: the result may lie on an operand", "[tile]") {
  each_instruction_set([](const std::string& set) {
    CAPTURE(set);
    compare_in_place<float>();
    compare_in_place<double>();
  });
}

TEST_CASE("tiles: tanh, sigmoid, exp and log are within 4 ulp anywhere", "[tile]") {
  const auto singles = arguments<float>();
  const auto doubles = arguments<double>();
  each_instruction_set([&](const std::string& set) {
    for (const Function& f : kFunctions)
      std::cout << set << ' ' << f.name << ": f32 within " << worst(f, singles)
                << " ulp, f64 within " << worst(f, doubles) << " ulp\n";
  });
}

TEST_CASE("tiles: two lines at once have the bits of both", "[tile]") {
  each_instruction_set([](const std::string& set) {
    CAPTURE(set);
    compare_pairs<float>();
    compare_pairs<double>();
  });
}
