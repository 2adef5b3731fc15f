#include "taugrad/exec/check.h"

#include <fmt/core.h>

#include <memory>

#include "base/fail.h"
#include "base/json_writer.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "mode_options.h"
#include "output.h"
#include "progress.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  Method method = Method::complex_step;
  std::int64_t batch = 2, order = 1, max_runs = 20'000;
  std::uint64_t seed = 1;
  Modes modes;
};

constexpr Word<Method> kMethods[] = {{"complex", Method::complex_step},
                                     {"central", Method::central}};

// "W[3] at [0,2], item 1"; with a direction, "W along a random direction"
std::string place_of(const VariableCheck& v) {
  if (v.worst.element < 0) return v.name + " along a random direction";
  std::string text = v.index.empty() ? v.name : fmt::format("{} at {}", v.name, dims_text(v.index));
  return v.item >= 0 ? fmt::format("{}, item {}", text, v.item) : text;
}

std::string not_judged(const VariableCheck& v) {
  std::string text;
  if (v.kinks > 0) text += fmt::format("  {} at a kink", v.kinks);
  if (v.hidden > 0) text += fmt::format("  {} hidden by rounding", v.hidden);
  return text;
}

std::string table(const CheckReport& r) {
  std::string text = fmt::format("{:<18} {:>9} {:>9}  {:>9}  {:>14} {:>14}\n", "variable",
                                 "entries", "checked", "error", "gradient", "numeric");
  for (const VariableCheck& v : r.variables)
    text += fmt::format("{:<18} {:>9} {:>9}  {:>9.2g}  {:>14.8g} {:>14.8g}{}{}\n", v.name,
                        v.entries, v.checked, v.worst.error, v.worst.analytic, v.worst.numeric,
                        not_judged(v), v.ok ? "" : "  WRONG");
  return text + "\n";
}

std::string entries(std::int64_t n) { return n == 1 ? "1 entry" : fmt::format("{} entries", n); }

std::string kinks(const CheckReport& r) {
  if (r.kinks() == 0) return "";
  std::string text = fmt::format("{} at a kink, where both sides have their own derivative",
                                 entries(r.kinks()));
  for (const VariableCheck& v : r.variables)
    if (!v.kink_at.empty()) return text + fmt::format(": {} bends at {}\n", v.name, v.kink_at);
  return text + "\n";
}

std::string summary(const CheckReport& r) {
  std::string text = fmt::format(
      "{} of {} entries of {} variables checked{}, order {}, by {}, in {} evaluations\n", r.checked,
      r.entries, r.variables.size(),
      r.sampled() ? " (an even sample), and a derivative along a random direction" : "", r.order,
      r.method == Method::central ? "4-point differences" : "complex step", r.runs);
  if (const VariableCheck* w = r.worst())
    text += fmt::format("worst: {}: gradient {:.17g}, measured {:.17g}, error {:.1e}\n",
                        place_of(*w), w->worst.analytic, w->worst.numeric, w->worst.error);
  text += kinks(r);
  if (r.hidden() > 0)
    text += fmt::format("{} hidden by the rounding on the way, and not proven\n", entries(r.hidden()));
  if (r.vacuous())
    return text + (r.kinks() + r.hidden() > 0
                       ? "nothing is proven: no entry could be judged here\n"
                       : "nothing is proven: every derivative is 0; the loss depends on none of "
                         "these here\n");
  return text + (r.ok() ? "every gradient agrees\n" : "GRADIENTS DISAGREE\n");
}

void write(json::Writer& w, const VariableCheck& v) {
  w.begin_object()
      .field("name", v.name)
      .field("ok", v.ok)
      .field("entries", v.entries)
      .field("checked", v.checked);
  w.field("kinks", v.kinks).field("hidden", v.hidden);
  if (!v.kink_at.empty()) w.field("kink_at", v.kink_at);
  w.key("worst").begin_object().key("index").begin_array();
  for (const std::int64_t i : v.index) w.value(i);
  w.end_array();
  if (v.item >= 0) w.field("item", v.item);
  w.field("analytic", v.worst.analytic)
      .field("numeric", v.worst.numeric)
      .field("error", v.worst.error);
  w.end_object().end_object();
}

