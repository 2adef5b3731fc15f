#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "options/definition_options.h"
#include "taugrad/draw/format.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/values.h"

namespace taugrad::cli {

/// `show --values`: numbers on the drawing.
struct ShowValues {
  bool values = false, strict = false;
  std::string by, inputs, weights;
  std::uint64_t seed = 0;
  std::int64_t item = 0;

  bool asked() const { return values || !by.empty(); }
  Colour colour() const;
  /// @throws Error (U006, U007) where a view, a format or a mode has no values
  void check(const std::string& view, const std::string& format, bool modes,
             const Context& context) const;
  /// What a graph is drawn with; nothing where no values are asked for.
  std::optional<DrawnValues> drawn(const std::string& weights_file, const Context& context) const;
  /// The graph of the item, its data read or drawn. @throws Error as ValuedGraph does
  std::unique_ptr<ValuedGraph> graph(const Definition& d, const StepOptions& steps,
                                     const Context& context) const;
};
void add_values(Command& c, ShowValues& o);

/// How a definition is to be drawn.
struct DefinitionDrawing {
  std::string view;
  UnfoldOptions unfolding = {};
  GraphPictureOptions picture = {};
  StepOptions steps = {};
  std::function<void(const FormatSource&)> deliver = {};  ///< writes it, in the format asked for
  std::function<void(std::int64_t nodes, std::int64_t edges)> tell = {};
};
/// A page with all views, the one asked for first; with values, where they are asked for.
int show_page(const Definition& d, const DefinitionDrawing& drawing, const ShowValues& values,
              const Context& context);
/// A picture coloured by values.
int show_valued(const Definition& d, const DefinitionDrawing& drawing, const ShowValues& values,
                const Context& context);

}  // namespace taugrad::cli
