#include "autodiff/structural_zeros.h"

#include <algorithm>

#include "autodiff/sweep.h"
#include "ops/own.h"
#include "ops/rules.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// The number that a node is everywhere, or null.
const Attrs* constant_of(const Tape& tape, NodeId id) {
  while (&tape.op(id) == &kBroadcastTo || &tape.op(id) == &kToItems) id = tape.inputs(id)[0];
  return &tape.op(id) == &kConstant ? &tape.attrs(id) : nullptr;
}

/// Whether a value or a slope of the op may be infinite where its inputs are finite.
bool has_pole(const Tape& tape, NodeId id) {
  const Op& op = tape.op(id);
  if (&op == &kDiv || &op == &kMod || &op == &kMeanN) {
    const Attrs* by = constant_of(tape, tape.inputs(id)[&op == &kMeanN ? 0 : 1]);
    return by == nullptr || by->real("value") == 0;
  }
  if (&op == &kPow) {
    const Attrs* exponent = constant_of(tape, tape.inputs(id)[1]);
    return exponent == nullptr || exponent->real("value") < 1;
  }
  return &op == &kExp || &op == &kLog || &op == &kExpm1 || &op == &kLog1p || &op == &kSqrt ||
         &op == &kNllCategoricalP || &op == &kNllBernoulliP || &op == &kNllNormal ||
         (is_own(op) && !op.traits.linear);
}

bool keeps_values(const Op& op) { return !op.traits.discrete || op.traits.view; }

/// Each element of a derivative is one of those it is made of, or 0: nothing is multiplied.
bool only_moves(const Op& op) {
  return op.traits.linear || op.traits.variadic_items ||
         (op.traits.chooses && op.traits.elementwise);
}

/// What the op makes of a mask is what it makes of a derivative.
bool carries_masks(const Op& op) {
  return op.traits.chooses || (op.traits.linear && !op.traits.elementwise);
}

Var nonzero(Var v) { return not_equal(v, number_like(v, 0)); }
Var any_of(Var mask) { return mask.shape().is_scalar() ? mask : nonzero(sum(mask)); }
Var either(Var a, Var b) { return a && b ? max(a, b) : a ? a : b; }

/// A mask for the items of `of`: of a shared value, whether anything flows for any item.
Var mask_like(Var mask, Var of, const Op& rule) {
  const Var fit = fitted(mask, of, rule);
  return fit.id == mask.id ? mask : nonzero(fit);
}

}  // namespace

std::vector<Risk> risks(const Tape& tape, NodeId last) {
  std::vector<Risk> risk(at(last) + 1, Risk::none);
  for (NodeId id = 0; id <= last; ++id) {
    const Op& op = tape.op(id);
    if (!keeps_values(op)) continue;
    Risk& r = risk[at(id)];
    if (op.traits.leaf && !op.traits.discrete && !tape.attrs(id).has("category")) r = Risk::data;
    for (const NodeId in : tape.inputs(id)) r = std::max(r, risk[at(in)]);
    if (has_pole(tape, id)) r = Risk::pole;
  }
  return risk;
}

// ---- reverse ----------------------------------------------------------------------------------

ReverseZeros::ReverseZeros(Tape& tape, const std::vector<char>& depends, NodeId last)
    : tape_(tape),
      depends_(depends),
      risk_(risks(tape, last)),
      whole_(at(last) + 1, 0),
      partial_(at(last) + 1, 0) {}

// what was given as NaN, such as missing data, stands behind a `where`; other choices leave out
// what has a pole
bool ReverseZeros::leaves_out(const Op& op, NodeId in) const {
  const Risk least = &op == &kWhere ? Risk::data : Risk::pole;
  return op.traits.chooses && risk_[at(in)] >= least;
}

