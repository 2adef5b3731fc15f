#include "reports/flow_finite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

namespace taugrad::cli {
namespace {

Diagnostic told(const std::string& what, double value) {
  Diagnostic d;
  d.code = "N004";
  d.message = fmt::format("{} is not finite: {}", what,
                          std::isnan(value) ? "NaN"
                          : value > 0       ? "inf"
                                            : "-inf");
  d.help = "`taugrad run` on the same tensors names the node that it comes from";
  return d;
}

std::optional<Diagnostic> in_flow(const VariableFlow& v) {
  for (std::size_t t = 0; t < v.gradient.size(); ++t)
    if (!std::isfinite(v.gradient[t]))
      return told(fmt::format("|dL/d{}({})|", v.name, t + 1), v.gradient[t]);
  for (std::size_t t = 0; t < v.jacobian.size(); ++t)
    for (std::size_t k = 0; k < v.jacobian[t].size(); ++k)
      if (!std::isfinite(v.jacobian[t][k]))
        return told(fmt::format("|d{0}({1})/d{0}({2})|", v.name, t + 1, k + 1), v.jacobian[t][k]);
  return {};
}

std::optional<Diagnostic> in_flow(const WeightFlow& w) {
  for (const auto& [name, norm] : w.copies)
    if (!std::isfinite(norm)) return told(fmt::format("|dL/d{}|", name), norm);
  if (!std::isfinite(w.total)) return told(fmt::format("|dL/d{}|", w.name), w.total);
  return {};
}

}  // namespace

std::optional<Diagnostic> not_finite_in(const FlowReport& r) {
  for (const VariableFlow& v : r.variables)
    if (auto found = in_flow(v)) return found;
  for (const WeightFlow& w : r.weights)
    if (auto found = in_flow(w)) return found;
  return {};
}

std::optional<Diagnostic> not_finite_in(const InfluenceReport& r) {
  for (std::size_t p = 0; p < r.influence.size(); ++p)
    for (std::size_t q = 0; q < r.influence[p].size(); ++q)
      if (!std::isfinite(r.influence[p][q]))
        return told(fmt::format("|d{}({})/d{}({})|", r.of, fmt::join(r.of_positions[p], ","),
                                r.from, fmt::join(r.from_positions[q], ",")),
                    r.influence[p][q]);
  return {};
}

std::optional<Diagnostic> not_finite_in(const MemoryReport& r) {
  for (std::size_t lag = 0; lag < r.by_lag.size(); ++lag)
    if (!std::isfinite(r.by_lag[lag]))
      return told(fmt::format("what is kept at lag {}", lag), r.by_lag[lag]);
  return {};
}

std::optional<Diagnostic> not_finite_in(const RtrlReport& r) {
  if (std::isfinite(r.difference) && std::isfinite(r.largest)) return {};
  return told("the gradient by RTRL or by back-propagation",
              std::isfinite(r.largest) ? r.difference : r.largest);
}

}  // namespace taugrad::cli
