#include "commands/show_plan.h"

#include <fmt/core.h>

#include "base/json_writer.h"
#include "output.h"
#include "taugrad/exec/describe_plan.h"

namespace taugrad::cli {
namespace {

std::string as_text(const PlanSummary& plan) {
  std::string text = fmt::format(
      "{} nodes in {} steps, {} products one after another, {} fused programs\n\npasses:\n",
      plan.nodes, plan.steps, plan.levels, plan.programs);
  for (const PassSummary& pass : plan.passes)
    text += fmt::format("  {:<11} {:<4} {}\n", pass.name, pass.on ? "" : "off", pass.about);
  text += "\nsteps:\n";
  for (const std::string& line : plan.lines) text += fmt::format("  {}\n", line);
  return text;
}

std::string as_json(const PlanSummary& plan) {
  json::Writer w;
  w.begin_object()
      .field("nodes", plan.nodes)
      .field("steps", plan.steps)
      .field("levels", plan.levels)
      .field("programs", plan.programs);
  w.key("passes").begin_array();
  for (const PassSummary& pass : plan.passes)
    w.begin_object().field("name", pass.name).field("on", pass.on).end_object();
  w.end_array().key("lines").begin_array();
  for (const std::string& line : plan.lines) w.value(line);
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace

int show_plan(const Definition& d, const UnfoldOptions& unfolding,
              const std::vector<std::string>& without, const std::string& output, bool json) {
  const PlanSummary plan = describe_plan(d, unfolding, {.without = without});
  deliver(output, json ? as_json(plan) : as_text(plan));
  return 0;
}

}  // namespace taugrad::cli
