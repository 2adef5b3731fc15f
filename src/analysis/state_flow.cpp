// What training watches of the gradient's way through time.
#include "analysis/state_flow.h"

#include <algorithm>
#include <cmath>

#include "analysis/flow_data.h"
#include "analysis/probe.h"
#include "base/index.h"
#include "runtime/stream.h"
#include "taugrad/autodiff/gradient.h"

namespace taugrad {
namespace {

using analysis::FlowData;
using analysis::Probe;

/// dL/dh(t) of all states, [state][t], planned for one graph.
class StateGradients {
 public:
  StateGradients(const FlowData& data, const std::vector<std::string>& states,
                 const std::vector<std::string>& cotangents,
                 const std::function<Var(const Unfolded&)>& loss = {})
      : data_(data),
        states_(states),
        u_(data.unfolded(cotangents)),
        probe_(u_, outputs(loss ? loss(u_) : u_.loss()), data.engine) {}

  std::vector<std::vector<Tensor>> operator()(const Tensors& inputs) {
    std::vector<Tensor> values = probe_(inputs, data_.weights);
    std::vector<std::vector<Tensor>> by_state;
    auto next = values.begin();
    for (const std::string& name : states_) {
      const auto end = next + data_.length_of(data_.symbol(name));
      by_state.emplace_back(std::make_move_iterator(next), std::make_move_iterator(end));
      next = end;
    }
    return by_state;
  }

 private:
  std::vector<NodeId> outputs(const Var& loss) const {
    Vars nodes;
    for (const std::string& name : states_)
      for (std::int64_t t = 1; t <= data_.length_of(data_.symbol(name)); ++t)
        nodes.push_back(u_.at(name, static_cast<std::int32_t>(t)));
    std::vector<NodeId> ids;
    const Gradients g = gradient(loss, nodes);
    for (const Var& v : g.values()) ids.push_back(v.id);
    return ids;
  }

  const FlowData& data_;
  const std::vector<std::string>& states_;
  Unfolded u_;
  Probe probe_;
};

/// A random direction for each item, at its last position or its first; zeros elsewhere.
Tensor directions(const FlowData& data, const Symbol& s, bool at_end, std::uint64_t seed) {
  const std::int64_t items = data.batch.items, size = s.shape.size();
  Dims dims{data.length_of(s), items};
  dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  Tensor v(dims, Dtype::f64);
  Stream stream(seed, "direction:" + s.name);
  for (std::int64_t item = 0; item < items; ++item) {
    std::vector<double> numbers;
    double squares = 0;
    for (std::int64_t i = 0; i < size; ++i) {
      numbers.push_back(stream.normal());
      squares += numbers.back() * numbers.back();
    }
    const std::int64_t length = data.length_of(s, item), t = at_end ? length - 1 : 0;
    for (std::int64_t i = 0; i < size && length > 0; ++i)
      v.set((t * items + item) * size + i, numbers[at(i)] / std::sqrt(squares));
  }
  return v;
}

/// [lag]: geometric mean over the items of the norms, where they are not 0.
std::vector<double> by_lag(const FlowData& data, const Symbol& s, const std::vector<Tensor>& g,
                           bool at_end) {
  const auto steps = static_cast<std::int64_t>(g.size());
  const std::int64_t size = s.shape.size();
  std::vector<double> logs(g.size(), 0), counts(g.size(), 0), means;
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t row = 0; size > 0 && row < g[at(t)].size() / size; ++row) {
      const std::int64_t lag = at_end ? data.length_of(s, row) - 1 - t : t;
      const double norm = lag < 0 ? 0 : analysis::norm_of(g[at(t)], row * size, size);
      if (norm == 0) continue;
      logs[at(lag)] += std::log(norm);
      ++counts[at(lag)];
    }
  for (std::size_t lag = 0; lag < g.size(); ++lag)
    means.push_back(counts[lag] > 0 ? std::exp(logs[lag] / counts[lag]) : 0);
  return means;
}

std::vector<StateFlow> flow_of(const FlowData& data, const std::vector<std::string>& states,
                               const FlowOptions& options,
                               const std::function<Var(const Unfolded&)>& loss = {}) {
  std::vector<StateFlow> report;
  const auto of_loss = StateGradients(data, states, data.cotangents, loss)(data.inputs);
  StateGradients along(data, states, states);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const Symbol& s = data.symbol(states[i]);
    StateFlow f{.name = states[i]};
    for (std::size_t t = 0; t < of_loss[i].size(); ++t)
      f.gradient.push_back(
          analysis::mean_norm(data, s, of_loss[i][t], static_cast<std::int64_t>(t) + 1));
    for (const bool at_end : {true, false}) {  // a variable that runs backward has its end in front
      Tensors with = data.inputs;
      for (const std::string& name : states) {
        Tensor v = directions(data, data.symbol(name), at_end, options.seed);
        with["cotangent:" + name] = name == states[i] ? std::move(v) : Tensor(v.dims(), v.dtype());
      }
      f.by_lag = by_lag(data, s, along(with)[i], at_end);
      f.rate = rate_of(f.by_lag);
      if (f.rate != 0) break;
    }
    f.verdict = verdict_of(f.by_lag, f.rate);
    report.push_back(std::move(f));
  }
  return report;
}

}  // namespace

std::vector<StateFlow> state_flow(const Definition& d, const Tensors& inputs,
                                  const Tensors& weights, const FlowOptions& options) {
  const FlowData data = analysis::flow_data(d, inputs, weights, options);
  return flow_of(data, analysis::chosen_states(data, options), options);
}

std::vector<StateFlow> analysis::counted_state_flow(const Definition& d, const Tensors& inputs,
                                                    const Tensors& weights,
                                                    const FlowOptions& options,
                                                    const CountedLoss& counted) {
  FlowData data = flow_data(d, inputs, weights, options);
  for (const auto& [name, t] : counted.inputs) data.inputs[name] = t;
  const std::vector<std::string> states = states_of(data);
  if (states.empty() && are_too_short(data)) return {};
  return flow_of(data, chosen_states(data, options), options, counted.loss);
}

}  // namespace taugrad
