#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "base/philox.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/check.h"
#include "taugrad/reference/interpreter.h"

/// What tests of gradients share: numbers for leaves, the adjoint test, a failed check in words.
namespace support {

using namespace taugrad;

inline double uniform(std::uint64_t seed, std::uint32_t i) {
  const auto words = philox({i, 1, 2, 3}, seed);
  return unit_interval(words[0], words[1]);
}

/// Rows that a node of this extent has.
inline std::size_t rows(const Tape& tape, ExtentId extent, const CheckPoint& point) {
  if (extent == kShared) return 1;
  BatchContext batch = point.batch;
  place_items(batch, tape, point.items);
  return batch.items_of[extent].size();
}

/// Gives a leaf numbers in lo..hi, or categories -1..size-1.
inline Var give(Var leaf, CheckPoint& point, std::uint64_t seed, double lo = -1, double hi = 1) {
  const std::int64_t size = category_size(leaf);
  std::vector<double> numbers(rows(*leaf.tape, leaf.extent(), point) *
                              static_cast<std::size_t>(leaf.shape().size()));
  for (std::uint32_t i = 0; i < numbers.size(); ++i) {
    const double u = uniform(seed, i);
    numbers[i] = size > 0 ? std::floor(u * static_cast<double>(size + 1)) - 1 : lo + (hi - lo) * u;
  }
  point.leaves.push_back({leaf, numbers});
  return leaf;
}

template <class S>
void place(Interpreter<S>& run, const CheckPoint& point) {
  run.set_batch(point.batch, point.items);
  for (const auto& [leaf, numbers] : point.leaves) {
    if (!run.needs(leaf.id)) continue;
    const std::span<S> to = run.leaf(leaf.id);
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<S>(numbers[i]);
  }
}

/// "" where a check passed, else its worst entry.
inline std::string failure(const CheckReport& report) {
  const VariableCheck* worst = report.worst();
  if (report.ok() || !worst) return "";
  return worst->name + ": analytic " + std::to_string(worst->worst.analytic) + ", numeric " +
         std::to_string(worst->worst.numeric);
}

/// |<v, J u> - <J^T v, u>| relative to the terms of the sums: forward against reverse mode.
inline double adjoint_error(Var loss, std::span<const Var> variables, CheckPoint& point) {
  Vars directions;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const Var v = variables[i];
    Tape& tape = *v.tape;
    const Op& op = *find_op("input");
    directions.push_back(give(tape.leaf(op, v.shape(), v.extent()), point, 1000 + i));
  }
  const Var moved = tangent({&loss, 1}, variables, directions)[0];
  const Vars g = gradient(loss, variables).values();
  std::vector<NodeId> ids{moved.id};
  for (const Var& v : g) ids.push_back(v.id);
  for (const Var& v : directions) ids.push_back(v.id);
  Interpreter<double> run(*loss.tape, ids);
  place(run, point);
  run.run();
  double forward = 0, reverse = 0, scale = 1;
  for (const double x : run.value(moved.id)) forward += x, scale += std::abs(x);
  for (std::size_t i = 0; i < g.size(); ++i)
    for (std::size_t k = 0; k < run.value(g[i].id).size(); ++k) {
      const double term = run.value(g[i].id)[k] * run.value(directions[i].id)[k];
      reverse += term, scale += std::abs(term);
    }
  return std::abs(forward - reverse) / scale;
}

}  // namespace support
