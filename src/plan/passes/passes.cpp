#include "plan/passes/passes.h"

#include <array>

#include "base/fail.h"
#include "base/suggest.h"

namespace taugrad::plan {

std::span<const PassInfo> passes() {
  static constexpr std::array<PassInfo, kPasses> kList{{
      {Pass::period, "period", "the plan of many steps goes on as those of a few steps do"},
      {Pass::levels, "levels", "nodes of trees run level by level, over all items of the batch"},
      {Pass::merge, "merge", "equal subexpressions are computed once"},
      {Pass::transpose, "transpose", "transposes are folded into the products that read them"},
      {Pass::time, "time", "independent products of one weight run together, over all steps"},
      {Pass::gates, "gates", "products of one level run as one"},
      {Pass::outer, "outer", "the gradient of a weight is one product over all steps"},
      {Pass::accumulate, "accumulate", "products that are added up add to one place"},
      {Pass::place, "place", "parts of a concatenation are written in their place"},
      {Pass::alike, "alike", "equal ops of independent rows run together, over all steps"},
      {Pass::fuse, "fuse", "chains of elementwise ops run tile by tile"},
      {Pass::sink, "sink", "what is cheap is computed where it is used"},
      {Pass::reuse, "reuse", "results take the place of values that nobody reads any more"},
  }};
  return kList;
}

PassSet PassSet::without(std::string_view name) const {
  std::vector<std::string> names;
  for (const PassInfo& info : passes()) {
    if (info.name == name) return without(info.pass);
    names.emplace_back(info.name);
  }
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("no pass is called \"{}\"", name);
  d.help = did_you_mean(name, names);
  fail(Status::usage, std::move(d));
}

}  // namespace taugrad::plan
