#include "taugrad/draw/folded_picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/in_range.h"
#include "base/index.h"
#include "draw/pictures/inner_gradient.h"
#include "draw/pictures/names.h"
#include "draw/pictures/op_text.h"
#include "draw/pictures/sources.h"
#include "draw/printed/printed.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using draw::Source;
using draw::Sources;

constexpr std::size_t kSmallPicture = 40;  // nodes: operations can still be read

class FoldedPicture {
 public:
  FoldedPicture(const FoldedGraph& graph, Detail detail)
      : graph_(graph), detail_(detail), into_(graph.nodes.size()), users_(graph.nodes.size()) {
    for (std::size_t e = 0; e < graph.edges.size(); ++e) {
      into_[at(graph.edges[e].to)].push_back(static_cast<int>(e));
      users_[at(graph.edges[e].from)].push_back(static_cast<int>(e));
    }
    for (auto& edges : into_) {
      std::stable_sort(edges.begin(), edges.end(), [&](int a, int b) {
        return graph.edges[at(a)].slot < graph.edges[at(b)].slot;
      });
    }
  }

  Picture run() {
    const std::size_t count = graph_.nodes.size();
    drawn_.assign(count, -1);
    find_gradients();
    for (std::size_t n = 0; n < count; ++n) {
      if (is_drawn(static_cast<int>(n))) drawn_[n] = draw(static_cast<int>(n));
    }
    fold_others();
    for (std::size_t n = 0; n < count; ++n) {
      if (drawn_[n] >= 0) connect(static_cast<int>(n));
    }
    for (const InitialValue& initial : graph_.initial) add_initial(initial);
    return std::move(out_);
  }

 private:
  // Where an edge of the picture begins, and in which step it reads.
  struct End {
    int node;
    std::string delay;
    bool delayed;
    std::vector<int> offsets = {};  // one an index, where it reads step by step
    bool data = false;              // the step that it reads is data
  };

  const FoldedNode& node(int n) const { return graph_.nodes[at(n)]; }
  bool values_only() const { return detail_ == Detail::values || detail_ == Detail::variables; }
  // Numbers, lengths and positions: drawn in each box that reads them.
  bool is_loose(int n) const { return node(n).kind == FoldedKind::constant; }

  // Whatever another step reads is drawn: a state, named or not.
  bool is_drawn(int n) const {
    if (is_loose(n)) return false;
    if (node(n).kind != FoldedKind::operation || detail_ == Detail::everything) return true;
    for (const int e : users_[at(n)]) {
      if (graph_.edges[at(e)].delayed()) return true;
    }
    const Op* op = find_op(node(n).op);
    if (!values_only() && node(n).attrs.has("by")) return true;  // where a gradient ends
    return !values_only() && !(op != nullptr && draw::only_spreads(*op));
  }

  int cluster_of(const std::vector<std::string>& over) {
    if (over.empty()) return -1;
    const std::set<std::string> key(over.begin(), over.end());  // s,t is the same box as t,s
    const std::string domain = fmt::format("{}", fmt::join(over, ","));
    const auto [it, fresh] = clusters_.try_emplace(key, static_cast<int>(out_.clusters.size()));
    if (fresh)
      out_.clusters.push_back(
          {.label = fmt::format("each {}", domain), .domain = domain, .position = {}});
    return it->second;
  }

  static NodeKind kind_of(FoldedKind kind) {
    switch (kind) {
      case FoldedKind::input:
        return NodeKind::input;
      case FoldedKind::weight:
        return NodeKind::weight;
      case FoldedKind::variable:
        return NodeKind::variable;
      case FoldedKind::random:
        return NodeKind::random;
      case FoldedKind::operation:
        return NodeKind::operation;
      case FoldedKind::constant:
        return NodeKind::constant;
      case FoldedKind::loss:
        return NodeKind::loss;
    }
    return NodeKind::operation;
  }

  void find_gradients() {
    std::vector<std::pair<int, int>> edges;
    std::vector<char> ends, kept;
    for (const FoldedEdge& e : graph_.edges) edges.emplace_back(e.from, e.to);
    for (const FoldedNode& n : graph_.nodes) {
      ends.push_back(n.attrs.has("by"));
      kept.push_back(n.kind != FoldedKind::operation);
    }
    gradient_ = draw::gradient_parts(edges, std::move(ends), kept);
  }

