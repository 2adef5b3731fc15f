#include "taugrad/analysis/coupling.h"

#include <fmt/format.h>

#include <algorithm>

#include "language/resolve/components.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

using Edges = std::vector<std::vector<int>>;  ///< by symbol: who reads it

Mode mode_of(const Symbol& s, const Modes& modes) {
  const auto mode = modes.find(s.name);
  return mode == modes.end() ? Mode::observed : mode->second;
}

/// Nodes that stand inside nll(..): they read a likelihood, which the data do not cut off.
std::vector<char> inside_nll(const Ast& ast) {
  std::vector<char> inside(ast.nodes.size(), 0);
  for (std::size_t id = ast.nodes.size(); id-- > 0;) {
    const AstNode& n = ast.nodes[id];
    const bool nll = n.kind == AstNode::Kind::call && n.name == "nll";
    for (const int child : n.children)
      inside[static_cast<std::size_t>(child)] = inside[id] != 0 || nll ? 1 : 0;
  }
  return inside;
}

/// @param cut  what is observed hands nothing on
Edges edges_of(const ResolvedModel& model, const Modes& modes, bool cut) {
  Edges edges(model.symbols.size());
  for (const Rule& rule : model.rules)
    for (const Ast& ast : rule.equation->arguments) {
      const std::vector<char> nll = inside_nll(ast);
      for (std::size_t id = 0; id < ast.nodes.size(); ++id) {
        const AstNode& n = ast.nodes[id];
        if (n.kind != AstNode::Kind::name && n.kind != AstNode::Kind::reference) continue;
        const int read = model.find(n.name);
        if (read < 0) continue;
        const Symbol& s = model.symbols[static_cast<std::size_t>(read)];
        const bool data = s.random() && !mode_of(s, modes).draws() && nll[id] == 0;
        if (s.kind == SymbolKind::variable && s.length < 0 && !(cut && data))
          edges[static_cast<std::size_t>(read)].push_back(rule.symbol);
      }
    }
  return edges;
}

std::vector<std::vector<int>> circles_of(const Edges& edges) {
  std::vector<std::vector<int>> circles;
  for (std::vector<int>& c : strong_components(edges)) {
    const std::vector<int>& readers = edges[static_cast<std::size_t>(c.front())];
    if (c.size() > 1 || std::find(readers.begin(), readers.end(), c.front()) != readers.end())
      circles.push_back(std::move(c));
  }
  std::sort(circles.begin(), circles.end());
  return circles;
}

}  // namespace

Coupling coupling(const Definition& d, const Modes& modes) {
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  check_modes(*model, modes);
  Coupling found;
  for (const Symbol& s : model->symbols)
    found.indexed = found.indexed || (s.kind == SymbolKind::variable && !s.axes.empty());
  for (const std::vector<int>& circle : circles_of(edges_of(*model, modes, true))) {
    found.circles.emplace_back();
    for (const int s : circle)
      found.circles.back().push_back(model->symbols[static_cast<std::size_t>(s)].name);
  }
  for (const std::vector<int>& circle : circles_of(edges_of(*model, modes, false)))
    for (const int number : circle) {
      const Symbol& s = model->symbols[static_cast<std::size_t>(number)];
      if (s.random() && !mode_of(s, modes).draws()) found.cut.push_back(s.name);
    }
  return found;
}

std::string to_text(const Coupling& c) {
  if (!c.indexed) return "";
  const std::string data =
      c.cut.empty() ? "" : fmt::format(" with {} observed", fmt::join(c.cut, ", "));
  if (c.decoupled())
    return fmt::format(
        "decoupled in time{}: all steps run together, no gradient goes back through "
        "time",
        data);
  std::vector<std::string> groups;
  for (const auto& circle : c.circles) groups.push_back(fmt::format("{}", fmt::join(circle, ", ")));
  return fmt::format("recurrent{} through {}: step after step", data, fmt::join(groups, "; "));
}

}  // namespace taugrad
