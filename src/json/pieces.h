#pragma once

#include <cstdint>
#include <functional>

#include "json/parse.h"

namespace taugrad::json {

/// How the value of a field is handed over.
enum class Cut : std::uint8_t {
  whole,
  elements,  ///< an array, one element after the other
  skip
};

/// Who takes the pieces of a text's root object.
struct PieceTakers {
  std::function<void(const Token&)> root;  ///< the first event: an object, or else this one throws
  std::function<Cut(const Token&)> key;
  std::function<void(Tokens&)> value;    ///< also what should be an array of elements and is none
  std::function<void(Tokens&)> element;  ///< where a field is handed over so
};

/// Reads an object piece by piece, so that a long one needs the room of one piece.
/// @throws SyntaxError (G001-G006); whatever the takers throw
void parse_pieces(const Source& source, const PieceTakers& takers);

}  // namespace taugrad::json
