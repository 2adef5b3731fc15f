#pragma once

#include <map>
#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/graph/graph.h"

namespace taugrad::folding {

using Letters = std::vector<int>;  ///< index numbers

/// What a leaf of a Circuit stands for.
struct Reading {
  enum class Source { value, likelihood, weight, index, length };
  Source source = Source::value;
  int number = -1;  ///< of the symbol, index or length; of a length -1: of a mean
  std::vector<At> places = {};
};

/// Every template of a model placed once, on a tape of its own, as Unfolder places them at every
/// position. What a template reads stands there as a leaf.
struct Circuit {
  Graph graph;
  Tape& tape = graph.tape();
  std::map<NodeId, Reading> readings;
  std::map<NodeId, Letters> gathers;    ///< sums over steps: the letters of their terms
  std::vector<Letters> over;            ///< by node: the letters it is repeated over
  std::map<int, NodeId> value_of_rule;  ///< the variable's value; of a random one, its likelihood
};
void place_templates(const ResolvedModel& model, Circuit& circuit);

}  // namespace taugrad::folding
