#pragma once

#include <map>
#include <string>
#include <vector>

#include "evaluate/graphs/graph_fetch.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/evaluate/run.h"

namespace taugrad {

/// One result: which outputs of the executor it is made of.
struct GraphResult {
  std::string text;
  std::vector<std::int64_t> lengths;  ///< of its positions
  std::size_t first = 0, count = 0;   ///< outputs; each one position, or all added up where `adds`
  bool adds = false;
  bool per_example = false;  ///< a gradient of what is, also where it is the same for all items
};

/// A graph with all that a run is asked for: gradients are appended to a copy of it.
class GraphRequest {
 public:
  /// @throws Error (U020, G023, G014)
  GraphRequest(const Graph& graph, const Tensors& inputs, const RunOptions& options);

  const Tape& tape() const { return graph_.tape(); }
  const std::vector<NodeId>& outputs() const { return outputs_; }
  const std::vector<GraphResult>& results() const { return results_; }
  NodeId forward_end() const { return forward_end_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::vector<GraphFetch> read_fetches(const RunOptions& options, bool other_loss);
  bool holds_other_gradients() const;
  const Vars& losses();
  void differentiate(const std::vector<GraphFetch>& fetches);
  NodeId sum_of_losses();
  void add(const GraphFetch& f);

  Graph graph_;
  NodeId forward_end_;
  std::string loss_name_;
  Vars losses_;  ///< the loss, or the terms of cotangents, whose gradients add up
  Gradients gradients_;
  std::map<NodeId, std::size_t> gradient_of_;
  std::vector<NodeId> outputs_;
  std::vector<GraphResult> results_;
  std::vector<std::string> warnings_;
};

}  // namespace taugrad
