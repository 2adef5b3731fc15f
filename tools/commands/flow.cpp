#include "taugrad/analysis/flow.h"

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "options/definition_options.h"
#include "options/subject.h"
#include "options/tensor_options.h"
#include "output.h"
#include "progress.h"
#include "reports/flow_finite.h"
#include "reports/flow_tables.h"
#include "taugrad/analysis/influence.h"
#include "taugrad/analysis/memory.h"
#include "taugrad/draw/flow_picture.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  std::string weights, inputs, output, of, from;
  bool rtrl = false, memory = false, strict = false;
  std::string format;  ///< svg, json or txt
  std::int64_t lags = 0;
  FlowOptions flow;
};

constexpr Word<MatrixNorm> kNorms[] = {{"spectral", MatrixNorm::spectral},
                                       {"frobenius", MatrixNorm::frobenius}};

std::vector<std::string> names_of(const std::string& list) {
  std::vector<std::string> names;
  for (std::size_t from = 0; from < list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    if (comma > from) names.push_back(list.substr(from, comma - from));
    from = comma + 1;
  }
  return names;
}

// a number that is none: a warning, where --strict an error
template <class Report>
void tell_not_finite(const Options& o, const Report& report, const Context& context) {
  const auto found = not_finite_in(report);
  if (found && o.strict) throw Error(Status::numerical, *found);
  if (found) warn(context, *found);
}

/// One of the reports: as JSON, as a picture where there is one, else as a table.
template <class Report>
void deliver_report(const Options& o, const Report& report, const std::string& text) {
  if constexpr (requires { to_svg(report); })
    if (o.format == "svg") {
      deliver(o.output, to_svg(report));
      return;
    }
  deliver(o.output, o.format == "json" ? to_json(report) : text);
}

// `of` is a definition or a graph
template <class T>
int show_flow(const Options& o, const T& of, const Tensors& inputs, const Tensors& weights,
              const Context& context) {
  Counter counter(context, "position");
  FlowOptions options = o.flow;
  options.progress = [&](std::int64_t done, std::int64_t total) { counter.show(done, total); };
  const FlowReport report = flow(of, inputs, weights, options);
  counter.finish();
  const bool picture = o.format == "svg";
  tell_not_finite(o, report, context);
  std::string text;
  for (const VariableFlow& v : report.variables) text += table(v, context.quiet || picture);
  if (!context.quiet && !picture) text += table(report.weights);
  deliver_report(o, report, text);
  if (picture && !context.json) print(text);
  return 0;
}

int show_rtrl(const Options& o, const Definition& d, const Tensors& inputs,
              const Tensors& weights) {
  const RtrlReport r = rtrl(d, inputs, weights, o.flow);
  // of numbers that are none it cannot be said whether they are equal
  if (const auto found = not_finite_in(r)) throw Error(Status::numerical, *found);
  deliver(o.output, o.format == "json" ? as_json(r) : summary(r));
  return agrees(r) ? 0 : static_cast<int>(Status::check_failed);
}

int show_influence(const Options& o, const Definition& d, const Tensors& inputs,
                   const Tensors& weights, const Context& context) {
  if (o.flow.variables.size() != 1)
    fail(Status::usage, "U006", "--from {} needs --of NAME, the variable that it influences",
         o.from);
  const InfluenceReport r = influence(d, inputs, weights, o.flow.variables.front(), o.from, o.flow);
  tell_not_finite(o, r, context);
  const bool picture = o.format == "svg";
  const std::string text = table(r, context.quiet || picture);
  deliver_report(o, r, text);
  if (picture && !context.json) print(text);
  return 0;
}

int show_memory(const Options& o, const Definition& d, const Tensors& weights,
                const Context& context) {
  MemoryOptions options{.input = o.from,
                        .of = o.flow.variables,
                        .lags = o.lags,
                        .steps = std::max<std::int64_t>(o.steps.steps, 0),
                        .seed = o.flow.seed,
                        .engine = o.flow.engine};
  const MemoryReport r = memory_capacity(d, weights, options);
  tell_not_finite(o, r, context);
  deliver_report(o, r, table(r, context.quiet));
  return 0;
}

void check_choices(const Options& o) {
  if (o.rtrl + o.memory > 1 || (o.rtrl && !o.from.empty()))
    fail(Status::usage, "U006", "give one of --rtrl, --memory and --from");
  if (!o.memory) return;
  if (!o.inputs.empty())
    fail(Status::usage, "U006", "--memory makes inputs of its own; leave out --inputs");
  if (!o.steps.lengths.empty())
    fail(Status::usage, "U002", "--memory takes one number of --steps, those that are measured");
}

