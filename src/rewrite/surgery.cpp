#include "taugrad/rewrite/surgery.h"

#include <fmt/format.h>

#include <algorithm>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "base/shape_format.h"
#include "base/utf8.h"
#include "graph/adjoint.h"
#include "graph/gradient_order.h"
#include "graph/position_text.h"
#include "graph/verified.h"
#include "rewrite/tape_copy.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

std::string kind_of(const Var& v) {
  const std::int64_t symbols = category_size(v);
  return symbols > 0 ? fmt::format("a category of {}", symbols)
                     : "of shape " + to_string(v.shape());
}

/// @throws Error (G020) where one cannot stand for the other
void require_alike(const Var& a, const Var& b) {
  if (!(a.shape() == b.shape()) || category_size(a) != category_size(b))
    fail(Status::bad_input, "G020", "{}, {}, cannot stand for {}, {}", b.tape->label(b.id),
         kind_of(b), a.tape->label(a.id), kind_of(a));
}

Graph graph_of(std::span<const Var> vars) {
  if (vars.empty()) fail(Status::usage, "U021", "no output was given: there is nothing to keep");
  return Graph(vars[0].tape);
}

std::vector<NodeId> ids_of(const Graph& graph, std::span<const Var> vars) {
  std::vector<NodeId> ids;
  for (const Var& v : vars) ids.push_back(graph.tape().own(v));
  return ids;
}

// A gradient that was appended behind the node that is replaced is that of what was there: it is
// left out with what is made of it, unless the new node is made of it.
std::vector<char> stale_gradients(const Tape& tape, NodeId replaced,
                                  const std::vector<char>& used) {
  std::vector<char> stale = adjoint_nodes(tape);
  if (stale[at(replaced)])
    return std::vector<char>(stale.size(), 0);  // a gradient is changed itself
  for (NodeId id = 0; id < tape.size(); ++id) {
    char& left_out = stale[at(id)];
    left_out = left_out && id > replaced && !used[at(id)];
    if (left_out || used[at(id)]) continue;
    for (const NodeId in : tape.inputs(id)) {
      if (!stale[at(in)]) continue;
      left_out = 1;  // nobody has named it: it goes too
      if (tape.is_value(id))
        fail(Status::usage, "U023",
             "{} is made of a gradient of the graph as it was before {} is replaced",
             tape.label(id), tape.label(replaced));
    }
  }
  return stale;
}

}  // namespace

/// Copies nodes of graphs, one graph after the other, into a new one.
class Surgeon {
 public:
  Surgeon() : to_(out_.graph_.tape()) {}

  /// The next nodes are those of this graph. Lengths of one name are one length.
  void begin(const Graph& from, std::string_view prefix = {}) {
    from_ = &from.tape();
    prefix_ = prefix;
    out_.nodes_.emplace_back(from, Vars(at(from_->size())));
    shapes_.clear();
    names_.clear();
    indices_.clear();
    lengths_.clear();
    for (std::size_t i = 0; i < from_->length_names.size(); ++i)
      lengths_.push_back(
          length(from_->length_names[i], i < from_->longest.size() ? from_->longest[i] : -1));
    extents_.assign(1, kShared);
    for (ExtentId e = kEveryItem; e < from_->extent_count(); ++e)
      extents_.push_back(to_.intern_extent(moved(from_->extent(e))));
  }

  /// A node of the graph before stands for one of this graph.
  void bind(const Var& inner, const Var& outer) {
    const Var node = out_[outer];
    require_alike(inner, outer);
    if (extents_[inner.extent()] != node.extent())
      fail(Status::bad_input, "G020", "{} exists for other items than {}",
           outer.tape->label(outer.id), inner.tape->label(inner.id));
    if (nodes()[at(inner.id)])
      fail(Status::usage, "G013", "{} is bound twice", inner.tape->label(inner.id));
    stand_for(inner.id, node);
  }
  bool done(NodeId id) { return static_cast<bool>(nodes()[at(id)]); }

