#pragma once

#include <string>
#include <string_view>

#include "taugrad/autodiff/loss.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// The version of the form below; a newer one is refused (G008).
inline constexpr int kGraphVersion = 1;

/// A graph as JSON, after docs/graph.schema.json: structure only, weights live elsewhere. Nodes in
/// the order of the tape, one a line, keys sorted, what is empty left out; the same graph gives the
/// same bytes, and reading them back gives the same graph: ids, attributes to the bit, names,
/// items.
std::string to_json(const Graph& g);

/// Reads a graph. Every node is checked as if it were built.
/// @param file  stands in messages
/// @throws Error (G001-G015, G020-G022, G025) with line and column
Graph graph_from_json(std::string_view text, std::string_view file);

/// The same with files; writing needs no memory for the text.
/// @throws Error, also I001-I003, R002
Graph load_graph(const std::string& path);
/// Not under a name whose suffix says another format (U002).
void save_graph(const std::string& path, const Graph& g);
inline void save_graph(const Graph& g, const std::string& path) { save_graph(path, g); }

}  // namespace taugrad
