#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/fail.h"
#include "language/expand/import.h"

namespace taugrad {

Import::Import(FlatDefinition& outer, const ImportDeclaration& declaration, FlatDefinition inner,
               Expansion& spent)
    : outer_(outer),
      declaration_(declaration),
      inner_(std::move(inner)),
      spent_(spent),
      prefix_(declaration.prefix + ".") {
  map_indices();
  for (const std::string& letter : declaration.reverse) {
    if (!inner_.index(letter))
      fail_import(declaration, "G014",
                  fmt::format("\"reverse\" names \"{}\", which is not an index of {}", letter,
                              declaration.from));
    reversed_.insert(letter);
  }
  for (const FlatInput& i : inner_.inputs)
    if (reversed_.contains(i.position))
      fail_import(declaration, "E021",
                  fmt::format("\"reverse\" meets \"{}\", which holds positions of \"{}\"", i.name,
                              i.position));
  find_axes();
  bind_inputs();
  bind_weights();
}

void Import::map_indices() {
  for (const auto& [in, out] : declaration_.index) {
    if (!inner_.index(in))
      fail_import(declaration_, "G014",
                  fmt::format("{} has no index \"{}\"", declaration_.from, in));
    if (!outer_.index(out))
      fail_import(declaration_, "G014", fmt::format("\"{}\" is not an index here", out));
    letters_[in] = out;
  }
  for (const FlatIndex& i : inner_.indices) {
    if (!letters_.contains(i.name)) {
      if (!outer_.index(i.name))
        fail_import(
            declaration_, "G014",
            fmt::format("index \"{}\" of {} has no counterpart here", i.name, declaration_.from),
            fmt::format("add \"index\": {{\"{}\": \"..\"}} to the import", i.name));
      letters_[i.name] = i.name;
    }
    lengths_[i.length] = outer_.index(letters_[i.name])->length;
  }
  for (const FlatIndex& i : inner_.indices)
    if (i.derived) check_derived(i);
}

// A length that follows from others follows here from theirs, too. (R17)
void Import::check_derived(const FlatIndex& i) const {
  ResolvedModel scope;
  scope.system.indices = outer_.indices;
  number_lengths(scope);
  Ast derived = *i.derived;
  for (AstNode& n : derived.nodes) {
    if (n.kind != AstNode::Kind::name) continue;
    if (const auto length = lengths_.find(n.name); length != lengths_.end())
      n.name = length->second;
    const auto size = inner_.sizes.find(n.name);
    const auto constant = inner_.constants.find(n.name);
    if (size == inner_.sizes.end() && constant == inner_.constants.end()) continue;
    n.kind = AstNode::Kind::number;
    n.number = size != inner_.sizes.end() ? static_cast<double>(size->second) : constant->second;
  }
  const std::string& here = outer_.index(letters_.at(i.name))->length;
  const PositionForm wanted = position_form(scope, derived, derived.root(), -1, true);
  std::string text = to_string(wanted);
  if (const PositionForm::Term* same = wanted.single();
      same && wanted.offset == 0 && same->kind == PositionForm::Term::Kind::length)
    text = same->text;
  if (here != text)
    fail_import(
        declaration_, "E022",
        fmt::format("index \"{}\" of {} has the length {}, its counterpart here {}", i.name,
                    declaration_.from, text, here),
        fmt::format("declare an index of the length \"{}\" and name it in \"index\"", text));
}

void Import::find_axes() {
  for (const FlatInput& i : inner_.inputs) axes_[i.name] = i.letters;
  for (const FlatWeight& w : inner_.weights) axes_[w.name] = w.letters;
  for (const ParsedEquation& e : inner_.equations) {
    std::vector<std::string>& axes = axes_[e.name];
    axes.resize(std::max(axes.size(), e.places.size()));
    for (std::size_t a = 0; a < e.places.size(); ++a)
      if (e.places[a].kind == Place::Kind::letter && inner_.index(e.places[a].letter))
        axes[a] = e.places[a].letter;
  }
  for (auto& [name, axes] : axes_)
    for (std::string& letter : axes)
      if (letter.empty() && inner_.indices.size() == 1) letter = inner_.indices[0].name;
}

void Import::bind_inputs() {
  for (const auto& [name, text] : declaration_.inputs) {
    const ParsedName n = parse_declared_name({name, text.source});
    const FlatInput* input = inner_.input(n.name);
    if (!input)
      fail_at("G014", fmt::format("{} has no input \"{}\"", declaration_.from, n.name), text, 0, 1);
    if (n.indices.size() != input->letters.size())
      fail_at("E007",
              fmt::format("input \"{}\" of {} has {} ind{}", n.name, declaration_.from,
                          input->letters.size(), input->letters.size() == 1 ? "ex" : "ices"),
              text, 0, 1);
    Ast given = parse_expression(text);
    if (is_constant(given)) {
      given = filled(std::move(given), input->shape);
    } else {
      outer_.bound.push_back(
          {prefix_ + n.name, declaration_.from, input->shape, input->category, given, text});
    }
    bound_inputs_[n.name] = {n.indices, std::move(given)};
  }
}

bool Import::is_constant(const Ast& given) const {
  return std::ranges::all_of(given.nodes, [&](const AstNode& n) {
    const bool named = n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference;
    return n.kind != AstNode::Kind::call && n.kind != AstNode::Kind::reduction &&
           (!named || outer_.sizes.contains(n.name) || outer_.constants.contains(n.name) ||
            outer_.index(n.name) || outer_.is_length(n.name));
  });
}

// a number in the place of a vector: given + zeros(n)
Ast Import::filled(Ast given, const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return given;
  const AstNode origin = given.nodes.back();
  AstNode zeros = node_like(origin, AstNode::Kind::call, "zeros"),
          sum = node_like(origin, AstNode::Kind::binary, "+");
  const int number = given.root();
  for (const std::int64_t size : shape) {
    AstNode n = node_like(origin, AstNode::Kind::number, {});
    n.number = static_cast<double>(size);
    given.nodes.push_back(std::move(n));
    zeros.children.push_back(given.root());
  }
  given.nodes.push_back(std::move(zeros));
  sum.children = {number, given.root()};
  given.nodes.push_back(std::move(sum));
  return given;
}

void Import::bind_weights() {
  for (const auto& [in, out] : declaration_.weights) {
    const FlatWeight* weight = inner_.weight(in);
    if (!weight)
      fail_import(declaration_, "G014",
                  fmt::format("{} has no weight \"{}\"", declaration_.from, in));
    const FlatWeight* given = outer_.weight(out);
    if (!given && weight->letters.empty()) {  // a variable, whose shape is not known yet
      const Text text = import_text(declaration_, out);
      outer_.bound.push_back(
          {prefix_ + in, declaration_.from, weight->shape, -1, parse_expression(text), text});
    }
    if (given && weight->letters.size() == given->letters.size() && weight->shape != given->shape)
      fail_import(declaration_, "G024",
                  fmt::format("weight \"{}\" is [{}], but {} needs [{}] for \"{}\"", out,
                              fmt::join(given->shape, ","), declaration_.from,
                              fmt::join(weight->shape, ","), in));
    bound_weights_[in] = out;
  }
}

}  // namespace taugrad
