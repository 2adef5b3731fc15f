#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// A position as a person writes it: "h[3]", "p[1,2]", and with its letters "W[t=3]".
struct PositionText {
  std::string_view name;
  std::vector<std::int32_t> index;
  std::vector<std::string_view> letters;  ///< empty: not said

  /// Whether a node is the value there.
  bool fits(const Tape& tape, NodeId id) const;
};
/// Nothing where the text has not that form.
std::optional<PositionText> read_position(std::string_view text);
/// "h[3]" of "h(3)": what was meant. Nothing where the text has not that form.
std::optional<std::string> slip_of_position(std::string_view text);

/// The node of a text, or -1: "loss", "h[3]", "W[t=3]", "#17" by its number. A name may hold
/// brackets itself ("V[]"). @throws Error (U020) where a position has several letters and the text
/// says none
NodeId find_node(const Tape& tape, std::string_view text);

/// What a person gives a node for a name: "h[3]" is position 3 of h.
struct GivenName {
  std::string_view name;
  std::optional<std::vector<std::int32_t>> index = {};  ///< where the text says it
};
/// @param leaf  it names an input or a weight
/// @throws Error (G025, usage) for what reads as something else: "#4", "grad:W", "cotangent:h",
/// "V[]", "h[t]", "h(3)", of leaves "item" and "lengths"
GivenName given_name(std::string_view text, bool leaf);

/// The same of a value that is read from a file, where gradients and copies have names of their
/// own.
/// @throws Error (G025)
void check_read_name(const Tape& tape, NodeId value);

}  // namespace taugrad
