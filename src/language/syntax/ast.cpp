#include "language/syntax/ast.h"

#include <fmt/core.h>

#include <algorithm>

namespace taugrad {

std::string to_string(const Place& p) {
  if (p.kind == Place::Kind::number) return std::to_string(p.offset);
  if (p.kind == Place::Kind::computed) return "..";
  return p.offset == 0 ? p.letter : fmt::format("{}{:+}", p.letter, p.offset);
}

AstNode node_like(const AstNode& at, AstNode::Kind kind, std::string name) {
  AstNode n;
  n.kind = kind;
  n.name = std::move(name);
  n.origin = at.origin;
  n.column = at.column;
  n.length = at.length;
  return n;
}

int computed_root(const AstNode& reference, std::size_t place) {
  std::size_t child = 0;
  for (std::size_t p = 0; p < place; ++p)
    if (reference.places[p].kind == Place::Kind::computed) ++child;
  return reference.children[child];
}

int splice(Ast& to, const Ast& from) {
  const int base = static_cast<int>(to.nodes.size());
  for (AstNode n : from.nodes) {
    for (int& child : n.children) child += base;
    to.nodes.push_back(std::move(n));
  }
  return to.root();
}

Diagnostic at_text(std::string code, std::string message, const Text& text, int offset, int length,
                   std::string help) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.file = text.source.file;
  d.line = text.source.line;
  const auto at = static_cast<std::size_t>(std::max(offset, 0));
  d.column = at < text.source.columns.size() ? text.source.columns[at]
             : text.source.line > 0          ? text.source.column + offset
                                             : offset + 1;
  d.pointer = text.source.pointer;
  d.excerpt = text.text;
  d.caret = offset;
  d.caret_length = std::max(length, 1);
  d.help = std::move(help);
  return d;
}

void fail_at(std::string code, std::string message, const Text& text, int offset, int length,
             std::string help) {
  throw Error(Status::bad_input,
              at_text(std::move(code), std::move(message), text, offset, length, std::move(help)));
}

Diagnostic at_node(std::string code, std::string message, const AstNode& node, std::string help) {
  static const Text kNowhere;
  return at_text(std::move(code), std::move(message), node.origin ? *node.origin : kNowhere,
                 node.column, node.length, std::move(help));
}
void fail_at(std::string code, std::string message, const AstNode& node, std::string help) {
  throw Error(Status::bad_input,
              at_node(std::move(code), std::move(message), node, std::move(help)));
}

}  // namespace taugrad
