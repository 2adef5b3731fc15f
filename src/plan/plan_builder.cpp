#include "plan/plan_builder.h"

#include <algorithm>
#include <array>

#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/records.h"

namespace taugrad::plan {
namespace {

/// The length that most sets of items speak of: sorting by it makes most of them views.
std::int32_t most_bounded(const std::vector<Extent>& extents, std::size_t lengths,
                          std::int32_t levels) {
  std::vector<std::int64_t> uses(std::max<std::size_t>(lengths, 1));
  for (const Extent& e : extents)
    for (const Extent::Bound& b : e.bounds)
      if (b.which != levels) ++uses[static_cast<std::size_t>(b.which)];
  return static_cast<std::int32_t>(std::max_element(uses.begin(), uses.end()) - uses.begin());
}

}  // namespace

kernels::Pattern spreading(const Shape& narrow, const Shape& wide) {
  std::array<std::int64_t, kMaxRank> step{};
  std::int64_t stride = 1;
  const int missing = wide.rank() - narrow.rank();
  for (int axis = wide.rank(); axis-- > missing; stride *= narrow[axis - missing])
    step[static_cast<std::size_t>(axis)] = narrow[axis - missing] == 1 ? 0 : stride;
  kernels::Pattern p;
  for (int axis = 0; axis < wide.rank(); ++axis)
    p.add(wide[axis], step[static_cast<std::size_t>(axis)]);
  return p;
}

Layout layout_of(const Tape& tape) {
  Layout layout;
  layout.extents.resize(tape.extent_count());
  for (std::size_t e = kEveryItem; e < tape.extent_count(); ++e)
    layout.extents[e] = tape.extent(static_cast<ExtentId>(e));
  layout.lengths = static_cast<std::int32_t>(tape.length_names.size());
  const auto levels = std::ranges::find(tape.length_names, kLevelRows);
  if (levels != tape.length_names.end())
    layout.levels = static_cast<std::int32_t>(levels - tape.length_names.begin());
  layout.primary = most_bounded(layout.extents, tape.length_names.size(), layout.levels);
  layout.longest = tape.longest;
  return layout;
}

bool Layout::prefix(ExtentId id) const {
  if (id == kShared) return false;
  const auto& bounds = extents[id].bounds;
  return std::all_of(bounds.begin(), bounds.end(),
                     [&](const Extent::Bound& b) { return b.which == primary; });
}

bool Layout::of_level(ExtentId id) const {
  if (id == kShared || levels < 0) return false;
  const auto& bounds = extents[id].bounds;
  return bounds.size() == 1 && bounds[0].which == levels;
}

PlanBuilder::PlanBuilder(const Tape& t, std::span<const NodeId> out, PassSet p)
    : tape(t), outputs(out.begin(), out.end()), passes(p), layout(layout_of(t)) {
  const auto n = static_cast<std::size_t>(t.size());
  patterns.emplace_back();
  sum.assign(n, 0);
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

std::uint32_t PlanBuilder::pattern(const kernels::Pattern& p) {
  const auto number = std::find(patterns.begin(), patterns.end(), p) - patterns.begin();
  if (static_cast<std::size_t>(number) == patterns.size()) patterns.push_back(p);
  return static_cast<std::uint32_t>(number);
}

Read PlanBuilder::look_through(NodeId id) {
  Read found{id};
  if (!passes.has(Pass::fuse)) return found;
  bool extended = false;  // zeros for some items: what lies behind is no constant for all
  for (NodeId x = id;;) {
    const Op* op = &tape.op(x);
    const bool of_constant = !tape.inputs(x).empty() && &tape.op(in(x)[0]) == &kConstant;
    if (extended && of_constant) return found;
    if (op == &kConstant) return {x, Read::Kind::constant};
    if (op == &kReshape && found.kind == Read::Kind::stream && spreads_behind(x)) {
      x = in(x)[0];
    } else if (op == &kBroadcastTo && can_spread(x, found)) {
      found = spread(x, found);
      x = found.node;
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

/// Whether a broadcast stands behind reshapes: its elements in their order.
bool PlanBuilder::spreads_behind(NodeId id) const {
  while (&tape.op(id) == &kReshape && tape.extent_id(id) == tape.extent_id(in(id)[0]))
    id = in(id)[0];
  return &tape.op(id) == &kBroadcastTo && tape.shape(id).size() > 0;
}

/// Of two broadcasts, one behind the other, only a number's.
bool PlanBuilder::can_spread(NodeId broadcast, const Read& found) const {
  return found.kind == Read::Kind::stream ? tape.shape(broadcast).size() > 0
                                          : tape.shape(in(broadcast)[0]).size() == 1;
}

Read PlanBuilder::spread(NodeId broadcast, const Read& found) {
  const NodeId x = in(broadcast)[0];
  const Shape &narrow = tape.shape(x), &wide = tape.shape(broadcast);
  if (wide.size() == 1 && found.kind == Read::Kind::stream) return {x};
  if (narrow.size() == 1) return {x, Read::Kind::spread, pattern(kernels::Pattern::number())};
  const kernels::Pattern p = spreading(narrow, wide);
  if (p.whole()) return {x};
  return {x, Read::Kind::spread, pattern(p)};
}

std::pair<NodeId, bool> PlanBuilder::matrix(NodeId id) const {
  std::pair<NodeId, bool> root{id, false};
  while (passes.has(Pass::transpose) && &tape.op(root.first) == &kTranspose &&
         tape.shape(root.first).rank() == 2)
    root = {in(root.first)[0], !root.second};
  return root;
}

}  // namespace taugrad::plan
