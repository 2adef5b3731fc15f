#include "reports/flow_tables.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/utf8.h"
#include "json/json_writer.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kMostRows = 24;

/// Which rows of n to print: all, or an even choice with the first and the last.
std::vector<std::size_t> rows_of(std::size_t n) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < std::min(n, kMostRows); ++i)
    rows.push_back(n <= kMostRows ? i : i * (n - 1) / (kMostRows - 1));
  return rows;
}

/// "x[i-2,j]", at one end of what is seen.
std::string seen(const InfluenceReport& r, bool ahead) {
  std::string text;
  for (const Reach& reach : r.reach) {
    const std::int64_t offset = ahead ? reach.ahead : -reach.back;
    text += (text.empty() ? "" : ",") + reach.index;
    if (offset != 0) text += fmt::format("{:+}", offset);
  }
  return fmt::format("{}[{}]", r.from, text);
}

}  // namespace

std::string table(const VariableFlow& v, bool verdict_only) {
  const std::string name = printable(v.name);
  std::string text = fmt::format("{}: {}", name, to_text(v.verdict));
  if (v.verdict != FlowVerdict::none) text += fmt::format(", factor {:.4g} a step", v.rate);
  text += "\n";
  if (verdict_only) return text;
  text += fmt::format("  {:>6} {:>12} {:>14} {:>12}\n", "t", fmt::format("|dL/d{}(t)|", name),
                      fmt::format("|d{0}(tau)/d{0}(t)|", name), "mean by lag");
  for (const std::size_t t : rows_of(v.gradient.size()))
    text += fmt::format("  {:>6} {:>12.4g} {:>14.4g} {:>12.4g}\n", t + 1, v.gradient[t],
                        v.jacobian.back()[t], v.by_lag[v.by_lag.size() - 1 - t]);
  return text;
}

std::string table(const std::vector<WeightFlow>& weights) {
  std::string text;
  for (const WeightFlow& w : weights) {
    text += fmt::format("|dL/d{}| {:.4g}; {}", printable(w.name), w.total,
                        w.copies.empty() ? "it has no copies" : "of its copies");
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

std::string table(const InfluenceReport& r, bool summary_only) {
  const auto places = static_cast<std::int64_t>(r.of_positions.size());
  std::string text = fmt::format(
      "{}: {} parameters, {} operations, {:.4g} for each of {} positions\n", r.of, r.parameters,
      r.operations, static_cast<double>(r.operations) / static_cast<double>(std::max(places, 1L)),
      places);
  text += fmt::format("sees {} of {} positions of {}", r.sees, r.from_positions.size(), r.from);
  if (!r.reach.empty()) text += fmt::format(", {} .. {}", seen(r, false), seen(r, true));
  text += "\n";
  if (summary_only || r.profile.empty()) return text;
  text += fmt::format("  {:>6} {:>14}\n", "k - t", fmt::format("|d{}(t)/d{}(k)|", r.of, r.from));
  const auto end = static_cast<std::int64_t>(r.profile.size() / 2);
  for (const std::size_t i : rows_of(r.profile.size()))
    text += fmt::format("  {:>6} {:>14.4g}\n", static_cast<std::int64_t>(i) - end, r.profile[i]);
  return text;
}

std::string table(const MemoryReport& r, bool summary_only) {
  std::string names;
  for (const std::string& name : r.of) names += (names.empty() ? "" : ", ") + name;
  std::string text = fmt::format("{} keeps {:.2f} numbers of {}'s past; it has {}\n", names,
                                 r.capacity, r.input, r.numbers);
  if (summary_only) return text;
  text += fmt::format("  {:>6} {:>8}\n", "lag", "kept");
  for (const std::size_t i : rows_of(r.by_lag.size()))
    text += fmt::format("  {:>6} {:>8.4f}\n", i, r.by_lag[i]);
  return text;
}

}  // namespace taugrad::cli
