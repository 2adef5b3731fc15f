#include "exec/lower.h"

#include <algorithm>

#include "taugrad/ops/records.h"

namespace taugrad::exec {
namespace {

bool shared(const Tape& tape, NodeId id) { return tape.extent_id(id) == kShared; }
int rank(const Tape& tape, NodeId id) { return tape.shape(id).rank(); }

struct MatrixRoot {
  NodeId node;
  bool transposed;
};

/// The matrix behind copies and transposes of it.
MatrixRoot matrix_root(const Tape& tape, NodeId id) {
  MatrixRoot root{id, false};
  for (;;) {
    const Op& op = tape.op(root.node);
    if (&op == &kTranspose && rank(tape, root.node) == 2)
      root.transposed = !root.transposed;
    else if (!op.traits.view ||
             tape.shape_id(root.node) != tape.shape_id(tape.inputs(root.node)[0]))
      return root;
    root.node = tape.inputs(root.node)[0];
  }
}

Lowered as_is(Form form) {
  Lowered way;
  way.form = form;
  return way;
}

Lowered view(std::int64_t from, bool spread) {
  Lowered way = as_is(Form::view);
  way.from = from;
  way.spread = spread;
  return way;
}

/// a @ B with B shared: all rows of a at once.
Lowered rows_times(const Tape& tape, NodeId a, NodeId b, bool transposed) {
  const MatrixRoot root = matrix_root(tape, b);
  Lowered way = as_is(Form::rows);
  way.own = {a, -1};
  way.own_count = 1;
  way.packed = root.node;
  way.packed_transposed = transposed != root.transposed;
  return way;
}

Lowered lower_matmul(const Tape& tape, NodeId a, NodeId b) {
  if (!shared(tape, a) && shared(tape, b)) return rows_times(tape, a, b, false);
  if (shared(tape, a) && !shared(tape, b) && rank(tape, b) == 1)
    return rows_times(tape, b, a, rank(tape, a) == 2);  // A x = x A^T for a row x
  if (rank(tape, a) != 2 || rank(tape, b) != 2) return {};
  const MatrixRoot x = matrix_root(tape, a), y = matrix_root(tape, b);
  Lowered way = as_is(Form::each);
  way.own = {x.node, y.node};
  way.own_count = 2;
  way.transposed = static_cast<std::uint8_t>((x.transposed ? 1 : 0) | (y.transposed ? 2 : 0));
  return way;
}

Lowered lower_conv(const Tape& tape, std::span<const NodeId> in) {
  const auto is_row = [&](NodeId tap) { return !shared(tape, tap) && rank(tape, tap) == 1; };
  if (!shared(tape, in[0]) || in.size() < 2 || !std::all_of(in.begin() + 1, in.end(), is_row))
    return {};
  Lowered way = as_is(Form::taps);
  way.skip = 1;
  way.packed = in[0];
  return way;
}

std::int64_t row_elements(const Shape& s) {  // of one step along the first axis
  std::int64_t product = 1;
  for (int axis = 1; axis < s.rank(); ++axis) product *= s[axis];
  return product;
}

}  // namespace

Lowered lower(const Tape& tape, const Layout& layout, NodeId id) {
  const Op& op = tape.op(id);
  const auto in = tape.inputs(id);
  if (&op == &kInput || &op == &kWeight) return as_is(Form::leaf);
  if (&op == &kMatmul) return lower_matmul(tape, in[0], in[1]);
  if (&op == &kConv) return lower_conv(tape, in);
  if (&op == &kAddN) return as_is(Form::add);
  if (&op == &kOuterSum) return as_is(Form::outer_sum);
  if (&op == &kScatterRows) return as_is(Form::scatter_rows);
  if (&op == &kSumItems) return as_is(Form::sum_items);
  if (op.traits.view && tape.extent_id(id) == tape.extent_id(in[0])) return view(0, false);
  if (&op == &kToItems) return view(0, true);
  if (&op == &kSlice)
    return view(tape.attrs(id).integer("from") * row_elements(tape.shape(id)), false);
  // Items sorted: the rows of fewer items are the first rows of more items.
  if (&op == &kRestrictTo && layout.prefix(tape.extent_id(id)) &&
      layout.prefix(tape.extent_id(in[0])))
    return view(0, false);
  return {};
}

}  // namespace taugrad::exec
