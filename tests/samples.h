#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/reference/check.h"

/// What every op is tried on: inputs, attributes, items.
namespace samples {

using namespace taugrad;

/// Which items a leaf exists for, and what numbers it holds.
struct Leaf {
  Shape shape = {};
  int items = 0;               ///< -1: shared; 0: every item; n >= 1: items whose length is >= n
  double lo = -1.5, hi = 1.5;  ///< numbers are drawn from lo..hi
  std::int64_t category = 0;   ///< size of the alphabet; 0: a number
  std::int64_t whole = 0;      ///< numbers are 0..whole-1, which do not move; 0: any
};

struct Sample {
  const Op* op = nullptr;
  std::vector<Leaf> leaves = {};
  Attrs attrs = {};
  int items = 0;  ///< of the output, for ops with the trait variadic_items
  std::string text() const;
};

/// Samples of an op, each input once per example and once shared where the op leaves it open.
std::vector<Sample> of(const Op& op);

/// A sample on a tape: its leaves with numbers, a batch of 3 items of lengths 3, 0 and 2.
struct Placed {
  Vars leaves;
  Vars moving;  ///< leaves that have a gradient
};
constexpr std::int64_t kItems = 3;
void begin(Tape& tape, CheckPoint& point);
Placed place(Tape& tape, const Sample& sample, CheckPoint& point, std::uint64_t seed);
/// The op on its leaves; `op` stands in for the sample's own.
Var apply(Tape& tape, const Op& op, const Sample& sample, const Placed& placed);
/// A leaf like v with numbers in -1..1: a cotangent or a tangent.
Var number_leaf(Var v, CheckPoint& point, std::uint64_t seed);
/// <y, w> with a random leaf w, for each item.
Var weighted(Var y, CheckPoint& point, std::uint64_t seed);

}  // namespace samples
