// The graphical model against numbers: derivatives, replaced values, shifted sequences.
#include <algorithm>
#include <cmath>

#include "analysis/probe.h"
#include "base/fail.h"
#include "base/index.h"
#include "language/resolve/resolved_model.h"
#include "runtime/generic.h"
#include "runtime/stream.h"
#include "taugrad/analysis/graphical_model.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

double largest(double a, double b) { return std::isnan(b) || b > a ? b : a; }

/// Largest element of |row a - row b|; b < 0: of |row a|.
double distance(const Tensor& t, std::int64_t a, std::int64_t b, std::int64_t items) {
  const std::int64_t size = t.size() / std::max<std::int64_t>(items, 1);
  double worst = 0;
  for (std::int64_t i = 0; i < size; ++i)
    worst = largest(worst, std::abs(t.at(a * size + i) - (b < 0 ? 0 : t.at(b * size + i))));
  return worst;
}

/// Item 0 is a draw; in item 1 + s the value of node s is another one, and the direction is its
/// own.
class Influences {
 public:
  Influences(const Definition& d, std::int64_t steps, const ConfirmOptions& options)
      : definition_(d), steps_(steps), options_(options), model_(resolve(d)) {
    UnfoldOptions unfolding;
    unfolding.steps = steps;
    unfolding.lengths = options.lengths;
    u_ = unfold(model_, unfolding);
    graph_ = graphical_model(u_);
    items_ = static_cast<std::int64_t>(graph_.nodes.size()) + 1;
    append_tangents();
  }

  Confirmation run() {
    std::vector<NodeId> outputs = arguments_;
    for (const Var& v : tangents_) outputs.push_back(v.id);
    analysis::Probe probe(u_, outputs);
    const Tensors weights =
        generic_weights(*model_, initial_weights(definition_, draw(options_.seed)), options_.seed);
    prepare_pairs();
    for (int i = 0; i < options_.draws; ++i)
      add(probe(inputs_of(options_.seed + static_cast<std::uint64_t>(i)), weights));
    Confirmation c{std::move(pairs_)};
    for (const Influence& p : c.pairs) {
      c.wrong += p.felt() && !p.edge;
      c.unfelt += !p.felt() && p.edge;
    }
    return c;
  }

 private:
  DrawOptions draw(std::uint64_t seed) const {
    return {.steps = steps_, .lengths = options_.lengths, .batch = 1, .seed = seed};
  }

  // what a node enters the graph through as numbers: itself, or of a category what reads it
  std::vector<NodeId> readers(const ModelNode& n) const {
    const Tape& tape = u_.graph().tape();
    if (n.value < 0) return {};
    if (!tape.attrs(n.value).has("category")) return {n.value};
    std::vector<NodeId> found;
    for (NodeId id = n.value + 1; id < tape.size(); ++id) {
      const auto inputs = tape.inputs(id);
      if (std::ranges::find(inputs, n.value) != inputs.end() &&
          !tape.name(id).starts_with("nll:") && !tape.attrs(id).has("category"))
        found.push_back(id);
    }
    return found;
  }

  void append_tangents() {
    Tape& tape = u_.graph().tape();
    Vars wrt, directions, outputs;
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      first_argument_.push_back(arguments_.size());
      for (const NodeId id : graph_.nodes[n].arguments) arguments_.push_back(id);
      for (const NodeId id : readers(graph_.nodes[n])) {
        const Var v = tape.var(id);
        wrt.push_back(v);
        owners_.push_back(n);
        directions.push_back({});
      }
    }
    first_argument_.push_back(arguments_.size());
    for (std::size_t i = 0; i < wrt.size(); ++i)
      directions[i] =
          input(tape, fmt::format("direction:{}", i), wrt[i].shape(), {}, wrt[i].extent());
    directions_ = directions;
    for (const NodeId id : arguments_) outputs.push_back(tape.var(id));
    tangents_ = tangent(outputs, wrt, directions);
  }

  Tensors inputs_of(std::uint64_t seed) const {
    Tensors inputs = random_inputs(definition_, draw(seed));
    add_stops(*model_, u_, 1, inputs);
    for (auto& [name, tensor] : inputs) {
      const int number = model_->find(name);
      const int axes = number < 0 ? 0 : static_cast<int>(model_->symbols[at(number)].axes.size());
      tensor = analysis::repeated(tensor, axes, items_);
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n)
      replace(graph_.nodes[n], static_cast<std::int64_t>(n) + 1, inputs);
    for (std::size_t i = 0; i < directions_.size(); ++i) {
      Dims dims(directions_[i].shape().dims().begin(), directions_[i].shape().dims().end());
      dims.insert(dims.begin(), items_);
      Tensor t(dims, Dtype::f64);
      Stream stream(seed, fmt::format("direction:{}", i));
      const std::int64_t size = directions_[i].shape().size();
      const auto item = static_cast<std::int64_t>(owners_[i]) + 1;
      for (std::int64_t e = 0; e < size; ++e) t.set(item * size + e, stream.normal());
      inputs[fmt::format("direction:{}", i)] = std::move(t);
    }
    return inputs;
  }

  // another value of one node in one item
  void replace(const ModelNode& n, std::int64_t item, Tensors& inputs) const {
    const auto found = inputs.find(n.name);
    if (n.value < 0 || found == inputs.end()) return;
    Tensor& t = found->second;
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < n.position.size(); ++a)
      flat = flat * t.dims()[a] + n.position[a] - 1;
    const std::int64_t size = n.shape.size(), first = (flat * items_ + item) * size;
    for (std::int64_t i = 0; i < size; ++i) {
      const double old = t.at(first + i);
      const bool category = t.dtype() == Dtype::i64;
      t.set(first + i, category ? std::fmod(old + 1, static_cast<double>(n.symbols))
                       : n.distribution == "bernoulli" ? 1 - old
                                                       : old + 0.5);
    }
  }

  void prepare_pairs() {
    for (std::size_t to = 0; to < graph_.nodes.size(); ++to) {
      const ModelNode& n = graph_.nodes[to];
      if (n.role != ModelRole::random) continue;
      for (std::size_t from = 0; from < graph_.nodes.size(); ++from) {
        if (from == to || graph_.nodes[from].value < 0) continue;
        const bool edge = std::ranges::binary_search(n.parents, static_cast<int>(from));
        pairs_.push_back({static_cast<int>(from), static_cast<int>(to), edge, 0, 0});
      }
    }
  }

  void add(const std::vector<Tensor>& values) {
    for (Influence& p : pairs_)
      for (std::size_t a = first_argument_[at(p.to)]; a < first_argument_[at(p.to) + 1]; ++a) {
        const Tensor &theta = values[a], &dot = values[arguments_.size() + a];
        const Tape& tape = u_.graph().tape();
        if (tape.extent_id(arguments_[a]) == kShared) continue;  // moves with nothing
        p.change = largest(p.change, distance(theta, p.from + 1, 0, items_));
        if (tape.extent_id(tangents_[a].id) != kShared)
          p.derivative = largest(p.derivative, distance(dot, p.from + 1, -1, items_));
      }
  }

  const Definition& definition_;
  std::int64_t steps_;
  ConfirmOptions options_;
  std::shared_ptr<const ResolvedModel> model_;
  Unfolded u_;
  GraphicalModel graph_;
  std::int64_t items_ = 1;
  std::vector<NodeId> arguments_;
  std::vector<std::size_t> first_argument_;  // by node, and one more
  std::vector<std::size_t> owners_;          // by direction: whose it is
  Vars directions_, tangents_;
  std::vector<Influence> pairs_;
};

