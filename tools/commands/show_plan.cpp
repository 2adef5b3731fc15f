#include "commands/show_plan.h"

#include <fmt/core.h>

#include <algorithm>

#include "json/json_writer.h"
#include "output.h"
#include "taugrad/analysis/coupling.h"
#include "taugrad/evaluate/describe_plan.h"

namespace taugrad::cli {
namespace {

/// Of sequences long enough to be planned from short ones.
std::string how_planned(const PlanSummary& plan) {
  constexpr std::int64_t kLong = 100;
  if (plan.by_law) return "planned from a few short sequences, whose plans go on alike\n";
  if (plan.longest < kLong) return "";
  const auto in_chunks = [](const PassSummary& pass) { return pass.name == "chunk" && pass.on; };
  if (std::ranges::any_of(plan.passes, in_chunks))
    return "planned from the whole graph, with recurrences in chunks\n";
  return "planned from the whole graph: the plans of short sequences do not go on alike\n";
}

std::string as_text(const PlanSummary& plan, const Coupling& coupling) {
  std::string text =
      fmt::format("{} nodes in {} steps, {} products one after another, {} fused programs\n",
                  plan.nodes, plan.steps, plan.levels, plan.programs);
  if (coupling.indexed) text += to_text(coupling) + "\n";
  text += how_planned(plan);
  text += "\npasses:\n";
  for (const PassSummary& pass : plan.passes)
    text += fmt::format("  {:<11} {:<4} {}\n", pass.name, pass.on ? "" : "off", pass.about);
  text += "\nsteps:\n";
  for (const std::string& line : plan.lines) text += fmt::format("  {}\n", line);
  return text;
}

std::string as_json(const PlanSummary& plan, const Coupling& coupling) {
  json::Writer w;
  w.begin_object()
      .field("nodes", plan.nodes)
      .field("steps", plan.steps)
      .field("levels", plan.levels)
      .field("programs", plan.programs)
      .field("by_law", plan.by_law);
  w.key("recurrent").begin_array();
  for (const auto& circle : coupling.circles) {
    w.begin_array();
    for (const std::string& name : circle) w.value(name);
    w.end_array();
  }
  w.end_array().key("passes").begin_array();
  for (const PassSummary& pass : plan.passes)
    w.begin_object().field("name", pass.name).field("on", pass.on).end_object();
  w.end_array().key("lines").begin_array();
  for (const std::string& line : plan.lines) w.value(line);
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace

int show_plan(const Definition& d, const UnfoldOptions& unfolding, const ExecutorOptions& options,
              const std::string& output, bool json) {
  const PlanSummary plan = describe_plan(d, unfolding, options);
  const Coupling c = coupling(d, unfolding.modes);
  deliver(output, json ? as_json(plan, c) : as_text(plan, c));
  return 0;
}

int show_plan(const Graph& graph, const std::string& loss, const ExecutorOptions& options,
              const std::string& output, bool json) {
  const PlanSummary plan = describe_plan(graph, loss, options);
  deliver(output, json ? as_json(plan, {}) : as_text(plan, {}));
  return 0;
}

}  // namespace taugrad::cli
