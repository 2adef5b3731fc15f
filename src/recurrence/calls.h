#pragma once

#include <vector>

#include "recurrence/block_compiler.h"

namespace taugrad {

/// One call of a built-in function of the language (R10).
class Calls {
 public:
  Calls(BlockCompiler& compiler, const Model& model, const Ast& ast, const AstNode& node)
      : compiler_(compiler), model_(model), ast_(ast), n_(node) {}
  Value run(const std::vector<Value>& arguments);

 private:
  Value elementwise(const std::vector<Value>& a);
  Value own(const Op& op, const std::vector<Value>& a);
  Value layout(const std::vector<Value>& a);
  Value symbols(const std::vector<Value>& a);
  Value dropout(const std::vector<Value>& a);
  void arity(const std::vector<Value>& a, std::size_t least, std::size_t most) const;
  std::int64_t integer(std::size_t argument) const;  ///< an argument that must be an integer known beforehand
  double number(std::size_t argument) const;
  Shape shape_from(std::size_t first, const std::vector<Value>& a) const;

  BlockCompiler& compiler_;
  const Model& model_;
  const Ast& ast_;
  const AstNode& n_;
};

}  // namespace taugrad
