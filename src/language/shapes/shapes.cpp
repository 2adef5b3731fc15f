// The shapes of a model's variables.
#include <fmt/core.h>

#include <algorithm>

#include "language/resolve/resolved_model.h"
#include "language/shapes/shape_equations.h"

namespace taugrad {
namespace {

class Solver {
 public:
  explicit Solver(ResolvedModel& model) : model_(model), equations_(shapes_, model.system) {
    for (const Symbol& s : model.symbols) give(s);
    equations_.define(variables());
    for (const Ast& term : model.system.loss) equations_.expression(term);
    for (const auto& [letter, condition] : model.system.ends) equations_.expression(condition);
    for (const BoundInput& b : model.system.bound) bind(b);
  }

  std::vector<UnsolvedShape> run() {
    shapes_.solve();
    shapes_.choose();
    for (Symbol& s : model_.symbols)
      if (s.kind == SymbolKind::variable) take(s);
    widen_categories();
    for (std::size_t i = 0; i < bound_.size(); ++i)
      collect(model_.system, [&] { check_bound(model_.system.bound[i], bound_[i]); });
    std::vector<UnsolvedShape> unsolved;
    for (const ShapeSystem::Origin& o : shapes_.unsolved())
      unsolved.push_back({o.ast, o.node, open_name(o)});
    return unsolved;
  }

 private:
  void give(const Symbol& s) {
    if (s.kind == SymbolKind::variable) return;
    std::vector<GivenSize> sizes;
    for (const std::int64_t size : s.shape.dims()) sizes.push_back({size, {}});
    equations_.give(
        s.name, {shapes_.known(sizes), s.category < 0 ? -1 : shapes_.known({{s.category, {}}})});
  }

  /// What an import reads has the shape that it declares (R11, R16).
  void bind(const BoundInput& b) {
    const ShapeEquations::Meaning* category = equations_.category(b.given);
    const int term = equations_.expression(b.given);
    const int symbols = category ? category->symbols : equations_.symbols_made(b.given);
    bound_.push_back({term, symbols});
    const ShapeSystem::Origin origin{&b.given, b.given.root()};
    if (b.category >= 0 && symbols >= 0)
      shapes_.relate(ShapeRule::same, {symbols, shapes_.known({{b.category, {}}})}, origin);
    if (b.category >= 0 || symbols >= 0) return;
    std::vector<GivenSize> sizes;
    for (const std::int64_t size : b.shape) sizes.push_back({size, {}});
    shapes_.relate(ShapeRule::same, {bound_.back().term, shapes_.known(sizes)}, origin);
  }

  void check_bound(const BoundInput& b, const ShapeEquations::Meaning& given) {
    const auto kind = [](std::int64_t symbols, const Shape& shape) {
      return symbols >= 0 ? fmt::format("a category of {}", symbols) : to_string(shape);
    };
    const std::int64_t symbols = given.symbols >= 0 ? shapes_.shape(given.symbols)[0] : -1;
    const Shape shape = shapes_.shape(given.term);
    const Shape wanted(std::span<const std::int64_t>(b.shape));
    if (symbols == b.category && (symbols >= 0 || shape == wanted)) return;
    fail_at(
        (symbols < 0) != (b.category < 0) ? "E011" : "G020",
        fmt::format("\"{}\" is {}, but {} needs {} for \"{}\"", b.text.text, kind(symbols, shape),
                    b.from, kind(b.category, wanted), b.name.substr(b.name.rfind('.') + 1)),
        b.text, 0, static_cast<int>(b.text.text.size()),
        "the import's \"sizes\" say what it is made for");
  }

  // sorted, so that where equations contradict each other, too, their order does not matter
  std::map<std::string, std::vector<ShapeEquations::Rule>> variables() const {
    std::map<std::string, std::vector<ShapeEquations::Rule>> variables;
    for (const Symbol& s : model_.symbols)
      for (const int r : s.rules) {
        const Rule& rule = model_.rules[static_cast<std::size_t>(r)];
        variables[s.name].push_back({rule.equation, rule.fixed > 0});
      }
    for (auto& [name, rules] : variables)
      std::sort(rules.begin(), rules.end(), [](const auto& a, const auto& b) {
        return a.equation->text.text < b.equation->text.text;
      });
    return variables;
  }

  void take(Symbol& s) {
    s.per_example = !s.axes.empty() || s.random();
    if (s.rules.empty()) return;
    const ShapeEquations::Meaning& m = equations_.of(s.name);
    try {
      s.shape = shapes_.shape(m.term);
      if (m.symbols >= 0) s.category = shapes_.shape(m.symbols)[0];
    } catch (const Error&) {  // too large: the operation that makes it says so
    }
  }

  // a copy of categories of several sizes is of the largest
  void widen_categories() {
    for (bool changed = true; changed;) {
      changed = false;
      for (Symbol& s : model_.symbols)
        for (const int r : s.rules) {
          const ParsedEquation& e = *model_.rules[static_cast<std::size_t>(r)].equation;
          const int copied =
              e.random || s.category < 0 ? -1 : model_.find(e.arguments.front().nodes.back().name);
          if (copied < 0 || model_.symbols[static_cast<std::size_t>(copied)].category <= s.category)
            continue;
          s.category = model_.symbols[static_cast<std::size_t>(copied)].category;
          changed = true;
        }
    }
  }

  // the variable whose shape is open, first under the node, then in the expression
  std::string open_name(const ShapeSystem::Origin& o) {
    std::vector<char> inside(o.ast->nodes.size(), 0);
    inside[static_cast<std::size_t>(o.node)] = 1;
    std::string name;
    for (std::size_t id = inside.size(); id-- > 0;) {
      const AstNode& n = o.ast->nodes[id];
      for (const int child : n.children) inside[static_cast<std::size_t>(child)] |= inside[id];
      const int symbol = n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference
                             ? model_.find(n.name)
                             : -1;
      if (!inside[id] || symbol < 0 ||
          model_.symbols[static_cast<std::size_t>(symbol)].rules.empty())
        continue;
      if (shapes_.is_open(equations_.of(n.name).term)) name = n.name;
    }
    return name;
  }

  ResolvedModel& model_;
  ShapeSystem shapes_;
  ShapeEquations equations_;
  std::vector<ShapeEquations::Meaning> bound_;  // what is given for each bound input
};

}  // namespace

std::vector<UnsolvedShape> solve_shapes(ResolvedModel& model) { return Solver(model).run(); }

}  // namespace taugrad
