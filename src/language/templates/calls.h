#pragma once

#include <optional>
#include <vector>

#include "language/templates/block_compiler.h"
#include "language/templates/function_table.h"
#include "taugrad/ops/along.h"

namespace taugrad {

/// One call of a function of the language (R10, R16): its arguments, as the rows of the function
/// table read them.
class Calls {
 public:
  Calls(BlockCompiler& compiler, const ResolvedModel& model, const Ast& ast, const AstNode& node)
      : compiler_(compiler), model_(model), ast_(ast), n_(node) {}
  Value run(const std::vector<Value>& arguments);
  /// That the arguments are as many, and named, as the function wants. @throws Error (G015)
  void check(const Function& f) const;
  /// @throws Error (G015): it takes `counts`, "1 or 3 arguments", and has another number
  [[noreturn]] void refuse_count(const Function& f, std::string_view counts) const;

  std::size_t count() const { return a_.size(); }
  Var operator[](std::size_t i) const { return compiler_.tensor(a_.at(i)); }
  const Value& value(std::size_t i) const { return a_[i]; }
  std::vector<Var> all() const;
  Tape& tape() const { return compiler_.tape_; }
  /// An argument that must be known beforehand. @throws Error (E005, G011)
  double number(std::size_t argument) const;
  std::int64_t integer(std::size_t argument) const;
  Shape shape_from(std::size_t first) const;
  std::optional<double> named(std::string_view name) const;
  int axis(int otherwise) const;
  Along along() const;
  double eps() const;
  std::int64_t dilation() const;

  Value clamped() const;
  Value sliced() const;
  Value element() const;
  Value permuted() const;
  Value one_hot_of() const;
  Value row_of_table() const;
  Value dropped() const;
  Value category_of_largest() const;

 private:
  Value own(const Op& op, const std::vector<Value>& a);
  double known(int child, const std::string& what) const;
  void require_category(std::size_t argument) const;

  BlockCompiler& compiler_;
  const ResolvedModel& model_;
  const Ast& ast_;
  const AstNode& n_;
  std::vector<Value> a_;  ///< without the named ones
};

}  // namespace taugrad
