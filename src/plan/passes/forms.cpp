// How each node is carried out, by its op and by which of its operands are shared.
#include <algorithm>
#include <map>

#include "plan/lower/element_product.h"
#include "plan/lower/tile_ops.h"
#include "plan/plan_builder.h"
#include "rewrite/checkpoint.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/steps.h"

namespace taugrad::plan {
namespace {

class Forms {
 public:
  explicit Forms(PlanBuilder& draft) : draft_(draft), tape_(draft.tape) {}

  /// From the outputs down the tape: what is read is needed.
  void run() {
    draft_.read.resize(draft_.input.size());
    for (const NodeId id : draft_.outputs) draft_.needed[at(id)] = draft_.is_output[at(id)] = 1;
    for (NodeId id = tape_.size() - 1; id >= 0; --id) {
      if (!draft_.needed[at(id)]) continue;
      const Form form = draft_.form[at(id)] = choose(id);
      if (form == Form::add) look_behind_views(id);
      if (form == Form::rows)
        use_product(id);
      else if (form == Form::fused && is_product(id))
        use_elements(*element_product(draft_, id), id);
      else
        use_inputs(id, form);
    }
    make_again();
    std::reverse(draft_.products.begin(), draft_.products.end());
    for (std::size_t i = 0; i < draft_.products.size(); ++i)
      draft_.product[at(draft_.products[i].node)] = static_cast<std::int32_t>(i);
    draft_.types = static_cast<std::int32_t>(types_.size());
  }

 private:
  int rank(NodeId id) const { return tape_.shape(id).rank(); }

  /// Sums over items behind other axes, as the gradient of a weight of three axes has them, add to
  /// the place of a sum as well.
  void look_behind_views(NodeId sum) {
    if (!draft_.shared(sum)) return;
    const std::size_t first = draft_.first[at(sum)];
    for (std::size_t i = first; i < draft_.first[at(sum) + 1]; ++i) {
      NodeId x = draft_.input[i];
      while (&tape_.op(x) == &kReshape && draft_.shared(draft_.in(x)[0])) x = draft_.in(x)[0];
      const Op* const op = &tape_.op(x);
      if (op == &kOuterSum || op == &kSumItems || op == &kAddN) draft_.input[i] = x;
    }
  }

  void use(NodeId x, NodeId user) {
    draft_.needed[at(x)] = 1;
    auto& uses = draft_.uses[at(x)];
    uses = static_cast<std::uint8_t>(std::min(uses + 1, 2));
    draft_.user[at(x)] = user;
  }
  bool is_product(NodeId id) const {
    const Op& op = tape_.op(id);
    return &op == &kMatmul || &op == &kStackedMatmul || &op == &kOuter;
  }
  void use_elements(const ElementProduct& p, NodeId id) {
    Read* read = draft_.read.data() + draft_.first[at(id)];
    *read = read_by(p.of_a, p.a);
    *++read = read_by(p.of_b, p.b);
    for (const Read& r : draft_.reads(id))
      if (r.kind != Read::Kind::constant) use(r.node, id);
    if (!p.into.whole()) draft_.sum[at(id)] = 1 + draft_.pattern(p.into);
  }
  Read read_by(const kernels::Pattern& p, NodeId x) {
    const Read direct = draft_.look_through(x);
    if (p.whole() || direct.kind == Read::Kind::constant) return direct;
    return {x, Read::Kind::spread, draft_.pattern(p)};
  }

  void use_inputs(NodeId id, Form form) {
    Read* read = draft_.read.data() + draft_.first[at(id)];
    if (&tape_.op(id) == &kAfter) return use_first(id, read);
    for (const NodeId x : draft_.in(id)) {
      *read = form == Form::fused  ? draft_.look_through(x)
              : form == Form::each ? Read{draft_.matrix(x).first}  // also behind transposes
                                   : Read{x};
      if (read->kind != Read::Kind::constant) use(read->node, id);
      ++read;
    }
    if (form == Form::fused && &tape_.op(id) == &kSumTo) {
      const auto p = spreading(tape_.shape(id), tape_.shape(draft_.in(id)[0]));
      draft_.sum[at(id)] = 1 + draft_.pattern(p);
    }
  }

  /// What comes first is read, the others are only waited for.
  void use_first(NodeId id, Read* read) {
    for (const NodeId x : draft_.in(id)) {
      draft_.needed[at(x)] = 1;
      *read++ = {x};
    }
    use(draft_.in(id)[0], id);
  }

  void use_product(NodeId id) {
    Product p = product_of(id);
    const auto [it, fresh] =
        types_.try_emplace({p.matrix, p.transposed}, static_cast<std::int32_t>(types_.size()));
    p.type = it->second;
    draft_.products.push_back(p);
    Read* read = draft_.read.data() + draft_.first[at(id)];
    read[0] = {p.a};
    read[1] = {p.matrix};
    use(p.a, id);
    use(p.matrix, id);
  }

  Product product_of(NodeId id) const {
    const auto in = draft_.in(id);
    // a B with B shared; A x = x A^T for a row x
    const bool left = !draft_.shared(in[0]);
    const NodeId b = left ? in[1] : in[0];
    const auto [matrix, transposed] = draft_.matrix(b);
    return {id, left ? in[0] : in[1], matrix, (!left && rank(b) == 2) != transposed, false, -1};
  }