  /// The same op, reading what stands for its inputs; `instead` for `node`.
  void copy(NodeId id, NodeId node = -1, NodeId instead = -1) {
    inputs_.clear();
    for (const NodeId in : from_->inputs(id))
      inputs_.push_back(nodes()[at(in == node ? instead : in)].id);
    const NameId name = name_of(id);
    const IndexId index = renumbered(indices_, from_->index_id(id),
                                     [&] { return to_.intern_index(from_->index(id)); });
    if (const NodeId known = known_copy(id, name, index); known >= 0)
      return stand_for(id, to_.var(known));
    to_.set_owner(name, index);
    const ShapeId shape = renumbered(shapes_, from_->shape_id(id),
                                     [&] { return to_.intern_shape(from_->shape(id)); });
    set_gradient_order(to_, gradient_order(*from_, id));
    const NodeId made = to_.append_raw(from_->op(id), inputs_, shape, moved_attrs(id),
                                       extents_[from_->extent_id(id)]);
    to_.set_owner(0, 0);
    set_gradient_order(to_, 0);
    if (const std::string known = from_->known_as(id); first() && !known.empty())
      know_as(to_, made, known);
    if (from_->is_value(id) && first()) to_.set_value(made, name, index);
    if (from_->is_value(id) && !first()) to_.name_value(made, name, index);
    stand_for(id, to_.var(made));
  }

  /// "cut:h.0" of h[0]: brackets would read as a position.
  std::string cut_name(NodeId id) const {
    std::string name = "cut:" + std::string(from_->name(id));
    for (const std::int32_t i : from_->index(id)) name += fmt::format(".{}", i);
    return name;
  }

  /// A leaf in the place of a node, with its name.
  void cut(NodeId id) {
    const Op* op = &from_->op(id);
    if (op == &kInput || op == &kWeight) return copy(id);  // given already
    // a leaf reads row t of a tensor, which has no row 0
    const bool row = std::ranges::all_of(from_->index(id), [](std::int32_t i) { return i >= 1; });
    const bool named = from_->is_value(id) && row;
    const std::string name = named                 ? prefix_ + std::string(from_->name(id))
                             : from_->is_value(id) ? cut_name(id)
                                                   : fmt::format("cut:{}", id);
    const auto index = named ? from_->index(id) : std::span<const std::int32_t>();
    if (named) to_.intern_name(name, from_->letters_of(from_->name_id(id)));
    const std::int64_t symbols = from_->category(id);
    const ExtentId extent = extents_[from_->extent_id(id)];
    const Attrs attrs = symbols > 0 ? Attrs{{"category", symbols}} : Attrs{};
    try {
      stand_for(id, to_.named_leaf(extent == kShared ? kWeight : kInput, from_->shape(id), extent,
                                   attrs, name, index));
    } catch (const Error& why) {
      throw is_weight_copy(id) ? cut_copy(id, to_.find_value(name, index), why) : why;
    }
  }
  /// A copy that becomes a weight of its own cannot stand beside the weight, nor beside another
  /// copy of the same position: both would read one row of the tensor.
  Error cut_copy(NodeId id, NodeId beside, const Error& why) const {
    Diagnostic d = why.diagnostics().front();
    const std::string weight = printable(from_->label(from_->inputs(id)[0]), 80),
                      copy = printable(from_->label(id), 80);
    if (beside >= 0 && to_.op(beside).traits.leaf) {
      d.message = fmt::format(
          "the copy {} cannot be cut: {} is given already and reads the same "
          "row of {}",
          copy, printable(to_.label(beside), 80), weight);
      d.help = fmt::format("cut the copies of one letter only, or give {} itself", weight);
      return {why.status(), std::move(d)};
    }
    d.message = fmt::format("the copy {} cannot be cut: other nodes still read {}", copy, weight);
    d.help = fmt::format(
        "cut every copy that the outputs need, or none; {} itself may be given as it is", weight);
    return {why.status(), std::move(d)};
  }

  GraphCopy finish() {
    verify_rewritten(to_);
    return std::move(out_);
  }

