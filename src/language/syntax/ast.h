#pragma once

#include <memory>
#include <string>
#include <vector>

#include "taugrad/base/error.h"
#include "taugrad/language/definition.h"

namespace taugrad {

/// One position inside brackets: t±c, an integer, last±c (the length's name counts as last), or
/// arithmetic: 2*t - 1, tau + 1 - t, left[t] (R17).
struct Place {
  enum class Kind { letter, number, end, computed };
  Kind kind = Kind::number;
  std::string
      letter;  ///< of kind letter: an index; of kind end: "last" or the length's name, as written
  int offset = 0;  ///< the integer itself for kind number; of kind computed: to be added
  bool operator==(const Place&) const = default;
};
std::string to_string(const Place& p);

/// One node of an expression. Children come before parents in Ast::nodes, so every walk is a loop.
struct AstNode {
  enum class Kind { number, name, reference, call, reduction, negative, binary };
  Kind kind = Kind::number;
  double number = 0;
  std::string name;                ///< name, function, or operator
  std::vector<Place> places;       ///< reference: positions
  std::vector<std::string> over;   ///< reduction: letters
  std::vector<int> steps;          ///< conv: +1 or -1 (reversed) a letter: where the next tap lies
  std::vector<int> children;       ///< of a reference: the computed ones of its places
  std::vector<std::string> named;  ///< of a call: the names of its last arguments, as in axis=1
  std::shared_ptr<const Text>
      origin;      ///< the text it was read from: functions and imports mix several
  int column = 0;  ///< offset into it
  int length = 1;
};

/// Whether the node is a name or one with positions: what is looked up.
inline bool reads(const AstNode& n) {
  return n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference;
}

/// An expression with the text it was read from; the last node is the root.
struct Ast {
  std::vector<AstNode> nodes;
  int root() const { return static_cast<int>(nodes.size()) - 1; }
};

struct ParsedEquation {
  std::string name;                   ///< of the left side
  std::vector<Place> places;          ///< its positions
  bool bracket = false;               ///< "h[...]" rather than "h"
  bool random = false;                ///< "~"
  std::string distribution;           ///< of a random variable
  std::vector<std::string> keywords;  ///< logits, p, mean, std: one an argument
  std::vector<Ast> arguments;         ///< the right side, or the distribution's arguments
  Text text;
};

struct ParsedFunction {
  std::string name;
  std::vector<std::string> parameters;
  Ast body;
  Text text;
};

struct ParsedName {  ///< "x[t]" in a declaration
  std::string name;
  std::vector<std::string> indices;
};

/// All throw Error (E001: syntax, with the text and a caret).
Ast parse_expression(const Text& text);
ParsedEquation parse_equation(const Text& text);
ParsedFunction parse_function(const Text& text);
ParsedName parse_declared_name(const Text& text);

/// Another node at the same place of the text, without children.
AstNode node_like(const AstNode& at, AstNode::Kind kind, std::string name);
/// The node that holds the arithmetic of a computed place of a reference.
int computed_root(const AstNode& reference, std::size_t place);

/// Splices a copy of `from` into `to`; returns its root there.
int splice(Ast& to, const Ast& from);
/// The same error at a node.
Diagnostic at_node(std::string code, std::string message, const AstNode& node,
                   std::string help = {});
[[noreturn]] void fail_at(std::string code, std::string message, const AstNode& node,
                          std::string help = {});

/// A diagnostic that shows `text` with a caret at characters [offset, offset + length).
Diagnostic at_text(std::string code, std::string message, const Text& text, int offset, int length,
                   std::string help = {});
[[noreturn]] void fail_at(std::string code, std::string message, const Text& text, int offset,
                          int length, std::string help = {});

}  // namespace taugrad
