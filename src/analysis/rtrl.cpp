// Real-time recurrent learning: forward mode, a run for each parameter, beside reverse mode.
#include <cmath>

#include "analysis/flow_data.h"
#include "analysis/probe.h"
#include "taugrad/analysis/flow.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

/// Weights that the loss of a graph has, as leaves.
Vars weight_leaves(const Unfolded& u) {
  Tape& tape = u.graph().tape();
  Vars leaves;
  for (NodeId id = 0; id < u.loss().id; ++id)
    if (&tape.op(id) == &kWeight) leaves.push_back(tape.var(id));
  return leaves;
}

// a NaN stays
double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }

double total(const Tensor& t) {
  double sum = 0;
  for (std::int64_t i = 0; i < t.size(); ++i) sum += t.at(i);
  return sum;
}

}  // namespace

RtrlReport rtrl(const Definition& d, const Tensors& inputs, const Tensors& weights,
                const FlowOptions& options) {
  const analysis::FlowData data = analysis::flow_data(d, inputs, weights, options);
  RtrlReport report;
  // reverse mode: back through time once
  const Unfolded back = data.unfolded(data.cotangents);
  report.forward_nodes = back.graph().size();
  analysis::Probe loss(back, {back.loss().id}, data.engine);
  loss(data.inputs, data.weights);
  report.forward_operations = loss.operations();
  std::vector<NodeId> outputs{back.loss().id};
  const Gradients g = gradient(back.loss(), weight_leaves(back));
  for (const Var& v : g.values()) outputs.push_back(v.id);
  report.gradient_nodes = back.graph().size() - report.forward_nodes;
  analysis::Probe reverse(back, outputs, data.engine);
  const std::vector<Tensor> gradients = reverse(data.inputs, data.weights);
  report.bptt_operations = reverse.operations();
  // forward mode: dh(t)/dw goes along, one parameter w at a time
  const Unfolded along = data.unfolded(data.cotangents);
  Tape& tape = along.graph().tape();
  const Vars leaves = weight_leaves(along);
  Vars directions;
  Tensors moved = data.weights;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    names.push_back("direction:" + std::to_string(i));
    directions.push_back(weight(tape, names.back(), leaves[i].shape()));
    moved[names.back()] =
        Tensor(Dims(leaves[i].shape().dims().begin(), leaves[i].shape().dims().end()), Dtype::f64);
  }
  const Var outs[] = {along.loss()};
  const Var slope = tangent(outs, leaves, directions).front();
  report.tangent_nodes = along.graph().size() - report.forward_nodes;
  analysis::Probe forward(along, {along.loss().id, slope.id}, data.engine);
  for (std::size_t i = 0; i < leaves.size(); ++i)
    for (std::int64_t e = 0; e < leaves[i].shape().size(); ++e, ++report.parameters) {
      moved[names[i]].set(e, 1);
      const double derivative = total(forward(data.inputs, moved)[1]);
      moved[names[i]].set(e, 0);
      report.rtrl_operations += forward.operations();
      const double other = gradients[i + 1].at(e);
      report.difference = larger(report.difference, std::abs(derivative - other));
      report.largest = larger(report.largest, std::abs(other));
    }
  return report;
}

}  // namespace taugrad
