#pragma once

#include <string>

#include "taugrad/draw/explorer.h"

namespace taugrad::draw {

/// A scene laid out, as JSON for the page: columns of nodes and edges; what repeats (ops, shapes,
/// titles, the forms of routes) stands in a table once. Coordinates in tenths.
std::string scene_json(const ExplorerScene& scene);

/// Statistics of values and gradients, to four digits: of each node [value, gradient or null,
/// operations, bytes], of a tensor [shape, not finite, least, largest, mean, norm, histogram,
/// elements].
std::string facts_json(const std::vector<NodeFacts>& facts);

/// Title, scenes by name, equations: what the page reads first.
std::string page_json(const Explorer& explorer);

}  // namespace taugrad::draw
