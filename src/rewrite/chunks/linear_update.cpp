#include "rewrite/chunks/linear_update.h"

#include <algorithm>
#include <utility>

#include "rewrite/chunks/correction.h"
#include "rewrite/chunks/reflection.h"
#include "rewrite/chunks/terms.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// The update that the terms of a sum are, the first one that of the state.
class Update {
 public:
  Update(const Tape& tape, const StateAxes& axes, NodeId id) : tape_(tape), axes_(axes), id_(id) {}

  /// @param root   of the term of the state
  /// @param minus  it is taken with a minus
  std::optional<LinearUpdate> of(const Term& kept, NodeId root, bool minus, Term added) const {
    if (kept.full.size() != 1 || kept.full[0].below || !kept.product.kind()) return std::nullopt;
    for (const Factor& f : added.full) {
      if (f.kind == Factor::Kind::number) return std::nullopt;  // a whole matrix
      added.product.factors.push_back({elements_of(tape_, f.node), f.kind, f.below, f.heads});
    }
    if (added.product.factors.empty()) return std::nullopt;
    if (const auto r = reflection_of(tape_, kept.full[0].node, axes_))
      return reflected(*r, kept, std::move(added));
    const NodeId before = state_behind(tape_, kept.full[0].node);
    if (tape_.shape_id(before) != tape_.shape_id(id_)) return std::nullopt;
    LinearUpdate update{
        id_,      kept.full[0].node,   before, kept.product, {std::move(added.product)},
        kept.way, std::move(added.way)};
    correct(update, {before, root, minus, kept.product});
    return update;
  }

 private:
  /// a (c S + s (S p) w^T) + added
  std::optional<LinearUpdate> reflected(const Reflection& r, const Term& kept, Term added) const {
    const NodeId before = state_behind(tape_, r.state);
    if (kept.product.kind() != Factor::Kind::number) return std::nullopt;
    if (tape_.shape_id(before) != tape_.shape_id(id_)) return std::nullopt;
    Correction c;
    c.line = r.over_columns ? Factor::Kind::column : Factor::Kind::row;
    c.read = {-1, r.query.node, 0, r.over_columns, r.query.heads};
    c.gated = r.kept.factors.empty();  // c is 1 or -1
    c.scale = r.scale.times(c.gated ? FactorProduct{{}, r.kept.negative} : kept.product);
    LinearUpdate update{id_,
                        r.state,
                        before,
                        kept.product.times(r.kept),
                        {r.other, std::move(added.product)},
                        kept.way,
                        std::move(added.way),
                        std::move(c)};
    update.way.insert(update.way.end(), r.way.begin(), r.way.end());
    return update;
  }

  /// Takes the line that holds the state before out of what is added.
  void correct(LinearUpdate& update, const StateBefore& before) const {
    std::vector<Factor>& factors = update.added.front().factors;
    for (std::size_t f = 0; f < factors.size() && !update.correction; ++f) {
      update.correction = correction_of(tape_, axes_, factors[f], before);
      if (update.correction) factors.erase(factors.begin() + static_cast<std::ptrdiff_t>(f));
    }
  }

  const Tape& tape_;
  const StateAxes& axes_;
  NodeId id_;
};

}  // namespace

std::optional<Factor::Kind> FactorProduct::kind() const {
  using Kind = Factor::Kind;
  const auto has = [&](Kind kind) { return std::ranges::count(factors, kind, &Factor::kind) > 0; };
  const bool row = has(Kind::row), column = has(Kind::column);
  if (row && column) return std::nullopt;
  return row ? Kind::row : column ? Kind::column : Kind::number;
}

FactorProduct FactorProduct::times(const FactorProduct& other) const {
  FactorProduct all = *this;
  all.factors.insert(all.factors.end(), other.factors.begin(), other.factors.end());
  all.negative = negative != other.negative;
  return all;
}

bool FactorProduct::is_like(const FactorProduct& other) const {
  return negative == other.negative &&
         std::ranges::equal(factors, other.factors,
                            [](const Factor& a, const Factor& b) { return a.is_like(b); });
}

bool Correction::is_like(const Correction& other) const {
  const auto alike = [](const FactorProduct& a, const FactorProduct& b) { return a.is_like(b); };
  return line == other.line && gated == other.gated && scale.is_like(other.scale) &&
         std::ranges::equal(rest, other.rest, alike) &&
         read.over_columns == other.read.over_columns && read.heads == other.read.heads;
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

bool is_zero(const Tape& tape, NodeId id) {
  return &tape.op(id) == &kConstant && tape.attrs(id).real("value") == 0;
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
  const Terms terms(tape, tape.shape(id), axes);
  std::optional<Term> a = terms.take_apart(tape.inputs(id)[0]);
  std::optional<Term> b = terms.take_apart(tape.inputs(id)[1]);
  if (!a || !b) return std::nullopt;
  if (minus) b->product.negative = !b->product.negative;
  const Update update(tape, axes, id);
  const auto in = tape.inputs(id);
  std::optional<LinearUpdate> first = update.of(*a, in[0], false, *b),
                              second = update.of(*b, in[1], minus, *a);
  if (!first || !second) return first ? first : second;
  const auto rank = [&](const LinearUpdate& u) {
    return known(u.before) ? 0 : is_zero(tape, u.before) ? 1 : 2;
  };
  return rank(*second) < rank(*first) ? second : first;
}

}  // namespace taugrad
