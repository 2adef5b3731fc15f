#pragma once

#include <cstdint>
#include <string>

#include "command.h"
#include "options/definition_options.h"
#include "taugrad/draw/difference.h"
#include "taugrad/graph/graph.h"
#include "taugrad/language/definition.h"

namespace taugrad::cli {

/// `diff -o`: both sides as one drawing.
struct DiffDrawing {
  std::string output, detail = "auto";
  StepOptions steps;
  bool values = false;
  std::uint64_t seed = 0;

  bool asked() const { return !output.empty(); }
  Detail detail_of() const;
  /// A circuit; with --steps the unfolded graph; with values, of inputs and weights drawn from the
  /// seed where none are given.
  DrawnSide side(const std::string& name, const Definition& d, const Tensors& weights) const;
  DrawnSide side(const std::string& name, const Graph& g) const;
  /// Writes the drawing, says its counts. @throws Error (U002) for a suffix that is no format
  void draw(const DrawnSide& a, const DrawnSide& b, const Context& context) const;
};
void add_diff_drawing(Command& c, DiffDrawing& o);

}  // namespace taugrad::cli
