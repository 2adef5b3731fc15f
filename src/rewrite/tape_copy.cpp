#include "rewrite/tape_copy.h"

#include "rewrite/checkpoint.h"
#include "rewrite/rounding.h"

namespace taugrad {

TapeCopy::TapeCopy(const Tape& from) : from_(from), to_(graph_.tape()) {
  to_.length_names = from.length_names;
  to_.longest = from.longest;
  for (std::size_t e = kEveryItem; e < from.extent_count(); ++e)
    to_.intern_extent(from.extent(static_cast<ExtentId>(e)));
}

NodeId TapeCopy::add(NodeId id, std::span<const NodeId> inputs, bool name) {
  const ShapeId shape =
      renumbered(shapes_, from_.shape_id(id), [&] { return to_.intern_shape(from_.shape(id)); });
  const AttrsId attrs =
      renumbered(attrs_, from_.attrs_id(id), [&] { return to_.intern_attrs(from_.attrs(id)); });
  own(id);
  const NodeId copy = to_.append_raw(from_.op(id), inputs, shape, attrs, from_.extent_id(id));
  if (name) this->name(id, copy);
  return copy;
}

void TapeCopy::name(NodeId id, NodeId copy) {
  if (from_.is_value(id)) to_.set_value(copy, to_.owner_name(), to_.owner_index());
}

void TapeCopy::own(NodeId id) {
  const NameId owner = renumbered(names_, from_.name_id(id), [&] {
    return to_.intern_name(from_.name(id), from_.letters_of(from_.name_id(id)));
  });
  const IndexId index =
      renumbered(indices_, from_.index_id(id), [&] { return to_.intern_index(from_.index(id)); });
  to_.set_owner(owner, index);
}

NodeId TapeCopy::add_rounded(NodeId x) {
  to_.set_owner(to_.name_id(x), to_.index_id(x));
  return to_.append_raw(kRound, {&x, 1}, to_.shape_id(x), 0, to_.extent_id(x));
}

NodeId TapeCopy::add_after(std::span<const NodeId> inputs, std::int32_t phase) {
  if (phase != phase_) phase_attrs_ = to_.intern_attrs({{"phase", std::int64_t{phase}}});
  phase_ = phase;
  to_.set_owner(0, 0);
  return to_.append_raw(kAfter, inputs, to_.shape_id(inputs[0]), phase_attrs_,
                        to_.extent_id(inputs[0]));
}

}  // namespace taugrad
