#include "taugrad/analysis/flow.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "base/json_writer.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "output.h"
#include "taugrad/draw/flow_picture.h"
#include "taugrad/io/tensors.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  std::string weights, inputs, output, of, norm = "spectral";
  bool rtrl = false;
  FlowOptions flow;
};

constexpr std::size_t kMostRows = 24;

/// Which rows of n to print: all, or an even choice with the first and the last.
std::vector<std::size_t> rows_of(std::size_t n) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < std::min(n, kMostRows); ++i)
    rows.push_back(n <= kMostRows ? i : i * (n - 1) / (kMostRows - 1));
  return rows;
}

std::string table(const VariableFlow& v, bool verdict_only) {
  std::string text = fmt::format("{}: {}", v.name, to_text(v.verdict));
  if (v.verdict != FlowVerdict::none) text += fmt::format(", factor {:.4g} a step", v.rate);
  text += "\n";
  if (verdict_only) return text;
  text += fmt::format("  {:>6} {:>12} {:>14} {:>12}\n", "t", fmt::format("|dL/d{}(t)|", v.name),
                      fmt::format("|d{0}(tau)/d{0}(t)|", v.name), "mean by lag");
  for (const std::size_t t : rows_of(v.gradient.size()))
    text += fmt::format("  {:>6} {:>12.4g} {:>14.4g} {:>12.4g}\n", t + 1, v.gradient[t],
                        v.jacobian.back()[t], v.by_lag[v.by_lag.size() - 1 - t]);
  return text;
}

std::string table(const std::vector<WeightFlow>& weights) {
  std::string text;
  for (const WeightFlow& w : weights) {
    text += fmt::format("|dL/d{}| {:.4g}; of its copies", w.name, w.total);
    for (const std::size_t i : rows_of(w.copies.size()))
      text += fmt::format(" {:.2g}", w.copies[i].second);
    text += "\n";
  }
  return text;
}

bool agrees(const RtrlReport& r) { return r.difference <= 1e-12 * r.largest; }

std::string summary(const RtrlReport& r) {
  return fmt::format(
      "forward mode, once for each of {} parameters: {}\n"
      "nodes: {} forward, {} more for tangents, {} more for the gradient\n"
      "operations: {} forward, {} with back-propagation, {} with RTRL\n",
      r.parameters,
      agrees(r) ? "equal to rounding"
                : fmt::format("DIFFERS by {:.1e} of {:.3g}", r.difference, r.largest),
      r.forward_nodes, r.tangent_nodes, r.gradient_nodes, r.forward_operations, r.bptt_operations,
      r.rtrl_operations);
}

std::string as_json(const RtrlReport& r) {
  json::Writer w;
  w.begin_object().field("format", "taugrad-rtrl").field("version", 1);
  w.field("parameters", r.parameters).field("difference", r.difference).field("largest", r.largest);
  w.field("forward_nodes", r.forward_nodes).field("tangent_nodes", r.tangent_nodes);
  w.field("gradient_nodes", r.gradient_nodes).field("forward_operations", r.forward_operations);
  w.field("bptt_operations", r.bptt_operations).field("rtrl_operations", r.rtrl_operations);
  return w.end_object().text() + "\n";
}

Tensors load(const std::string& path) { return path.empty() ? Tensors{} : load_tensors(path); }

int flow_definition(Options o, const Context& context) {
  const Definition d = read_definition(o.definition, context);
  check_steps(d, o.steps);
  for (const std::string& input : {o.weights, o.inputs, o.definition.file_or_name})
    if (!o.output.empty()) refuse_overwriting_input(input, o.output);
  o.flow.steps = o.steps.steps;
  o.flow.lengths = o.steps.lengths;
  o.flow.norm = o.norm == "frobenius" ? MatrixNorm::frobenius : MatrixNorm::spectral;
  const Tensors inputs = load(o.inputs), weights = load(o.weights);
  if (o.rtrl) {
    const RtrlReport r = rtrl(d, inputs, weights, o.flow);
    deliver(o.output, context.json ? as_json(r) : summary(r));
    return agrees(r) ? 0 : static_cast<int>(Status::check_failed);
  }
  for (std::size_t from = 0; from < o.of.size();) {
    const std::size_t comma = std::min(o.of.find(',', from), o.of.size());
    if (comma > from) o.flow.variables.push_back(o.of.substr(from, comma - from));
    from = comma + 1;
  }
  const FlowReport report = flow(d, inputs, weights, o.flow);
  if (o.output.ends_with(".svg")) {
    deliver(o.output, to_svg(report));
    if (!context.json)
      for (const VariableFlow& v : report.variables) print(table(v, true));
    return 0;
  }
  if (context.json || o.output.ends_with(".json")) {
    deliver(o.output, to_json(report));
    return 0;
  }
  std::string text;
  for (const VariableFlow& v : report.variables) text += table(v, context.quiet);
  if (!context.quiet) text += table(report.weights);
  deliver(o.output, text);
  return 0;
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  add_definition(c, o->definition);
  add_steps(c, o->steps, "length, or s=7,t=5, where no tensor tells [20]");
  c.text("--weights", "FILE", "weights by name, safetensors or .json [drawn]", o->weights);
  c.text("--inputs", "FILE", "inputs and observed variables, as for `run` [drawn]", o->inputs);
  c.text("-o,--output", "FILE", ".svg: the heat map; .json; else the table [a table]", o->output);
  c.text("--of", "LIST", "variables to follow [all that hand something on]", o->of);
  c.choice("--norm", "of the Jacobians [spectral]", o->norm, {"spectral", "frobenius"});
  c.integer("--batch", "B", "items to draw [1]", o->flow.batch, 1, 1'000'000);
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
                {"taugrad flow lstm --weights w.safetensors --json", "every number"}};
  add_options(c, o);
  c.details =
      "For each variable that one step hands to another: the norms of dL/dh(t) and of the\n"
      "Jacobians dh(t)/dh(k), and the factor that their geometric mean by lag moves a step,\n"
      "fitted to the later half of the lags. Vanishing: over the whole length less than a\n"
      "tenth is left; exploding: it grows more than tenfold. In f64.";
  c.run = [o](const Context& context) { return flow_definition(*o, context); };
  return c;
}

}  // namespace taugrad::cli
