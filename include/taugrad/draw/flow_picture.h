#pragma once

#include <string>

#include "taugrad/analysis/flow.h"
#include "taugrad/analysis/influence.h"

namespace taugrad {

/// The report as an SVG: for every variable the heat map of log10 |dh(t)/dh(k)|, blue below 1 and
/// orange above, with a strip for |dL/dh(t)|; a strip for the copies of each weight. Long sequences
/// are shown in bins.
std::string to_svg(const FlowReport& report);

/// The heat map of log10 |do(t)/dx(k)|; below it, of variables with one index, the mean by k - t.
/// Positions of several indices stand row by row.
std::string to_svg(const InfluenceReport& report);

}  // namespace taugrad
