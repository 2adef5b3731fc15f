#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "base/fail.h"
#include "language/expand/import.h"

namespace taugrad {

void Import::add_to_outer() {
  for (const auto& [name, value] : inner_.sizes) outer_.sizes[prefix_ + name] = value;
  for (const auto& [name, value] : inner_.constants) outer_.constants[prefix_ + name] = value;
  for (FlatWeight w : inner_.weights) {
    if (bound_weights_.contains(w.name)) continue;
    w.name = prefix_ + w.name;
    for (std::string& letter : w.letters) letter = letters_.at(letter);
    outer_.weights.push_back(std::move(w));
  }
  for (ParsedEquation e : inner_.equations) {
    if (inner_.is_length(e.name)) continue;  // the length is the outer definition's affair
    collect(
        outer_,
        [&] {
          rewrite_places(e.places, e.name, nullptr, e.text);
          e.name = prefix_ + e.name;
          for (Ast& a : e.arguments) a = rewritten(a);
          outer_.equations.push_back(std::move(e));
        },
        prefix_ + e.name);
  }
  for (BoundInput b : inner_.bound) {
    b.name = prefix_ + b.name;
    collect(outer_, [&] { b.given = rewritten(b.given); });
    outer_.bound.push_back(std::move(b));
  }
  for (const std::string& name : inner_.broken) outer_.broken.insert(prefix_ + name);
  outer_.problems.insert(outer_.problems.end(), inner_.problems.begin(), inner_.problems.end());
}

// What is computed, or data, does not change places with tau+1-p.
void Import::refuse_reversed(const std::string& axis, const AstNode& node) const {
  if (reversed_.contains(axis))
    fail_at("E021", "\"reverse\" meets a position that is computed or data", node,
            "reverse an index that only offsets, numbers and last read");
}

// letters and lengths to the outer ones; under `reverse` p and tau+1-p change places (R11)
void Import::rewrite_places(std::vector<Place>& places, const std::string& name,
                            const AstNode* node, const Text& text) const {
  const auto axes = axes_.find(name);
  for (std::size_t a = 0; a < places.size(); ++a) {
    Place& p = places[a];
    if (p.kind == Place::Kind::letter && is_length_here(p.letter) && !inner_.index(p.letter))
      p.kind = Place::Kind::end;
    if (p.kind == Place::Kind::computed) {
      refuse_reversed(
          axes == axes_.end() || a >= axes->second.size() ? std::string() : axes->second[a], *node);
      continue;
    }
    const std::string axis =
        axes != axes_.end() && a < axes->second.size() ? axes->second[a] : std::string();
    const bool reversed = reversed_.contains(axis);
    if (p.kind == Place::Kind::letter) {
      if (!inner_.index(p.letter)) continue;  // reported when names are resolved
      if (reversed_.contains(p.letter) != reversed) {
        const char* message = "a reversed and an unreversed index meet here";
        if (node) fail_at("E007", message, *node, "reverse both or neither");
        fail_at("E007", message, text, 0, 1, "reverse both or neither");
      }
      if (reversed) p.offset = -p.offset;
      p.letter = letters_.at(p.letter);
    } else if (p.kind == Place::Kind::number && reversed) {
      p = {Place::Kind::end, "last", 1 - p.offset};
    } else if (p.kind == Place::Kind::end) {
      p.letter = "last";
      if (reversed) p = {Place::Kind::number, "", 1 - p.offset};
    }
  }
}

int Import::push(Ast& out, AstNode n) {
  out.nodes.push_back(std::move(n));
  return out.root();
}

// A place as arithmetic that stands in `out`; `root`: of one that is arithmetic already.
int Import::arithmetic(Ast& out, const AstNode& at, const Place& p, int root,
                       const std::string& length) const {
  AstNode number = node_like(at, AstNode::Kind::number, std::to_string(std::abs(p.offset)));
  number.number = std::abs(p.offset);
  int base = root;
  if (p.kind == Place::Kind::letter) base = push(out, node_like(at, AstNode::Kind::name, p.letter));
  if (p.kind == Place::Kind::end) base = push(out, node_like(at, AstNode::Kind::name, length));
  if (p.offset == 0 && base >= 0) return base;
  const int offset = push(out, std::move(number));
  if (base < 0 && p.offset >= 0) return offset;
  AstNode sum = node_like(at, base < 0 ? AstNode::Kind::negative : AstNode::Kind::binary,
                          p.offset < 0 ? "-" : "+");
  sum.children = base < 0 ? std::vector<int>{offset} : std::vector<int>{base, offset};
  return push(out, std::move(sum));
}

// The expression that an input is bound to, with the places that the inner reference reads for
// its letters.
int Import::read_bound(Ast& out, const AstNode& n, const std::string& name) const {
  const auto& [indices, expression] = bound_inputs_.at(name);
  std::vector<std::string> from;  // outer letters in the place of the inner ones
  for (const std::string& letter : indices)
    from.push_back(letters_.contains(letter) ? letters_.at(letter) : letter);
  if (n.places.size() != from.size())
    fail_at("E007", fmt::format("input \"{}\" has {} indices", name, from.size()), n);
  const std::vector<char> in_place = inside_places(expression);
  std::vector<int> to(expression.nodes.size());
  for (std::size_t id = 0; id < expression.nodes.size(); ++id) {
    AstNode m = expression.nodes[id];
    spent_.add_node(m);
    for (int& child : m.children) child = to[static_cast<std::size_t>(child)];
    const auto letter =
        m.kind == AstNode::Kind::name ? std::find(from.begin(), from.end(), m.name) : from.end();
    if (letter == from.end()) {
      substitute(m, from, n);
      to[id] = push(out, std::move(m));
      continue;
    }
    const auto k = static_cast<std::size_t>(letter - from.begin());
    const bool plain = n.places[k].kind == Place::Kind::letter && n.places[k].offset == 0;
    if (!in_place[id] && !plain)
      fail_at("E007",
              fmt::format("\"{}\" as a number in a bound input cannot be read at {}", from[k],
                          to_string(n.places[k])),
              n);
    const int root = n.places[k].kind == Place::Kind::computed ? computed_root(n, k) : -1;
    to[id] = arithmetic(out, m, n.places[k], root,
                        outer_.index(from[k]) ? outer_.index(from[k])->length : std::string());
  }
  return to.back();
}

std::vector<char> Import::inside_places(const Ast& ast) {
  std::vector<char> inside(ast.nodes.size(), 0);
  for (std::size_t id = ast.nodes.size(); id-- > 0;)
    for (const int child : ast.nodes[id].children)
      inside[static_cast<std::size_t>(child)] =
          inside[id] || ast.nodes[id].kind == AstNode::Kind::reference;
  return inside;
}

// replaces letter `from[k]` of a reference by the place that `n` reads
void Import::substitute(AstNode& m, const std::vector<std::string>& from, const AstNode& n) {
  std::vector<int> children;
  std::size_t child = 0;
  for (Place& p : m.places) {
    if (p.kind == Place::Kind::computed) children.push_back(m.children[child++]);
    const auto letter =
        p.kind == Place::Kind::letter ? std::find(from.begin(), from.end(), p.letter) : from.end();
    if (letter == from.end()) continue;
    const auto k = static_cast<std::size_t>(letter - from.begin());
    const int offset = p.offset;
    p = n.places[k];
    p.offset += offset;
    if (p.kind == Place::Kind::computed) children.push_back(computed_root(n, k));
  }
  if (m.kind == AstNode::Kind::reference) m.children = std::move(children);
}

int Import::name_node(Ast& out, AstNode n) const {
  if (bound_inputs_.contains(n.name)) return read_bound(out, n, n.name);
  if (const auto w = bound_weights_.find(n.name); w != bound_weights_.end()) {
    n.name = w->second;
  } else if (inner_.index(n.name) && n.kind == AstNode::Kind::name) {
    return index_value(out, std::move(n));
  } else if (is_length_here(n.name)) {
    n.name = lengths_.at(n.name);
  } else if (n.name == "last") {  // of the axis on which it stands, in arithmetic
  } else if (inner_.input(n.name)) {
    fail_at("G014",
            fmt::format("input \"{}\" of import \"{}\" is not bound", n.name, declaration_.prefix),
            n,
            fmt::format("add \"inputs\": {{\"{}\": \"..\"}} to the import",
                        inner_.input(n.name)->text.text));
  } else {
    n.name = prefix_ + n.name;
  }
  out.nodes.push_back(std::move(n));
  return out.root();
}

// t as a number; reversed it is tau + 1 - t
int Import::index_value(Ast& out, AstNode n) const {
  const bool reversed = reversed_.contains(n.name);
  const std::string length = outer_.index(letters_.at(n.name))->length;
  n.name = letters_.at(n.name);
  AstNode t = n;
  if (!reversed) {
    out.nodes.push_back(std::move(t));
    return out.root();
  }
  AstNode end = n, one = n, plus = n, minus = n;
  end.name = length;
  one.kind = AstNode::Kind::number;
  one.number = 1;
  const int at = static_cast<int>(out.nodes.size());
  plus.kind = minus.kind = AstNode::Kind::binary;
  plus.name = "+";
  plus.children = {at, at + 1};
  minus.name = "-";
  minus.children = {at + 2, at + 3};
  for (AstNode* part : {&end, &one, &plus, &t, &minus}) out.nodes.push_back(std::move(*part));
  return out.root();
}

Ast Import::rewritten(const Ast& ast) const {
  Ast out;
  std::vector<int> to(ast.nodes.size());
  const std::vector<char> in_place = inside_places(ast);
  for (std::size_t id = 0; id < ast.nodes.size(); ++id) {
    AstNode n = ast.nodes[id];
    spent_.add_node(n);
    for (int& child : n.children) child = to[static_cast<std::size_t>(child)];
    if (in_place[id] && n.kind == AstNode::Kind::name && reversed_.contains(n.name))
      fail_at("E021", "\"reverse\" meets a position that is computed or data", n,
              "reverse an index that only offsets, numbers and last read");
    if (n.kind == AstNode::Kind::reference) rewrite_places(n.places, n.name, &n, *n.origin);
    for (std::size_t k = 0; k < n.over.size(); ++k) {
      if (reversed_.contains(n.over[k])) n.steps[k] = -n.steps[k];
      if (inner_.index(n.over[k])) n.over[k] = letters_.at(n.over[k]);
    }
    if (n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference) {
      to[id] = name_node(out, std::move(n));
    } else {
      out.nodes.push_back(std::move(n));
      to[id] = out.root();
    }
  }
  return out;
}

}  // namespace taugrad
