#include "taugrad/draw/graph_picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstdlib>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/index.h"
#include "base/system/memory_limit.h"
#include "draw/layout/layout.h"
#include "draw/pictures/inner_gradient.h"
#include "draw/pictures/names.h"
#include "draw/pictures/notes.h"
#include "draw/pictures/op_text.h"
#include "draw/pictures/scan.h"
#include "draw/pictures/sources.h"
#include "draw/printed/printed.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using draw::Source;
using draw::Sources;

class GraphPicture {
 public:
  GraphPicture(const Tape& tape, const GraphPictureOptions& options, const draw::TapeScan& scan,
               const draw::Manner& manner, Detail detail)
      : tape_(tape), options_(options), scan_(scan), manner_(manner), detail_(detail) {
    if (detail == Detail::variables) {
      printed_ = true;
      detail_ = scan.clusters.empty() ? Detail::operations : Detail::values;
    }
    for (NodeId id = 0; id < tape.size(); ++id) {
      if (!tape.is_value(id)) continue;
      const std::string_view name = tape.name(id);
      if (name.starts_with("nll:")) random_.insert(std::string(name.substr(4)));
    }
  }

  Picture run() {
    out_.title = options_.title;
    out_.about = options_.about;
    out_.clusters = scan_.clusters;
    picture_node_.assign(at(tape_.size()), -1);
    folded_.resize(at(tape_.size()));
    count_reads();
    find_gradients();
    std::vector<Sources> inputs;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!scan_.shown[at(id)]) continue;
      inputs.clear();
      for (const NodeId in : tape_.inputs(id)) inputs.push_back(sources_of(in));
      if (is_drawn(id)) {
        draw(id, std::move(inputs));
      } else if (!draw::is_loose_leaf(tape_, id)) {
        folded_[at(id)] = fold(id, std::move(inputs));
      }
    }
    drop_unused_clusters();
    return printed_ ? draw::printed(std::move(out_)) : std::move(out_);
  }

  /// By node of the tape the one of the picture, or -1; after run().
  const std::vector<int>& drawn() const { return picture_node_; }

 private:
  bool values_only() const { return detail_ == Detail::values; }
  bool is_adjoint(NodeId id) const { return scan_.adjoint[at(id)] != 0; }
  int order(NodeId id) const { return scan_.adjoint[at(id)]; }
  /// What is told apart from the first gradient: "'" of a second.
  std::string primes(NodeId id) const {
    return std::string(static_cast<std::size_t>(std::max(order(id) - 1, 0)), '\'');
  }
  std::string order_suffix(NodeId id) const {
    return order(id) == 0 ? "" : order(id) == 1 ? "_d" : fmt::format("_d{}", order(id));
  }
  /// The node whose name and index another has, or belongs to.
  NodeId owner(NodeId id) const {
    const NodeId owner = scan_.owner[at(id)];
    return tape_.name(id).empty() && owner >= 0 ? owner : id;
  }
  // Without steps a copy says nothing that its weight does not.
  bool copies_shown() const { return options_.copies && !values_only() && !scan_.clusters.empty(); }

  bool is_drawn(NodeId id) const {
    const Op& op = tape_.op(id);
    if (is_only_use(id)) return detail_ == Detail::everything;
    if (draw::is_weight_copy(tape_, id)) return detail_ == Detail::everything || copies_shown();
    if (&op == &kWeight) return !labels_only(id);
    if (is_named(id)) return true;
    if (values_only() || draw::is_loose_leaf(tape_, id)) return false;
    return detail_ == Detail::everything || !draw::only_spreads(op) || tape_.attrs(id).has("by");
  }

  /// V[], the copy of a weight that is read at no step, and its gradient: nothing but V and ∇V.
  bool is_only_use(NodeId id) const {
    return &tape_.op(id) == &kCopy && tape_.is_value(id) && tape_.name(id).ends_with("[]") &&
           (draw::is_weight_copy(tape_, id) || is_adjoint(id));
  }

  /// Weights that are only what edges are labelled by.
  bool labels_only(NodeId id) const {
    return printed_ && values_only() && &tape_.op(id) == &kWeight;
  }

  Sources fold(NodeId id, std::vector<Sources> inputs) const {
    const std::size_t longest = draw::longest(inputs);
    Sources s = draw::fold_sources(tape_.op(id), std::move(inputs), values_only(), is_adjoint(id));
    if (values_only()) draw::thin(s, longest, [](NodeId node) { return node; });
    return s;
  }

  void count_reads() {
    reads_.assign(at(tape_.size()), 0);
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (scan_.shown[at(id)])
        for (const NodeId in : tape_.inputs(id)) ++reads_[at(in)];
  }

  Sources sources_of(NodeId in) {
    const bool last = --reads_[at(in)] == 0;
    if (!scan_.shown[at(in)]) return {};
    if (draw::is_loose_leaf(tape_, in)) return values_only() ? Sources{} : Sources{{in}};
    if (labels_only(in)) return {{in, tape_.label(in), true}};
    if (picture_node_[at(in)] < 0) return last ? std::move(folded_[at(in)]) : folded_[at(in)];
    const bool weight = values_only() && &tape_.op(in) == &kWeight;
    return {{in, weight ? tape_.label(in) : std::string(), weight}};
  }

  NodeKind kind_of(NodeId id) const {
    const Op& op = tape_.op(id);
    const std::string_view name = tape_.name(id);
    if (&op == &kWeight) return NodeKind::weight;
    if (&op == &kConstant || &op == &kLength) return NodeKind::constant;
    if (draw::is_weight_copy(tape_, id)) return NodeKind::copy;
    if (!is_adjoint(id) && tape_.is_value(id) && (name == "loss" || name.starts_with("nll:")))
      return NodeKind::loss;
    if (!is_adjoint(id) && tape_.is_value(id) && random_.count(std::string(name)) != 0)
      return NodeKind::random;
    if (&op == &kInput) return NodeKind::input;
    return is_named(id) ? NodeKind::variable : NodeKind::operation;
  }

  /// A value, or a further gradient of what has one of that name.
  bool is_named(NodeId id) const { return tape_.is_value(id) || !tape_.known_name(id).empty(); }
  std::string_view name_of(NodeId id) const {
    const std::string_view known = tape_.known_name(id);
    return known.empty() ? tape_.name(owner(id)) : known;
  }

  PictureNode make_node(NodeId id) {
    PictureNode n;
    n.kind = kind_of(id);
    n.source = id;
    n.cluster = scan_.cluster[at(id)];
    n.adjoint = is_adjoint(id) && n.kind != NodeKind::constant && n.kind != NodeKind::input;
    n.order = n.adjoint ? order(id) : 0;
    const std::string name(name_of(id)), label = draw::variable_text(tape_, id);
    if (is_named(id)) {
      n.name = manner_.by_hand ? draw::shortened(label) : label;
      n.role = name + primes(id);
      n.id = ids_.make(name, tape_.index(id), "");
    } else {
      const std::string op(tape_.op(id).name);
      const int number = ordinal(id);
      if (tape_.op(id).traits.leaf) n.name = fmt::format("#{}", id);  // as `run` takes its tensor
      n.role = fmt::format("{}/{}/{}{}", name, op, number, primes(id));
      n.id = ids_.make(name, tape_.index(owner(id)),
                       fmt::format("{}_{}{}", op, number, order_suffix(id)));
    }
    if (n.kind != NodeKind::copy) {
      const bool absent =
          n.kind == NodeKind::constant && random_.count(std::string(tape_.name(id))) != 0;
      n.op = absent ? "absent" : draw::op_text(tape_, id);
      if (!n.name.empty() && tape_.shape(id).rank() > 0) n.shape = to_string(tape_.shape(id));
      if (n.kind == NodeKind::weight && n.shape.empty()) n.shape = "[]";
    }
    n.title = draw::node_title(tape_, id);
    if (gradient_[at(id)] && !n.adjoint) {
      n.fill = draw::kGradientFill;
      n.ink = draw::kGradientInk;
    }
    return n;
  }

  void find_gradients() {
    std::vector<std::pair<int, int>> edges;
    std::vector<char> ends(at(tape_.size()), 0), kept(ends);
    for (NodeId id = 0; id < tape_.size(); ++id) {
      ends[at(id)] = &tape_.op(id) == &kCopy && tape_.attrs(id).has("by");
      kept[at(id)] = tape_.is_value(id) || tape_.op(id).traits.leaf;
    }
    if (std::find(ends.begin(), ends.end(), 1) != ends.end())
      for (NodeId id = 0; id < tape_.size(); ++id)
        for (const NodeId in : tape_.inputs(id)) edges.emplace_back(in, id);
    gradient_ = draw::gradient_parts(edges, std::move(ends), kept);
  }

  // Number of a node among those of its owner with its op: the same in every step that is computed
  // alike.
  int ordinal(NodeId id) {
    const NodeId of = owner(id);
    const auto key = (static_cast<std::uint64_t>(tape_.name_id(of)) << 32) | tape_.index_id(of);
    auto& counts = ordinals_[{key, order(id)}];
    for (auto& [op, count] : counts) {
      if (op == &tape_.op(id)) return ++count;
    }
    counts.emplace_back(&tape_.op(id), 0);
    return 0;
  }

  void draw(NodeId id, std::vector<Sources> inputs) {
    PictureNode n = make_node(id);
    Sources sources;
    if (values_only()) {
      sources = draw::merged(fold(id, std::move(inputs)));
      draw::weights_to_op(n.op, sources);
    } else {
      if (&tape_.op(id) == &kAtPosition) draw::keep_nearest(inputs);
      for (const Sources& in : inputs) sources.insert(sources.end(), in.begin(), in.end());
    }
    const NodeId primal = primal_of(id);
    if (primal >= 0) {
      n.beside = picture_node_[at(primal)];
      n.role = "grad:" + std::string(tape_.name(primal)) + primes(id);
    }
    const int number = static_cast<int>(out_.nodes.size());
    picture_node_[at(id)] = number;
    out_.nodes.push_back(std::move(n));
    const bool adjoint = out_.nodes[at(number)].adjoint && values_only();
    const auto recall = [&](const Source& s) { return adjoint && order(s.node) < order(id); };
    // of a gradient that no other is drawn for, what it reads of the forward pass made it
    const bool alone = manner_.by_hand && std::ranges::all_of(sources, recall);
    for (const Source& s : sources)
      if (alone || !recall(s)) add_edge(s, number);
  }

  // The variable that a node named grad:h is the gradient of, where that is drawn.
  NodeId primal_of(NodeId id) const {
    if (!is_adjoint(id) || !is_named(id)) return -1;
    const std::string_view name = name_of(id);
    if (!name.starts_with("grad:")) return -1;
    const NodeId primal = tape_.find_value(name.substr(5), tape_.index(id));
    return primal >= 0 && picture_node_[at(primal)] >= 0 ? primal : -1;
  }

  // The picture node of a source, for a reader in `cluster`: loose leaves have one in each step
  // that reads them.
  int end_of(NodeId id, int reader) {
    if (!draw::is_loose_leaf(tape_, id)) return picture_node_[at(id)];
    const int cluster = out_.nodes[at(reader)].cluster;
    const auto key = std::make_pair(id, cluster);
    if (const auto known = loose_.find(key); known != loose_.end()) return known->second;
    PictureNode n;
    n.kind = NodeKind::constant;
    n.source = id;
    n.op = draw::op_text(tape_, id);
    n.cluster = cluster;
    n.role = "number/" + n.op;
    n.title = draw::node_title(tape_, id);
    n.id = ids_.make("number", {}, fmt::format("{}", loose_.size()));
    out_.nodes.push_back(std::move(n));
    return loose_[key] = static_cast<int>(out_.nodes.size()) - 1;
  }

  void add_edge(const Source& s, int to) {
    const int from = end_of(s.node, to);
    const PictureNode& a = out_.nodes[at(from)];
    const PictureNode& b = out_.nodes[at(to)];
    PictureEdge e{.from = from,
                  .to = to,
                  .kind = EdgeKind::data,
                  .delayed = false,
                  .label = s.weight ? "" : s.label};
    if (a.kind == NodeKind::weight && !b.adjoint) {
      e.kind = EdgeKind::share;
    } else if (b.adjoint) {
      e.kind = a.order == b.order ? EdgeKind::adjoint : EdgeKind::recall;
    }
    if (a.cluster >= 0 && b.cluster >= 0 && a.cluster != b.cluster) {
      const std::string delay =
          draw::delay_text(out_.clusters[at(a.cluster)], out_.clusters[at(b.cluster)]);
      e.delayed = !delay.empty();
      e.dotted = s.dotted;
      if (!delay.empty()) e.label += (e.label.empty() ? "" : " ") + delay;
    }
    out_.edges.push_back(std::move(e));
    // a softmax over s at each t: the edges may be far more than the nodes of the graph
    if (const std::size_t edges = out_.edges.size(); std::has_single_bit(edges))
      draw::require_room(out_.nodes.size(), edges, options_.most_steps <= 0);
  }

  void drop_unused_clusters() {
    std::vector<int> number(out_.clusters.size(), -1);
    for (const PictureNode& n : out_.nodes) {
      if (n.cluster >= 0) number[at(n.cluster)] = 0;
    }
    std::vector<PictureCluster> kept;
    for (std::size_t c = 0; c < number.size(); ++c) {
      if (number[c] < 0) continue;
      number[c] = static_cast<int>(kept.size());
      kept.push_back(std::move(out_.clusters[c]));
    }
    out_.clusters = std::move(kept);
    for (PictureNode& n : out_.nodes) {
      if (n.cluster >= 0) n.cluster = number[at(n.cluster)];
    }
  }

  const Tape& tape_;
  const GraphPictureOptions& options_;
  const draw::TapeScan& scan_;
  const draw::Manner& manner_;
  Detail detail_;
  bool printed_ = false;
  Picture out_;
  draw::IdMaker ids_;
  std::set<std::string, std::less<>> random_;
  std::vector<int> picture_node_;  // by node of the tape; -1: not drawn
  std::vector<char> gradient_;     // by node of the tape: part of a grad(e, v)
  std::vector<Sources> folded_;    // by node of the tape that is not drawn
  std::vector<int> reads_;         // by node of the tape: how often it is still read
  // by owner and order
  std::map<std::pair<std::uint64_t, int>, std::vector<std::pair<const Op*, int>>> ordinals_;
  std::map<std::pair<NodeId, int>, int> loose_;
};

}  // namespace

