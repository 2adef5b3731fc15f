#include "taugrad/analysis/graphical_model.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "analysis/states.h"
#include "base/fail.h"
#include "base/index.h"
#include "base/system/memory_limit.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

constexpr std::int64_t kMostEdges = 5'000'000;

std::string distribution_name(DistributionKind kind) {
  switch (kind) {
    case DistributionKind::categorical_logits:
    case DistributionKind::categorical_p:
      return "categorical";
    case DistributionKind::bernoulli_logits:
    case DistributionKind::bernoulli_p:
      return "bernoulli";
    case DistributionKind::normal:
      return "normal";
    case DistributionKind::none:
      break;
  }
  return {};
}

std::int64_t symbols_of(const Symbol& s) {
  if (s.category >= 0) return s.category;
  if (distribution_name(s.distribution) != "bernoulli" || s.shape.size() > 40) return -1;
  return std::int64_t{1} << s.shape.size();
}

class Builder {
 public:
  Builder(const Unfolded& u, bool states)
      : u_(u), tape_(u.graph().tape()), model_(u.model()), node_of_(at(tape_.size()), -1) {
    out_.name = model_.system.name;
    out_.with_states = states;
  }

  GraphicalModel run() {
    const std::set<std::string> states =
        out_.with_states ? analysis::state_names(u_) : std::set<std::string>{};
    for (const Symbol& s : model_.symbols) {
      if (s.random()) add_random(s);
      if (s.kind == SymbolKind::input) add_values(s, ModelRole::given);
      if (states.contains(s.name)) add_values(s, ModelRole::state);
    }
    if (out_.of(ModelRole::random).empty())
      fail(Status::bad_input, "G027",
           "\"{}\" has no random variable: no equation is written with ~", out_.name);
    seen_.assign(at(tape_.size()), -1);
    for (std::size_t n = 0; n < out_.nodes.size(); ++n) connect(static_cast<int>(n));
    drop_what_nothing_reads();
    count_parameters();
    return std::move(out_);
  }

 private:
  ModelNode node(const Symbol& s, ModelRole role, const std::vector<std::int32_t>& position) const {
    ModelNode n{.name = s.name, .position = position, .role = role, .shape = s.shape};
    for (const int axis : s.axes) n.letters.push_back(model_.system.indices[at(axis)].name);
    n.symbols = role == ModelRole::state ? -1 : symbols_of(s);
    return n;
  }

  void add_random(const Symbol& s) {
    u_.each_nll(s.name, [&](const auto& position, NodeId nll) {
      ModelNode n = node(s, ModelRole::random, position);
      n.distribution = distribution_name(s.distribution);
      const int number = static_cast<int>(out_.nodes.size());
      if (s.length >= 0) {
        for (NodeId id = 0; id < tape_.size(); ++id)  // a drawn length
          if (&tape_.op(id) == &kLength && tape_.attrs(id).integer("which") == s.length)
            node_of_[at(id)] = number;
      } else {
        n.value = u_.find(s.name, position);
        node_of_[at(n.value)] = number;
      }
      for (const NodeId in : tape_.inputs(nll))
        if (node_of_[at(in)] != number) n.arguments.push_back(in);
      out_.nodes.push_back(std::move(n));
    });
  }

  // inputs, and states at 1..tau
  void add_values(const Symbol& s, ModelRole role) {
    std::vector<std::int64_t> lengths;
    for (const int axis : s.axes)
      lengths.push_back(u_.length(model_.system.indices[at(axis)].name));
    u_.each_value(s.name, [&](const std::vector<std::int32_t>& position, NodeId id) {
      for (std::size_t a = 0; a < position.size(); ++a)
        if (position[a] < 1 || position[a] > lengths[a]) return;
      if (node_of_[at(id)] >= 0 || &tape_.op(id) == &kConstant) return;
      node_of_[at(id)] = static_cast<int>(out_.nodes.size());
      out_.nodes.push_back(node(s, role, position));
      out_.nodes.back().value = id;
    });
  }

  // Backwards from the node's arguments (a state: its inputs) to the nodes of the model.
  void connect(int number) {
    ModelNode& n = out_.nodes[at(number)];
    if (n.role == ModelRole::given) return;
    stack_.clear();
    const auto push = [&](NodeId id) {
      if (seen_[at(id)] == number) return;
      seen_[at(id)] = number;
      stack_.push_back(id);
    };
    if (n.role == ModelRole::random)
      for (const NodeId id : n.arguments) push(id);
    else
      for (const NodeId id : tape_.inputs(n.value)) push(id);
    while (!stack_.empty()) {
      const NodeId id = stack_.back();
      stack_.pop_back();
      if (node_of_[at(id)] >= 0) {
        n.parents.push_back(node_of_[at(id)]);
        continue;
      }
      for (const NodeId in : tape_.inputs(id)) push(in);
    }
    std::sort(n.parents.begin(), n.parents.end());
    n.parents.erase(std::unique(n.parents.begin(), n.parents.end()), n.parents.end());
    n.parents.shrink_to_fit();
    edges_ += static_cast<std::int64_t>(n.parents.size());
    ask_for_edges();
    if (edges_ > kMostEdges)
      fail(Status::resource, "R002",
           "the graphical model has more than {} edges: take fewer steps{}", kMostEdges,
           out_.with_states ? "" : ", or the form with states");
  }

