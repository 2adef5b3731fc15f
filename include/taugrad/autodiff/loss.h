#pragma once

#include <string_view>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// The loss of a graph. `name` says which node it is: "loss", "e[3]", "#17" by number; of a name
/// with an index the sum of its positions, appended to the graph. Without one it is the node named
/// "loss", else the only number that is computed and that no node reads.
/// @throws Error (G023: there is none, several could be it, or it is not a number; U020: no such
/// node)
Var loss_of(const Graph& g, std::string_view name = {});
/// The same; an empty Var where no name is given and there is none.
Var find_loss(const Graph& g, std::string_view name = {});

}  // namespace taugrad
