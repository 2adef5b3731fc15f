#include "rewrite/chunks/terms.h"

#include <algorithm>

#include "taugrad/ops/records.h"

namespace taugrad {

std::optional<SeenAs> seen_as(const Shape& x, const Shape& state, const StateAxes& axes) {
  const int missing = state.rank() - x.rank();
  if (missing < 0) return std::nullopt;
  const auto size = [&](int axis) { return axis < missing ? 1 : x[axis - missing]; };
  const auto fits = [&](int axis, std::int64_t whole) {
    return axis < 0 || size(axis) == 1 || size(axis) == whole;
  };
  if (!fits(axes.head, axes.heads) || !fits(axes.m, axes.rows) || !fits(axes.n, axes.columns))
    return std::nullopt;
  const bool column = axes.m >= 0 && axes.rows > 1 && size(axes.m) > 1;
  const bool row = axes.n >= 0 && axes.columns > 1 && size(axes.n) > 1;
  const bool full = column == (axes.rows > 1) && row == (axes.columns > 1);
  using Kind = Factor::Kind;
  const Kind kind = column == row ? Kind::number : row ? Kind::row : Kind::column;
  return SeenAs{kind, full, axes.head < 0 ? 1 : size(axes.head)};
}

NodeId elements_of(const Tape& tape, NodeId id) {
  while (&tape.op(id) == &kReshape && !tape.is_value(id)) id = tape.inputs(id)[0];
  return id;
}

std::optional<Term> Terms::take_apart(NodeId id) const {
  Term term;
  std::vector<std::pair<NodeId, bool>> open{{id, false}};
  while (!open.empty()) {
    const auto [x, below] = open.back();
    open.pop_back();
    const std::optional<SeenAs> seen = seen_as(tape_.shape(x), shape_, axes_);
    if (!seen) return std::nullopt;
    if (!seen->full)
      term.product.factors.push_back({elements_of(tape_, x), seen->kind, below, seen->heads});
    else if (!open_product(x, below, open, term))
      term.full.push_back({x, seen->kind, below, seen->heads});
  }
  std::ranges::reverse(term.product.factors);  // the order in which they were written
  return term;
}

/// The factors of a product of the state's size; false where it is none.
bool Terms::open_product(NodeId x, bool below, std::vector<std::pair<NodeId, bool>>& open,
                         Term& term) const {
  const Op* const op = &tape_.op(x);
  const auto in = tape_.inputs(x);
  if (op == &kNeg) term.product.negative = !term.product.negative;
  if (op == &kNeg || op == &kBroadcastTo)
    open.emplace_back(in[0], below);
  else if (op == &kMul)
    open.insert(open.end(), {{in[0], below}, {in[1], below}});
  else if (op == &kDiv)
    open.insert(open.end(), {{in[0], below}, {in[1], !below}});
  else if (!add_outer(x, below, term))
    return false;
  term.way.push_back(x);
  return true;
}

/// k v^T as a product of matrices.
bool Terms::add_outer(NodeId x, bool below, Term& term) const {
  const Op* const op = &tape_.op(x);
  const bool product = op == &kOuter || op == &kMatmul || op == &kStackedMatmul;
  if (!product || below || axes_.rows < 2 || axes_.columns < 2) return false;
  const std::int64_t m = axes_.rows, n = axes_.columns;
  const Shape &a = tape_.shape(tape_.inputs(x)[0]), &b = tape_.shape(tape_.inputs(x)[1]);
  const auto heads_of = [&](const Shape& s, std::int64_t size) {
    const bool line = s.rank() < 2 || s[s.rank() - 1] == 1 || s[s.rank() - 2] == 1;
    return line && s.size() % size == 0 ? s.size() / size : 0;
  };
  const std::int64_t ha = heads_of(a, m), hb = heads_of(b, n);
  const auto fits = [&](std::int64_t heads) { return heads == 1 || heads == axes_.heads; };
  if (!fits(ha) || !fits(hb)) return false;
  const NodeId row = elements_of(tape_, tape_.inputs(x)[1]);
  const NodeId column = elements_of(tape_, tape_.inputs(x)[0]);
  term.product.factors.push_back({row, Factor::Kind::row, false, hb});
  term.product.factors.push_back({column, Factor::Kind::column, false, ha});
  return true;
}

}  // namespace taugrad
