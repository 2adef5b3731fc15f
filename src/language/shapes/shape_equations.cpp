#include "language/shapes/shape_equations.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "language/templates/function_table.h"

namespace taugrad {
namespace {

std::string written(const Ast& ast, int id) {
  const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
  if (n.kind == AstNode::Kind::number) return fmt::format("{}", n.number);
  if (n.kind == AstNode::Kind::name) return n.name;
  if (n.kind == AstNode::Kind::negative) return fmt::format("(-{})", written(ast, n.children[0]));
  return fmt::format("({} {} {})", written(ast, n.children[0]), n.name,
                     written(ast, n.children[1]));
}

bool is_argmax(const AstNode& n) {
  return n.kind == AstNode::Kind::call && n.name == "argmax" && !n.children.empty();
}
bool is_categorical(const ParsedEquation& e) { return e.random && e.distribution == "categorical"; }

}  // namespace

const ShapeEquations::Meaning* ShapeEquations::read(const AstNode& n) const {
  const auto found = reads(n) ? meanings_.find(n.name) : meanings_.end();
  return found == meanings_.end() ? nullptr : &found->second;
}

// ---- variables ----------------------------------------------------------------------------------

void ShapeEquations::define(const std::map<std::string, std::vector<Rule>>& variables) {
  for (const auto& [name, rules] : variables) meanings_[name] = {};
  find_categories(variables);
  for (const auto& [name, rules] : variables)
    meanings_[name].term = is_category(name) ? shapes_.number() : shapes_.unknown();
  for (const auto& [name, rules] : variables) define_variable(name, rules);
}

// drawn from a categorical, the place of a largest element, or a copy of a category
void ShapeEquations::find_categories(const std::map<std::string, std::vector<Rule>>& variables) {
  std::multimap<std::string, std::string> copies;  // who is a copy of a name
  std::vector<std::string> open;
  const auto found = [&](const std::string& name) {
    if (Meaning& m = meanings_[name]; m.symbols < 0)
      m.symbols = shapes_.unknown(only_rank(1)), open.push_back(name);
  };
  for (const auto& [name, rules] : variables)
    for (const Rule& r : rules) {
      if (is_categorical(*r.equation)) found(name);
      if (r.equation->random) continue;
      const AstNode& root = r.equation->arguments.front().nodes.back();
      if (is_argmax(root)) found(name);
      if (!reads(root) || names_.is_length(root.name)) continue;
      copies.emplace(root.name, name);
      if (const Meaning* m = read(root); m && m->symbols >= 0) found(name);
    }
  while (!open.empty()) {
    const auto [first, end] = copies.equal_range(open.back());
    open.pop_back();
    for (auto copy = first; copy != end; ++copy) found(copy->second);
  }
}

void ShapeEquations::define_variable(const std::string& name, const std::vector<Rule>& rules) {
  const Meaning variable = meanings_[name];
  std::vector<std::vector<int>> arguments;
  for (const Rule& r : rules) {
    arguments.emplace_back();
    for (const Ast& ast : r.equation->arguments) arguments.back().push_back(expression(ast));
  }
  if (variable.symbols >= 0) return add_symbols(name, rules, arguments);
  const bool general =
      std::any_of(rules.begin(), rules.end(), [](const Rule& r) { return !r.fixed; });
  std::vector<int> boundaries{variable.term};
  const auto origin = [](const Rule& r) {
    const Ast& ast = r.equation->arguments.front();
    return ShapeSystem::Origin{&ast, ast.root()};
  };
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const int value = value_of(*rules[i].equation, arguments[i]);
    if (!rules[i].fixed)
      shapes_.unite(value, variable.term);
    else if (!general)
      boundaries.push_back(value);
    else
      shapes_.relate(ShapeRule::broadcast, {variable.term, variable.term, value}, origin(rules[i]));
  }
  if (!general) shapes_.relate(ShapeRule::broadcast, boundaries, origin(rules.front()));
}