  int draw(int n) {
    const FoldedNode& from = node(n);
    PictureNode p;
    p.kind = kind_of(from.kind);
    p.op = draw::op_text(from.op, from.attrs);
    p.cluster = cluster_of(from.over);
    if (from.kind != FoldedKind::operation) {
      p.name = from.over.empty() || from.name.empty()
                   ? from.name
                   : fmt::format("{}[{}]", from.name, fmt::join(from.over, ","));
      if (from.shape.rank() > 0 || from.kind == FoldedKind::weight) p.shape = to_string(from.shape);
    }
    if (from.name.empty() && (from.kind == FoldedKind::input || from.kind == FoldedKind::weight))
      p.op = fmt::format("{} {}", from.op, to_string(from.shape));
    p.title = fmt::format("{}{}{}, shape {}", from.name, from.name.empty() ? "" : ": ", from.op,
                          to_string(from.shape));
    if (gradient_[at(n)]) {
      p.fill = draw::kGradientFill;
      p.ink = draw::kGradientInk;
    }
    const bool value = !p.name.empty();
    const int number = value ? 0 : steps_[from.name + "/" + from.op]++;
    p.id = ids_.make(from.name, {}, value ? "" : fmt::format("{}_{}", from.op, number));
    return add(std::move(p));
  }
  int add(PictureNode p) {
    p.role = p.id;
    out_.nodes.push_back(std::move(p));
    return static_cast<int>(out_.nodes.size()) - 1;
  }

  // What is not drawn stands for what it reads: inputs first. Without the delayed edges there is no
  // cycle.
  void fold_others() {
    std::vector<int> waiting(graph_.nodes.size(), 0), ready;
    for (std::size_t n = 0; n < waiting.size(); ++n) {
      if (drawn_[n] >= 0) continue;
      for (const int e : into_[n]) waiting[n] += drawn_[at(graph_.edges[at(e)].from)] < 0 ? 1 : 0;
      if (waiting[n] == 0) ready.push_back(static_cast<int>(n));
    }
    folded_.resize(waiting.size());
    for (const auto& users : users_) unread_.push_back(users.size());
    while (!ready.empty()) {
      const int n = ready.back();
      ready.pop_back();
      if (!is_loose(n)) folded_[at(n)] = fold(n);
      for (const int e : users_[at(n)]) {
        const int to = graph_.edges[at(e)].to;
        if (drawn_[at(to)] < 0 && --waiting[at(to)] == 0) ready.push_back(to);
      }
    }
  }

  // each edge is asked for once
  std::vector<Sources> inputs_of(int n) {
    std::vector<Sources> inputs;
    for (const int e : into_[at(n)]) inputs.push_back(sources_of(graph_.edges[at(e)]));
    return inputs;
  }
  Sources fold(int n) {
    std::vector<Sources> inputs = inputs_of(n);
    const std::size_t longest = draw::longest(inputs);
    const Op* op = find_op(node(n).op);
    Sources s =
        draw::fold_sources(op != nullptr ? *op : kCopy, std::move(inputs), values_only(), false);
    if (values_only()) draw::thin(s, longest, [&](int end) { return alike(end); });
    return s;
  }
  // The first end at the same node and step.
  int alike(int end) {
    const End& e = ends_[at(end)];
    return alike_.try_emplace({e.node, e.delay}, end).first->second;
  }

  Sources sources_of(const FoldedEdge& e) {
    if (is_loose(e.from)) {
      if (values_only()) return {};
      return end({number_for(e.from, cluster_of(node(e.to).over)), "", false});
    }
    const int from = drawn_[at(e.from)];
    if (from < 0)
      return --unread_[at(e.from)] == 0 ? std::move(folded_[at(e.from)]) : folded_[at(e.from)];
    const bool weight = values_only() && node(e.from).kind == FoldedKind::weight;
    return end({from, delay_of(e), e.delayed(), e.whole ? std::vector<int>{} : e.delay, e.data},
               weight ? node(e.from).name : std::string(), weight);
  }
  Sources end(End e, const std::string& label = {}, bool weight = false) {
    ends_.push_back(std::move(e));
    return {{static_cast<int>(ends_.size()) - 1, label, weight}};
  }

