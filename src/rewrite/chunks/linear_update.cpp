#include "rewrite/chunks/linear_update.h"

#include <algorithm>
#include <utility>

#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// A term of a sum, taken apart: factors that are smaller than the state, and those of its size.
struct Term {
  FactorProduct product;
  std::vector<Factor> full;
  std::vector<NodeId> way;  // products of the state's size
};

class Terms {
 public:
  Terms(const Tape& tape, NodeId state, const StateAxes& axes)
      : tape_(tape), shape_(tape.shape(state)), axes_(axes) {}

  std::optional<Term> take_apart(NodeId id) const {
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

 private:
  /// The factors of a product of the state's size; false where it is none.
  bool open_product(NodeId x, bool below, std::vector<std::pair<NodeId, bool>>& open,
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
  bool add_outer(NodeId x, bool below, Term& term) const {
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

  const Tape& tape_;
  const Shape& shape_;
  const StateAxes& axes_;
};

/// The update that the terms of a sum are, the first one that of the state.
std::optional<LinearUpdate> update_of(const Tape& tape, NodeId id, const Term& kept, Term added) {
  if (kept.full.size() != 1 || kept.full[0].below || !kept.product.kind()) return std::nullopt;
  for (const Factor& f : added.full) {
    if (f.kind == Factor::Kind::number) return std::nullopt;  // a whole matrix
    added.product.factors.push_back({elements_of(tape, f.node), f.kind, f.below, f.heads});
  }
  if (added.product.factors.empty()) return std::nullopt;
  const NodeId before = state_behind(tape, kept.full[0].node);
  if (tape.shape_id(before) != tape.shape_id(id)) return std::nullopt;
  return LinearUpdate{id,           kept.full[0].node,        before,
                      kept.product, std::move(added.product), kept.way};
}

}  // namespace

std::optional<Factor::Kind> FactorProduct::kind() const {
  using Kind = Factor::Kind;
  const auto has = [&](Kind kind) { return std::ranges::count(factors, kind, &Factor::kind) > 0; };
  const bool row = has(Kind::row), column = has(Kind::column);
  if (row && column) return std::nullopt;
  return row ? Kind::row : column ? Kind::column : Kind::number;
}

bool FactorProduct::is_like(const FactorProduct& other) const {
  return negative == other.negative &&
         std::ranges::equal(factors, other.factors,
                            [](const Factor& a, const Factor& b) { return a.is_like(b); });
}

std::vector<StateAxes> state_axes(const Shape& s) {
  std::vector<StateAxes> all;
  if (s.rank() == 3) all.push_back({0, 1, 2, s[0], s[1], s[2]});
  if (s.rank() == 2) all.push_back({-1, 0, 1, 1, s[0], s[1]});
  if (s.rank() == 2) all.push_back({0, -1, 1, s[0], 1, s[1]});
  if (s.rank() == 1) all.push_back({-1, -1, 0, 1, 1, s[0]});
  std::erase_if(all, [](const StateAxes& a) { return a.heads < 1 || a.rows * a.columns < 2; });
  return all;
}

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

bool is_zero(const Tape& tape, NodeId id) {
  return &tape.op(id) == &kConstant && tape.attrs(id).real("value") == 0;
}

NodeId elements_of(const Tape& tape, NodeId id) {
  while (&tape.op(id) == &kReshape) id = tape.inputs(id)[0];
  return id;
}

NodeId state_behind(const Tape& tape, NodeId id) {
  const auto passes_on = [&](const Op& op) {
    return &op == &kCopy || &op == &kRestrictTo || &op == &kExtendTo;
  };
  while (passes_on(tape.op(id))) id = tape.inputs(id)[0];
  return id;
}

std::optional<LinearUpdate> linear_update(const Tape& tape, NodeId id, const StateAxes& axes,
                                          const std::function<bool(NodeId)>& known) {
  const bool minus = &tape.op(id) == &kSub;
  if (!minus && &tape.op(id) != &kAdd) return std::nullopt;
  const Terms terms(tape, id, axes);
  std::optional<Term> a = terms.take_apart(tape.inputs(id)[0]);
  std::optional<Term> b = terms.take_apart(tape.inputs(id)[1]);
  if (!a || !b) return std::nullopt;
  if (minus) b->product.negative = !b->product.negative;
  std::optional<LinearUpdate> first = update_of(tape, id, *a, *b),
                              second = update_of(tape, id, *b, *a);
  if (!first || !second) return first ? first : second;
  const auto rank = [&](const LinearUpdate& u) {
    return known(u.before) ? 0 : is_zero(tape, u.before) ? 1 : 2;
  };
  return rank(*second) < rank(*first) ? second : first;
}

}  // namespace taugrad
