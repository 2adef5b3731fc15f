#pragma once

#include <string>
#include <vector>

#include "taugrad/base/shape.h"
#include "taugrad/graph/attrs.h"
#include "taugrad/graph/graph.h"
#include "taugrad/language/definition.h"

namespace taugrad {

/// What a node of a folded graph stands for.
enum class FoldedKind {
  input,
  weight,     ///< its copies for each step vanish: the step mentions the weight itself
  variable,   ///< the value of a named variable
  random,     ///< the observed value of a random variable
  operation,  ///< a step on the way to a named value
  constant,   ///< numbers, a length ("length"), the position as a number ("index")
  loss,       ///< a likelihood term, and the loss
};

/// One node of the repeated step, or one outside all steps.
struct FoldedNode {
  FoldedKind kind = FoldedKind::operation;
  std::string op;
  Attrs attrs;
  Shape shape;       ///< of one example
  std::string name;  ///< of the variable it is the value of or belongs to; may be empty
  std::vector<std::string>
      over;  ///< letters of the indices it is repeated over; empty: there is one
};

/// `to` reads `from` as its input number `slot`.
struct FoldedEdge {
  int from = 0;
  int to = 0;
  int slot = 0;            ///< 0 for every input of a sum over steps: their order does not matter
  std::vector<int> delay;  ///< one an index of `to`: h[t-1] read at t is 1, g[t+1] is -1
  bool whole = false;      ///< not step by step: `place` says what is read; `delay` is empty
  std::string place =
      {};             ///< "all" (a sum over the steps), "last", "1", "last-1", "2*t-1", "left[t]"
  bool data = false;  ///< of `place`: data name it
  bool delayed()
      const;  ///< reads another step: the edge carries a delay box, or is one that data name
};

/// The equation of a boundary, h[0] = ..: no part of the step.
struct InitialValue {
  std::string variable;
  std::string equation;
};

/// A recurrent network drawn as a circuit with delays (eq 1-4): the step once, weights once. Its
/// size does not depend on how many steps there are.
struct FoldedGraph {
  std::string name;
  std::vector<FoldedNode> nodes;
  std::vector<FoldedEdge> edges;
  std::vector<InitialValue> initial;    ///< of a definition; an unfolded graph keeps no equations
  std::vector<std::string> notes = {};  ///< what was left out, a line each
};

/// The circuit of a definition: the nodes of its general equations, likelihoods and loss. What only
/// boundary equations need is left out.
/// @throws Error with all that the definition has wrong
FoldedGraph folded(const Definition& d);

/// Finds the repeated step of an unfolded graph and gives the circuit back: the inverse of
/// `unfold`. Gradients that the graph holds are left out, but for what forward nodes read.
///
/// Of variables with two and more indices (a grid) nodes correspond by name and position, which
/// must be there: what is unnamed, by what it is read for. Where positions are not alike
/// (attention), one index is folded, or none. All others are found by structure alone: it looks at
/// operations, attributes, shapes and edges alone; names and positions may be missing. A shift by
/// one step maps such a graph onto itself, except at its ends; the orbits of the shift are the
/// nodes of the step, and how far apart along them reader and read lie is the delay. What structure
/// leaves open is settled so: time runs as the positions or the order of the inputs say, else the
/// way most recurrences compute; boundaries are explained by delays; then delays are as small as
/// can be. Near-linear, nothing recurses.
/// @throws Error (G026) where no step repeats at least 3 times, or steps are not alike; a delay is
///         seen from as many steps on as it is long, and one more
FoldedGraph fold(const Graph& graph);

/// As JSON: nodes and edges one a line, ids by position, a delay for each index of the reader.
std::string to_json(const FoldedGraph& graph);

/// Whether two folded graphs are the same but for names and the order of nodes. Exact.
bool isomorphic(const FoldedGraph& a, const FoldedGraph& b);

}  // namespace taugrad
