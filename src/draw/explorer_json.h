#pragma once

#include <string>

#include "taugrad/draw/explorer.h"

namespace taugrad::draw {

/// A scene laid out, as JSON for the page: columns of nodes and edges; what repeats (ops, shapes,
/// titles, the forms of routes) stands in a table once. Coordinates in tenths.
std::string scene_json(const ExplorerScene& scene);

/// Title, scenes by name, equations: what the page reads first.
std::string page_json(const Explorer& explorer);

}  // namespace taugrad::draw
