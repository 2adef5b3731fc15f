#pragma once

#include <string>
#include <vector>

#include "taugrad/draw/picture.h"
#include "taugrad/graph/graph.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// How much of a graph a picture shows.
enum class Detail {
  automatic,  ///< operations where the picture stays small, else values
  values,     ///< named values only: operations are folded into the edges, which carry the weights'
              ///< names
  operations,  ///< named values and the steps on the way to them; what only spreads or copies is
               ///< left out
  everything,  ///< every node of the graph
  variables,   ///< as books print it: one circle a variable, weights beside the lines, h^(t); of a
               ///< graph without steps every operation
};

struct GraphPictureOptions {
  std::vector<NodeId> outputs = {};  ///< only what these need; empty: the whole graph
  NodeId gradient_from = -1;         ///< first node of the gradient; -1: names tell (grad:W)
  Detail detail = Detail::automatic;
  bool copies = true;      ///< operations: weights reach a step through the copy W[t] (eq 24)
  int most_steps = 8;      ///< with more, the middle is left out; 0: all steps are drawn
  bool cotangents = true;  ///< false: neither they nor the sum that stands in for a loss are drawn
  std::string title = {};
  std::string about = {};
};

/// The picture of a graph: a cluster for each step (the index of the variable that a node belongs
/// to; what belongs to none stands in the step that it is on the way to), weights outside. Node ids
/// are made of names, so that pictures of one definition in two modes differ only where the graphs
/// do. Picture::notes say what is left out. Linear.
/// @throws Error (R001) over the limit of memory
Picture picture_of(const Tape& tape, const GraphPictureOptions& options = {});

/// The same for an unfolded definition, whose name it knows.
Picture picture_of(const Unfolded& unfolded, GraphPictureOptions options = {});

/// The gradient of the loss beside the forward graph: gradients of weights, of their copies and of
/// every variable are appended to the graph, and drawn where they are not zero.
/// @throws Error (G023) without a loss
Picture gradient_picture_of(const Unfolded& unfolded, GraphPictureOptions options = {});

/// A picture of an unfolded definition, and what the whole graph counts.
struct UnfoldedPicture {
  Picture picture;
  std::int64_t nodes = 0, edges = 0;
};

/// What picture_of or gradient_picture_of draws. Of a long graph whose middle is left out, a short
/// one with the same ends is unfolded instead, and the counts follow from graphs of several
/// lengths.
/// @throws Error (G022) over the limit of nodes, (R001) over that of memory, (G023) without a loss
UnfoldedPicture unfolded_picture(const Definition& d, const UnfoldOptions& unfolding,
                                 const GraphPictureOptions& options, bool gradient);

}  // namespace taugrad
