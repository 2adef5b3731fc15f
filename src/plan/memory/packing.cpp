// Shared matrices that products read in panels.
#include "plan/lower/lowering.h"
#include "rewrite/rounding.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {

/// The packed matrix of a type of products; packed before its first use.
template <class S>
std::int32_t Lowering<S>::pack(const Product& p) {
  const ValueId from = value_[at(p.matrix)];
  const Shape& s = tape_.shape(p.matrix);
  const bool pairs = is_rounded(p.a) && is_rounded(p.matrix);
  if (s.rank() == 1) return pack_matrices(from, {s[0], 1, 0, 1, 1, pairs}, 1);
  if (p.transposed) return pack_matrices(from, {s[1], s[0], 0, 1, s[1], pairs}, 1);
  return pack_matrices(from, {s[0], s[1], 0, s[1], 1, pairs}, 1);
}

/// Whether a value holds numbers of bfloat16 for certain.
template <class S>
bool Lowering<S>::is_rounded(NodeId id) const {
  for (const Op* op = &tape_.op(id);; op = &tape_.op(id)) {
    if (op == &kRound || op == &kOneHot) return sizeof(S) == 4;
    if (!op->traits.view && op != &kSlice && op != &kTranspose && op != &kRestrictTo) return false;
    if (draft_.in(id).empty()) return false;
    id = draft_.in(id)[0];
  }
}

/// The kernels K[d] [m,n] of a convolution, used as their transposes; the first one's number.
template <class S>
std::int32_t Lowering<S>::pack_taps(NodeId id) {
  const NodeId kernels = draft_.in(id)[0];
  const Shape& s = tape_.shape(kernels);
  const std::int64_t n = s[s.rank() - 1], m = s[s.rank() - 2];
  return pack_matrices(value_[at(kernels)], {n, m, 0, 1, n},
                       static_cast<std::int64_t>(draft_.in(id).size()) - 1);
}

/// `count` matrices one after another in a value; number of the first. Views of one storage share
/// their packs.
template <class S>
std::int32_t Lowering<S>::pack_matrices(ValueId from, PackedMatrix m, std::int64_t count) {
  const Value& place = plan_.values[at(from)];
  const auto [it, fresh] =
      packed_.try_emplace({place.slot, place.offset, m.rows, m.columns, m.row_step, count, m.pairs},
                          static_cast<std::int32_t>(plan_.panels.size()));
  for (std::int64_t d = 0; fresh && d < count; ++d, m.offset += m.rows * m.columns) {
    Step<S> step;
    step.form = Form::pack;
    step.first_operand = static_cast<std::uint32_t>(plan_.operands.size());
    step.panels = static_cast<std::int32_t>(plan_.panels.size());
    read(step, from);
    plan_.panels.push_back(m);
    finish(step);
  }
  return it->second;
}

// the members that are defined here
template class Lowering<float>;
template class Lowering<double>;

}  // namespace taugrad::plan
