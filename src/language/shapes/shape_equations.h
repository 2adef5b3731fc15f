#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "language/shapes/shape_system.h"
#include "language/syntax/flat_definition.h"
#include "language/templates/function_table.h"

namespace taugrad {

/// Equations as relations between shapes. Positions do not matter: a variable has one shape at all
/// of them.
class ShapeEquations {
 public:
  /// What an expression reads by a name: the term of its shape and, of a category, of the vector of
  /// its symbols.
  struct Meaning {
    int term = -1;
    int symbols = -1;
  };
  struct Rule {
    const ParsedEquation* equation;
    bool fixed;  ///< a boundary: it takes the variable's shape
  };

  /// @param names    its sizes, constants, indices and lengths are numbers
  /// @param unstated sizes are stated nowhere (`-e`): they are kept as they are written, and tables
  /// say how many symbols there are
  ShapeEquations(ShapeSystem& shapes, const FlatDefinition& names, bool unstated = false)
      : shapes_(shapes), names_(names), unstated_(unstated) {}

  void give(const std::string& name, Meaning meaning) { meanings_[name] = meaning; }
  /// Variables with their equations; all at once, as they read each other.
  void define(const std::map<std::string, std::vector<Rule>>& variables);
  /// The term of an expression.
  int expression(const Ast& ast);
  const Meaning& of(const std::string& name) const { return meanings_.at(name); }
  /// Of an expression that is a category as it stands; else null.
  const Meaning* category(const Ast& ast) const {
    const Meaning* m = read(ast.nodes.back());
    return m != nullptr && m->symbols >= 0 ? m : nullptr;
  }
  /// The vector whose largest element's place the expression is, or -1.
  int symbols_made(const Ast& ast) const {
    const auto found = made_.find(&ast);
    return found == made_.end() ? -1 : found->second;
  }
  /// Whether the equations make the name a category.
  bool is_category(const std::string& name) const { return meanings_.at(name).symbols >= 0; }

 private:
  void find_categories(const std::map<std::string, std::vector<Rule>>& variables);
  void define_variable(const std::string& name, const std::vector<Rule>& rules);
  void add_symbols(const std::string& name, const std::vector<Rule>& rules,
                   const std::vector<std::vector<int>>& arguments);
  int value_of(const ParsedEquation& e, const std::vector<int>& arguments);
  const Meaning* read(const AstNode& n) const;

  int node(const Ast& ast, int id, const std::vector<int>& terms);
  int call(const Ast& ast, int id, std::vector<int> arguments);
  int reduced(const Ast& ast, int id, int argument);
  int along(const Ast& ast, int id, Effect effect, const std::vector<int>& arguments);
  int permuted(const Ast& ast, int id, int argument, const std::vector<GivenSize>& sizes);
  bool named(const Ast& ast, int id, std::string_view name, double& value) const;
  int layout(const Ast& ast, int id, const std::vector<int>& arguments);
  int lookup(const Ast& ast, int id, int table, int category);
  int broadcast(const Ast& ast, int id, std::vector<int> terms);
  int related(ShapeRule rule, const Ast& ast, int id, std::vector<int> operands,
              Ranks ranks = kAnyRank, GivenSize first = {}, GivenSize second = {});
  bool size_of(const Ast& ast, int id, GivenSize& size) const;
  bool sizes_of(const Ast& ast, const AstNode& call, std::size_t first,
                std::vector<GivenSize>& sizes) const;

  ShapeSystem& shapes_;
  const FlatDefinition& names_;
  bool unstated_;
  std::map<std::string, Meaning, std::less<>> meanings_;
  std::map<const Ast*, int> made_;  ///< by expression that is an argmax: the term of its vector
};

}  // namespace taugrad
