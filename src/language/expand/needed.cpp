#include <map>
#include <set>
#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"

// What imports bring along and nobody asks for is left out.
namespace taugrad {

void take_needed(FlatDefinition& system) {
  // reachability over names, from everything that carries no prefix
  std::multimap<std::string, std::string> uses;
  std::set<std::string> needed;
  std::vector<std::string> open;
  const auto own = [](const std::string& name) { return name.find('.') == std::string::npos; };
  const auto need = [&](const std::string& name) {
    if (needed.insert(name).second) open.push_back(name);
  };
  const auto mentions = [&](const Ast& ast, auto&& f) {
    for (const AstNode& n : ast.nodes)
      if (n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference) f(n.name);
  };
  for (const ParsedEquation& e : system.equations) {
    if (own(e.name)) need(e.name);
    for (const Ast& a : e.arguments)
      mentions(a, [&](const std::string& n) { uses.emplace(e.name, n); });
  }
  for (const Ast& a : system.loss) mentions(a, need);
  for (const auto& [letter, a] : system.ends) mentions(a, need);
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    const auto [first, end] = uses.equal_range(name);
    for (auto use = first; use != end; ++use) need(use->second);
  }
  const auto unneeded = [&](const auto& item) {
    return !own(item.name) && !needed.contains(item.name);
  };
  for (const ParsedEquation& e : system.equations)
    if (unneeded(e)) system.left_out.push_back(e.name);
  std::erase_if(system.equations, unneeded);
  for (FlatWeight& w : system.weights) w.taken = !unneeded(w);
  std::erase_if(system.bound, [&](const BoundInput& b) {
    bool gone = false;
    mentions(b.given,
             [&](const std::string& n) { gone = gone || (!own(n) && !needed.contains(n)); });
    return gone;
  });
  std::erase_if(system.inputs, unneeded);
}

}  // namespace taugrad
