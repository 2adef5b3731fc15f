#pragma once

#include <hwy/targets.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "taugrad/ops/records.h"

/// What tests of kernels share: each instruction set in turn, op records' own rules, hard numbers.
namespace taugrad::testing {

/// Runs body(name) with each instruction set that this machine has, the portable path among them.
template <class Body>
void each_instruction_set(const Body& body) {
  struct Set {
    std::int64_t target;
    const char* name;
  };
  const auto choose = [](std::int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  };
  const std::int64_t supported = hwy::SupportedTargets();
  for (const Set& set :
       {Set{HWY_SCALAR, "portable"}, Set{HWY_AVX2, "avx2"}, Set{HWY_AVX3, "avx512"}})
    if (set.target == HWY_SCALAR || (supported & set.target) != 0) {
      choose(set.target);
      body(set.name);
    }
  choose(0);
}

template <class S>
Forward<S> forward_of(const Op& op) {
  if constexpr (sizeof(S) == 4)
    return op.forward.f32;
  else
    return op.forward.f64;
}

/// The op's own rule on `items` examples; an operand is [items] examples of its shape.
template <class S>
std::vector<S> by_rule(const Op& op, const std::vector<std::vector<S>>& in,
                       const std::vector<Shape>& shapes, const Shape& shape, std::int64_t items,
                       const Attrs& attrs = {}) {
  std::vector<Operand<S>> operands;
  for (std::size_t k = 0; k < in.size(); ++k)
    operands.push_back({in[k].data(), &shapes[k], shapes[k].size(), kEveryItem, items});
  const bool shared = op.traits.sums_items;
  std::vector<S> out(static_cast<std::size_t>((shared ? 1 : items) * shape.size()));
  forward_of<S>(op)({.in = operands,
                     .out = out.data(),
                     .shape = &shape,
                     .items = shared ? 1 : items,
                     .extent = shared ? kShared : kEveryItem,
                     .attrs = &attrs});
  return out;
}

/// One bit pattern, or both NaN.
template <class S>
bool same_bits(S x, S y) {
  return std::memcmp(&x, &y, sizeof(S)) == 0 || (x != x && y != y);
}
template <class S>
bool same_bits(const std::vector<S>& x, const std::vector<S>& y) {
  return x.size() == y.size() &&
         std::equal(x.begin(), x.end(), y.begin(), [](S a, S b) { return same_bits(a, b); });
}

/// How far `got` is from `want`, in units of the last place of `want`; infinite where one of them
/// is no number or infinite, and the other is not.
template <class S>
double ulps(S got, long double want) {
  const S nearest = static_cast<S>(want);
  if (std::isnan(nearest) || std::isinf(nearest) || std::isnan(got) || std::isinf(got))
    return same_bits(got, nearest) ? 0 : std::numeric_limits<double>::infinity();
  const S size = std::abs(nearest);
  const long double step =
      static_cast<long double>(std::nextafter(size, std::numeric_limits<S>::infinity())) -
      static_cast<long double>(size);
  if (std::isinf(step)) return got == nearest ? 0 : 1;
  return static_cast<double>(std::abs(static_cast<long double>(got) - want) / step);
}

template <class S>
std::vector<S> special_numbers() {
  using Limits = std::numeric_limits<S>;
  std::vector<S> x{0,
                   S(1e-30),
                   Limits::denorm_min(),
                   Limits::min(),
                   Limits::min() / 3,
                   S(0.5),
                   S(1),
                   S(1) + Limits::epsilon(),
                   S(1.5),
                   S(2),
                   S(3),
                   S(9.01),
                   S(20),
                   S(86.9),
                   S(87),
                   S(87.4),
                   S(88.7),
                   S(88.8),
                   S(103.9),
                   S(104.1),
                   S(707),
                   S(708),
                   S(709.7),
                   S(709.8),
                   S(745),
                   S(746),
                   S(1e7),
                   S(1e30),
                   Limits::max(),
                   Limits::infinity(),
                   Limits::quiet_NaN()};
  for (std::size_t i = 0, n = x.size(); i < n; ++i) x.push_back(-x[i]);
  return x;
}

/// `count` numbers, half of them of any bits, half within -limit..limit.
template <class S>
std::vector<S> hard_numbers(std::size_t count, unsigned seed, double limit = 10) {
  using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> draw(-limit, limit);
  std::vector<S> x(count);
  for (std::size_t i = 0; i < count; ++i)
    x[i] =
        i % 2 == 0 ? std::bit_cast<S>(static_cast<Bits>(random())) : static_cast<S>(draw(random));
  return x;
}

}  // namespace taugrad::testing
