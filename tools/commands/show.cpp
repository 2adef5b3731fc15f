#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "base/utf8.h"
#include "commands/commands.h"
#include "commands/show_graph.h"
#include "commands/show_plan.h"
#include "commands/show_values.h"
#include "io/inspect.h"
#include "options/definition_options.h"
#include "options/mode_options.h"
#include "options/subject.h"
#include "output.h"
#include "progress.h"
#include "reports/model_view.h"
#include "reports/readable.h"
#include "runtime/generic.h"
#include "taugrad/analysis/coupling.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/format.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/fold/fold.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/language/describe.h"
#include "taugrad/ops/records.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  std::string view, format, output, detail = "auto";
  bool all_steps = false, no_labels = false, no_copies = false, plan = false;
  ExecutorOptions executor;
  bool checkpoint = false;
  Modes modes;
  ModelOptions model;
  ShowValues values;
};

/// By the suffix of -o, by --format, by --json: a name in the table of formats, or of --plan.
std::string chosen_format(const Options& o, const Context& context) {
  if (o.plan && !o.format.empty() && o.format != "json")
    fail(Status::usage, "U006", "--plan gives text or JSON, not {}", o.format);
  if (o.format.empty()) {
    const std::string printed = context.json ? "json" : "txt";
    if (o.plan) return format_of(o.output, {"json", "txt"}, printed);
    const Format* told = format_of_file(o.output);
    return told != nullptr ? std::string(told->name) : printed == "txt" ? "dot" : printed;
  }
  // any name will do but that of another format; what other programs read as JSON may be called so
  const Format* told = format_by_suffix(o.output);
  const bool agree = told == nullptr || told->name == o.format ||
                     (told->name == "json" && format_named(o.format).is_json());
  if (!agree)
    fail(Status::usage, "U006", "--format {} and the suffix of {} say different formats", o.format,
         printable(o.output));
  return o.format;
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format& f : formats()) names.emplace_back(f.name);
  return names;
}

void deliver_drawing(const FormatSource& source, const Options& o) {
  deliver(o.output, format_named(o.format).text(source, {.labels = !o.no_labels}));
}

void tell_counts(const Context& context, std::int64_t nodes, std::int64_t edges,
                 const DefinitionSummary& d, const Coupling& coupling) {
  note(context, fmt::format("{} nodes, {} edges, {} parameters{}", nodes, edges, d.parameters,
                            d.parameters_per_step > 0
                                ? fmt::format(" and {} for each position", d.parameters_per_step)
                                : ""));
  if (coupling.decoupled() && coupling.indexed) note(context, to_text(coupling));
}

std::int64_t edge_count(const Tape& tape) {
  std::int64_t edges = 0;
  for (NodeId id = 0; id < tape.size(); ++id) edges += std::ssize(tape.inputs(id));
  return edges;
}

Detail detail_of(const Options& o) {
  return o.detail == "values"       ? Detail::values
         : o.detail == "operations" ? Detail::operations
         : o.detail == "everything" ? Detail::everything
         : o.detail == "variables"  ? Detail::variables
                                    : Detail::automatic;
}

int show_folded(const Definition& d, const Options& o, const Context& context,
                const DefinitionSummary& summary) {
  const FoldedGraph g = folded(d);
  tell_counts(context, std::ssize(g.nodes), std::ssize(g.edges), summary, coupling(d, o.modes));
  deliver_drawing({.picture =
                       [&] {
                         return picture_of(
                             g, {.detail = detail_of(o), .title = d.name, .about = d.about});
                       },
                   .json = [&] { return to_json(g); }},
                  o);
  return 0;
}

// Without a loss, the gradient is that of a cotangent on every variable.
void add_cotangents(const Definition& d, UnfoldOptions& unfolding) {
  if (const auto model = resolve(d); !has_loss(*model))
    unfolding.cotangents = numeric_variables(*model);
}

Unfolded with_gradient(const Definition& d, const UnfoldOptions& unfolding) {
  const Unfolded u = unfold(d, unfolding);
  gradient_picture_of(u, {});  // appends it
  return u;
}

UnfoldOptions unfolding_of(const Options& o) {
  UnfoldOptions unfolding;
  unfolding.steps = o.steps.given() ? o.steps.steps : 3;
  unfolding.lengths = o.steps.lengths;
  unfolding.modes = o.modes;
  return unfolding;
}

GraphPictureOptions picture_options(const Options& o) {
  GraphPictureOptions options;
  options.detail = detail_of(o);
  options.copies = !o.no_copies;
  if (o.all_steps) options.most_steps = 0;
  return options;
}

