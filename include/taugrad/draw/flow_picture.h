#pragma once

#include <string>

#include "taugrad/analysis/flow.h"

namespace taugrad {

/// The report as an SVG: for every variable the heat map of log10 |dh(t)/dh(k)|, blue below 1 and
/// orange above, with a strip for |dL/dh(t)|; a strip for the copies of each weight. Long sequences
/// are shown in bins.
std::string to_svg(const FlowReport& report);

}  // namespace taugrad
