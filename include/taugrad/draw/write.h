#pragma once

#include <optional>
#include <string>

#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/picture.h"
#include "taugrad/draw/values.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

enum class View {
  unfolded,  ///< every step a column; gradients that the graph holds beside the forward nodes
  gradient,  ///< the same with the gradient of the loss: with_gradient
  folded,    ///< the circuit with delays that its steps repeat (recurrence/fold.h)
};

/// What `taugrad show` can be told of a graph.
struct WriteOptions {
  View view = View::unfolded;
  Detail detail = Detail::automatic;
  bool copies = true;     ///< weights reach a step through the copy W[t], where the graph has one
  int most_steps = 8;     ///< with more, the middle is left out; 0: all steps are drawn
  bool labels = true;     ///< names of operations
  Vars outputs = {};      ///< only what these need; empty: the whole graph
  std::string loss = {};  ///< of the gradient, as loss_of takes it; empty: found
  NodeId gradient_from = -1;  ///< the gradient's first node, where no names (grad:W) tell it
  std::string title = {};
  std::string about = {};
  /// Values and gradients of a run, in colours; of the unfolded and the gradient view.
  std::optional<DrawnValues> values = {};
};

/// The picture of a graph, however it was built. Steps are the indices that names have (h[3]); what
/// has no name stands in the step that it is on the way to. What the view leaves out is said in
/// Picture::notes, which stand on the drawing's margin.
/// @throws Error (G023) for a gradient without a loss, (G026) where no steps repeat, (U006) for
/// values on a circuit, and those of ValuedGraph
Picture picture_of(const Graph& graph, const WriteOptions& options);

/// A graph with the gradient of its loss by every weight, copy and named value.
struct GraphWithGradient {
  Graph graph;
  NodeId first = -1;      ///< of the gradient; -1: names tell (grad:W)
  std::string note = {};  ///< where the graph's own gradients were left out, why
};

/// The graph itself where it holds gradients of its loss; else a copy with them. Gradients of
/// another loss, or of what was changed since, are left out. Without a loss it is default_loss.
/// @throws Error (G023)
GraphWithGradient with_gradient(const Graph& graph, const std::string& loss = {});

/// Writes a graph or a picture to a file, whole or not at all, by its suffix, in any of formats()
/// (draw/format.h): .svg, .dot, .html (a page to explore; of a graph all its views), .tex, .mmd,
/// .., and for graphs .json, which is the graph itself (folded: the circuit).
/// @throws Error (U002: another suffix; I002, I003: the file), and those of picture_of
void write(const Graph& graph, const std::string& path, const WriteOptions& options = {});
void write(const Picture& picture, const std::string& path, bool labels = true);

}  // namespace taugrad