 private:
  bool first() const { return out_.nodes_.size() == 1; }
  Vars& nodes() { return out_.nodes_.back().second; }
  void stand_for(NodeId id, Var node) { nodes()[at(id)] = std::move(node); }
  /// Its number. No item may be longer than the part that has the fewest steps.
  std::int32_t length(const std::string& name, std::int64_t longest) {
    const auto which = static_cast<std::size_t>(std::ranges::find(to_.length_names, name) -
                                                to_.length_names.begin());
    if (which == to_.length_names.size()) to_.length_names.push_back(name);
    to_.longest.resize(to_.length_names.size(), -1);
    std::int64_t& known = to_.longest[which];
    if (known < 0 || (longest >= 0 && longest < known)) known = longest;
    return static_cast<std::int32_t>(which);
  }
  Extent moved(Extent extent) const {
    for (Extent::Bound& b : extent.bounds) b.which = lengths_.at(static_cast<std::size_t>(b.which));
    std::ranges::sort(extent.bounds, {}, &Extent::Bound::which);
    return extent;
  }
  AttrsId moved_attrs(NodeId id) {
    Attrs attrs = from_->attrs(id);
    if (attrs.empty()) return 0;
    if (from_->op(id).traits.variadic_items)
      attrs.set("extent",
                std::int64_t{extents_.at(static_cast<std::size_t>(attrs.integer("extent")))});
    if (const Op& op = from_->op(id); &op == &kLength || &op == &kAtLength || &op == &kIfLength)
      attrs.set("which",
                std::int64_t{lengths_.at(static_cast<std::size_t>(attrs.integer("which")))});
    return to_.intern_attrs(attrs);
  }

  // a copy of a weight bears the weight's name, whatever that is here
  bool is_weight_copy(NodeId id) const {
    return &from_->op(id) == &kCopy && from_->is_value(id) &&
           &from_->op(from_->inputs(id)[0]) == &kWeight;
  }
  NameId name_of(NodeId id) {
    const auto letters = from_->letters_of(from_->name_id(id));
    if (is_weight_copy(id) && &to_.op(inputs_[0]) == &kWeight &&
        from_->name(id) == from_->name(from_->inputs(id)[0]))
      return to_.intern_name(to_.name(inputs_[0]), letters);
    return renumbered(names_, from_->name_id(id), [&] {
      const std::string_view name = from_->name(id);
      return to_.intern_name(name.empty() ? "" : prefix_ + std::string(name), letters);
    });
  }
  // of a weight that both graphs read, one copy for each step
  NodeId known_copy(NodeId id, NameId name, IndexId index) const {
    if (first() || !is_weight_copy(id)) return -1;
    const NodeId known = to_.find_value(to_.name_of(name), to_.index_of(index));
    const bool same = known >= 0 && &to_.op(known) == &kCopy &&
                      to_.inputs(known)[0] == inputs_[0] && to_.name_id(known) == name;
    return same ? known : -1;
  }

  std::string prefix_;
  GraphCopy out_;
  Tape& to_;
  const Tape* from_ = nullptr;
  std::vector<std::uint32_t> shapes_, names_, indices_;  // plus 1; 0: not yet
  std::vector<std::int32_t> lengths_;
  std::vector<ExtentId> extents_;
  std::vector<NodeId> inputs_;
};

const Vars& GraphCopy::nodes_of(const Graph& old) const {
  for (const auto& [graph, nodes] : nodes_)
    if (&graph.tape() == &old.tape()) return nodes;
  fail(Status::usage, "U021", "the copy was not made of this graph");
}

Var GraphCopy::operator[](const Var& old) const {
  const Tape& tape = *old.tape;
  tape.check(old.id);
  for (const auto& [graph, nodes] : nodes_) {
    if (&graph.tape() != &tape) continue;
    const bool left_out = at(old.id) >= nodes.size() || !nodes[at(old.id)];
    if (left_out) fail(Status::usage, "G014", "{} was left out of the copy", tape.label(old.id));
    return nodes[at(old.id)];
  }
  fail(Status::usage, "U021", "{} is not of a graph that the copy was made of", tape.label(old.id));
}

GraphCopy clone(const Graph& graph) {
  Surgeon surgeon;
  surgeon.begin(graph);
  for (NodeId id = 0; id < graph.size(); ++id) surgeon.copy(id);
  return surgeon.finish();
}

GraphCopy prune(const Graph& graph, std::span<const Var> outputs) {
  graph_of(outputs);
  const std::vector<char> kept = reachable(graph.tape(), ids_of(graph, outputs));
  Surgeon surgeon;
  surgeon.begin(graph);
  for (NodeId id = 0; id < graph.size(); ++id)
    if (kept[at(id)]) surgeon.copy(id);
  return surgeon.finish();
}