void ShapeEquations::add_symbols(const std::string& name, const std::vector<Rule>& rules,
                                 const std::vector<std::vector<int>>& arguments) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Ast& ast = rules[i].equation->arguments.front();
    const Meaning* copied = read(ast.nodes.back());
    const int symbols = is_categorical(*rules[i].equation) ? arguments[i].front()
                        : copied                           ? copied->symbols
                                                           : symbols_made(ast);
    if (symbols >= 0)
      shapes_.relate(ShapeRule::same, {meanings_[name].symbols, symbols}, {&ast, ast.root()});
  }
}

// the shape that an equation gives
int ShapeEquations::value_of(const ParsedEquation& e, const std::vector<int>& arguments) {
  if (arguments.size() == 1) return arguments.front();
  return broadcast(e.arguments.front(), e.arguments.front().root(), arguments);
}

// ---- expressions --------------------------------------------------------------------------------

int ShapeEquations::expression(const Ast& ast) {
  std::vector<int> terms(ast.nodes.size());
  for (std::size_t id = 0; id < terms.size(); ++id)
    terms[id] = node(ast, static_cast<int>(id), terms);
  return terms.back();
}

int ShapeEquations::related(ShapeRule rule, const Ast& ast, int id, std::vector<int> operands,
                            Ranks ranks, GivenSize first, GivenSize second) {
  operands.insert(operands.begin(), shapes_.unknown(ranks));
  shapes_.relate(rule, operands, {&ast, id}, std::move(first), std::move(second));
  return operands.front();
}

int ShapeEquations::broadcast(const Ast& ast, int id, std::vector<int> terms) {
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  std::erase_if(terms, [&](int a) { return shapes_.is_number(a); });
  if (terms.size() < 2) return terms.empty() ? shapes_.number() : terms.front();
  return related(ShapeRule::broadcast, ast, id, std::move(terms));
}

int ShapeEquations::node(const Ast& ast, int id, const std::vector<int>& terms) {
  const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
  std::vector<int> children;
  for (const int child : n.children) children.push_back(terms[static_cast<std::size_t>(child)]);
  switch (n.kind) {
    case AstNode::Kind::number:
      return shapes_.number();
    case AstNode::Kind::name:
    case AstNode::Kind::reference: {
      if (names_.is_length(n.name)) return shapes_.number();
      if (const Meaning* m = read(n)) return m->term;
      const bool number = names_.sizes.contains(n.name) || names_.constants.contains(n.name) ||
                          names_.index(n.name) || n.name == "inf";
      return number ? shapes_.number() : shapes_.unknown();
    }
    case AstNode::Kind::negative:
      return children[0];
    case AstNode::Kind::binary:
      return n.name == "@" ? related(ShapeRule::product, ast, id, children)
                           : broadcast(ast, id, children);
    case AstNode::Kind::reduction: {
      if (n.name != "conv") return children.empty() ? shapes_.unknown() : children[0];
      if (children.size() - n.named.size() != 2 || n.over.size() > 2) return shapes_.unknown();
      shapes_.relate(ShapeRule::ranks, {children[1]}, {&ast, id}, {only_rank(1)});
      return related(ShapeRule::taps, ast, id, {children[0], children[1]}, only_rank(1),
                     {static_cast<std::int64_t>(n.over.size()), {}});
    }
    case AstNode::Kind::call:
      return call(ast, id, children);
  }
  return shapes_.unknown();
}