void write(json::Writer& w, const NotFinite& n) {
  w.key("not_finite").begin_object().field("at", n.label).field("op", n.op);
  if (n.item >= 0) w.field("item", n.item);
  w.field("of", n.of).end_object();
}

std::string as_json(const CheckReport& r) {
  json::Writer w;
  w.begin_object()
      .field("ok", r.ok())
      .field("method", text_of(kMethods, r.method));
  w.field("order", r.order)
      .field("entries", r.entries)
      .field("checked", r.checked)
      .field("runs", r.runs);
  w.field("kinks", r.kinks()).field("hidden", r.hidden());
  if (r.vacuous()) w.field("vacuous", true);
  if (r.not_finite) write(w, *r.not_finite);
  if (const VariableCheck* worst = r.worst())
    w.field("worst", worst->name).field("error", worst->worst.error);
  w.key("variables").begin_array();
  for (const VariableCheck& v : r.variables) write(w, v);
  w.end_array().end_object();
  return w.text() + "\n";
}

[[noreturn]] void fail_not_finite(const NotFinite& n) {
  Diagnostic d;
  d.code = "N004";
  d.message = n.text();
  d.help = "nothing is proven by it; another --seed draws other numbers, `where` keeps an argument "
           "inside the domain";
  fail(Status::numerical, std::move(d));
}

int check_definition(const Options& o, const Context& context) {
  const Definition d = read_definition(o.definition, context);
  DefinitionCheckOptions options;
  check_steps(d, o.steps);
  if (o.steps.steps >= 0) options.steps = o.steps.steps;
  options.lengths = o.steps.lengths;
  options.batch = o.batch;
  options.modes = o.modes;
  options.method = o.method;
  options.order = static_cast<int>(o.order);
  options.seed = o.seed;
  options.max_runs = o.max_runs;
  Counter counter(context, "variable");
  options.progress = [&](std::int64_t done, std::int64_t total) { counter.show(done, total); };
  const CheckReport report = taugrad::check(d, options);
  counter.finish();
  if (context.json) print(as_json(report));
  if (report.not_finite) fail_not_finite(*report.not_finite);
  if (!context.json)
    print((context.quiet ? "" : table(report)) + summary(report));
  return report.ok() ? 0 : static_cast<int>(Status::check_failed);
}

}  // namespace

Command check_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "check";
  c.about = "Proves the gradients numerically, in f64";
  c.examples = {{"taugrad check lstm --steps 5", "every weight, every copy of a step, every input"},
                {"taugrad check elman --method central --order 2", "second order, by differences"}};
  add_definition(c, o->definition);
  add_steps(c, o->steps, "length, or s=7,t=5 [4]");
  c.integer("--batch", "B", "items, of different lengths where possible [2]", o->batch, 1,
            1'000'000);
  c.choice("--method", "complex step, or 4-point differences [complex]", o->method,
           kMethods);
  c.integer("--order", "1|2", "2: Hessian-vector products [1]", o->order, 1, 2);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of inputs, weights and directions [1]",
            .take = [o](const std::string& v) { o->seed = parse_seed("--seed", v); }});
  c.integer("--max-runs", "N", "every entry is checked where that takes no more runs [20000]",
            o->max_runs, 1, 1'000'000'000)
      .rare();
  add_modes(c, o->modes);
  c.details =
      "Complex step must agree to 1e-12, differences to their error estimate. Where not\n"
      "every entry is checked, a sample is, and the derivative along a random direction\n"
      "through every variable. Exit status 1 where one disagrees.";
  add_max_memory(c);
  c.run = [o](const Context& context) { return check_definition(*o, context); };
  return c;
}

}  // namespace taugrad::cli
