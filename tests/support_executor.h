#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/runtime/executor.h"

/// The executor beside the reference interpreter: the same leaves, the values item by item.
namespace support {

using namespace taugrad;

/// Which numbers leaves have: from 0.1 to 0.9, or of either sign, up to 0.8 times a scale each.
struct Numbers {
  Numbers(unsigned s) : seed(s) {}  // NOLINT: a seed is all that most tests say
  unsigned seed;
  std::vector<double> scale = {};       ///< by node; or empty
  std::vector<NodeId> stands_for = {};  ///< by leaf: the one whose numbers it has; empty: itself
};

/// A number for element `i` of a leaf, item by item; a category, sometimes absent, where the leaf
/// is one.
inline double leaf_number(const Tape& tape, NodeId leaf, std::int64_t key, std::int64_t i,
                          const Numbers& numbers) {
  const std::int64_t category = tape.attrs(leaf).integer_or("category", 0);
  if (!numbers.stands_for.empty()) leaf = numbers.stands_for[static_cast<std::size_t>(leaf)];
  std::uint64_t x = static_cast<std::uint64_t>(leaf) * 0x9E3779B97F4A7C15u +
                    static_cast<std::uint64_t>(key) * 0xC2B2AE3D27D4EB4Fu +
                    static_cast<std::uint64_t>(i) * 0x165667B19E3779F9u + numbers.seed;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  x ^= x >> 31;
  if (category > 0) return static_cast<double>(x % static_cast<std::uint64_t>(category + 1)) - 1;
  const double number = 0.1 + 0.8 * static_cast<double>(x >> 11) * 0x1p-53;
  if (numbers.scale.empty()) return number;
  return numbers.scale[static_cast<std::size_t>(leaf)] * (2 * number - 1);
}

/// Numbers of a leaf for the items (their keys) of its rows.
template <class S>
void fill_leaf(const Tape& tape, NodeId leaf, std::span<const std::int64_t> keys,
               const Numbers& numbers, std::span<S> to) {
  const std::int64_t n = tape.shape(leaf).size();
  for (std::size_t r = 0; r < keys.size(); ++r)
    for (std::int64_t i = 0; i < n; ++i)
      to[r * static_cast<std::size_t>(n) + static_cast<std::size_t>(i)] =
          static_cast<S>(leaf_number(tape, leaf, keys[r], i, numbers));
}

/// One output: [items, elements], NaN for items that it does not exist for; one row where it is
/// shared.
using Rows = std::vector<double>;
struct Values {
  std::vector<Rows> outputs;
};

inline Rows rows_for(const Tape& tape, NodeId id, std::int64_t items) {
  const std::int64_t rows = tape.extent_id(id) == kShared ? 1 : items;
  return Rows(static_cast<std::size_t>(rows * tape.shape(id).size()),
              std::numeric_limits<double>::quiet_NaN());
}

inline std::int64_t key_of(const BatchContext& batch, std::int32_t item) {
  return batch.item.empty() ? item : batch.item[static_cast<std::size_t>(item)];
}

template <class S>
void bind_leaves(Executor<S>& executor, const Tape& tape, const BatchContext& batch,
                 const Numbers& numbers) {
  for (const NodeId leaf : executor.leaves()) {
    std::vector<std::int64_t> keys;
    for (const std::int32_t item : executor.items(leaf)) keys.push_back(key_of(batch, item));
    if (tape.extent_id(leaf) == kShared) keys = {-1};
    fill_leaf(tape, leaf, keys, numbers, executor.leaf(leaf));
  }
}

template <class S>
Values read_outputs(const Executor<S>& executor, const Tape& tape, std::span<const NodeId> outputs,
                    std::int64_t items) {
  Values values;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    Rows rows = rows_for(tape, outputs[o], items);
    const auto from = executor.value(o);
    const auto n = static_cast<std::size_t>(tape.shape(outputs[o]).size());
    const auto held = executor.output_items(o);
    if (tape.extent_id(outputs[o]) == kShared) std::copy(from.begin(), from.end(), rows.begin());
    for (std::size_t r = 0; r < held.size(); ++r)
      std::copy_n(
          from.begin() + static_cast<std::ptrdiff_t>(r * n), n,
          rows.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(held[r]) * n));
    values.outputs.push_back(std::move(rows));
  }
  return values;
}