// a call that is not as it should be tells nothing: what is wrong is told when it is recorded
int ShapeEquations::call(const Ast& ast, int id, std::vector<int> arguments) {
  const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
  arguments.resize(arguments.size() - n.named.size());
  const Function* f = find_function(n.name);
  if (f == nullptr) return broadcast(ast, id, arguments);
  const auto given = static_cast<int>(arguments.size());
  if (given < f->least || given > f->most) return shapes_.unknown();
  const auto product = [&](ShapeRule rule) { return related(rule, ast, id, arguments); };
  switch (f->effect) {
    case Effect::alike:
      return arguments[0];
    case Effect::number:
      return shapes_.number();
    case Effect::partial:  // of a number, in the shape of what it is by                      (R18)
      shapes_.relate(ShapeRule::ranks, {arguments[0]}, {&ast, id}, {only_rank(0)});
      return arguments[1];
    case Effect::broadcast:
      return broadcast(ast, id, arguments);
    case Effect::reduced:
      return reduced(ast, id, arguments[0]);
    case Effect::reduced_or_pair:
      return given == 2 ? broadcast(ast, id, arguments) : reduced(ast, id, arguments[0]);
    case Effect::last_axis:
    case Effect::along_axis:
    case Effect::normalize:
      return along(ast, id, f->effect, arguments);
    case Effect::outer:
      return product(ShapeRule::outer);
    case Effect::matvec:
      return product(ShapeRule::matvec);
    case Effect::vecdot:
      return product(ShapeRule::vecdot);
    case Effect::solve:
      return product(ShapeRule::solve);
    case Effect::logdet:
      return product(ShapeRule::logdet);
    case Effect::concat:
      return related(ShapeRule::concat, ast, id, arguments, kOneOrMore);
    case Effect::stack:
      return related(ShapeRule::stack, ast, id, arguments, kOneOrMore,
                     {given, fmt::format("{}", given)});
    case Effect::embed:
      return lookup(ast, id, arguments[0], n.children[1]);
    case Effect::symbol:
      shapes_.relate(ShapeRule::ranks, {arguments[0]}, {&ast, id}, {only_rank(1)});
      if (id == ast.root()) made_[&ast] = arguments[0];
      return shapes_.number();
    case Effect::element:
      shapes_.relate(ShapeRule::ranks, {arguments[1]}, {&ast, id}, {only_rank(0)});
      return related(ShapeRule::rows, ast, id, {arguments[0]});
    default:
      return layout(ast, id, arguments);
  }
}

bool ShapeEquations::named(const Ast& ast, int id, std::string_view name, double& value) const {
  const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
  for (std::size_t i = 0; i < n.named.size(); ++i)
    if (n.named[i] == name) {
      double given = 0;
      const int child = n.children[n.children.size() - n.named.size() + i];
      if (!constant_value(ast, child, names_, given) || !(std::abs(given) <= kMaxRank)) break;
      value = given;  // else it is refused where it is built: here no number depends on it
      return true;
    }
  return false;
}

int ShapeEquations::reduced(const Ast& ast, int id, int argument) {
  double axis = 0, keep = 0;
  const bool has_axis = named(ast, id, "axis", axis);
  named(ast, id, "keep", keep);
  if (!has_axis && keep == 0) return shapes_.number();
  const Reduced left = !has_axis ? kAllKept : keep != 0 ? kKept : kDropped;
  return related(ShapeRule::reduced, ast, id, {argument}, kAnyRank,
                 {static_cast<std::int64_t>(axis), {}}, {left, {}});
}

// the shape is that of the first argument, which has the axis; a normalised one meets its gain
int ShapeEquations::along(const Ast& ast, int id, Effect effect,
                          const std::vector<int>& arguments) {
  double axis = -1;
  if (effect == Effect::along_axis) named(ast, id, "axis", axis);
  Ranks ranks = 0;
  for (int rank = 1; rank <= kMaxRank; ++rank)
    if (axis < rank && -axis <= rank) ranks = static_cast<Ranks>(ranks | only_rank(rank));
  shapes_.relate(ShapeRule::ranks, {arguments[0]}, {&ast, id}, {ranks});
  return arguments.size() > 1 ? broadcast(ast, id, arguments) : arguments[0];
}

