#include "taugrad/analysis/flow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analysis/flow_data.h"
#include "analysis/jacobians.h"
#include "analysis/matrix_norm.h"
#include "analysis/probe.h"
#include "base/index.h"
#include "evaluate/memory_estimate.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

using analysis::FlowData;
using analysis::Probe;

/// Nodes h[1..tau] of the graph.
Vars along(const Unfolded& u, const std::string& name, std::int64_t length) {
  Vars nodes;
  for (std::int64_t t = 1; t <= length; ++t)
    nodes.push_back(u.at(name, static_cast<std::int32_t>(t)));
  return nodes;
}

/// What dL/d. is asked of: every h(t) of the report's variables, then copies and leaves of weights.
Vars asked(const FlowData& data, const Unfolded& u, FlowReport& report) {
  Vars wrt;
  for (const VariableFlow& v : report.variables) {
    const Vars nodes = along(u, v.name, data.length_of(data.symbol(v.name)));
    wrt.insert(wrt.end(), nodes.begin(), nodes.end());
  }
  for (const Symbol& s : data.model->symbols) {
    if (s.kind != SymbolKind::weight || !s.taken) continue;
    report.weights.push_back({.name = s.name});
    for (const auto& [label, copy] : u.copies(s.name)) {
      report.weights.back().copies.emplace_back(label, 0);
      wrt.push_back(copy);
    }
    u.each_weight(s.name, [&](const auto&, NodeId id) { wrt.push_back(u.graph().tape().var(id)); });
  }
  return wrt;
}

/// dL/dh(t) and dL/dW(t), in one run.
void add_gradients(const FlowData& data, FlowReport& report) {
  const Unfolded u = data.unfolded(data.cotangents);
  const Gradients g = gradient(u.loss(), asked(data, u, report));
  std::vector<NodeId> outputs;
  for (const Var& v : g.values()) outputs.push_back(v.id);
  const std::vector<Tensor> values = Probe(u, outputs, data.engine)(data.inputs, data.weights);
  auto next = values.begin();
  for (VariableFlow& v : report.variables) {
    const Symbol& s = data.symbol(v.name);
    for (std::int64_t t = 1; t <= data.length_of(s); ++t)
      v.gradient.push_back(analysis::mean_norm(data, s, *next++, t));
  }
  for (WeightFlow& w : report.weights) {
    for (auto& [label, norm] : w.copies) {
      norm = analysis::norm_of(*next, 0, next->size());
      ++next;
    }
    u.each_weight(w.name, [&](const auto&, NodeId) {  // of an untied weight: all of them
      w.total = std::hypot(w.total, analysis::norm_of(*next, 0, next->size()));
      ++next;
    });
  }
}

void add_jacobians(const FlowData& data, MatrixNorm norm, const std::function<void()>& told,
                   VariableFlow& v) {
  const Symbol& s = data.symbol(v.name);
  const std::int64_t length = data.length_of(s);
  v.jacobian.assign(at(length), std::vector<double>(at(length), 0));
  if (length == 0) return;
  analysis::Jacobians jacobians(data, v.name, v.name);
  const std::int64_t items = jacobians.shared() ? 1 : data.batch.items;
  std::vector<double> logs(at(length), 0), counts(at(length), 0);
  for (std::int64_t t = 0; t < length; ++t) {
    std::int64_t alive = 0;
    for (std::int64_t item = 0; item < items; ++item) {
      if (!jacobians.has(item, t)) continue;
      ++alive;
      const auto rows = jacobians(item, t);
      for (std::size_t k = 0; k < rows.size(); ++k) {
        const double n = analysis::norm_of(rows[k], jacobians.rows(), norm);
        v.jacobian[at(t)][k] += n;
        if (n == 0) continue;
        const std::size_t lag = k > at(t) ? k - at(t) : at(t) - k;
        logs[lag] += std::log(n);
        counts[lag] += 1;
      }
    }
    told();
    for (double& n : v.jacobian[at(t)]) n /= static_cast<double>(std::max<std::int64_t>(alive, 1));
  }
  for (std::size_t lag = 0; lag < logs.size(); ++lag)
    v.by_lag.push_back(counts[lag] > 0 ? std::exp(logs[lag] / counts[lag]) : 0);
}

}  // namespace

double rate_of(const std::vector<double>& by_lag) {
  std::vector<double> lags, logs;
  for (std::size_t lag = 1; lag < by_lag.size(); ++lag)
    if (by_lag[lag] > 0 && std::isfinite(by_lag[lag])) {
      lags.push_back(static_cast<double>(lag));
      logs.push_back(std::log(by_lag[lag]));
    }
  if (lags.empty()) return 0;
  if (lags.size() == 1) return std::exp(logs[0] / lags[0]);
  const std::size_t first = lags.size() / 2 - (lags.size() < 4 ? lags.size() / 2 : 0);
  const auto n = static_cast<double>(lags.size() - first);
  double x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = first; i < lags.size(); ++i) {
    x += lags[i];
    y += logs[i];
    xx += lags[i] * lags[i];
    xy += lags[i] * logs[i];
  }
  return std::exp((n * xy - x * y) / (n * xx - x * x));
}

FlowVerdict verdict_of(const std::vector<double>& by_lag, double rate) {
  if (rate == 0) return FlowVerdict::none;
  const double gain = static_cast<double>(by_lag.size() - 1) * std::log10(rate);
  return gain < -1  ? FlowVerdict::vanishing
         : gain > 1 ? FlowVerdict::exploding
                    : FlowVerdict::stable;
}

namespace {

/// A Jacobian norm for every pair of positions, and the graph with its gradient.
void require_for_flow(const FlowData& data, const FlowReport& report) {
  UnfoldOptions unfolding{.cotangents = data.cotangents};
  for (std::size_t l = 0; l < data.model->lengths.size(); ++l)
    unfolding.lengths[data.model->lengths[l]] = data.batch.longest[l];
  std::vector<MemoryUse> plan = memory_of_graph(graph_size(*data.model, unfolding).with_gradient(),
                                                data.batch.items, sizeof(double));
  for (const VariableFlow& v : report.variables) {
    const auto length = static_cast<double>(data.length_of(data.symbol(v.name)));
    plan.push_back({fmt::format("Jacobians of \"{}\"", v.name), length * length * sizeof(double)});
  }
  require_memory("the flow of gradients", plan);
}

}  // namespace

FlowReport flow(const Definition& d, const Tensors& inputs, const Tensors& weights,
                const FlowOptions& options) {
  const FlowData data = analysis::flow_data(d, inputs, weights, options);
  FlowReport report{
      .name = data.model->system.name, .items = data.batch.items, .norm = options.norm};
  for (const std::string& name : analysis::chosen_states(data, options))
    report.variables.push_back({.name = name});
  require_for_flow(data, report);
  std::int64_t done = 0, total = 0;
  for (const VariableFlow& v : report.variables) total += data.length_of(data.symbol(v.name));
  const auto told = [&] {
    if (options.progress) options.progress(++done, total);
  };
  for (VariableFlow& v : report.variables) {
    report.steps = std::max(report.steps, data.length_of(data.symbol(v.name)));
    add_jacobians(data, options.norm, told, v);
    v.rate = rate_of(v.by_lag);
    v.verdict = verdict_of(v.by_lag, v.rate);
  }
  add_gradients(data, report);
  return report;
}

}  // namespace taugrad
