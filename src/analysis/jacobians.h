#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/flow_data.h"
#include "analysis/probe.h"

namespace taugrad::analysis {

/// d of(p)/d from(q) for all positions q at once, one item and one p at a time: the cotangents of
/// of(p) are unit vectors, one for each row of a batch.
class Jacobians {
 public:
  Jacobians(const FlowData& data, const std::string& of, const std::string& from);

  /// Positions, 1-based, row by row, of the longest item.
  const std::vector<Position32>& of() const { return of_positions_; }
  const std::vector<Position32>& from() const { return from_positions_; }
  /// Whether an item has position number p of `of`, q of `from`.
  bool has(std::int64_t item, std::int64_t p) const;
  bool has_from(std::int64_t item, std::int64_t q) const;
  bool shared() const { return shared_; }      ///< the same for all items
  std::int64_t rows() const { return size_; }  ///< elements of `of`

  /// [q]: d of(p)/d from(q), rows() x elements of `from`; p counts of().
  /// What is shared by the batch takes a run for each row.
  std::vector<std::vector<double>> operator()(std::int64_t item, std::int64_t p);

 private:
  std::vector<NodeId> outputs();

  const FlowData& data_;
  std::string of_, from_;
  const Symbol& symbol_;
  const Symbol& from_symbol_;
  std::int64_t size_;
  std::vector<Position32> of_positions_, from_positions_;
  Unfolded u_;
  bool shared_ = false;
  std::vector<std::int64_t> output_of_;  ///< [q] number of its gradient, -1: no such node
  Probe probe_;
  std::int64_t item_ = -1;
  Tensors inputs_;
};

}  // namespace taugrad::analysis
