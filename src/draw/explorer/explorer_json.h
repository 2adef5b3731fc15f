#pragma once

#include <string>
#include <vector>

#include "taugrad/draw/explorer.h"

namespace taugrad::draw {

/// A scene laid out, as JSON for the page: columns of nodes and edges; what repeats (ops, shapes,
/// titles, the forms of routes) stands in a table once. Coordinates in tenths.
std::string scene_json(const ExplorerScene& scene);
/// The same of many, two at a time: laying out takes longest.
std::vector<std::string> scenes_json(const std::vector<const ExplorerScene*>& scenes);

/// Statistics of values and gradients, to four digits: of each node [value, gradient or null,
/// operations, bytes], of a tensor [shape, not finite, least, largest, mean, norm, histogram,
/// elements].
std::string facts_json(const std::vector<NodeFacts>& facts);

/// Title, scenes by name, equations: what the page reads first.
std::string page_json(const Explorer& explorer);

}  // namespace taugrad::draw
