// Parts of a concatenation, and of a sum of padded parts, are written in their place.
#include <algorithm>

#include "plan/plan_builder.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/steps.h"

namespace taugrad::plan {
namespace {

struct Part {
  NodeId node;
  std::int64_t from, size;  ///< elements of a row
};

class Placing {
 public:
  explicit Placing(PlanBuilder& draft) : draft_(draft), tape_(draft.tape) {}

  void run() {
    for (NodeId id = draft_.size() - 1; id >= 0; --id) {
      if (!draft_.needed[at(id)] || draft_.shared(id)) continue;
      const Op* op = &tape_.op(id);
      parts_.clear();
      const bool whole = op == &kConcat || op == &kStack || is_every_step(id) ? list_joined(id)
                         : op == &kAddN                                       ? list_padded(id)
                                                                              : false;
      if (whole && std::ranges::all_of(parts_, [&](const Part& p) { return can_move(p.node, id); }))
        move(id);
    }
  }

 private:
  /// Whether steps make up all rows, as those of a stack do.
  bool is_every_step(NodeId id) const {
    return &tape_.op(id) == &kGiveSteps &&
           static_cast<std::int64_t>(draft_.in(id).size()) == tape_.shape(id)[0];
  }

  /// What the same elements are, in order, behind other axes.
  NodeId behind_views(NodeId x) const {
    while (draft_.form[at(x)] == Form::view && tape_.op(x).traits.view) x = draft_.in(x)[0];
    return x;
  }

  bool list_joined(NodeId id) {
    std::int64_t from = 0;
    for (const NodeId x : draft_.in(id)) {
      parts_.push_back({behind_views(x), from, tape_.shape(x).size()});
      from += parts_.back().size;
    }
    return true;
  }

  /// pad(a) + pad(b) + .., of parts that do not overlap and leave no gap.
  bool list_padded(NodeId id) {
    for (const NodeId x : draft_.in(id)) {
      if (&tape_.op(x) != &kPad || draft_.uses[at(x)] != 1 || draft_.is_output[at(x)]) return false;
      const NodeId part = draft_.in(x)[0];
      const std::int64_t size = tape_.shape(part).size();
      const std::int64_t row = tape_.shape(part)[0] == 0 ? 0 : size / tape_.shape(part)[0];
      parts_.push_back({behind_views(part), tape_.attrs(x).integer("from") * row, size});
    }
    std::ranges::sort(parts_, {}, &Part::from);
    std::int64_t end = 0;
    for (const Part& p : parts_) {
      if (p.from != end) return false;
      end += p.size;
    }
    return end == tape_.shape(id).size();
  }

  /// Only values that can be written with gaps between the rows, and have no other place.
  bool can_move(NodeId x, NodeId id) const {
    const Form form = draft_.form[at(x)];
    return (form == Form::fused || form == Form::rows) && !draft_.is_output[at(x)] &&
           draft_.into[at(x)] < 0 && tape_.extent_id(x) == tape_.extent_id(id) &&
           std::ranges::count(parts_, x, &Part::node) == 1;
  }

  void move(NodeId id) {
    draft_.form[at(id)] = Form::placed;
    for (const Part& p : parts_) {
      draft_.into[at(p.node)] = id;
      draft_.from[at(p.node)] = p.from;
    }
    if (&tape_.op(id) != &kAddN) return;
    for (const NodeId x : draft_.in(id)) draft_.form[at(x)] = Form::placed;
  }

  PlanBuilder& draft_;
  const Tape& tape_;
  std::vector<Part> parts_;
};

}  // namespace

void place_parts(PlanBuilder& draft) {
  if (draft.passes.has(Pass::place)) Placing(draft).run();
}

}  // namespace taugrad::plan
