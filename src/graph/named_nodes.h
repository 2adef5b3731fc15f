#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// The nodes of a graph as a person speaks of them: "h[3]" and "loss" by name, "h" all positions of
/// a name, "#17" any node by its number.
class NamedNodes {
 public:
  explicit NamedNodes(const Tape& tape);

  /// The one node of a text, or -1, as find_node has it (graph/position_text.h).
  NodeId find(std::string_view text) const;
  /// Every value of a name, at whatever position or none, in the order of the tape.
  std::vector<NodeId> all(std::string_view name) const;
  /// Values of a name that have an index, in the order of the tape; of an untied weight and its
  /// copies at one position the weight.
  std::vector<NodeId> positions(std::string_view name) const;
  /// Every name of a value, once, in the order of the tape.
  const std::vector<std::string>& names() const { return names_; }
  /// "h[3]", "loss"; "#17" of a node that is no named value.
  std::string text(NodeId id) const;

 private:
  const Tape& tape_;
  std::vector<std::string> names_;
  std::map<std::string, std::vector<NodeId>, std::less<>> values_;
};

/// "[1], [2], [3]" of h[1], h[2], h[3]; "[1], [2], .. [8]" of many.
std::string positions_text(const Tape& tape, const std::vector<NodeId>& positions);
/// What to write where the graph has no node of a text: the positions that there are, or a name
/// like it.
std::string help_for_missing(const Tape& tape, const NamedNodes& nodes, std::string_view text);

/// Positions of a variable as one tensor has them: all there are, from the first to the last along
/// each index, without ends that hold numbers only (h[0] = 0, g[tau+1] = 0). Of the graph of a
/// definition, which says its lengths, they begin at 1: what stands before is a boundary.
struct PositionStack {
  std::vector<std::int64_t> lengths;  ///< of the axes
  std::vector<std::int64_t> first;    ///< positions along each axis
  std::vector<NodeId> nodes;          ///< in the order of the axes
};
/// Empty `nodes` where positions are missing, or shapes differ.
PositionStack stacked(const Tape& tape, const std::vector<NodeId>& positions);

}  // namespace taugrad
