#include "taugrad/draw/folded_picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "draw/names.h"
#include "draw/op_text.h"
#include "draw/sources.h"
#include "recurrence/model.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using draw::Source;
using draw::Sources;

constexpr std::size_t kSmallPicture = 40;  // nodes: operations can still be read

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class FoldedPicture {
 public:
  FoldedPicture(const Model& model, bool values_only)
      : model_(model), tape_(*model.scratch), values_only_(values_only) {}

  Picture run() {
    for (std::size_t s = 0; s < model_.symbols.size(); ++s) symbol_nodes_.push_back(-1);
    for (std::size_t s = 0; s < model_.symbols.size(); ++s) add_symbol(static_cast<int>(s));
    for (const Rule& r : model_.rules) add_rule(r);
    add_losses();
    for (const auto& [index, block] : model_.ends) {
      const std::string& letter = index_name(index);
      add_named(fmt::format("end[{}]", letter), block, {index}, NodeKind::variable);
    }
    return std::move(out_);
  }

 private:
  // One end of an edge: a node of the picture, and where in time it is read.
  struct End {
    int node;
    std::string delay;  // "z⁻¹", "last"
    bool delayed;
  };

  const std::string& index_name(int i) const { return model_.system.indices[at(i)].name; }
  const Symbol& symbol(int s) const { return model_.symbols[at(s)]; }

  // One cluster for each tuple of letters; -1 for none.
  int cluster_of(const std::vector<int>& letters) {
    if (letters.empty()) return -1;
    const auto [it, fresh] = clusters_.try_emplace(letters, static_cast<int>(out_.clusters.size()));
    if (!fresh) return it->second;
    PictureCluster c;
    for (const int i : letters) {
      const auto length = at(model_.index_length[at(i)]);
      const std::int64_t fixed = model_.fixed_lengths[length];
      const std::string last = fixed >= 0 ? fmt::format("{}", fixed) : model_.lengths[length];
      c.domain += (c.domain.empty() ? "" : ",") + index_name(i);
      c.label += fmt::format("{}{} = 1 … {}", c.label.empty() ? "" : ", ", index_name(i), last);
    }
    out_.clusters.push_back(std::move(c));
    return it->second;
  }

  int add_node(PictureNode n, std::string_view id, std::string_view step = {}) {
    n.id = ids_.make(id, {}, step);
    n.role = n.id;
    out_.nodes.push_back(std::move(n));
    return static_cast<int>(out_.nodes.size()) - 1;
  }

  void add_symbol(int number) {
    const Symbol& s = symbol(number);
    if (s.kind == SymbolKind::weight && s.declaration >= 0 &&
        !model_.system.weights[at(s.declaration)].taken)
      return;
    PictureNode n;
    std::vector<std::string> letters;
    for (const int a : s.axes) letters.push_back(index_name(a));
    n.name = letters.empty() ? s.name : fmt::format("{}[{}]", s.name, fmt::join(letters, ","));
    n.kind = s.kind == SymbolKind::weight  ? NodeKind::weight
             : s.kind == SymbolKind::input ? NodeKind::input
             : s.random()                  ? NodeKind::random
                                           : NodeKind::variable;
    if (s.category >= 0) n.op = fmt::format("category {}", s.category);
    if (s.shape.rank() > 0 || n.kind == NodeKind::weight) n.shape = to_string(s.shape);
    n.cluster = cluster_of(s.axes);
    n.title = fmt::format("{}, shape {}", n.name, to_string(s.shape));
    symbol_nodes_[at(number)] = add_node(std::move(n), s.name);
  }

  static std::string place_text(const At& p, const std::string& letter) {
    const std::string base = p.kind == Place::Kind::letter ? letter
                             : p.kind == Place::Kind::end  ? "last"
                                                           : "";
    if (base.empty()) return fmt::format("{}", p.offset);
    return p.offset == 0
               ? base
               : fmt::format("{}{}{}", base, p.offset < 0 ? "−" : "+", std::abs(p.offset));
  }

  // What a reference says beside the variable's name: "z⁻¹" for h[t-1], "i−1" for p[i-1,j],
  // "[last]" for h[last].
  End end_of_read(const Slot& slot) const {
    End end{slot.kind == Slot::Kind::nll ? nll_.at(slot.symbol) : symbol_nodes_[at(slot.symbol)],
            "", false};
    const Symbol& s = symbol(slot.symbol);
    const bool fixed = std::any_of(slot.places.begin(), slot.places.end(),
                                   [](const At& p) { return p.kind != Place::Kind::letter; });
    std::vector<std::string> parts;
    for (std::size_t a = 0; a < slot.places.size(); ++a) {
      const At& p = slot.places[a];
      const std::string letter =
          p.kind == Place::Kind::letter ? index_name(p.index) : index_name(s.axes[a]);
      if (!fixed && p.offset == 0) continue;
      end.delayed = end.delayed || (!fixed && p.offset != 0);
      parts.push_back(!fixed && slot.places.size() == 1 ? draw::delay_power(p.offset)
                                                        : place_text(p, letter));
    }
    if (!parts.empty())
      end.delay = fixed ? fmt::format("[{}]", fmt::join(parts, ","))
                        : fmt::format("{}", fmt::join(parts, ", "));
    return end;
  }

  Sources source(End end, const std::string& label = {}, bool weight = false) {
    ends_.push_back(std::move(end));
    return {{static_cast<NodeId>(ends_.size()) - 1, label, weight}};
  }

  // A number, length or position: drawn anew where it is used; not at all among values.
  Sources loose(const std::string& text, int cluster) {
    if (values_only_) return {};
    PictureNode n;
    n.kind = NodeKind::constant;
    n.op = text;
    n.cluster = cluster;
    n.title = text;
    return source({add_node(std::move(n), "number", fmt::format("{}", ends_.size())), "", false});
  }

  Sources slot_sources(const Slot& slot, int cluster) {
    switch (slot.kind) {
      case Slot::Kind::read:
      case Slot::Kind::nll:
        return source(end_of_read(slot));
      case Slot::Kind::copy:
        return source(end_of_read(slot), values_only_ ? symbol(slot.symbol).name : std::string(),
                      values_only_);
      case Slot::Kind::index:
        return loose(index_name(slot.symbol), cluster);
      case Slot::Kind::length:
        return loose(model_.lengths[at(slot.symbol)], cluster);
      case Slot::Kind::dropout:
        return loose("dropout", cluster);
      case Slot::Kind::reduction:
        break;
    }
    const Block& inner = model_.blocks[at(slot.symbol)];
    std::vector<std::string> letters;
    for (const int i : inner.over) letters.push_back(index_name(i));
    const Sources& terms = of_.at(inner.roots.front());
    if (values_only_) return terms;
    return op_node(fmt::format("{}[{}]", inner.reduction, fmt::join(letters, ",")), cluster, terms,
                   inner.reduction);
  }

  Sources op_node(const std::string& text, int cluster, const Sources& inputs,
                  std::string_view op) {
    PictureNode n;
    n.kind = NodeKind::operation;
    n.op = text;
    n.cluster = cluster;
    n.title = fmt::format("{}: {}", owner_, text);
    const int number = add_node(std::move(n), owner_,
                                fmt::format("{}_{}", op, steps_[owner_ + std::string(op)]++));
    connect(inputs, number);
    return source({number, "", false});
  }

  void connect(const Sources& inputs, int to) {
    for (const Source& s : inputs) {
      const End& end = ends_[at(s.node)];
      PictureEdge e{.from = end.node,
                    .to = to,
                    .kind = EdgeKind::data,
                    .delayed = end.delayed,
                    .label = s.weight ? "" : s.label};
      if (out_.nodes[at(end.node)].kind == NodeKind::weight) e.kind = EdgeKind::share;
      if (!end.delay.empty()) e.label += (e.label.empty() ? "" : " ") + end.delay;
      out_.edges.push_back(std::move(e));
    }
  }

  // A block and the reductions inside it, inner ones first.
  std::vector<int> nest(int block) const {
    std::vector<int> blocks{block};
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      for (const Slot& s : model_.blocks[at(blocks[i])].slots) {
        if (s.kind == Slot::Kind::reduction) blocks.push_back(s.symbol);
      }
    }
    std::reverse(blocks.begin(), blocks.end());
    return blocks;
  }

  void walk(int number, int cluster, const std::set<NodeId>& roots) {
    for (const int b : nest(number)) {
      const Block& block = model_.blocks[at(b)];
      std::size_t slot = 0;
      for (const NodeId id : block.nodes) {
        while (slot < block.slots.size() && block.slots[slot].leaf < id) ++slot;
        if (slot < block.slots.size() && block.slots[slot].leaf == id) {
          of_[id] = slot_sources(block.slots[slot], cluster);
        } else if (&tape_.op(id) == &kConstant) {
          of_[id] = loose(draw::op_text(tape_, id), cluster);
        } else if (roots.count(id) == 0) {
          of_[id] = node_sources(id, cluster);
        }
      }
    }
  }

  Sources folded(NodeId id) const {
    std::vector<Sources> inputs;
    for (const NodeId in : tape_.inputs(id)) inputs.push_back(of_.at(in));
    return draw::fold_sources(tape_, id, inputs, values_only_, false);
  }
  Sources node_sources(NodeId id, int cluster) {
    const Sources inputs = folded(id);
    if (values_only_ || draw::only_spreads(tape_.op(id))) return inputs;
    return op_node(draw::op_text(tape_, id), cluster, inputs, tape_.op(id).name);
  }

  static std::vector<int> letters_of(const Rule& r) {
    std::vector<int> letters;
    for (const At& p : r.places) {
      if (p.kind == Place::Kind::letter) letters.push_back(p.index);
    }
    return letters;
  }

  // The op that makes a root: what only spreads it to the variable's shape is looked through.
  NodeId maker(NodeId root) const {
    while (draw::only_spreads(tape_.op(root)) && !tape_.inputs(root).empty())
      root = tape_.inputs(root)[0];
    return root;
  }

  void add_rule(const Rule& r) {
    const Symbol& s = symbol(r.symbol);
    const int node = symbol_nodes_[at(r.symbol)];
    if (s.random()) {
      add_likelihood(r, s, node);
    } else if (r.fixed == 0) {
      define(node, r.block, s.name);
    } else {
      std::vector<std::string> places;
      for (std::size_t a = 0; a < r.places.size(); ++a) {
        places.push_back(place_text(r.places[a], r.places[a].kind == Place::Kind::letter
                                                     ? index_name(r.places[a].index)
                                                     : ""));
      }
      const std::string label = fmt::format("[{}]", fmt::join(places, ","));
      const int start = add_named(s.name + label, r.block, letters_of(r), NodeKind::variable);
      out_.edges.push_back(
          {.from = start, .to = node, .kind = EdgeKind::data, .delayed = false, .label = label});
    }
  }

  int add_named(const std::string& name, int block, const std::vector<int>& letters,
                NodeKind kind) {
    PictureNode n;
    n.name = name;
    n.kind = kind;
    n.cluster = cluster_of(letters);
    n.title = name;
    const int number = add_node(std::move(n), name);
    define(number, block, name);
    return number;
  }

  // Draws a right side; its last operation is the named node itself.
  void define(int node, int block, const std::string& owner) {
    owner_ = owner;
    const NodeId root = model_.blocks[at(block)].roots.front();
    const NodeId top = maker(root);
    walk(block, out_.nodes[at(node)].cluster, {top});
    PictureNode& n = out_.nodes[at(node)];
    const auto known = of_.find(top);
    Sources inputs = known != of_.end() ? known->second : folded(top);
    if (known == of_.end()) {
      n.op = draw::op_text(tape_, top);
    } else if (&tape_.op(top) == &kConstant) {
      n.op = draw::op_text(tape_, top);
      n.kind = NodeKind::constant;
      inputs.clear();
    }
    if (n.shape.empty() && tape_.shape(root).rank() > 0) n.shape = to_string(tape_.shape(root));
    finish(node, std::move(inputs));
  }

  void finish(int node, Sources inputs) {
    if (values_only_) {
      draw::weights_to_op(out_.nodes[at(node)].op, inputs);
      inputs = joined(inputs);
    }
    connect(inputs, node);
  }

  // One edge for each node and delay, labels joined.
  Sources joined(const Sources& inputs) const {
    Sources out;
    for (const Source& s : inputs) {
      const End& end = ends_[at(s.node)];
      const auto same = std::find_if(out.begin(), out.end(), [&](const Source& o) {
        const End& other = ends_[at(o.node)];
        return other.node == end.node && other.delay == end.delay;
      });
      if (same == out.end()) {
        out.push_back(s);
      } else if (!s.label.empty() && s.label != same->label) {
        same->label += (same->label.empty() ? "" : ", ") + s.label;
      }
    }
    return out;
  }

  void add_likelihood(const Rule& r, const Symbol& s, int node) {
    PictureNode n;
    n.name = "nll:" + out_.nodes[at(node)].name;
    n.op = "−log p";
    n.kind = NodeKind::loss;
    n.cluster = cluster_of(letters_of(r));
    n.title = fmt::format("−log p of {} under a {}", s.name, r.equation->distribution);
    const int number = add_node(std::move(n), "nll_" + s.name);
    nll_[r.symbol] = number;
    owner_ = "nll_" + s.name;
    walk(r.block, out_.nodes[at(number)].cluster, {});
    Sources inputs;
    for (const NodeId root : model_.blocks[at(r.block)].roots) {
      const Sources& of = of_.at(root);
      inputs.insert(inputs.end(), of.begin(), of.end());
    }
    finish(number, std::move(inputs));
    connect(source({node, "", false}), number);
  }

  void add_losses() {
    if (model_.loss.empty() && nll_.empty()) return;
    PictureNode n;
    n.name = "loss";
    n.op = "Σ";
    n.kind = NodeKind::loss;
    n.title = "the sum over all positions";
    const int loss = add_node(std::move(n), "loss");
    if (model_.loss.empty()) {
      for (const auto& [s, node] : nll_) connect(source({node, "", false}), loss);
    }
    for (const LossTerm& term : model_.loss) {
      owner_ = "loss";
      walk(term.block, cluster_of(term.letters), {});
      const Sources& of = of_.at(model_.blocks[at(term.block)].roots.front());
      finish(loss, of);
    }
  }

  const Model& model_;
  const Tape& tape_;
  bool values_only_;
  Picture out_;
  draw::IdMaker ids_;
  std::map<std::vector<int>, int> clusters_;
  std::vector<int> symbol_nodes_;
  std::map<int, int> nll_;                  // by symbol
  std::vector<End> ends_;                   // what Source::node counts
  std::unordered_map<NodeId, Sources> of_;  // by node of the scratch tape
  std::map<std::string, int> steps_;
  std::string owner_;
};

}  // namespace

Picture folded_picture_of(const Definition& d, const FoldedPictureOptions& options) {
  const std::shared_ptr<const Model> model = resolve(d);
  Picture p = FoldedPicture(*model, options.detail == Detail::values).run();
  if (options.detail == Detail::automatic && p.nodes.size() > kSmallPicture)
    p = FoldedPicture(*model, true).run();
  p.title = options.title.empty() ? d.name : options.title;
  p.about = options.about.empty() ? d.about : options.about;
  return p;
}

}  // namespace taugrad