void ReverseZeros::prepare() {
  std::vector<char> reached = whole_;
  for (auto id = static_cast<NodeId>(whole_.size()); id-- > 0;) {
    if (!depends_[at(id)] || !reached[at(id)]) continue;
    const Op& op = tape_.op(id);
    if (!whole_[at(id)] && covered(id)) whole_[at(id)] = 1;
    partial_[at(id)] = !whole_[at(id)] && risk_[at(id)] != Risk::none;
    if (op.traits.discrete) continue;
    const auto inputs = tape_.inputs(id);
    for (std::size_t i = &op == &kWhere ? 1 : 0; i < inputs.size(); ++i) {
      const NodeId in = inputs[i];
      reached[at(in)] = 1;
      if (!leaves_out(op, in))
        whole_[at(in)] |= whole_[at(id)];
      else if (&op == &kSlice && whole_[at(id)])
        slices_[in].push_back(id);
    }
  }
  // a mask that no product reads, here or farther back, is not made
  for (NodeId id = 0; at(id) < partial_.size(); ++id) {
    const auto inputs = tape_.inputs(id);
    bool read = !inputs.empty() && !only_moves(tape_.op(id));
    for (const NodeId in : inputs) read = read || partial_[at(in)];
    partial_[at(id)] = partial_[at(id)] && read;
  }
}

// whether the slices of a node, such as the gates of a cell, leave nothing of it out
bool ReverseZeros::covered(NodeId id) const {
  const auto found = slices_.find(id);
  if (found == slices_.end()) return false;
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (const NodeId slice : found->second)
    rows.emplace_back(tape_.attrs(slice).integer("from"), tape_.attrs(slice).integer("to"));
  std::ranges::sort(rows);
  std::int64_t end = 0;
  for (const auto& [from, to] : rows)
    if (from <= end) end = std::max(end, to);
  return end >= tape_.shape(id)[0];
}

Var ReverseZeros::mask(NodeId id) {
  if (!partial_[at(id)]) return {};
  Var all;
  for (const Var& share : masks_[id]) all = either(all, share);
  masks_.erase(id);
  return all;
}

Primal ReverseZeros::finite(const Primal& p, Var mask) const {
  const Op& op = p.out.op();
  if (!mask || !op.traits.bilinear || op.traits.elementwise) return p;
  Primal safe = p;
  const Var any = any_of(mask);
  for (Var& x : safe.in)  // a matrix that all items share stays one
    if (risky(x) && (x.per_example() || !mask.per_example())) x = where(any, x, number_like(x, 0));
  return safe;
}

Var ReverseZeros::cleared(const Primal& p, std::size_t i, Var mask, Var share) const {
  const Op& op = p.out.op();
  if (!mask || only_moves(op)) return share;
  if (op.traits.elementwise) return where(mask, share, number_like(share, 0));
  if (mask.per_example() && !share.per_example()) return share;
  bool unsafe = !op.traits.bilinear;  // else but for a shared matrix, which `finite` has left
  for (std::size_t j = 0; j < p.in.size(); ++j)
    unsafe = unsafe || (j != i && risk_[at(p.in[j].id)] == Risk::pole && !p.in[j].per_example() &&
                        mask.per_example());
  if (!unsafe) return share;
  const Var zero = number_like(share, 0);
  return where(any_of(mask), share, zero);
}

void ReverseZeros::pass(const Primal& p, Var mask) {
  const Op& op = p.out.op();
  Primal wanting = p;
  bool any = false;
  for (std::size_t i = 0; i < p.in.size(); ++i) {
    wanting.wanted[i] = p.wants(i) && partial_[at(p.in[i].id)];
    any = any || wanting.wanted[i];
  }
  if (!any) return;
  if (!mask) mask = ones_like(p.out);
  Vars shares(p.in.size());
  if (carries_masks(op)) op.vjp(wanting, mask, shares);
  const Var whether = carries_masks(op) || op.traits.elementwise ? Var{} : any_of(mask);
  for (std::size_t i = 0; i < p.in.size(); ++i) {
    if (!wanting.wanted[i]) continue;
    const Var in = p.in[i];
    Var share = shares[i];
    if (share && !op.traits.elementwise) share = nonzero(share);
    if (!carries_masks(op)) share = whether ? broadcast_to(whether, in.shape()) : mask;
    if (share) masks_[in.id].push_back(mask_like(share, in, op));
  }
}

