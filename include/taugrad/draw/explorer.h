#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/picture.h"
#include "taugrad/draw/values.h"
#include "taugrad/draw/write.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// One picture of a page, which the reader can turn to.
struct ExplorerScene {
  std::string name;   ///< of letters: what a link says, "unfolded"
  std::string label;  ///< what the reader is shown, "Unfolded"
  Picture picture;
  bool whole = true;  ///< false: the middle of a long sequence is left out
  /// Where there are values: by node, number in Explorer::facts or -1; by edge, which share of its
  /// end's gradient flows through it, or NaN. Else empty.
  std::vector<std::int32_t> facts = {};
  std::vector<double> shares = {};
};

/// An equation of the definition: what its nodes are explained by.
struct ExplorerEquation {
  /// Where it holds along one index: a number, the item's length + offset, or any position.
  struct Place {
    enum class Kind { any, number, end };
    Kind kind = Kind::any;
    int offset = 0;
    int length = 0;  ///< of kind end: what the length is in the page's graph
  };
  /// Characters [first, last) of the text that one operation stands for.
  struct Part {
    std::string op;
    int first = 0, last = 0;
  };
  std::string of;  ///< the variable that it defines; "loss"
  std::string text;
  std::string file;  ///< where it was read from; empty: built in C++
  int line = 0;
  std::vector<Place> places = {};
  std::vector<Part> parts = {};  ///< in the order in which its nodes come
};

/// What a page holds.
struct Explorer {
  std::string title, about;
  std::vector<ExplorerScene> scenes;
  std::size_t first = 0;                  ///< number of the scene that is shown first
  std::vector<ExplorerScene> steps = {};  ///< steps as operations, by the label of their cluster
  std::vector<ExplorerEquation> equations = {};  ///< of one variable: the one to try first, first
  std::vector<NodeFacts> facts = {};             ///< of all scenes
  Colour colour = Colour::value;  ///< by what programs that show one number a node are to colour it
};

/// One self-contained HTML page to explore: no network (a strict content security policy says so),
/// no font, nothing external. The pictures are laid out as `to_svg` does. Deterministic.
/// @throws Error (U022) where an edge or a node names a node or cluster that there is not
std::string to_html(const Explorer& explorer);
/// A page of one picture.
std::string to_html(const Picture& picture);

struct ExploreOptions {
  UnfoldOptions unfolding = {};  ///< without steps: 3
  std::string view = "folded";   ///< folded, unfolded or gradient: what is shown first
  GraphPictureOptions picture = {};
  /// With values: of this graph, whose lengths then count instead of `unfolding`.
  ValuedGraph* values = nullptr;
};

/// The views of a definition: the circuit, the unfolded graph (and all of it, where its middle is
/// left out and it is not too large), its gradient where there is a loss, and every step drawn as
/// operations. `nodes`, `edges`: of the graph of the first view.
struct Exploration {
  Explorer page;
  std::int64_t nodes = 0, edges = 0;
};
/// @throws Error as unfolded_picture does, and (U006) for values of a graph in a mode
Exploration explore(const Definition& d, const ExploreOptions& options = {});
/// The views of a graph: unfolded, the circuit where a step repeats, its gradient where there is a
/// loss, every step as operations. @throws Error as picture_of does, for the view asked for
Explorer explore(const Graph& graph, const WriteOptions& options = {});

}  // namespace taugrad
