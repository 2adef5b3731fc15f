#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "language/resolve/resolved_model.h"

namespace taugrad {

/// @throws Error with the import named
[[noreturn]] void fail_import(const ImportDeclaration& i, const char* code, std::string message,
                              std::string help = {});
/// A text of an import, for messages.
Text import_text(const ImportDeclaration& i, const std::string& what);

/// One imported system on its way into the outer one.
class Import {
 public:
  Import(FlatDefinition& outer, const ImportDeclaration& declaration, FlatDefinition inner,
         Expansion& spent);
  void add_to_outer();

 private:
  void map_indices();
  // A length that follows from others follows here from theirs, too. (R17)
  void check_derived(const FlatIndex& i) const;
  void find_axes();
  void bind_inputs();
  bool is_constant(const Ast& given) const;
  // a number in the place of a vector: given + zeros(n)
  static Ast filled(Ast given, const std::vector<std::int64_t>& shape);
  void bind_weights();
  bool is_length_here(const std::string& name) const { return lengths_.contains(name); }
  // What is computed, or data, does not change places with tau+1-p.
  void refuse_reversed(const std::string& axis, const AstNode& node) const;
  // letters and lengths to the outer ones; under `reverse` p and tau+1-p change places (R11)
  void rewrite_places(std::vector<Place>& places, const std::string& name, const AstNode* node,
                      const Text& text) const;
  static int push(Ast& out, AstNode n);
  // A place as arithmetic that stands in `out`; `root`: of one that is arithmetic already.
  int arithmetic(Ast& out, const AstNode& at, const Place& p, int root,
                 const std::string& length) const;
  // The expression that an input is bound to, with the places that the inner reference reads for
  // its letters.
  int read_bound(Ast& out, const AstNode& n, const std::string& name) const;
  static std::vector<char> inside_places(const Ast& ast);
  // replaces letter `from[k]` of a reference by the place that `n` reads
  static void substitute(AstNode& m, const std::vector<std::string>& from, const AstNode& n);
  int name_node(Ast& out, AstNode n) const;
  // t as a number; reversed it is tau + 1 - t
  int index_value(Ast& out, AstNode n) const;
  Ast rewritten(const Ast& ast) const;

  FlatDefinition& outer_;
  const ImportDeclaration& declaration_;
  FlatDefinition inner_;
  Expansion& spent_;
  std::string prefix_;
  std::map<std::string, std::string> letters_, lengths_, bound_weights_;
  std::set<std::string> reversed_;
  std::map<std::string, std::vector<std::string>> axes_;
  std::map<std::string, std::pair<std::vector<std::string>, Ast>> bound_inputs_;
};

}  // namespace taugrad
