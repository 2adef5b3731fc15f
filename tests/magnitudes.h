#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "support_executor.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace support {

/// The reference interpreter's arithmetic with errors: every number that an op reads is off by a
/// random share of at most kError of itself, anew at each read. By how much results move tells how
/// large the numbers on the way to them are: what cancels, and what is multiplied up.
class Jittered {
 public:
  static constexpr double kError = 0x1p-36;

  Jittered(const Tape& tape, std::span<const NodeId> outputs, const BatchContext& batch,
           std::int64_t items, const Numbers& numbers, std::uint64_t seed)
      : tape_(tape),
        batch_(batch),
        values_(static_cast<std::size_t>(tape.size())),
        exact_(values_.size()),
        random_(seed) {
    place_items(batch_, tape, items);
    const std::vector<char> wanted = reachable(tape, outputs);
    for (NodeId id = 0; id < tape.size(); ++id)
      if (wanted[at(id)]) evaluate(id, numbers);
  }

  const std::vector<double>& value(NodeId id) const { return values_[at(id)]; }

 private:
  static std::size_t at(NodeId id) { return static_cast<std::size_t>(id); }
  std::int64_t rows(ExtentId e) const {
    return e == kShared ? 1 : static_cast<std::int64_t>(batch_.items_of[e].size());
  }

  /// Lengths, numbers of the definition, and what is made of these alone: they are compared.
  bool is_exact(const Node& n) const {
    if (n.op.traits.leaf) return &n.op == &kLength || &n.op == &kConstant;
    return std::ranges::all_of(n.inputs, [&](NodeId x) { return exact_[at(x)] != 0; });
  }

  void evaluate(NodeId id, const Numbers& numbers) {
    const Node n = tape_.node(id);
    std::vector<double>& y = values_[at(id)];
    y.resize(static_cast<std::size_t>(rows(n.extent) * n.shape.size()));
    if (n.op.forward.f64 == nullptr) {
      std::vector<std::int64_t> keys{-1};
      if (n.extent != kShared) {
        keys.clear();
        for (const std::int32_t item : batch_.items_of[n.extent])
          keys.push_back(key_of(batch_, item));
      }
      return fill_leaf<double>(tape_, id, keys, numbers, y);
    }
    std::vector<std::vector<double>> read;
    for (const NodeId x : n.inputs) read.push_back(values_[at(x)]);
    std::vector<Operand<double>> operands;
    exact_[at(id)] = is_exact(n);
    const bool jitters = exact_[at(id)] == 0 && !n.op.traits.discrete;
    for (std::size_t i = 0; i < read.size(); ++i) {
      const NodeId x = n.inputs[i];
      if (jitters && tape_.attrs(x).integer_or("category", 0) == 0)
        for (double& number : read[i]) number *= 1 + error_(random_);
      const Shape& shape = tape_.shape(x);
      const ExtentId e = tape_.extent_id(x);
      operands.push_back({read[i].data(), &shape, e == kShared ? 0 : shape.size(), e, rows(e)});
    }
    n.op.forward.f64({.in = operands,
                      .out = y.data(),
                      .shape = &n.shape,
                      .items = rows(n.extent),
                      .extent = n.extent,
                      .attrs = &n.attrs,
                      .batch = &batch_,
                      .name = n.name,
                      .index = n.index});
  }

  const Tape& tape_;
  BatchContext batch_;
  std::vector<std::vector<double>> values_;  // by node
  std::vector<char> exact_;                  // by node
  std::mt19937_64 random_;
  std::uniform_real_distribution<double> error_{-kError, kError};
};

/// The size of the numbers on the way to each output: the largest finite one of its own, and how
/// far it moves for errors of one share each.
inline std::vector<double> magnitudes(const Tape& tape, std::span<const NodeId> outputs,
                                      const BatchContext& batch, std::int64_t items,
                                      const Numbers& numbers) {
  std::vector<double> sizes(outputs.size(), 1e-290);
  const Jittered a(tape, outputs, batch, items, numbers, 1),
      b(tape, outputs, batch, items, numbers, 2);
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const std::vector<double>&x = a.value(outputs[o]), &y = b.value(outputs[o]);
    for (std::size_t i = 0; i < x.size(); ++i)
      if (std::isfinite(x[i]) && std::isfinite(y[i]))
        sizes[o] = std::max({sizes[o], std::abs(x[i]), std::abs(x[i] - y[i]) / Jittered::kError});
  }
  return sizes;
}

}  // namespace support
