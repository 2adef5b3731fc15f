#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "base/json_writer.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "output.h"
#include "taugrad/exec/check.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  std::string method = "complex";
  std::int64_t batch = 2, order = 1, seed = 1, max_runs = 20'000;
};

std::string entry_of(const VariableCheck& v) {
  if (v.worst.element < 0) return fmt::format("{} along a direction", v.name);
  std::string text = v.index.empty() ? v.name : fmt::format("{}, element [{}]", v.name, fmt::join(v.index, ","));
  if (v.item >= 0) text += fmt::format(", item {}", v.item);
  return text;
}

std::string table(const CheckReport& r) {
  std::size_t width = 8;
  for (const VariableCheck& v : r.variables) width = std::max(width, v.name.size());
  std::string out = fmt::format("{:<{}}  {:>9}  {:>9}  {:>9}  worst element\n", "variable", width, "entries", "checked", "error");
  for (const VariableCheck& v : r.variables)
    out += fmt::format("{:<{}}  {:>9}  {:>9}  {:>9.1e}  {}{}\n", v.name, width, v.entries, v.checked, v.worst.error,
                       v.checked == 0 ? "-" : fmt::format("[{}]", fmt::join(v.index, ",")), v.ok ? "" : "  WRONG");
  return out;
}

std::string summary(const CheckReport& r) {
  std::string out = fmt::format("{} of {} entries of {} variables checked{}, order {}, by {}, {} evaluations\n", r.checked, r.entries,
                                r.variables.size(), r.sampled() ? " (an even sample) and every tensor along a random direction" : "",
                                r.order, r.method == Method::complex_step ? "complex step" : "4-point differences", r.runs);
  std::int64_t kinks = 0;
  for (const VariableCheck& v : r.variables) kinks += v.kinks;
  if (kinks > 0) out += fmt::format("{} entries stand at a kink and are not judged\n", kinks);
  if (const VariableCheck* w = r.worst())
    out += fmt::format("worst: {}: gradient {:.17g}, measured {:.17g}, error {:.1e}\n", entry_of(*w), w->worst.analytic, w->worst.numeric,
                       w->worst.error);
  return out + (r.ok() ? "every gradient agrees\n" : "GRADIENTS DISAGREE\n");
}

std::string as_json(const CheckReport& r) {
  json::Writer w;
  w.begin_object().field("ok", r.ok()).field("order", r.order);
  w.field("method", r.method == Method::complex_step ? "complex" : "central");
  w.field("entries", r.entries).field("checked", r.checked).field("runs", r.runs).key("variables").begin_array();
  for (const VariableCheck& v : r.variables) {
    w.begin_object().field("name", v.name).field("ok", v.ok).field("entries", v.entries).field("checked", v.checked);
    w.field("kinks", v.kinks).field("error", v.worst.error).field("analytic", v.worst.analytic).field("numeric", v.worst.numeric);
    w.key("index").begin_array();
    for (const std::int64_t i : v.index) w.value(i);
    w.end_array().field("item", v.item).end_object();
  }
  w.end_array().end_object();
  return w.text() + "\n";
}

int check_definition(const Options& o, const Context& context) {
  DefinitionCheckOptions options;
  if (o.steps.steps >= 0) options.steps = o.steps.steps;
  options.lengths = o.steps.lengths;
  options.batch = o.batch;
  options.order = static_cast<int>(o.order);
  options.seed = static_cast<std::uint64_t>(o.seed);
  options.max_runs = o.max_runs;
  options.method = o.method == "central" ? Method::central : Method::complex_step;
  const CheckReport report = check(read_definition(o.definition, context), options);
  if (context.json) {
    print(as_json(report));
  } else {
    if (!context.quiet) print(table(report) + "\n");
    print(summary(report));
  }
  return report.ok() ? 0 : 1;
}

}  // namespace

Command check_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "check";
  c.about = "Proves the gradients of a definition numerically, in float64";
  c.examples = {{"taugrad check lstm --steps 5", "every gradient against complex-step derivatives"},
                {"taugrad check elman --method central --order 2", "Hessian-vector products by differences"}};
  add_definition(c, o->definition);
  add_steps(c, o->steps, "lengths [4], or s=7,t=5");
  c.integer("--batch", "B", "items [2]", o->batch, 1, 1'000'000);
  c.choice("--method", "complex: complex step, to 1e-12; central: 4-point differences [complex]", o->method, {"complex", "central"});
  c.integer("--order", "N", "2: Hessian-vector products [1]", o->order, 1, 2);
  c.integer("--seed", "S", "of weights, inputs and directions [1]", o->seed, 0, INT64_MAX);
  c.integer("--max-runs", "N", "evaluations; where more entries there are, an even sample is checked [20000]", o->max_runs, 1, 1'000'000'000)
      .rare();
  c.details =
      "Checked are the gradients of every weight, of every copy W[t] and of every numeric input.\n"
      "Without a loss, the gradient is of a fixed random cotangent on every variable. The exit status\n"
      "is 1 where a gradient disagrees; the worst entry is named by variable, step and element.";
  c.run = [o](const Context& context) { return check_definition(*o, context); };
  return c;
}

}  // namespace taugrad::cli
