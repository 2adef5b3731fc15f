#include "commands/show_values.h"

#include "base/fail.h"
#include "options/tensor_options.h"
#include "taugrad/draw/explorer.h"

namespace taugrad::cli {
namespace {

constexpr Word<Colour> kColours[] = {{"value", Colour::value},
                                     {"gradient", Colour::gradient},
                                     {"time", Colour::time},
                                     {"bytes", Colour::bytes}};

}  // namespace

Colour ShowValues::colour() const {
  return by.empty() ? Colour::value : value_of(kColours, "--colour", by);
}

void ShowValues::check(const std::string& view, const std::string& format, bool modes,
                       const Context& context) const {
  if (!asked())
    return refuse_without_effect(context, {"--inputs", "--weights", "--seed", "--item", "--strict"},
                                 "without --values or --colour");
  const bool page = format_named(format).all_views;
  if (format == "json" || view == "model" || (view == "folded" && !page))
    fail(Status::usage, "U006",
         "values are of the nodes of an unfolded graph, drawn: take --view unfolded or gradient, "
         "not as JSON");
  if (modes) fail(Status::usage, "U006", "values are those of teacher forcing: leave out --mode");
  if (format == "html")
    refuse_without_effect(context, {"--colour"}, "on HTML, where the reader chooses the colours");
}

std::optional<DrawnValues> ShowValues::drawn(const std::string& weights_file,
                                             const Context& context) const {
  if (!asked()) return std::nullopt;
  return DrawnValues{
      .inputs = read_tensors(inputs, strict, context),
      .weights = read_tensors(weights.empty() ? weights_file : weights, strict, context),
      .seed = seed,
      .item = item,
      .colour = colour()};
}

std::unique_ptr<ValuedGraph> ShowValues::graph(const Definition& d, const StepOptions& steps,
                                               const Context& context) const {
  const Tensors in = read_tensors(inputs, strict, context);
  return std::make_unique<ValuedGraph>(
      d, in, read_tensors(weights, strict, context),
      ValueOptions{.steps = steps.steps, .lengths = steps.lengths, .seed = seed, .item = item});
}

int show_page(const Definition& d, const DefinitionDrawing& drawing, const ShowValues& values,
              const Context& context) {
  ExploreOptions options{
      .unfolding = drawing.unfolding, .view = drawing.view, .picture = drawing.picture};
  std::unique_ptr<ValuedGraph> valued;
  if (values.asked()) valued = values.graph(d, drawing.steps, context);
  options.values = valued.get();
  Exploration e = explore(d, options);
  e.page.colour = values.colour();
  drawing.tell(e.nodes, e.edges);
  drawing.deliver({.picture = [&] { return e.page.scenes[e.page.first].picture; },
                   .page = [&] { return std::move(e.page); }});
  return 0;
}

int show_valued(const Definition& d, const DefinitionDrawing& drawing, const ShowValues& values,
                const Context& context) {
  const std::unique_ptr<ValuedGraph> valued = values.graph(d, drawing.steps, context);
  const Unfolded& u = valued->unfolded();
  GraphPictureOptions options = drawing.picture;
  options.outputs = valued->outputs();
  const bool gradient = drawing.view == "gradient";
  const Picture picture = gradient ? gradient_picture_of(u, options) : picture_of(u, options);
  std::int64_t edges = 0;
  for (NodeId id = 0; id < u.graph().size(); ++id) edges += std::ssize(u.graph().tape().inputs(id));
  drawing.tell(u.graph().size(), edges);
  drawing.deliver({.picture = [&] {
    const GraphValues numbers = valued->values_of({&picture});
    const Picture shown = coloured(picture, numbers, values.colour());
    return values.colour() == Colour::gradient && !gradient
               ? with_shares(shown, u.graph().tape(), numbers)
               : shown;
  }});
  return 0;
}

void add_values(Command& c, ShowValues& o) {
  c.flag("--values", "values and gradients of what is drawn, in colours", o.values);
  c.choice("--colour", "by what nodes are coloured, with their numbers [value]", o.by,
           texts_of(kColours))
      .rare();
  c.text("--inputs", "FILE", "of --values: inputs and observed variables, as for `run` [drawn]",
         o.inputs)
      .rare();
  c.text("--weights", "FILE", "of --values: weights by name [drawn]", o.weights).rare();
  c.integer("--item", "N", "of --values: of the batch, from 0 [0]", o.item, 0, 1'000'000'000)
      .rare();
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of --values: of drawn inputs and weights [0]",
            .take = [&o](const std::string& v) { o.seed = parse_seed("--seed", v); },
            .common = false});
  add_strict(c, o.strict);
}

}  // namespace taugrad::cli
