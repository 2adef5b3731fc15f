#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"

/// New graphs out of old ones. A `Graph` is a handle: to copy it shares the graph, and only `clone`
/// makes another. None of these changes what it is given; names, positions, letters and sets of
/// items are kept. Linear in nodes.
namespace taugrad {

/// A graph that was made of others, and where their nodes went; it keeps the others alive.
class GraphCopy {
 public:
  const Graph& graph() const { return graph_; }
  operator const Graph&() const { return graph_; }  // NOLINT: Graph h = clone(g);
  /// The node that stands for one of a graph that this was made of. @throws Error (U021) for a node
  /// of another graph, (G014) where it was left out
  Var operator[](const Var& old) const;
  /// By old id, of every node: an empty Var where it was left out. @throws Error (U021)
  const Vars& nodes_of(const Graph& old) const;

 private:
  friend class Surgeon;
  Graph graph_;
  std::vector<std::pair<Graph, Vars>> nodes_;
};

/// The same graph once more, node by node, with the same ids.
GraphCopy clone(const Graph& graph);

/// What the outputs need, in the old order; nothing else.
/// @throws Error (U021) for an output of another graph, or none at all
GraphCopy prune(const Graph& graph, std::span<const Var> outputs);
GraphCopy prune(const Graph& graph, std::initializer_list<Var> outputs);

/// The forward part: without the gradients that it holds (values named grad:..) and what only they
/// are made of; what forward nodes read of them stays. @param kept  beside the forward part
GraphCopy without_gradients(const Graph& graph, std::span<const Var> kept = {});

/// What the outputs need, back to `cut`: a node of the cut becomes a leaf of its name and shape, to
/// be given from outside: an input where it is per example, else a weight; "cut:17" where it has no
/// name, "cut:h.0" of h[0], at a position below 1, which tensors do not have. That holds for a
/// constant too, such as the zeros of h[0]; what is given already stays as it is. What only the cut
/// needs is left out. Without a cut it is `prune`.
/// @throws Error (U021) for nodes of several graphs, or no output; (G013) where two leaves would
/// have one name, as where a weight's copy W[3] is cut and other nodes still read W
GraphCopy subgraph(std::span<const Var> outputs, std::span<const Var> cut = {});
GraphCopy subgraph(std::initializer_list<Var> outputs, std::initializer_list<Var> cut = {});

/// A node of the graph that is appended, and the node of the other that its readers read instead.
struct Binding {
  Var inner, outer;
};

/// `graph`, and after it `other`, whose readers of each bound node read the node of `graph` that it
/// is bound to. The nodes of `graph` keep their ids; bound nodes of `other` stand for those of
/// `graph`.
/// @param prefix  goes before every name of `other`: "b1." makes b1.W of W
/// @throws Error (G013) where both have a node of one name: bind it, or give a prefix; (G020) where
/// a bound node has another shape, other items, or is a category of another size
GraphCopy append(const Graph& graph, const Graph& other, std::span<const Binding> bindings = {},
                 std::string_view prefix = {});
GraphCopy append(const Graph& graph, const Graph& other, std::initializer_list<Binding> bindings,
                 std::string_view prefix = {});

/// The graph where everything that reads `node` reads `by` instead, but for what `by` itself needs.
/// Nodes keep their order but for what `by` needs, which may have to come earlier.
/// The old node stays, for those and for its name: `prune` takes it away where nothing reads it.
/// A gradient that was appended after `node` is left out with what is made of it, for it is of what
/// was there (not where `node` is itself part of a gradient, nor what `by` is made of): append it
/// anew.
/// @throws Error (U021) for nodes of two graphs, (G020) where shape, items or category differ,
/// (U023) where a named value is made of such a gradient
GraphCopy replace(const Var& node, const Var& by);

}  // namespace taugrad