// the axes of transpose(a, 0, 2, 1), three bits each, behind a 1
int ShapeEquations::permuted(const Ast& ast, int id, int argument,
                             const std::vector<GivenSize>& sizes) {
  if (sizes.empty()) return related(ShapeRule::transpose, ast, id, {argument});
  std::int64_t axes = 1;
  std::vector<char> taken(sizes.size(), 0);
  for (const GivenSize& s : sizes) {
    if (s.value >= static_cast<std::int64_t>(sizes.size()) ||
        taken[static_cast<std::size_t>(s.value)]++)
      return shapes_.unknown();
    axes = axes << 3 | s.value;
  }
  return related(ShapeRule::permute, ast, id, {argument}, only_rank(static_cast<int>(sizes.size())),
                 {axes, {}});
}

// a row of a table for each symbol
int ShapeEquations::lookup(const Ast& ast, int id, int table, int category) {
  const Meaning* symbol = read(ast.nodes[static_cast<std::size_t>(category)]);
  if (unstated_ && symbol && symbol->symbols >= 0) {
    shapes_.relate(ShapeRule::ranks, {table}, {&ast, id}, {kOneOrMore});
    shapes_.relate(ShapeRule::symbols, {table, symbol->symbols}, {&ast, id});
  }
  return related(ShapeRule::rows, ast, id, {table});
}

int ShapeEquations::layout(const Ast& ast, int id, const std::vector<int>& arguments) {
  const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
  const Effect effect = find_function(n.name)->effect;
  std::vector<GivenSize> sizes;
  const bool filled = effect == Effect::filled || effect == Effect::square;
  if (!sizes_of(ast, n, filled ? 0 : 1, sizes)) return shapes_.unknown();
  if (effect == Effect::permute) return permuted(ast, id, arguments[0], sizes);
  if (effect == Effect::square) return shapes_.known({sizes[0], sizes[0]});
  if (effect == Effect::slice) {
    if (sizes.size() != 2 || sizes[0].value > sizes[1].value) return shapes_.unknown();
    GivenSize size{sizes[1].value - sizes[0].value, sizes[1].text};
    if (sizes[0].value != 0) size.text = fmt::format("{} - {}", sizes[1].text, sizes[0].text);
    return related(ShapeRule::slice, ast, id, {arguments[0]}, kOneOrMore, size, sizes[1]);
  }
  if (effect == Effect::one_hot) {
    if (sizes.size() != 1) return shapes_.unknown();
    const int hot = shapes_.known(sizes);
    const Meaning* symbol = read(ast.nodes[static_cast<std::size_t>(n.children[0])]);
    if (unstated_ && symbol && symbol->symbols >= 0)
      shapes_.relate(ShapeRule::same, {symbol->symbols, hot}, {&ast, id});
    return hot;
  }
  if (effect == Effect::reshape) {
    GivenSize count{1, {}};
    for (const GivenSize& s : sizes) {
      if (__builtin_mul_overflow(count.value, s.value, &count.value)) return shapes_.unknown();
      if (s.text != "1") count.text += (count.text.empty() ? "" : " * ") + s.text;
    }
    shapes_.relate(ShapeRule::elements, {arguments[0]}, {&ast, id}, count);
  }
  return shapes_.known(sizes);
}

bool ShapeEquations::size_of(const Ast& ast, int id, GivenSize& size) const {
  double value = 0;
  if (!constant_value(ast, id, names_, value) || value != std::floor(value) || value < 0 ||
      value > static_cast<double>(kMaxDim))
    return false;
  size = {static_cast<std::int64_t>(value), unstated_ ? written(ast, id) : std::string()};
  return true;
}

bool ShapeEquations::sizes_of(const Ast& ast, const AstNode& call, std::size_t first,
                              std::vector<GivenSize>& sizes) const {
  for (std::size_t i = first; i < call.children.size(); ++i) {
    sizes.emplace_back();
    if (!size_of(ast, call.children[i], sizes.back())) return false;
  }
  return sizes.size() <= static_cast<std::size_t>(kMaxRank);
}

}  // namespace taugrad
