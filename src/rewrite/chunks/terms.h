#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "rewrite/chunks/linear_states.h"

namespace taugrad {

/// How a shape broadcasts to a state.
struct SeenAs {
  Factor::Kind kind;
  bool full;  ///< it has all rows and columns
  std::int64_t heads;
};
std::optional<SeenAs> seen_as(const Shape& x, const Shape& state, const StateAxes& axes);

/// The node that has the same elements in order, behind other axes: a variable, if there is one,
/// for it may have to have its gradient.
NodeId elements_of(const Tape& tape, NodeId id);

/// A term of a sum, taken apart: factors that are smaller than the state, and those of its size.
struct Term {
  FactorProduct product;
  std::vector<Factor> full;
  std::vector<NodeId> way;  ///< products of the state's size
};

/// Takes apart what broadcasts to a state of that shape.
class Terms {
 public:
  Terms(const Tape& tape, const Shape& shape, const StateAxes& axes)
      : tape_(tape), shape_(shape), axes_(axes) {}

  std::optional<Term> take_apart(NodeId id) const;

 private:
  bool open_product(NodeId x, bool below, std::vector<std::pair<NodeId, bool>>& open,
                    Term& term) const;
  bool add_outer(NodeId x, bool below, Term& term) const;

  const Tape& tape_;
  const Shape& shape_;
  const StateAxes& axes_;
};

}  // namespace taugrad
