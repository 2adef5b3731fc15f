// Tapes that compute values again: what waits for what, and sums that take up their terms as they
// come.
#include <algorithm>

#include "plan/plan_builder.h"
#include "rewrite/checkpoint.h"

namespace taugrad::plan {
namespace {

/// The form of what is summed over items, where all terms are of that one form and lie in the sum's
/// place; else Form::add.
class Kinds {
 public:
  explicit Kinds(const PlanBuilder& draft)
      : draft_(draft), kind_(static_cast<std::size_t>(draft.size()), Form::add) {
    for (NodeId id = 0; id < draft.size(); ++id)
      if (draft.needed[at(id)] && draft.form[at(id)] == Form::add && draft.shared(id))
        kind_[at(id)] = kind(id);
  }
  Form of(NodeId id) const { return kind_[at(id)]; }

 private:
  Form of_term(NodeId x, NodeId sum) const {
    if (draft_.into[at(x)] != sum) return Form::add;
    const Form form = draft_.form[at(x)];
    return form == Form::add ? of(x) : form;
  }
  Form kind(NodeId id) const {
    const auto in = draft_.in(id);
    const Form first = of_term(in[0], id);
    const bool same = std::ranges::all_of(in, [&](NodeId x) { return of_term(x, id) == first; });
    return same ? first : Form::add;
  }

  const PlanBuilder& draft_;
  std::vector<Form> kind_;
};

}  // namespace

void set_phases(PlanBuilder& draft) {
  const Tape& tape = draft.tape;
  for (NodeId id = 0; id < draft.size(); ++id) {
    const bool waits = &tape.op(id) == &kAfter;
    if (draft.phase.empty()) {
      if (!waits) continue;
      draft.phase.resize(static_cast<std::size_t>(draft.size()));
    }
    std::int32_t& phase = draft.phase[at(id)];
    if (waits) phase = static_cast<std::int32_t>(tape.attrs(id).integer("phase"));
    for (const NodeId x : draft.in(id)) phase = std::max(phase, draft.phase[at(x)]);
  }
}

/// The first operand of a sum that belongs to an earlier phase is added to its place in that phase.
void split_sums(PlanBuilder& draft) {
  if (draft.phase.empty()) return;
  const Kinds kinds(draft);
  draft.part.resize(static_cast<std::size_t>(draft.size()));
  for (NodeId id = draft.size() - 1; id >= 0; --id) {
    const bool whole = draft.into[at(id)] < 0 || draft.part[at(id)];
    if (kinds.of(id) == Form::add || !whole) continue;
    const NodeId x = draft.in(id)[0];
    draft.part[at(x)] = kinds.of(x) == kinds.of(id) && draft.phase[at(x)] < draft.phase[at(id)];
  }
}

}  // namespace taugrad::plan