  std::string delay_of(const FoldedEdge& e) const {
    if (e.whole) return e.place.empty() || e.place == "all" ? "" : fmt::format("[{}]", e.place);
    if (!e.delayed()) return "";
    if (e.delay.size() == 1) return draw::delay_power(-e.delay[0]);
    std::string text;
    for (std::size_t i = 0; i < e.delay.size(); ++i) {
      if (e.delay[i] == 0) continue;
      text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", node(e.to).over[i],
                          e.delay[i] > 0 ? "−" : "+", std::abs(e.delay[i]));
    }
    return text;
  }

  int number_for(int n, int cluster) {
    const auto [it, fresh] = numbers_.try_emplace({n, cluster}, -1);
    if (!fresh) return it->second;
    PictureNode p;
    p.kind = NodeKind::constant;
    const bool number = node(n).op == kConstant.name;
    p.op = number || node(n).name.empty() ? draw::op_text(node(n).op, node(n).attrs) : node(n).name;
    p.cluster = cluster;
    p.title = p.op;
    p.id = ids_.make("number", {}, fmt::format("{}", numbers_.size()));
    return it->second = add(std::move(p));
  }

  void connect(int n) {
    const int to = drawn_[at(n)];
    std::vector<Sources> inputs = inputs_of(n);
    Sources all;
    if (values_only()) {
      const Op* op = find_op(node(n).op);
      all = draw::fold_sources(op != nullptr ? *op : kCopy, std::move(inputs), true, false);
      draw::weights_to_op(out_.nodes[at(to)].op, all);
      all = joined(all);
    } else {
      for (const Sources& in : inputs) all.insert(all.end(), in.begin(), in.end());
    }
    std::map<int, std::string> windows;  // by node read
    for (const Source& s : all) {
      const End& from = ends_[at(s.node)];
      const auto [known, fresh] =
          from.delayed ? windows.try_emplace(from.node) : std::pair(windows.end(), false);
      if (fresh) known->second = window_of(n, all, from.node);
      if (known != windows.end() && !known->second.empty()) {
        const std::string& window = known->second;
        if (fresh)
          out_.edges.push_back({.from = from.node,
                                .to = to,
                                .kind = EdgeKind::data,
                                .delayed = true,
                                .label = window});
        continue;
      }
      PictureEdge e{.from = from.node,
                    .to = to,
                    .kind = EdgeKind::data,
                    .delayed = from.delayed,
                    .label = s.label};
      if (out_.nodes[at(from.node)].kind == NodeKind::weight) e.kind = EdgeKind::share;
      e.dotted = from.data;
      if (!from.delay.empty()) e.label += (e.label.empty() ? "" : " ") + from.delay;
      out_.edges.push_back(std::move(e));
    }
  }

  // "i−1…i+1, j−1…j+1": what a node reads of another where that is a whole window of more than
  // three neighbours, as a convolution does; one edge stands for all.
  std::string window_of(int to, const Sources& all, int from) const {
    std::set<std::vector<int>> delays;
    for (const Source& s : all)
      if (const End& e = ends_[at(s.node)]; e.node == from) {
        if (e.offsets.size() != node(to).over.size()) return {};
        delays.insert(e.offsets);
      }
    if (delays.size() < 4) return {};
    std::size_t box = 1;
    std::vector<std::string> ranges;
    for (std::size_t i = 0; i < delays.begin()->size(); ++i) {
      const auto [near, far] = std::minmax_element(
          delays.begin(), delays.end(), [&](const auto& a, const auto& b) { return a[i] < b[i]; });
      box *= at((*far)[i] - (*near)[i] + 1);
      ranges.push_back(draw::offset_range(node(to).over[i], -(*far)[i], -(*near)[i]));
    }
    return box == delays.size() ? fmt::format("{}", fmt::join(ranges, ", ")) : "";
  }

  // One edge for each node and delay, labels joined.
  Sources joined(const Sources& inputs) const {
    Sources out;
    std::map<std::pair<int, std::string>, std::size_t> known;
    for (const Source& s : inputs) {
      const End& mine = ends_[at(s.node)];
      const auto [it, fresh] = known.try_emplace({mine.node, mine.delay}, out.size());
      if (fresh) {
        out.push_back(s);
      } else if (Source& same = out[it->second]; s.label != same.label) {
        draw::join_label(same.label, s.label);
      }
    }
    return out;
  }

  // h[0] = h0 stands outside the step, as written.
  void add_initial(const InitialValue& initial) {
    PictureNode p;
    p.name = initial.equation;
    p.kind = NodeKind::constant;
    p.title = "boundary of " + initial.variable;
    p.id = ids_.make("start_" + initial.variable, {}, "");
    const int from = add(std::move(p));
    for (std::size_t n = 0; n < drawn_.size(); ++n) {
      const bool value =
          graph_.nodes[n].kind == FoldedKind::variable && graph_.nodes[n].name == initial.variable;
      if (value)
        out_.edges.push_back(
            {.from = from, .to = drawn_[n], .kind = EdgeKind::data, .delayed = false, .label = ""});
    }
  }

  const FoldedGraph& graph_;
  Detail detail_;
  Picture out_;
  draw::IdMaker ids_;
  std::vector<std::vector<int>> into_, users_;  // by node: edges
  std::vector<int> drawn_;                      // by node: in the picture; -1: not
  std::vector<char> gradient_;                  // by node: part of a grad(e, v)
  std::vector<Sources> folded_;                 // by node that is not drawn
  std::vector<std::size_t> unread_;             // by node: edges that are still to ask for it
  std::vector<End> ends_;                       // what Source::node counts
  std::map<std::pair<int, std::string>, int> alike_;
  std::map<std::set<std::string>, int> clusters_;
  std::map<std::string, int> steps_;
  std::map<std::pair<int, int>, int> numbers_;
};

}  // namespace

Picture picture_of(const FoldedGraph& graph, const FoldedPictureOptions& options) {
  for (const FoldedEdge& e : graph.edges) {
    check_number("node", e.from, graph.nodes.size());
    check_number("node", e.to, graph.nodes.size());
  }
  Detail detail = options.detail == Detail::automatic ? Detail::operations : options.detail;
  Picture p = FoldedPicture(graph, detail).run();
  if (options.detail == Detail::automatic && p.nodes.size() > kSmallPicture) {
    p = FoldedPicture(graph, Detail::values).run();
  }
  if (detail == Detail::variables) p = draw::printed_circuit(std::move(p));
  p.title = options.title.empty() ? graph.name : options.title;
  p.about = options.about;
  p.notes = graph.notes;
  return p;
}

}  // namespace taugrad