// ---- forward ----------------------------------------------------------------------------------

ForwardZeros::ForwardZeros(Tape& tape, const std::vector<char>& needed)
    : risk_(risks(tape, static_cast<NodeId>(needed.size()) - 1)),
      wanted_(needed.size(), 0),
      mask_(needed.size()) {
  for (auto id = static_cast<NodeId>(needed.size()); id-- > 0;)
    if (needed[at(id)] && (wanted_[at(id)] || multiplies(tape.op(id), id)))
      for (const NodeId in : tape.inputs(id)) wanted_[at(in)] = 1;
}

bool ForwardZeros::multiplies(const Op& op, NodeId id) const {
  return !op.traits.discrete && !only_moves(op) && risk_[at(id)] == Risk::pole;
}

Var ForwardZeros::push(const Primal& p, std::span<const Var> xdot, Rule rule) {
  const Op& op = p.out.op();
  bool masked = false;
  for (std::size_t i = 0; i < xdot.size(); ++i) masked = masked || (xdot[i] && mask(p.in[i]));
  if (wanted_[at(p.out.id)]) mask_[at(p.out.id)] = mask_of(p, xdot, rule);
  if (!masked || !multiplies(op, p.out.id)) return rule(p, xdot);
  Vars terms;  // a tangent is linear in those of the inputs: one at a time
  for (std::size_t i = 0; i < xdot.size(); ++i) {
    if (!xdot[i]) continue;
    Vars alone(xdot.size());
    alone[i] = xdot[i];
    const Var m = mask(p.in[i]);
    const Var flows = !m || op.traits.elementwise ? m : any_of(m);
    const bool over_items = flows && op.traits.sums_items;
    const Var term = rule(over_items ? beside(p, i, flows) : p, alone);
    if (!term) continue;
    terms.push_back(flows && !over_items ? where(flows, term, number_like(term, 0)) : term);
  }
  return terms.empty() ? Var{} : terms.size() == 1 ? terms[0] : add_n(terms);
}

// a sum over the items takes up 0 of an item of which nothing flows
Primal ForwardZeros::beside(const Primal& p, std::size_t i, Var flows) {
  Primal safe = p;
  for (std::size_t j = 0; j < safe.in.size(); ++j)
    if (j != i && category_size(safe.in[j]) == 0)
      safe.in[j] = where(flows, safe.in[j], number_like(safe.in[j], 0));
  return safe;
}

Var ForwardZeros::mask_of(const Primal& p, std::span<const Var> xdot, Rule rule) const {
  const Op& op = p.out.op();
  Vars seeds(xdot.size());
  bool all = false, some = false, absent = false;
  Var any;
  for (std::size_t i = 0; i < xdot.size(); ++i) {
    absent = absent || !xdot[i];
    if (!xdot[i]) continue;
    const Var m = mask(p.in[i]);
    all = all || !m;
    some = some || m;
    seeds[i] = m ? m : ones_like(p.in[i]);
    if (carries_masks(op)) continue;
    if (m && !op.traits.elementwise) any = either(any, any_of(m));
    if (m && op.traits.elementwise) any = either(any, m);
  }
  if (carries_masks(op)) {
    // zeros beside what moves, such as the other parts of a concatenation, are no tangent's
    const bool beside = op.traits.chooses || absent || &op == &kPad || &op == &kExtendTo;
    if (!some && !beside) return {};
    const Var made = rule(p, seeds);
    return made ? mask_like(op.traits.elementwise ? made : nonzero(made), p.out, op) : Var{};
  }
  if (all) return {};
  return mask_like(broadcast_to(any, p.out.shape()), p.out, op);
}

}  // namespace taugrad