// what another way of looking would read
void refuse_others(const Options& o, const Context& context) {
  if (!o.memory) refuse_without_effect(context, {"--lags"}, "without --memory");
  if (!o.inputs.empty()) refuse_without_effect(context, {"--batch"}, "beside --inputs");
  if (o.memory)
    refuse_without_effect(context, {"--batch", "--norm"}, "beside --memory: it measures one item");
  if (o.rtrl)
    refuse_without_effect(context, {"--norm", "--of"},
                          "beside --rtrl: it takes the whole gradient, and no Jacobian");
}

int flow_subject(Options o, const Context& context) {
  check_choices(o);
  refuse_others(o, context);
  std::vector<std::string> formats = {"json", "txt"};
  if (!o.memory && !o.rtrl) formats.emplace_back("svg");
  o.format = format_of(o.output, formats, context.json ? "json" : "txt");
  const Subject s = read_subject(o.definition, context);
  if (s.graph)
    refuse_without_effect(context, {"--from", "--memory", "--rtrl", "--lags"},
                          "on a graph: it is of a definition");
  if (o.weights.empty()) o.weights = s.weights_file;
  o.flow.steps = o.steps.steps;
  o.flow.lengths = o.steps.lengths;
  o.flow.variables = names_of(o.of);
  o.flow.loss = s.loss;
  const Tensors inputs = read_tensors(o.inputs, o.strict, context),
                weights = read_tensors(o.weights, o.strict, context);
  if (s.graph) return show_flow(o, *s.graph, inputs, weights, context);
  const Definition& d = *s.definition;
  check_steps(d, o.steps);
  if (o.memory) return show_memory(o, d, weights, context);
  if (o.rtrl) return show_rtrl(o, d, inputs, weights);
  if (!o.from.empty()) return show_influence(o, d, inputs, weights, context);
  return show_flow(o, d, inputs, weights, context);
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  add_subject(c, o->definition);
  add_steps(c, o->steps, "length, or s=7,t=5, where no tensor tells [20]");
  c.text("--weights", "FILE", "weights by name, safetensors or .json [drawn]", o->weights);
  c.text("--inputs", "FILE", "inputs and observed variables, as for `run` [drawn]", o->inputs);
  c.output("-o,--output", "FILE", ".svg: the heat map; .json; .txt: the table [a table]",
           o->output);
  c.text("--of", "LIST", "variables to follow [all that hand something on]", o->of);
  c.text(
      "--from", "NAME",
      "its influence on --of: |do(t)/dx(k)|, what is seen, what it costs; of --memory: the input",
      o->from);
  c.flag("--memory", "how much of its past input the state keeps, lag by lag", o->memory);
  c.integer("--lags", "N", "of --memory [twice the numbers of the state]", o->lags, 1, 1'000'000);
  c.choice("--norm", "of the Jacobians [spectral]", o->flow.norm, kNorms);
  c.integer("--batch", "B", "items to draw [1]", o->flow.batch, 1, 1'000'000);
  add_strict(c, o->strict);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of drawn inputs and weights [0]",
            .take = [o](const std::string& v) { o->flow.seed = parse_seed("--seed", v); }});
  c.flag("--rtrl", "forward mode beside back-propagation: values and costs", o->rtrl);
}

}  // namespace

Command flow_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "flow";
  c.about = "Shows how the gradient travels through time: vanishing, exploding or stable";
  c.examples = {{"taugrad flow elman --steps 30 -o flow.svg", "a heat map of the Jacobians"},
                {"taugrad flow bidirectional --of o --from x --json",
                 "how strongly o(t) depends on x(k), how far it sees, what it costs"}};
  add_options(c, o);
  c.details =
      "For each variable that one step hands to another: the norms of dL/dh(t) and of the\n"
      "Jacobians dh(t)/dh(k), and the factor that their geometric mean by lag moves a step,\n"
      "fitted to the later half of the lags. Vanishing: over the whole length less than a\n"
      "tenth is left; exploding: it grows more than tenfold. In f64.\n"
      "--memory drives the network with flat noise and fits x(t - lag) linearly to the state\n"
      "at t; the squared correlations add up to at most as many as the state has numbers:\n"
      "    taugrad flow elman --size n=1 --memory --lags 12\n"
      "Of a graph, variables are the names with one index: h[1], h[2], .. in their steps.";
  add_engine(c, o->flow.engine);
  c.run = [o](const Context& context) { return flow_subject(*o, context); };
  return c;
}

}  // namespace taugrad::cli
