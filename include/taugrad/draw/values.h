#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/shape.h"
#include "taugrad/base/tensor.h"
#include "taugrad/draw/picture.h"
#include "taugrad/graph/graph.h"
#include "taugrad/language/definition.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// What is told of a tensor of one example.
struct TensorFacts {
  Shape shape = {};
  std::int64_t not_finite = 0;  ///< elements that are infinite or NaN; the rest is of the others
  double least = 0, largest = 0, mean = 0, norm = 0;  ///< norm: root of the sum of squares
  std::vector<std::int64_t> histogram = {};           ///< of equal bins from least to largest
  std::vector<double> elements = {};                  ///< row by row; of at most 4,096, else none
};

/// What is told of a node: its value, and dL/d of it where the loss depends on it.
struct NodeFacts {
  TensorFacts value;
  bool has_gradient = false;
  TensorFacts gradient = {};
  std::int64_t operations = 0;  ///< floating-point operations for one example
  std::int64_t bytes = 0;       ///< of the value in f32
};

/// What flows back to a node along one use of it, as a share of its gradient: <c, g> / <g, g> with
/// g the gradient and c the term of eq 19. The shares of a node add up to 1.
struct EdgeShare {
  NodeId from, user;
  double share;
};

/// Values of nodes of one graph.
struct GraphValues {
  std::vector<std::int32_t> entry = {};  ///< by node of the tape: number in `facts`, or -1
  std::vector<NodeFacts> facts = {};
  std::vector<EdgeShare> shares = {};  ///< by `from`, ascending

  const NodeFacts* find(NodeId id) const {
    const auto i = static_cast<std::size_t>(id);
    return id < 0 || i >= entry.size() || entry[i] < 0 ? nullptr
                                                       : &facts[static_cast<std::size_t>(entry[i])];
  }
};

struct ValueOptions {
  std::int64_t steps = -1;  ///< where no tensor tells; default 3
  std::map<std::string, std::int64_t> lengths = {};
  std::uint64_t seed = 0;  ///< of what is drawn
  std::int64_t item = 0;   ///< of the batch
};

/// A graph, or a definition unfolded, for one item of a batch, with the item's numbers.
class ValuedGraph {
 public:
  /// `inputs` and `weights` as for `run`; what is empty is drawn. Without a loss, the gradient is
  /// that of a random cotangent on every variable (R13).
  /// @throws Error (U002) where there is no such item, (R002) for more than a million nodes, those
  /// of `run`
  ValuedGraph(const Definition& d, const Tensors& inputs, const Tensors& weights,
              const ValueOptions& options = {});
  /// A copy of a graph, whose nodes keep their numbers. Without a loss it is default_loss.
  /// @param loss  as loss_of takes it; empty: found
  /// @throws Error (U007) for steps and lengths, which a graph has; likewise, those of loss_of
  ValuedGraph(const Graph& graph, const Tensors& inputs, const Tensors& weights,
              const ValueOptions& options = {}, std::string_view loss = {});
  const Unfolded& unfolded() const { return unfolded_; }  ///< of a definition
  const Graph& graph() const { return graph_; }
  /// The nodes of the definition's own: without the cotangents that stand for a loss.
  const std::vector<NodeId>& outputs() const { return outputs_; }
  /// Values, and gradients of those that the loss depends on, of the drawn nodes of pictures of
  /// this graph; in f64, in one run. Appends the gradient to the graph.
  GraphValues values_of(const std::vector<const Picture*>& pictures);

 private:
  Tensors inputs_, weights_;
  Unfolded unfolded_;
  Graph graph_;
  Var loss_;
  std::vector<std::int64_t> lengths_;  // of the graph; empty: as the tensors say
  std::vector<NodeId> outputs_;
  NodeId forward_end_ = 0;
};

/// What nodes are coloured by.
enum class Colour {
  value,     ///< the mean of the elements
  gradient,  ///< the norm of the gradient
  time,      ///< floating-point operations
  bytes,     ///< the size of the value
};

/// Numbers on the drawing of a graph: those of a run on these tensors, drawn where they are empty.
struct DrawnValues {
  Tensors inputs = {}, weights = {};
  std::uint64_t seed = 0;  ///< of what is drawn
  std::int64_t item = 0;   ///< of the batch
  Colour colour = Colour::value;
};

/// The picture with its nodes coloured by their numbers, which their second lines then say: from
/// blue over white to orange by value, from dark blue to yellow, by powers of ten, by all else; red
/// where a number is not finite; grey where nothing flows. With a legend.
Picture coloured(Picture picture, const GraphValues& values, Colour by);

/// The picture with, beside every edge that does not carry all of it, which share of its end's
/// gradient flows back through it: "W 37 %".
Picture with_shares(Picture picture, const Tape& tape, const GraphValues& values);

/// Which share of its end's gradient flows through every edge of a picture; NaN where none does or
/// it cannot be told.
std::vector<double> shares_of(const Picture& picture, const Tape& tape, const GraphValues& values);

}  // namespace taugrad
