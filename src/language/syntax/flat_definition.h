#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "language/syntax/ast.h"
#include "taugrad/graph/op.h"
#include "taugrad/language/definition.h"

namespace taugrad {

struct FlatIndex {
  std::string name;
  std::string length;       ///< name of the length; "8" where it is a plain integer
  std::int64_t fixed = -1;  ///< the length itself, where it is a size or an integer
  std::shared_ptr<const Ast> derived =
      {};  ///< arithmetic of other lengths; `length` is its normal form
};
struct FlatInput {
  std::string name;
  std::vector<std::string> letters;
  std::vector<std::int64_t> shape;
  std::int64_t category = -1;  ///< number of symbols; -1: numbers
  Text text;
  std::string position =
      {};              ///< the letter of the index that it holds positions of; "": it holds none
  bool after = false;  ///< "position(t) > t"
};
struct FlatWeight {
  std::string name;
  std::vector<std::string> letters;  ///< untied: one weight for each position
  std::vector<std::int64_t> shape;
  WeightDeclaration declaration;
  bool taken = true;  ///< false: of an import, and no equation that is needed mentions it
};

/// What an import reads in the place of one of its inputs.
struct BoundInput {
  std::string name;                 ///< "a.x"
  std::string from;                 ///< the definition that is imported
  std::vector<std::int64_t> shape;  ///< as that one declares it
  std::int64_t category = -1;       ///< number of symbols; -1: numbers
  Ast given;                        ///< in the names of the system that imports
  Text text;
};

/// A definition with its functions and imports expanded away (R11): one flat system of equations.
struct FlatDefinition {
  std::string name, file;
  std::vector<FlatIndex> indices;
  std::map<std::string, std::int64_t> sizes;
  std::map<std::string, double> constants;
  std::vector<FlatInput> inputs;
  std::vector<FlatWeight> weights;
  std::vector<ParsedEquation> equations;
  std::vector<Ast> loss;
  std::vector<std::pair<std::string, Ast>> ends;
  std::vector<BoundInput> bound;
  std::vector<std::string>
      left_out;  ///< variables of imports that nothing refers to: for suggestions
  std::vector<Diagnostic> problems;  ///< found so far; readers go on to find the rest
  std::set<std::string, std::less<>>
      broken;  ///< names whose definition is among the problems: not told again

  const FlatIndex* index(std::string_view letter) const;
  const FlatInput* input(std::string_view name) const;
  const FlatWeight* weight(std::string_view name) const;
  bool is_length(std::string_view name) const;
  bool is_broken(
      std::string_view variable) const {  ///< the variable itself, or the import it is of
    return broken.contains(variable) || broken.contains(variable.substr(0, variable.find('.')));
  }
};

/// What expanding has taken so far, imports within imports included: a small file may stand for a
/// huge system.
struct Expansion {
  std::vector<std::string> trail;  ///< names of the imports that are open
  std::size_t imports = 0;
  std::size_t nodes = 0;

  /// Counts one more node of an expression. @throws Error (G022)
  void add_node(const AstNode& n);
};

/// Expands imports and functions of `d`.
FlatDefinition expand(const Definition& d);

/// Integer value of a size expression such as "4*m". @throws Error (E005, G011)
std::int64_t size_value(const Text& text, const std::map<std::string, std::int64_t>& sizes);
/// Value of a node made of numbers, sizes and constants alone; false where it is not.
bool constant_value(const Ast& ast, int node, const FlatDefinition& system, double& value);

/// Of the language; operations of the program's own that are functions too are not among them.
bool is_function_name(std::string_view name);
/// The operation of the program's own that a call of this name is, or null.
const Op* own_function(std::string_view name);
/// "loss", "ends": what an equation may not define, for a definition has a part of that name.
bool is_section(std::string_view name);
/// With those of the program's own.
std::vector<std::string> function_names();

/// Replaces calls of the definition's own functions in every expression of the system. (R11)
void expand_functions(FlatDefinition& system, const std::vector<Text>& functions, Expansion& spent);
/// Adds the imported systems, prefixed, reversed and bound.
void expand_imports(FlatDefinition& system, const Definition& d, Expansion& spent);
FlatDefinition expand_within(const Definition& d,
                             const std::map<std::string, std::int64_t>& given_sizes,
                             Expansion& spent);
/// Loads a definition by the bare name an import gives: beside the importing file, then shipped
/// ones.
Definition load_import_of(const Definition& importing, const std::string& name);
/// Drops equations and inputs of imports that nothing outside refers to, and marks their weights.
void take_needed(FlatDefinition& system);
constexpr std::size_t kMostProblems = 100;  ///< then the rest is not looked at
/// Runs `step`, adding what it throws to the system's problems; `defines` is the text or name of
/// what then is broken.
template <class F>
void collect(FlatDefinition& system, F&& step, std::string_view defines = {}) {
  try {
    if (system.problems.size() < kMostProblems) return step();
  } catch (const Error& e) {
    if (e.status() == Status::usage) throw;  // an import that is the output: not the definition's
    system.problems.insert(system.problems.end(), e.diagnostics().begin(), e.diagnostics().end());
  }
  system.broken.emplace(defines.substr(0, defines.find_first_of(" [(=~")));
}
template <class F>
void for_each_ast(FlatDefinition& system, F&& f) {
  for (ParsedEquation& e : system.equations)
    for (Ast& a : e.arguments) f(a);
  for (Ast& a : system.loss) f(a);
  for (auto& [letter, a] : system.ends) f(a);
}

}  // namespace taugrad
