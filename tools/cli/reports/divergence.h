#pragma once

#include <map>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"

namespace taugrad::cli {

/// How far two runs of one definition on the same data are apart: by what was fetched, at each
/// position along its first index. Of numbers the norm of the difference, over the items and their
/// elements; of symbols how many items differ. What has no index has one entry.
using Divergence = std::map<std::string, std::vector<double>>;

/// @throws Error (U002) where the runs have other axes: a length was drawn
Divergence divergence(const Definition& d, const Tensors& open, const Tensors& forced);

std::string divergence_table(const Divergence& d);
std::string divergence_json(const Divergence& d);

}  // namespace taugrad::cli