DefinitionDrawing drawing_of(const Definition& d, const Options& o, const Context& context,
                             const DefinitionSummary& summary) {
  check_steps(d, o.steps);
  DefinitionDrawing drawing{.view = o.view,
                            .unfolding = unfolding_of(o),
                            .picture = picture_options(o),
                            .steps = o.steps};
  if (o.view == "gradient") add_cotangents(d, drawing.unfolding);
  // where their values are not asked for
  drawing.picture.cotangents = o.detail == "everything" || o.values.asked();
  drawing.deliver = [&o](const FormatSource& source) { deliver_drawing(source, o); };
  drawing.tell = [&](std::int64_t nodes, std::int64_t edges) {
    tell_counts(context, nodes, edges, summary, coupling(d, o.modes));
  };
  return drawing;
}

int show_unfolded(const Definition& d, const Options& o, const Context& context,
                  const DefinitionSummary& summary) {
  DefinitionDrawing drawing = drawing_of(d, o, context, summary);
  if (o.values.asked()) return show_valued(d, drawing, o.values, context);
  Counter counter(context, "step");
  drawing.unfolding.progress = [&](std::int64_t done, std::int64_t total) {
    counter.show(done, total);
    if (done == total) counter.finish();
  };
  const bool gradient = o.view == "gradient";
  if (o.format == "json") {
    const Unfolded u =
        gradient ? with_gradient(d, drawing.unfolding) : unfold(d, drawing.unfolding);
    drawing.tell(u.graph().size(), edge_count(u.graph().tape()));
    deliver(o.output, to_json(u.graph()));
    return 0;
  }
  const UnfoldedPicture drawn = unfolded_picture(d, drawing.unfolding, drawing.picture, gradient);
  drawing.tell(drawn.nodes, drawn.edges);
  deliver_drawing({.picture = [&] { return drawn.picture; }}, o);
  return 0;
}

int show_model(const Definition& d, const Options& o, const Context& context) {
  check_steps(d, o.steps);
  ModelOptions options = o.model;
  options.steps = o.steps;
  options.all_steps = o.all_steps;
  options.printed = o.detail == "variables";
  return show_model(d, options, context, [&](const GraphicalModel& model, const Picture& picture) {
    deliver_drawing({.picture = [&] { return picture; }, .json = [&] { return to_json(model); }},
                    o);
  });
}

// what another view, or another form of it, would show
void refuse_others(const Options& o, const Context& context) {
  const auto refuse = [&](std::initializer_list<const char*> options, const std::string& why) {
    refuse_without_effect(context, options, why);
  };
  if (o.plan)
    return refuse(
        {"--values", "--colour", "--inputs", "--weights", "--seed", "--item", "--view", "--detail",
         "--all-steps", "--no-labels", "--no-copies", "--states", "--confirm", "--independent"},
        "beside --plan, which draws nothing");
  refuse({"--without", "--checkpoint", "--chunk", "--precision"}, "on a drawing: it is of --plan");
  const bool all_views = !o.plan && format_named(o.format).all_views;
  if (o.view == "folded" && !all_views)
    refuse({"--all-steps", "--no-copies"}, "on the folded view");
  if (o.view == "model") refuse({"--no-copies"}, "on the model view");
  if (o.view == "model" && o.detail != "variables" && o.detail != "auto")
    refuse({"--detail"}, "on the model view, but for variables");
  if (o.view != "model")
    refuse({"--states", "--confirm", "--independent"}, "on this view: it is of --view model");
  if (all_views) refuse({"--no-labels"}, "on " + o.format + ", which is of all views");
  if (o.format == "json")
    refuse({"--detail", "--all-steps", "--no-labels", "--no-copies"},
           "on JSON, which is the whole graph");
}

int show_graph(const Subject& s, Options& o, const Context& context) {
  if (o.view.empty()) o.view = "unfolded";
  refuse_others(o, context);
  o.values.check(o.view, o.format, false, context);
  o.executor.checkpoint = o.checkpoint ? 0 : -1;
  refuse_without_effect(context, {"--chunk"}, "on a graph: it is of a definition");
  if (o.plan) return show_plan(*s.graph, s.loss, o.executor, o.output, o.format == "json");
  if (o.view == "model")
    fail(Status::usage, "U007",
         "--view model has no effect on a graph: it is read from the equations of a definition");
  if (o.view != "gradient" && !o.values.asked())
    refuse_without_effect(context, {"--loss"}, "on this view: it is of --view gradient");
  const WriteOptions how{.view = o.view == "folded"     ? View::folded
                                 : o.view == "gradient" ? View::gradient
                                                        : View::unfolded,
                         .detail = detail_of(o),
                         .copies = !o.no_copies,
                         .most_steps = o.all_steps ? 0 : 8,
                         .labels = !o.no_labels,
                         .values = o.values.drawn(s.weights_file, context)};
  return show_graph(s, how, o.format, o.output, context);
}

