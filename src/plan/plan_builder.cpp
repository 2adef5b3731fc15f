#include "plan/plan_builder.h"

#include <algorithm>

#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

/// The length that most sets of items speak of: sorting by it makes most of them views.
std::int32_t most_bounded(const std::vector<Extent>& extents, std::size_t lengths) {
  std::vector<std::int64_t> uses(std::max<std::size_t>(lengths, 1));
  for (const Extent& e : extents)
    for (const Extent::Bound& b : e.bounds) ++uses[static_cast<std::size_t>(b.which)];
  return static_cast<std::int32_t>(std::max_element(uses.begin(), uses.end()) - uses.begin());
}

}  // namespace

Layout layout_of(const Tape& tape) {
  Layout layout;
  layout.extents.resize(tape.extent_count());
  for (std::size_t e = kEveryItem; e < tape.extent_count(); ++e)
    layout.extents[e] = tape.extent(static_cast<ExtentId>(e));
  layout.lengths = static_cast<std::int32_t>(tape.length_names.size());
  layout.primary = most_bounded(layout.extents, tape.length_names.size());
  layout.longest = tape.longest;
  return layout;
}

bool Layout::prefix(ExtentId id) const {
  if (id == kShared) return false;
  const auto& bounds = extents[id].bounds;
  return std::all_of(bounds.begin(), bounds.end(),
                     [&](const Extent::Bound& b) { return b.which == primary; });
}

PlanBuilder::PlanBuilder(const Tape& t, std::span<const NodeId> out, PassSet p)
    : tape(t), outputs(out.begin(), out.end()), passes(p), layout(layout_of(t)) {
  const auto n = static_cast<std::size_t>(t.size());
  form.assign(n, Form::forward);
  needed.assign(n, 0);
  is_output.assign(n, 0);
  uses.assign(n, 0);
  user.assign(n, -1);
  into.assign(n, -1);
  turn.assign(n, 0);
  from.assign(n, 0);
  key.assign(n, 0);
  product.assign(n, -1);
  region.assign(n, -1);
  stored.assign(n, 0);
  for (NodeId id = 0; id < t.size(); ++id)
    while (sizes.size() <= t.shape_id(id))
      sizes.push_back(t.shape_of(static_cast<ShapeId>(sizes.size())).size());
}

NodeId PlanBuilder::owner(NodeId id) const {
  while (into[at(id)] >= 0) id = into[at(id)];
  return id;
}

bool PlanBuilder::added(NodeId id) const {
  const NodeId place = into[at(id)];
  return place >= 0 && form[at(place)] == Form::rows;
}

Read PlanBuilder::look_through(NodeId id) const {
  Read found{id};
  if (!passes.has(Pass::fuse)) return found;
  bool extended = false;  // zeros for some items: what lies behind is no constant for all
  for (NodeId x = id;;) {
    const Op* op = &tape.op(x);
    const bool of_constant = !tape.inputs(x).empty() && &tape.op(in(x)[0]) == &kConstant;
    if (extended && of_constant) return found;
    if (op == &kConstant) return {x, Read::Kind::constant};
    if (op == &kBroadcastTo && tape.shape(in(x)[0]).size() == 1) {
      x = in(x)[0];
      found = {x, Read::Kind::splat};
    } else if (op == &kExtendTo && !tape.attrs(x).has("category") &&
               layout.prefix(tape.extent_id(x)) && layout.prefix(tape.extent_id(in(x)[0]))) {
      x = in(x)[0];
      found.node = x;
      if (&tape.op(x) == &kConstant) return found;
      extended = true;
    } else if ((op == &kToItems || op == &kRestrictTo) && of_constant) {
      x = in(x)[0];
    } else {
      return found;
    }
  }
}

std::pair<NodeId, bool> PlanBuilder::matrix(NodeId id) const {
  std::pair<NodeId, bool> root{id, false};
  while (passes.has(Pass::transpose) && &tape.op(root.first) == &kTranspose &&
         tape.shape(root.first).rank() == 2)
    root = {in(root.first)[0], !root.second};
  return root;
}

}  // namespace taugrad::plan
