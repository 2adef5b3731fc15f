#include <fmt/format.h>

#include "base/fail.h"
#include "draw/render/heat_svg.h"
#include "taugrad/draw/flow_picture.h"

namespace taugrad {
namespace {

using draw::HeatSvg;

constexpr double kGap = 26;  // below the last strip of a variable

void add(HeatSvg& svg, const VariableFlow& v) {
  svg.heading(fmt::format("|∂{0}(t)/∂{0}(k)|: {1}, factor {2:.3g} a step", v.name,
                          to_text(v.verdict), v.rate));
  svg.map(
      v.jacobian.size(), v.jacobian.size(),
      [&](std::size_t t, std::size_t k) { return v.jacobian[t][k]; }, "t", "k");
  svg.strip(
      v.gradient.size(), [&](std::size_t t) { return v.gradient[t]; },
      [](std::size_t t) { return fmt::format("t = {}", t + 1); },
      fmt::format("|∂L/∂{}(t)|", v.name));
  svg.space(kGap);
}

void add(HeatSvg& svg, const WeightFlow& w) {
  if (w.copies.empty()) return;
  svg.strip(
      w.copies.size(), [&](std::size_t i) { return w.copies[i].second; },
      [&](std::size_t i) { return w.copies[i].first; }, fmt::format("|∂L/∂{}(t)|", w.name),
      fmt::format("all steps {:.3g}", w.total));
  svg.space(6);
}

}  // namespace

std::string to_svg(const FlowReport& report) {
  HeatSvg svg;
  std::string about;
  for (const VariableFlow& v : report.variables) {
    add(svg, v);
    about += fmt::format("{}: {}, {:.3g} a step. ", v.name, to_text(v.verdict), v.rate);
  }
  for (const WeightFlow& w : report.weights) add(svg, w);
  svg.legend();
  return svg.document(report.name + ", gradient flow", about);
}

std::string to_svg(const InfluenceReport& r) {
  bool whole = r.influence.size() == r.of_positions.size();
  for (const auto& row : r.influence) whole = whole && row.size() == r.from_positions.size();
  if (!whole)
    fail(Status::usage, "U022", "an influence of {} on {} positions is a table of that size",
         r.from_positions.size(), r.of_positions.size());
  HeatSvg svg;
  svg.heading(fmt::format("|∂{}(t)/∂{}(k)|", r.of, r.from));
  svg.map(
      r.of_positions.size(), r.from_positions.size(),
      [&](std::size_t p, std::size_t q) { return r.influence[p][q]; }, "t", "k");
  if (!r.profile.empty()) {
    const auto end = static_cast<std::int64_t>(r.profile.size() / 2);
    svg.strip(
        r.profile.size(), [&](std::size_t i) { return r.profile[i]; },
        [&](std::size_t i) {
          return fmt::format("k - t = {}", static_cast<std::int64_t>(i) - end);
        },
        "mean by k - t", fmt::format("{} .. {}", -end, end));
    svg.space(kGap);
  }
  svg.legend();
  return svg.document(fmt::format("{}, influence of {} on {}", r.name, r.from, r.of),
                      fmt::format("{} sees {} positions of {} at most.", r.of, r.sees, r.from));
}

}  // namespace taugrad
