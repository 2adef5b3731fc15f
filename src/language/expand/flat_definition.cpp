#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/resolved_model.h"

// What a flat definition holds, by name, and the numbers that its sizes and constants make.
namespace taugrad {

const FlatIndex* FlatDefinition::index(std::string_view letter) const {
  for (const FlatIndex& i : indices)
    if (i.name == letter) return &i;
  return nullptr;
}
const FlatInput* FlatDefinition::input(std::string_view wanted) const {
  for (const FlatInput& i : inputs)
    if (i.name == wanted) return &i;
  return nullptr;
}
const FlatWeight* FlatDefinition::weight(std::string_view wanted) const {
  for (const FlatWeight& w : weights)
    if (w.name == wanted) return &w;
  return nullptr;
}
bool FlatDefinition::is_length(std::string_view wanted) const {
  return std::any_of(indices.begin(), indices.end(),
                     [&](const FlatIndex& i) { return i.length == wanted; });
}

bool constant_value(const Ast& ast, int root, const FlatDefinition& system, double& value) {
  std::vector<double> v(static_cast<std::size_t>(root) + 1, NAN);  // NaN: not constant
  for (int id = 0; id <= root; ++id) {
    const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
    const auto child = [&](int i) {
      return v[static_cast<std::size_t>(n.children[static_cast<std::size_t>(i)])];
    };
    double& y = v[static_cast<std::size_t>(id)];
    if (n.kind == AstNode::Kind::number) y = n.number;
    if (n.kind == AstNode::Kind::negative) y = -child(0);
    if (n.kind == AstNode::Kind::name) {
      if (n.name == "inf") y = INFINITY;
      if (const auto s = system.sizes.find(n.name); s != system.sizes.end())
        y = static_cast<double>(s->second);
      if (const auto c = system.constants.find(n.name); c != system.constants.end()) y = c->second;
    }
    if (n.kind == AstNode::Kind::binary) {
      if (n.name == "+") y = child(0) + child(1);
      if (n.name == "-") y = child(0) - child(1);
      if (n.name == "*") y = child(0) * child(1);
      if (n.name == "/") y = child(0) / child(1);
    }
  }
  value = v[static_cast<std::size_t>(root)];
  return !std::isnan(value);
}

std::int64_t size_value(const Text& text, const std::map<std::string, std::int64_t>& sizes) {
  const Ast ast = parse_expression(text);
  FlatDefinition scope;
  scope.sizes = sizes;
  for (const AstNode& n : ast.nodes)
    if (n.kind == AstNode::Kind::name && !sizes.contains(n.name)) {
      std::vector<std::string> known;
      for (const auto& [name, value] : sizes) known.push_back(name);
      fail_at("G014", fmt::format("size \"{}\" is not defined", n.name), n,
              did_you_mean(n.name, known));
    }
  double value = 0;
  if (!constant_value(ast, ast.root(), scope, value))
    fail_at("E005", "a size is made of numbers, sizes and + - * /", text, 0,
            static_cast<int>(text.text.size()));
  if (value != std::floor(value) || value < 0 || value > 2147483647.0)
    fail_at("G011", fmt::format("a size must be an integer in 0..2147483647, got {}", value), text,
            0, static_cast<int>(text.text.size()));
  return static_cast<std::int64_t>(value);
}

}  // namespace taugrad