int show_definition(const Definition& d, Options& o, bool unsaid, const Context& context) {
  if (o.plan) {
    refuse_others(o, context);
    check_steps(d, o.steps);
    const UnfoldOptions unfolding{
        .steps = o.steps.given() ? o.steps.steps : 3, .lengths = o.steps.lengths, .modes = o.modes};
    o.executor.checkpoint = o.checkpoint ? 0 : -1;
    return show_plan(d, unfolding, o.executor, o.output, o.format == "json");
  }
  const bool long_view = o.steps.given() || !o.modes.empty() || o.values.asked();
  if (o.view.empty()) o.view = long_view ? "unfolded" : "folded";
  o.values.check(o.view, o.format, !o.modes.empty(), context);
  if (!o.modes.empty() && (o.view == "folded" || o.view == "model"))
    fail(Status::usage, "U002", "the {} view is the same in every mode: leave out --mode", o.view);
  refuse_others(o, context);
  if (unsaid && o.format == "json" && o.view == "folded" && !o.definition.equations.empty()) {
    deliver(o.output, to_json(d));  // what the equations stand for, sizes and all
    return 0;
  }
  if (o.view == "model") return show_model(d, o, context);
  const DefinitionSummary summary = describe(d);
  if (format_named(o.format).all_views)
    return show_page(d, drawing_of(d, o, context, summary), o.values, context);
  return o.view == "folded" ? show_folded(d, o, context, summary)
                            : show_unfolded(d, o, context, summary);
}

std::string format_table() {
  std::string table;
  for (const Format& f : formats())
    table += fmt::format("\n  {:<15}.{:<21}{}", f.name, f.suffix, f.about);
  return table;
}

/// To a person at a terminal, who has no use for DOT text.
int print_readable(const Subject& s, const Context& context) {
  print(s.graph ? to_text(inspect_graph(*s.graph)) : readable(*s.definition));
  note(context, "-o FILE.svg draws it; --format dot prints the text for Graphviz");
  return 0;
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  add_subject(c, o->definition);
  add_steps(c, o->steps, "lengths to unfold to [3], or s=7,t=5");
  c.choice("--view", "folded, unfolded, gradient or model [unfolded with --steps, else folded]",
           o->view, {"folded", "unfolded", "gradient", "model"});
  c.choice("--format", "[by the suffix of -o, else dot]", o->format, format_names());
  c.output("-o,--output", "FILE", "where to draw [standard output]", o->output);
  c.choice("--detail",
           "variables: as books print it; values: named values only; operations; everything [auto]",
           o->detail, {"auto", "variables", "values", "operations", "everything"});
  c.flag("--all-steps", "draw every step, where else the middle of more than 8 is left out",
         o->all_steps);
  c.flag("--plan", "the steps that run for the loss and its gradients, as text", o->plan);
  add_plan_options(c, o->executor.engine);
  add_checkpoint(c, o->checkpoint);
  add_chunk(c, o->executor.engine);
  add_modes(c, o->modes);
  c.flag("--no-labels", "leave out the names of operations", o->no_labels).rare();
  c.flag("--no-copies", "draw weights without the copy for each step", o->no_copies).rare();
  add_model(c, o->model);
  add_values(c, o->values);
}

}  // namespace

Command show_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "show";
  c.about =
      "Draws a definition or a graph: the circuit, the unfolded graph, its gradient, the model";
  c.examples = {{"taugrad show elman --steps 3 -o elman.svg", "a column for each step"},
                {"taugrad show -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])' | dot -Tpng > h.png",
                 "the circuit, drawn by Graphviz"}};
  add_options(c, o);
  c.details =
      "On a terminal, without -o and --format, it prints the equations in readable form and tables "
      "of\n"
      "variables, shapes, parameters and operations; into a pipe, the DOT text.\n"
      "Weights are blue, inputs yellow, losses green; delay edges are dashed and say z^-k. The "
      "DOT\n"
      "text carries coordinates, so that `dot -Tsvg` only draws. JSON is the graph itself\n"
      "(docs/graph.schema.json): `taugrad inspect` and the C++ interface read it back. HTML is a "
      "page to\n"
      "explore, all views in one file, without a network (docs/explore.md). Of a definition\n"
      "without a loss, the gradient drawn is that of a cotangent on every variable. A graph's\n"
      "JSON is drawn with the gradients that it holds; --view gradient appends those of its\n"
      "loss (the node `loss`, or --loss NAME), --view folded finds the step that repeats.\n"
      "Formats, and the suffixes that tell them:" +
      format_table();
  add_max_memory(c);
  c.run = [o](const Context& context) {
    const bool unsaid = context.json && o->format.empty();
    const bool reader = o->output.empty() && o->format.empty() && !context.json && !o->plan &&
                        ::isatty(STDOUT_FILENO) == 1;
    o->format = chosen_format(*o, context);
    Subject s = read_subject(o->definition, context);
    if (reader) return print_readable(s, context);
    if (s.graph) return show_graph(s, *o, context);
    if (o->values.weights.empty()) o->values.weights = s.weights_file;
    return show_definition(*s.definition, *o, unsaid, context);
  };
  return c;
}

}  // namespace taugrad::cli