  Form matmul(NodeId id, NodeId a, NodeId b) const {
    if (!draft_.shared(a) && draft_.shared(b)) return Form::rows;
    if (draft_.shared(a) && !draft_.shared(b) && rank(b) == 1) return Form::rows;
    if (can_fuse() && element_product(draft_, id)) return Form::fused;
    return rank(a) == 2 && rank(b) == 2 ? Form::each : Form::forward;
  }

  Form conv(NodeId id) const {
    const auto in = draft_.in(id);
    const auto is_row = [&](NodeId tap) { return !draft_.shared(tap) && rank(tap) == 1; };
    const bool rows =
        draft_.shared(in[0]) && in.size() >= 2 && std::all_of(in.begin() + 1, in.end(), is_row);
    return rows ? Form::taps : Form::forward;
  }

  Form choose(NodeId id) const {
    const Op& op = tape_.op(id);
    const auto in = draft_.in(id);
    if (&op == &kInput || &op == &kWeight) return Form::leaf;
    if (&op == &kMatmul) return matmul(id, in[0], in[1]);
    if (&op == &kConv) return conv(id);
    if (&op == &kAddN)
      return can_fuse() && !draft_.shared(id) && !draft_.is_long_sum(id) ? Form::fused : Form::add;
    if (&op == &kOuterSum) return Form::outer_sum;
    if (&op == &kScatterRows) return Form::scatter_rows;
    if (&op == &kSumItems) return Form::sum_items;
    if (is_view(id)) return Form::view;
    if (can_fuse() && (&op == &kSumTo || is_product(id)) && adds_up(id)) return Form::fused;
    return can_fuse() && tile_op_of(op, tape_.attrs(id)) ? Form::fused : Form::forward;
  }
  /// Products of two smaller rows, of matrices or of what broadcasts, are made where they are read,
  /// where only regions do.
  void make_again() {
    std::vector<std::uint8_t> wanted(static_cast<std::size_t>(draft_.size()));
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[at(id)]) continue;
      const bool spreads = std::ranges::all_of(
          draft_.reads(id), [](const Read& r) { return r.kind == Read::Kind::spread; });
      const bool product =
          draft_.form[at(id)] == Form::fused && (is_product(id) || &tape_.op(id) == &kMul);
      wanted[at(id)] = product && spreads && !draft_.sums(id) && !draft_.is_output[at(id)];
      draft_.each_read(id, [&](const Read& r) {
        if (draft_.form[at(id)] != Form::fused || r.kind != Read::Kind::stream ||
            !draft_.same_tiles(r.node, id))
          wanted[at(r.node)] = 0;
      });
    }
    for (NodeId id = 0; id < draft_.size(); ++id)
      if (wanted[at(id)]) draft_.form[at(id)] = Form::again;
  }

  bool adds_up(NodeId id) const {
    if (&tape_.op(id) != &kSumTo) return element_product(draft_, id).has_value();
    const std::int64_t from = draft_.elements(draft_.in(id)[0]);
    return from > 0 && from != draft_.elements(id);
  }
  bool can_fuse() const { return draft_.passes.has(Pass::fuse); }

  /// A transpose of a row or a column, a broadcast to as many elements and its sum.
  bool moves_nothing(NodeId id) const {
    const Op& op = tape_.op(id);
    if (&op == &kBroadcastTo || &op == &kSumTo)
      return draft_.elements(id) == draft_.elements(draft_.in(id)[0]);
    if (&op != &kTranspose || tape_.attrs(id).has("axes")) return false;
    return std::ranges::count_if(tape_.shape(id).dims(), [](std::int64_t n) { return n != 1; }) < 2;
  }

  bool is_view(NodeId id) const {
    const Op& op = tape_.op(id);
    const auto in = draft_.in(id);
    if ((op.traits.view || moves_nothing(id)) && tape_.extent_id(id) == tape_.extent_id(in[0]))
      return !draft_.is_output[at(id)];
    if (draft_.is_output[at(id)]) return false;  // its rows lie one after another
    if (&op == &kToItems || &op == &kSlice) return true;
    // Items sorted: the rows of fewer items are the first rows of more items.
    return (&op == &kRestrictTo || &op == &kStepOf) && draft_.layout.prefix(tape_.extent_id(id)) &&
           draft_.layout.prefix(tape_.extent_id(in[0]));
  }

  PlanBuilder& draft_;
  const Tape& tape_;
  std::map<std::pair<NodeId, bool>, std::int32_t> types_;
};

}  // namespace

void choose_forms(PlanBuilder& draft) { Forms(draft).run(); }

/// Sums over items that only serve one sum add to its place at once, and so do sums of them, so
/// that the gradient of a weight takes the room of one of its steps.
void link_sums(PlanBuilder& draft) {
  const auto sums_items = [](Form form) {
    return form == Form::outer_sum || form == Form::scatter_rows || form == Form::sum_items;
  };
  for (NodeId id = draft.size() - 1; id >= 0; --id) {
    if (!draft.needed[at(id)] || draft.form[at(id)] != Form::add || !draft.shared(id)) continue;
    for (const NodeId x : draft.in(id)) {
      const bool only_here = draft.uses[at(x)] == 1 && !draft.is_output[at(x)];
      const Form form = draft.form[at(x)];
      if (only_here && draft.shared(x) && (form == Form::add || sums_items(form)))
        draft.into[at(x)] = id;
    }
  }
}

}  // namespace taugrad::plan
