#include "recurrence/calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/fail.h"
#include "recurrence/syntax_help.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/own.h"

namespace taugrad {
namespace {

using Unary = Var (*)(Var);
const std::map<std::string, Unary, std::less<>>& unary_functions() {
  static const std::map<std::string, Unary, std::less<>> table = {
      {"tanh", &tanh},       {"sigmoid", &sigmoid}, {"relu", &relu},       {"exp", &exp},
      {"log", &log},         {"sqrt", &sqrt},       {"abs", &abs},         {"softmax", &softmax},
      {"log_softmax", &log_softmax}, {"transpose", &transpose}, {"stop_gradient", &stop_gradient},
      {"sum", &sum},         {"mean", &mean},       {"max", &max}};
  return table;
}

}  // namespace

Value Calls::run(const std::vector<Value>& a) {
  static const std::vector<std::string> symbolic = {"embed", "one_hot"};
  const bool takes_category = std::find(symbolic.begin(), symbolic.end(), n_.name) != symbolic.end();
  if (!takes_category)
    for (const Value& v : a) compiler_.numeric(v, n_);
  if (const auto f = unary_functions().find(n_.name); f != unary_functions().end()) {
    arity(a, 1, 1);
    return {.var = f->second(compiler_.tensor(a[0]))};
  }
  if (takes_category) return symbols(a);
  static const std::vector<std::string> layouts = {"concat", "stack", "slice", "reshape", "zeros", "ones"};
  if (std::find(layouts.begin(), layouts.end(), n_.name) != layouts.end()) return layout(a);
  if (n_.name == "dropout") return dropout(a);
  if (is_function_name(n_.name)) return elementwise(a);
  if (const Op* op = own_function(n_.name)) return own(*op, a);
  const std::string help = unknown_function_help(ast_, n_, model_.find(n_.name) >= 0, [&](const std::string& letter) {
    return model_.system.index(letter) != nullptr;
  });
  fail_at("G012", fmt::format("unknown function \"{}\"", n_.name), n_, help);
}

void Calls::arity(const std::vector<Value>& a, std::size_t least, std::size_t most) const {
  if (a.size() >= least && a.size() <= most) return;
  fail_at("G015", fmt::format("{} takes {}{} argument{}, got {}", n_.name, least, most > least ? " or more" : "", least == 1 ? "" : "s",
                              a.size()), n_,
          n_.name == "max" ? "max(a) takes the largest element; write where(a > b, a, b) for the larger of two" : "");
}

double Calls::number(std::size_t argument) const {
  const int child = n_.children[argument];
  double value = 0;
  if (!constant_value(ast_, child, model_.system, value))
    fail_at("E005", fmt::format("argument {} of {} must be a number known beforehand", argument + 1, n_.name),
            ast_.nodes[static_cast<std::size_t>(child)], "use numbers, sizes and constants");
  return value;
}

std::int64_t Calls::integer(std::size_t argument) const {
  const double value = number(argument);
  if (value != std::floor(value) || value < 0 || value > 2147483647.0)
    fail_at("G011", fmt::format("argument {} of {} must be an integer in 0..2147483647, got {}", argument + 1, n_.name, value),
            ast_.nodes[static_cast<std::size_t>(n_.children[argument])]);
  return static_cast<std::int64_t>(value);
}

Shape Calls::shape_from(std::size_t first, const std::vector<Value>& a) const {
  std::vector<std::int64_t> dims;
  for (std::size_t i = first; i < a.size(); ++i) dims.push_back(integer(i));
  return Shape(std::span<const std::int64_t>(dims));
}

Value Calls::elementwise(const std::vector<Value>& a) {
  const bool two = n_.name == "min" || n_.name == "pow";
  arity(a, two ? 2 : 3, two ? 2 : 3);
  const bool clamped = n_.name == "clamp";
  const double lo = clamped ? number(1) : 0, hi = clamped ? number(2) : 0;
  if (clamped && !(lo <= hi)) fail_at("E005", fmt::format("clamp from {} to {}: the lower end is above the upper", lo, hi), n_);
  if (clamped) return {.var = clamp(compiler_.tensor(a[0]), lo, hi)};
  const Var x = compiler_.tensor(a[0]), y = compiler_.tensor(a[1]);
  if (n_.name == "min") return {.var = min(x, y)};
  if (n_.name == "pow") return {.var = pow(x, y)};
  const Var z = compiler_.tensor(a[2]);
  return {.var = n_.name == "where" ? where(x, y, z) : layer_norm(x, y, z)};
}

// shapes are solved beforehand, and only of elementwise ones it is known how
Value Calls::own(const Op& op, const std::vector<Value>& a) {
  if (!op.traits.elementwise)
    fail_at("G012", fmt::format("the operation \"{}\" is no function of equations", op.name), n_,
            "elementwise operations are; use this one in a graph");
  arity(a, static_cast<std::size_t>(op.arity), static_cast<std::size_t>(op.arity));
  Vars operands;
  for (const Value& v : a) operands.push_back(compiler_.tensor(v));
  return {.var = apply_elementwise(op, operands)};
}

Value Calls::layout(const std::vector<Value>& a) {
  if (n_.name == "zeros" || n_.name == "ones") {
    arity(a, 0, 4);
    return {.var = constant(compiler_.tape_, n_.name == "ones" ? 1 : 0, shape_from(0, a))};
  }
  if (n_.name == "reshape") {
    arity(a, 1, 5);
    const Shape to = shape_from(1, a);
    return {.var = reshape(compiler_.tensor(a[0]), to)};
  }
  if (n_.name == "slice") {
    arity(a, 3, 3);
    const std::int64_t from = integer(1), to = integer(2);
    if (from > to) fail_at("G020", fmt::format("slice from {} to {}: the end lies before the start", from, to), n_);
    return {.var = slice(compiler_.tensor(a[0]), from, to)};
  }
  arity(a, 1, 4096);
  std::vector<Var> parts;
  for (const Value& v : a) parts.push_back(compiler_.tensor(v));
  return {.var = n_.name == "concat" ? concat(parts) : stack(parts)};
}

Value Calls::symbols(const std::vector<Value>& a) {
  arity(a, 2, 2);
  const bool hot = n_.name == "one_hot";
  const Value& symbol = a[hot ? 0 : 1];
  if (symbol.category < 0)
    fail_at("E011", fmt::format("{} takes a category", n_.name), n_, "an input declared \"category(k)\", or a categorical variable");
  if (!hot) compiler_.numeric(a[0], n_);
  if (hot) {
    const std::int64_t size = integer(1);
    if (symbol.category > size)
      fail_at("G020", fmt::format("one_hot of {} places cannot hold a category of {} symbols", size, symbol.category), n_);
    return {.var = one_hot(symbol.var, size)};
  }
  const Var table = compiler_.tensor(a[0]);
  if (table.shape().rank() < 1) fail_at("G020", "embed takes a table of rows", n_);
  if (symbol.category > table.shape()[0])
    fail_at("G020", fmt::format("a table of {} rows cannot hold a category of {} symbols", table.shape()[0], symbol.category), n_);
  return {.var = embed(table, symbol.var)};
}

// the mask is a leaf, drawn in training and ones otherwise                                       (R10)
Value Calls::dropout(const std::vector<Value>& a) {
  arity(a, 2, 2);
  const double p = number(1);
  if (!(p >= 0 && p <= 1)) fail_at("E005", fmt::format("dropout takes a probability in 0..1, got {}", p), n_);
  const Var x = compiler_.tensor(a[0]);
  return {.var = x * compiler_.slot({.kind = Slot::Kind::dropout, .p = p}, x.shape(), true, -1)};
}

}  // namespace taugrad