std::string draw::about_text(std::int64_t nodes, const Picture& drawn) {
  const auto steps =
      std::ranges::count_if(drawn.clusters, [](const PictureCluster& c) { return !c.elided; });
  return fmt::format("A graph of {} nodes; drawn: {} nodes, {} edges, {} steps.", nodes,
                     drawn.nodes.size(), drawn.edges.size(), steps);
}

Picture draw::picture_of(const Tape& tape, const GraphPictureOptions& options,
                         const Manner& manner) {
  constexpr double kPicture = 1300;  // bytes a node, laid out and written
  const TapeScan found = scan(tape, options, manner);
  if (const auto shown = std::ranges::count(found.shown, 1); manner.by_hand)
    require_memory("drawing", {{fmt::format("a picture of up to {} nodes", shown),
                                static_cast<double>(shown) * kPicture}});
  const auto make = [&](Detail detail) {
    GraphPicture drawing(tape, options, found, manner, detail);
    Picture p = drawing.run();
    if (options.most_steps > 0) p = elide(p, options.most_steps);
    if (p.about.empty()) p.about = about_text(tape.size(), p);
    if (manner.by_hand) p.notes = left_out(tape, found, drawing.drawn(), detail, p);
    if (found.cotangents_left_out)
      p.notes.push_back("without a loss: of the sum of v times a cotangent, over all variables v");
    return p;
  };
  if (options.detail != Detail::automatic) return make(options.detail);
  Picture p = make(Detail::operations);
  if (p.clusters.empty() || p.nodes.size() <= manner.small) return p;
  return make(Detail::values);
}

Picture picture_of(const Tape& tape, const GraphPictureOptions& options) {
  return draw::picture_of(tape, options, {});
}

}  // namespace taugrad