template <class S>
Values execute(Executor<S>& executor, const Tape& tape, std::span<const NodeId> outputs,
               const BatchContext& batch, std::int64_t items, const Numbers& numbers) {
  executor.set_batch(batch, items);
  bind_leaves(executor, tape, batch, numbers);
  executor.run();
  return read_outputs(executor, tape, outputs, items);
}

template <class S>
Values interpret(const Tape& tape, std::span<const NodeId> outputs, const BatchContext& batch,
                 std::int64_t items, const Numbers& numbers) {
  BatchContext placed = batch;
  if (placed.item.empty())
    for (std::int64_t i = 0; i < items; ++i) placed.item.push_back(i);
  place_items(placed, tape, items);
  Interpreter<S> interpreter(tape, outputs);
  interpreter.set_batch(placed, items);
  for (const NodeId leaf : interpreter.leaves()) {
    std::vector<std::int64_t> keys{-1};
    if (const ExtentId e = tape.extent_id(leaf); e != kShared) {
      keys.clear();
      for (const std::int32_t item : placed.items_of[e]) keys.push_back(key_of(placed, item));
    }
    fill_leaf(tape, leaf, keys, numbers, interpreter.leaf(leaf));
  }
  interpreter.run();
  Values values;
  for (const NodeId id : outputs) {
    Rows rows = rows_for(tape, id, items);
    const auto from = interpreter.value(id);
    const auto n = static_cast<std::size_t>(tape.shape(id).size());
    if (tape.extent_id(id) == kShared) {
      std::copy(from.begin(), from.end(), rows.begin());
    } else {
      const auto& held = placed.items_of[tape.extent_id(id)];
      for (std::size_t r = 0; r < held.size(); ++r)
        std::copy_n(
            from.begin() + static_cast<std::ptrdiff_t>(r * n), n,
            rows.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(held[r]) * n));
    }
    values.outputs.push_back(std::move(rows));
  }
  return values;
}

/// Largest difference, relative to the largest finite number of the same output and at least 1;
/// infinite where one value is not a number and the other is, or infinities differ.
inline double difference(const Values& got, const Values& want) {
  double worst = 0;
  for (std::size_t o = 0; o < want.outputs.size(); ++o) {
    double scale = 1;
    for (const double w : want.outputs[o])
      if (std::isfinite(w)) scale = std::max(scale, std::abs(w));
    for (std::size_t i = 0; i < want.outputs[o].size(); ++i) {
      const double g = got.outputs[o][i], w = want.outputs[o][i];
      if (g == w || (std::isnan(g) && std::isnan(w))) continue;
      const double d = std::abs(g - w) / scale;
      worst = std::max(worst, std::isnan(d) ? std::numeric_limits<double>::infinity() : d);
    }
  }
  return worst;
}

/// Same bits, or both not a number.
inline bool same_bits(const Values& a, const Values& b) {
  for (std::size_t o = 0; o < a.outputs.size(); ++o)
    for (std::size_t i = 0; i < a.outputs[o].size(); ++i) {
      const double x = a.outputs[o][i], y = b.outputs[o][i];
      if (!(std::isnan(x) && std::isnan(y)) && std::memcmp(&x, &y, sizeof x) != 0) return false;
    }
  return true;
}

/// The rows of one item of a batch, as if it had been run alone; shared outputs are left out.
inline Values only_item(const Values& batch, const Tape& tape, std::span<const NodeId> outputs,
                        std::int64_t item) {
  Values one;
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    Rows rows;
    const auto n = static_cast<std::ptrdiff_t>(tape.shape(outputs[o]).size());
    if (tape.extent_id(outputs[o]) != kShared)
      rows.assign(batch.outputs[o].begin() + item * n, batch.outputs[o].begin() + (item + 1) * n);
    one.outputs.push_back(std::move(rows));
  }
  return one;
}

/// The batch of one item.
inline BatchContext alone(const BatchContext& batch, std::int64_t item) {
  BatchContext one;
  one.seed = batch.seed;
  one.train = batch.train;
  one.item = {key_of(batch, static_cast<std::int32_t>(item))};
  for (const auto& lengths : batch.lengths)
    one.lengths.push_back({lengths[static_cast<std::size_t>(item)]});
  return one;
}

}  // namespace support