/// Steps from `first` on of a tensor [steps, batch, ...].
Tensor from_step(const Tensor& t, std::int64_t first) {
  Dims dims = t.dims();
  dims[0] -= first;
  Tensor result(dims, t.dtype());
  std::copy(t.bytes().end() - static_cast<std::ptrdiff_t>(result.bytes().size()), t.bytes().end(),
            result.bytes().begin());
  return result;
}

/// Arguments of the distributions at each step, one item.
std::vector<std::vector<Tensor>> arguments_by_step(
    const std::shared_ptr<const ResolvedModel>& model, std::int64_t steps, const Tensors& inputs,
    const Tensors& weights) {
  const Unfolded u = unfold(model, {.steps = steps});
  const GraphicalModel m = graphical_model(u);
  std::vector<NodeId> outputs;
  std::vector<std::size_t> step;
  for (const ModelNode& n : m.nodes)
    for (const NodeId id : n.arguments) {
      if (n.position.size() != 1) continue;
      outputs.push_back(id);
      step.push_back(at(n.position[0]) - 1);
    }
  std::vector<std::vector<Tensor>> by_step(at(steps));
  std::vector<Tensor> values = analysis::Probe(u, outputs)(inputs, weights);
  for (std::size_t i = 0; i < values.size(); ++i) by_step[step[i]].push_back(std::move(values[i]));
  return by_step;
}

}  // namespace

Confirmation confirm(const Definition& d, std::int64_t steps, const ConfirmOptions& options) {
  return Influences(d, steps, options).run();
}

Stationarity stationarity(const Definition& d, std::int64_t steps, std::int64_t shift,
                          const Tensors& weights, std::uint64_t seed) {
  const auto model = resolve(d);
  if (model->lengths.size() != 1 || model->system.indices.size() != 1)
    fail(Status::bad_input, "G022", "\"{}\" has {} lengths: stationarity is along one",
         model->system.name, model->lengths.size());
  Stationarity result;
  for (const Symbol& s : model->symbols)
    if (s.kind == SymbolKind::weight && !s.axes.empty()) result.shared = false;
  const DrawOptions draw{.steps = steps + shift, .batch = 1, .seed = seed};
  Tensors longer = random_inputs(d, draw), shorter;
  const Unfolded whole = unfold(model, {.steps = steps + shift});
  add_stops(*model, whole, 1, longer);
  for (const auto& [name, t] : longer) {
    const int number = model->find(name);
    const bool moves = number >= 0 && model->symbols[at(number)].axes.size() == 1;
    if (!name.starts_with("lengths")) shorter[name] = moves ? from_step(t, shift) : t;
  }
  const Tensors used =
      weights.empty() ? generic_weights(*model, initial_weights(d, draw), seed) : weights;
  const auto late = arguments_by_step(model, steps + shift, longer, used);
  const auto early = arguments_by_step(model, steps, shorter, used);
  for (std::size_t t = 0; t < early.size(); ++t) {
    double worst = 0;
    for (std::size_t a = 0; a < early[t].size(); ++a) {
      const Tensor& other = late[t + at(shift)][a];
      for (std::int64_t i = 0; i < early[t][a].size(); ++i)
        worst = largest(worst, std::abs(early[t][a].at(i) - other.at(i)));
    }
    result.difference.push_back(worst);
  }
  return result;
}

}  // namespace taugrad