  // how many there will be is not known: for as many again as there are, at each doubling
  void ask_for_edges() {
    if (edges_ <= asked_) return;
    constexpr double kEdge = sizeof(int);
    asked_ = 2 * edges_;
    require_memory("the graphical model", {{fmt::format("more than {} edges", edges_),
                                            static_cast<double>(asked_ - edges_) * kEdge}});
  }

  // states and inputs that no random variable depends on say nothing here
  void drop_what_nothing_reads() {
    std::vector<char> kept(out_.nodes.size(), 0);
    std::vector<int> stack = out_.of(ModelRole::random);
    for (const int n : stack) kept[at(n)] = 1;
    while (!stack.empty()) {
      const int n = stack.back();
      stack.pop_back();
      for (const int p : out_.nodes[at(n)].parents)
        if (!kept[at(p)]) {
          kept[at(p)] = 1;
          stack.push_back(p);
        }
    }
    std::vector<int> order;
    for (std::size_t n = 0; n < kept.size(); ++n)
      if (kept[n]) order.push_back(static_cast<int>(n));
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return key(a) < key(b); });
    std::vector<int> number(kept.size(), -1);
    for (std::size_t i = 0; i < order.size(); ++i) number[at(order[i])] = static_cast<int>(i);
    std::vector<ModelNode> nodes;
    for (const int n : order) nodes.push_back(std::move(out_.nodes[at(n)]));
    out_.nodes = std::move(nodes);
    for (ModelNode& n : out_.nodes) {
      for (int& p : n.parents) p = number[at(p)];
      std::sort(n.parents.begin(), n.parents.end());
    }
  }
  // position by position, inputs before states before random variables
  std::tuple<std::vector<std::int32_t>, int> key(int n) const {
    const ModelNode& node = out_.nodes[at(n)];
    const int rank = node.role == ModelRole::given ? 0 : node.role == ModelRole::state ? 1 : 2;
    return {node.position, rank};
  }

  void count_parameters() {
    std::vector<char> needed(at(tape_.size()), 0);
    for (const ModelNode& n : out_.nodes)
      for (const NodeId id : n.arguments) needed[at(id)] = 1;
    for (NodeId id = tape_.size(); id-- > 0;) {
      if (!needed[at(id)]) continue;
      for (const NodeId in : tape_.inputs(id)) needed[at(in)] = 1;
      if (&tape_.op(id) == &kWeight) out_.parameters += tape_.shape(id).size();
    }
  }

  const Unfolded& u_;
  const Tape& tape_;
  const ResolvedModel& model_;
  GraphicalModel out_;
  std::vector<int> node_of_;  // by node of the tape: number in the model, -1 where it is passed
  std::vector<int> seen_;     // by node of the tape: the last search that came by
  std::vector<NodeId> stack_;
  std::int64_t edges_ = 0, asked_ = 0;
};

}  // namespace

std::string ModelNode::label() const {
  return position.empty() ? name : fmt::format("{}[{}]", name, fmt::join(position, ","));
}

int GraphicalModel::find(std::string_view label) const {
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (nodes[n].label() == label) return static_cast<int>(n);
  return -1;
}

std::int64_t GraphicalModel::edges() const {
  std::size_t count = 0;
  for (const ModelNode& n : nodes) count += n.parents.size();
  return static_cast<std::int64_t>(count);
}

std::int64_t GraphicalModel::edges(ModelRole from, ModelRole to) const {
  std::int64_t count = 0;
  for (const ModelNode& n : nodes)
    if (n.role == to)
      count += std::count_if(n.parents.begin(), n.parents.end(),
                             [&](int p) { return nodes[at(p)].role == from; });
  return count;
}

std::vector<int> GraphicalModel::of(ModelRole role) const {
  std::vector<int> numbers;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (nodes[n].role == role) numbers.push_back(static_cast<int>(n));
  return numbers;
}

GraphicalModel graphical_model(const Unfolded& u, const GraphicalModelOptions& options) {
  return Builder(u, options.states).run();
}

GraphicalModel graphical_model(const Definition& d, std::int64_t steps,
                               const GraphicalModelOptions& options) {
  return graphical_model(unfold(d, {.steps = steps}), options);
}

}  // namespace taugrad
