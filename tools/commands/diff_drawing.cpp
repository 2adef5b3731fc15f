#include "commands/diff_drawing.h"

#include "base/fail.h"
#include "base/utf8.h"
#include "output.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/format.h"
#include "taugrad/draw/write.h"
#include "taugrad/fold/fold.h"

namespace taugrad::cli {

Detail DiffDrawing::detail_of() const {
  return detail == "variables"    ? Detail::variables
         : detail == "values"     ? Detail::values
         : detail == "operations" ? Detail::operations
                                  : Detail::automatic;
}

DrawnSide DiffDrawing::side(const std::string& name, const Definition& d,
                            const Tensors& weights) const {
  if (!values && !steps.given())
    return {.name = name, .picture = picture_of(folded(d), {.detail = detail_of()})};
  const GraphPictureOptions how{.detail = detail_of(), .copies = false};
  if (!values) {
    const UnfoldOptions unfolding{.steps = steps.steps, .lengths = steps.lengths};
    return {.name = name, .picture = unfolded_picture(d, unfolding, how, false).picture};
  }
  ValuedGraph graph(d, {}, weights, {.steps = steps.steps, .lengths = steps.lengths, .seed = seed});
  GraphPictureOptions shown = how;
  shown.outputs = graph.outputs();
  DrawnSide s{.name = name, .picture = picture_of(graph.unfolded(), shown), .weights = weights};
  s.values = graph.values_of({&s.picture});
  return s;
}

DrawnSide DiffDrawing::side(const std::string& name, const Graph& g) const {
  return {.name = name, .picture = picture_of(g, {.detail = detail_of()})};
}

void DiffDrawing::draw(const DrawnSide& a, const DrawnSide& b, const Context& context) const {
  const Format* format = format_of_file(output);
  if (format == nullptr)
    fail(Status::usage, "U002", "{}: the suffix tells the format, such as .svg or .html",
         printable(output));
  const DrawnDifference d = difference_of(a, b);
  deliver(
      output,
      format->text({.picture = [&] { return d.picture; }, .page = [&] { return d.page(); }}, {}));
  note(context, fmt::format("drawn: {} computed otherwise, {} only in A, {} only in B", d.changed,
                            d.only_a, d.only_b));
}

void add_diff_drawing(Command& c, DiffDrawing& o) {
  c.output("-o,--output", "FILE", "draw both side by side, what differs marked: .svg, .html, ..",
           o.output);
  add_steps(c, o.steps, "of -o: lengths to unfold to [circuits; models 3]");
  c.flag("--values", "of -o: compare values, of inputs and weights that are drawn", o.values);
  c.choice("--detail", "of -o: variables, values or operations [auto]", o.detail,
           {"auto", "variables", "values", "operations"})
      .rare();
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of -o: of drawn inputs and weights [0]",
            .take = [&o](const std::string& v) { o.seed = parse_seed("--seed", v); },
            .common = false});
}

}  // namespace taugrad::cli