GraphCopy without_gradients(const Graph& graph, std::span<const Var> kept) {
  const std::vector<char> adjoint = adjoint_nodes(graph.tape());
  Vars outputs(kept.begin(), kept.end());
  const Tape& tape = graph.tape();
  const auto number = [&](NodeId id) {  // it stays where a node that stays reads it
    return tape.op(id).traits.leaf && !tape.is_value(id) && tape.op(id).forward.f64 != nullptr;
  };
  for (NodeId id = 0; id < graph.size(); ++id)
    if (!adjoint[at(id)] && !number(id)) outputs.push_back(graph.tape().var(id));
  return outputs.empty() ? clone(graph) : prune(graph, outputs);
}

GraphCopy subgraph(std::span<const Var> outputs, std::span<const Var> cut) {
  const Graph graph = graph_of(outputs);
  const Tape& tape = graph.tape();
  std::vector<char> kept(at(tape.size()), 0), is_cut(at(tape.size()), 0);
  for (const NodeId id : ids_of(graph, cut)) is_cut[at(id)] = 1;
  for (const NodeId id : ids_of(graph, outputs)) kept[at(id)] = 1;
  for (NodeId id = tape.size() - 1; id >= 0; --id)
    if (kept[at(id)] && !is_cut[at(id)])
      for (const NodeId in : tape.inputs(id)) kept[at(in)] = 1;
  Surgeon surgeon;
  surgeon.begin(graph);
  for (NodeId id = 0; id < tape.size(); ++id)
    if (kept[at(id)]) is_cut[at(id)] ? surgeon.cut(id) : surgeon.copy(id);
  return surgeon.finish();
}

GraphCopy append(const Graph& graph, const Graph& other, std::span<const Binding> bindings,
                 std::string_view prefix) {
  if (&graph.tape() == &other.tape())
    fail(Status::usage, "U021", "a graph is appended to itself: append clone(graph).graph()");
  if (!prefix.empty()) given_name(std::string(prefix) + "x", true);  // a name, and no role
  Surgeon surgeon;
  surgeon.begin(graph);
  for (NodeId id = 0; id < graph.size(); ++id) surgeon.copy(id);
  surgeon.begin(other, prefix);
  for (const Binding& b : bindings) {
    other.tape().own(b.inner);
    graph.tape().own(b.outer);
    surgeon.bind(b.inner, b.outer);
  }
  try {
    for (NodeId id = 0; id < other.size(); ++id)
      if (!surgeon.done(id)) surgeon.copy(id);
  } catch (const Error& why) {
    Diagnostic d = why.diagnostics().front();
    if (d.code == "G013" || d.code == "G024")
      d.help = "bind it to the node that it is to be, or give a prefix";
    throw Error(why.status(), std::move(d));
  }
  return surgeon.finish();
}

GraphCopy replace(const Var& node, const Var& by) {
  const Graph graph(node.tape);
  const Tape& tape = graph.tape();
  tape.own(node);
  tape.own(by);
  require_alike(node, by);
  if (node.extent() != by.extent())
    fail(Status::bad_input, "G020", "{} exists for other items than {}", tape.label(by.id),
         tape.label(node.id));
  const std::vector<char> of_by = reachable(tape, std::vector{by.id});
  const std::vector<char> stale = stale_gradients(tape, node.id, of_by);
  Surgeon surgeon;
  surgeon.begin(graph);
  const auto copy_all_of_by = [&] {
    for (NodeId id = 0; id <= by.id; ++id)
      if (of_by[at(id)] && !surgeon.done(id)) surgeon.copy(id);
  };
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (surgeon.done(id) || stale[at(id)]) continue;
    if (of_by[at(id)]) {
      surgeon.copy(id);
      continue;
    }
    const bool reads = std::ranges::count(tape.inputs(id), node.id) > 0;
    if (reads && !surgeon.done(by.id)) copy_all_of_by();
    surgeon.copy(id, node.id, by.id);
  }
  return surgeon.finish();
}

GraphCopy prune(const Graph& graph, std::initializer_list<Var> outputs) {
  return prune(graph, std::span(outputs));
}
GraphCopy subgraph(std::initializer_list<Var> outputs, std::initializer_list<Var> cut) {
  return subgraph(std::span(outputs), std::span(cut));
}
GraphCopy append(const Graph& graph, const Graph& other, std::initializer_list<Binding> bindings,
                 std::string_view prefix) {
  return append(graph, other, std::span(bindings), prefix);
}

}  // namespace taugrad
