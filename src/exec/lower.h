#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "exec/plan.h"
#include "taugrad/graph/graph.h"

namespace taugrad::exec {

/// How a node is carried out.
enum class Form {
  leaf,          ///< filled before the run
  forward,       ///< the op's own rule
  view,          ///< not at all: a place inside its input's rows
  rows,          ///< rows times a shared matrix, packed once a run: out[i] = a[i] B
  each,          ///< a matrix product for each item, or one of shared matrices
  taps,          ///< convolution with shared kernels: out[i] = sum over d of taps[d][i] K[d]^T
  add,           ///< the sum of the inputs, in their order
  outer_sum,     ///< sum over items of outer(a, b): one product over the rows
  scatter_rows,  ///< sum over items of rows of a table
  sum_items,     ///< sum over items
};

/// Sums over items: they can add to what their place holds.
inline bool sums_items(Form form) { return form >= Form::outer_sum; }

struct Lowered {
  Form form = Form::forward;
  std::array<NodeId, 2> own = {-1, -1};  ///< what is read in place of the node's inputs
  int own_count = -1;                    ///< -1: the inputs from number `skip` on
  int skip = 0;
  std::uint8_t transposed = 0;     ///< bit i: own[i] is used as its transpose
  NodeId packed = -1;              ///< B of `rows`, K of `taps`
  bool packed_transposed = false;  ///< B is the transpose of `packed`
  std::int64_t from = 0;           ///< view: elements to skip in each row
  bool spread = false;             ///< view: every item reads the same row

  /// The nodes read, but for `packed`.
  std::span<const NodeId> operands(std::span<const NodeId> inputs) const {
    if (own_count < 0) return inputs.subspan(static_cast<std::size_t>(skip));
    return {own.data(), static_cast<std::size_t>(own_count)};
  }
};

/// Decides by the op and by which of its operands are shared.
Lowered lower(const Tape& tape, const Layout& layout, NodeId id);

/// Floating-point operations for one row (executor.h says how they count), and whose rows they are.
struct Work {
  std::int64_t operations;
  ExtentId extent;
};
Work work_of(const Tape& tape, NodeId id);

}  // namespace taugrad::exec
