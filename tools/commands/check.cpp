#include "taugrad/evaluate/check.h"

#include <fmt/core.h>

#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "options/definition_options.h"
#include "options/mode_options.h"
#include "options/subject.h"
#include "options/tensor_options.h"
#include "output.h"
#include "progress.h"
#include "reference/check_text.h"
#include "reports/check_report.h"
#include "taugrad/autodiff/loss.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  Method method = Method::complex_step;
  std::int64_t batch = 2, order = 1, max_runs = 20'000;
  std::uint64_t seed = 1;
  double seconds = 60;
  std::string perturb, inputs, weights;
  std::vector<std::string> variables;
  bool strict = false;
  Modes modes;
};

[[noreturn]] void fail_not_finite(const NotFinite& n) {
  Diagnostic d;
  d.code = "N004";
  d.message = n.text();
  d.help =
      "nothing is proven by it; another --seed draws other numbers, `where` keeps an argument "
      "inside the domain";
  fail(Status::numerical, std::move(d));
}

std::string duration_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.3g} h", seconds / 3600);
}

// What takes longer than anybody waits for without a word.
void tell_estimate(const Options& o, const Context& context, const CheckEstimate& e) {
  constexpr double kLong = 5;
  if (e.every_entry < kLong) return;
  std::string text =
      fmt::format("{} entries would take about {}", e.entries, duration_text(e.every_entry));
  if (e.planned < e.entries || (o.seconds > 0 && e.every_entry > o.seconds / 2))
    text += "; a sample is checked" +
            (o.seconds > 0 ? fmt::format(", for at most {:g} s (--seconds)", o.seconds) : "");
  note(context, text);
}

template <class CheckIt>
int check_with(const Options& o, const Context& context, auto options, const CheckIt& check_it) {
  options.batch = o.batch;
  options.method = o.method;
  options.order = static_cast<int>(o.order);
  options.seed = o.seed;
  options.control.max_runs = o.max_runs;
  options.control.seconds = o.seconds;
  options.control.perturb = o.perturb;
  Counter counter(context, "comparison", 0, o.seconds);
  options.control.estimate = [&](const CheckEstimate& e) { tell_estimate(o, context, e); };
  options.control.progress = [&](std::int64_t done, std::int64_t total) {
    counter.show(done, total);
  };
  const CheckReport report = check_it(options);
  counter.finish();
  if (context.json) print(check_json(report));
  if (report.not_finite) fail_not_finite(*report.not_finite);
  if (!context.json)
    print((context.quiet ? "" : check_table(report)) + check_summary(report, true));
  return report.ok() ? 0 : static_cast<int>(Status::check_failed);
}

int check_definition(const Options& o, const Subject& s, const Context& context) {
  const Definition& d = *s.definition;
  refuse_without_effect(context, {"--inputs", "--variables"},
                        "on a definition: its inputs are drawn, its variables all checked");
  DefinitionCheckOptions options;
  check_steps(d, o.steps);
  if (o.steps.steps >= 0) options.steps = o.steps.steps;
  options.lengths = o.steps.lengths;
  options.modes = o.modes;
  options.weights = read_tensors(o.weights.empty() ? s.weights_file : o.weights, o.strict, context);
  return check_with(o, context, options, [&](const auto& how) { return taugrad::check(d, how); });
}

Var loss_in(const Graph& graph, const std::string& name, const Context& context) {
  const NodeId before = graph.size();
  const Var loss = name.empty() ? default_loss(graph) : loss_of(graph, name);
  if (name.empty() && graph.size() > before)
    note(context,
         "no node is named \"loss\": checking a random combination of all outputs; "
         "--loss NAME chooses one");
  return loss;
}

int check_graph(const Options& o, const Subject& s, const Context& context) {
  Tensors tensors = read_tensors(o.inputs, o.strict, context);
  tensors.merge(read_tensors(o.weights, o.strict, context));
  const Var loss = loss_in(*s.graph, s.loss, context);
  GraphCheckOptions options;
  options.variables = o.variables;
  return check_with(o, context, options,
                    [&](const auto& how) { return taugrad::check(*s.graph, loss, tensors, how); });
}

int check_subject(const Options& o, const Context& context) {
  const Subject s = read_subject(o.definition, context);
  return s.graph ? check_graph(o, s, context) : check_definition(o, s, context);
}

}  // namespace

Command check_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "check";
  c.about = "Proves the gradients numerically, in f64";
  c.examples = {{"taugrad check lstm --steps 5", "every weight, every copy of a step, every input"},
                {"taugrad check elman --perturb tanh", "a wrong rule, to see it found: status 1"}};
  add_subject(c, o->definition);
  add_steps(c, o->steps, "length, or s=7,t=5 [4]");
  c.integer("--batch", "B", "items, of different lengths where possible [2]", o->batch, 1,
            1'000'000);
  c.choice("--method", "complex step, or 4-point differences [complex]", o->method, kMethods);
  c.integer("--order", "1|2", "2: Hessian-vector products [1]", o->order, 1, 2);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of inputs, weights and directions [1]",
            .take = [o](const std::string& v) { o->seed = parse_seed("--seed", v); }});
  c.integer("--max-runs", "N", "every entry is checked where that takes no more runs [20000]",
            o->max_runs, 1, 1'000'000'000)
      .rare();
  c.number("--seconds", "S", "what it may take: entries are sampled; 0 has no limit [60]",
           o->seconds, ">= 0", [](double x) { return x >= 0; });
  c.text("--perturb", "NAME",
         "spoils one vjp, of an op (tanh) or a node (h[2]): the check must fail", o->perturb);
  c.option({.name = "--variables",
            .letter = "",
            .value = "NAME",
            .help = "of a graph: what to differentiate by; several, or repeated",
            .take = [o](const std::string& v) { o->variables.push_back(v); },
            .many = true,
            .common = false});
  c.text("--inputs", "FILE", "of a graph: values by name [drawn]", o->inputs).rare();
  c.text("--weights", "FILE", "by name [those of a model's folder, else drawn]", o->weights).rare();
  add_strict(c, o->strict);
  add_modes(c, o->modes);
  c.details =
      "Complex step must agree to 1e-12, differences to their error estimate. Where not\n"
      "every entry is checked, a sample is, and the derivative along a random direction\n"
      "through every variable. Exit status 1 where one disagrees.\n"
      "Of a graph's JSON the loss is --loss NAME, the node `loss`, the one output that is\n"
      "a number, or a random combination of all outputs.";
  add_max_memory(c);
  c.run = [o](const Context& context) { return check_subject(*o, context); };
  return c;
}

}  // namespace taugrad::cli
