#include "draw/pictures/equations.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/index.h"

namespace taugrad::draw {
namespace {

/// The operation that a node of an expression becomes; empty for what is none of its own.
std::string op_of(const AstNode& n) {
  static const std::map<std::string, std::string, std::less<>> operators{
      {"+", "add"},         {"-", "sub"},
      {"*", "mul"},         {"/", "div"},
      {"@", "matmul"},      {"<", "less"},
      {"<=", "less_equal"}, {">", "greater"},
      {"==", "equal"},      {">=", "greater_equal"},
      {"!=", "not_equal"}};
  switch (n.kind) {
    case AstNode::Kind::negative:
      return "neg";
    case AstNode::Kind::binary: {
      const auto op = operators.find(n.name);
      return op == operators.end() ? "" : op->second;
    }
    case AstNode::Kind::call:
      return n.name;
    default:
      return "";
  }
}

/// The characters of every operation: from the first to the last of what it is made of. Nodes of
/// functions and imports were written elsewhere; they have none.
void add_parts(const Ast& ast, const std::string& text, std::vector<ExplorerEquation::Part>& to) {
  struct Span {
    int first, last;
  };
  std::vector<Span> spans;
  for (const AstNode& n : ast.nodes) {
    const bool here = n.origin && n.origin->text == text;
    Span span = here ? Span{n.column, n.column + n.length} : Span{-1, -1};
    for (const int child : n.children) {
      const Span& inner = spans[at(child)];
      if (!here || inner.first < 0) continue;
      span.first = std::min(span.first, inner.first);
      span.last = std::max(span.last, inner.last);
    }
    if (here && n.kind == AstNode::Kind::call)  // up to its bracket
      if (const std::size_t bracket = text.find(')', at(span.last - 1)); bracket != text.npos)
        span.last = static_cast<int>(bracket) + 1;
    spans.push_back(span);
    if (const std::string op = op_of(n); here && !op.empty())
      to.push_back({op, span.first, span.last});
  }
}

ExplorerEquation::Place place_of(const ResolvedModel& model, const Symbol& s, std::size_t axis,
                                 const At& place, const std::vector<std::int64_t>& lengths) {
  using Kind = ExplorerEquation::Place::Kind;
  switch (place.kind) {
    case Place::Kind::number:
      return {.kind = Kind::number, .offset = place.offset};
    case Place::Kind::end:
      return {.kind = Kind::end,
              .offset = place.offset,
              .length = static_cast<int>(lengths[at(model.index_length[at(s.axes[axis])])])};
    default:
      return {};
  }
}

ExplorerEquation with_text(const Text& text, std::string of) {
  ExplorerEquation e{.of = std::move(of), .text = text.text, .file = {}};
  const std::string& path = text.source.file;
  e.file = path.substr(path.find_last_of('/') + 1);  // the same bytes wherever the file lies
  e.line = text.source.line;
  return e;
}

}  // namespace

std::vector<ExplorerEquation> equations_of(const ResolvedModel& model,
                                           const std::vector<std::int64_t>& lengths) {
  std::vector<ExplorerEquation> all;
  for (const Symbol& s : model.symbols)
    for (const int r : s.rules) {
      const Rule& rule = model.rules[at(r)];
      ExplorerEquation e = with_text(rule.equation->text, s.name);
      for (std::size_t axis = 0; axis < rule.places.size(); ++axis)
        e.places.push_back(place_of(model, s, axis, rule.places[axis], lengths));
      for (const Ast& ast : rule.equation->arguments) add_parts(ast, e.text, e.parts);
      all.push_back(std::move(e));
    }
  for (const Ast& term : model.system.loss) {
    const AstNode& root = term.nodes.back();
    if (!root.origin) continue;
    ExplorerEquation e = with_text(*root.origin, "loss");
    add_parts(term, e.text, e.parts);
    all.push_back(std::move(e));
  }
  return all;
}

}  // namespace taugrad::draw
