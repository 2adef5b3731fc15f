#pragma once

#include <string>
#include <vector>

#include "taugrad/analysis/flow.h"
#include "taugrad/analysis/influence.h"
#include "taugrad/analysis/memory.h"

/// What `taugrad flow` prints for people. Long tables show an even choice of their rows.
namespace taugrad::cli {

std::string table(const VariableFlow& v, bool verdict_only);
std::string table(const std::vector<WeightFlow>& weights);
std::string table(const InfluenceReport& r, bool summary_only);
std::string table(const MemoryReport& r, bool summary_only);

bool agrees(const RtrlReport& r);
std::string summary(const RtrlReport& r);
std::string as_json(const RtrlReport& r);

}  // namespace taugrad::cli
