#include "language/templates/calls.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/syntax/syntax_help.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/own.h"

namespace taugrad {
namespace {

std::string counted(int least, int most) {
  if (least == most) return fmt::format("{} argument{}", least, least == 1 ? "" : "s");
  if (most >= Function::kMany) return fmt::format("{} or more arguments", least);
  return fmt::format("{} {} {} arguments", least, most == least + 1 ? "or" : "to", most);
}

}  // namespace

Value Calls::run(const std::vector<Value>& a) {
  const Function* f = find_function(n_.name);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (f == nullptr || f->symbol != static_cast<int>(i)) compiler_.numeric(a[i], n_);
  if (f != nullptr && f->build != nullptr) {
    check(*f);
    a_.assign(a.begin(), a.end() - static_cast<std::ptrdiff_t>(n_.named.size()));
    return f->build(*this);
  }
  if (const Op* op = own_function(n_.name)) return own(*op, a);
  const std::string help = unknown_function_help(
      ast_, n_, model_.find(n_.name) >= 0,
      [&](const std::string& letter) { return model_.system.index(letter) != nullptr; });
  if (f != nullptr)
    fail_at("E012", fmt::format("\"{}\" goes over an index", n_.name), n_,
            fmt::format("write {}", f->usage));
  fail_at("G012", fmt::format("unknown function \"{}\"", n_.name), n_, help);
}

void Calls::check(const Function& f) const {
  const auto given = static_cast<int>(n_.children.size() - n_.named.size());
  if (given < f.least || given > f.most) refuse_count(f, counted(f.least, f.most));
  if (f.effect == Effect::normalize && f.least == 1 && given == 2)
    refuse_count(f, "1 or 3 arguments");  // a gain goes with a bias
  for (std::size_t i = 0; i < n_.named.size(); ++i) {
    const std::string& name = n_.named[i];
    if ((f.named & named_argument(name)) == 0) {
      const std::vector<std::string> known = named_arguments(f.named);
      std::string help = did_you_mean(name, known);
      if (help.empty()) help = fmt::format("write {}", f.usage);
      fail_at("G015", fmt::format("{} has no argument \"{}\"", f.name, name), n_, help);
    }
    if (std::count(n_.named.begin(), n_.named.end(), name) > 1)
      fail_at("G015", fmt::format("{} is given \"{}\" twice", f.name, name), n_);
  }
  // of two, the larger or the smaller: there is nothing to reduce
  if (f.effect == Effect::reduced_or_pair && given == 2 && !n_.named.empty())
    fail_at("G015", fmt::format("{} of two arguments has no argument \"{}\"", f.name, n_.named[0]),
            n_, fmt::format("write {}", f.usage));
}

void Calls::refuse_count(const Function& f, std::string_view counts) const {
  fail_at("G015",
          fmt::format("{} takes {}, got {}", f.name, counts, n_.children.size() - n_.named.size()),
          n_, fmt::format("write {}", f.usage));
}

std::vector<Var> Calls::all() const {
  std::vector<Var> parts;
  for (const Value& v : a_) parts.push_back(compiler_.tensor(v));
  return parts;
}

// ---- what is known beforehand -------------------------------------------------------------------

double Calls::known(int child, const std::string& what) const {
  double value = 0;
  if (!constant_value(ast_, child, model_.system, value))
    fail_at("E005", fmt::format("{} of {} must be a number known beforehand", what, n_.name),
            ast_.nodes[static_cast<std::size_t>(child)], "use numbers, sizes and constants");
  return value;
}

double Calls::number(std::size_t argument) const {
  return known(n_.children[argument], fmt::format("argument {}", argument + 1));
}

std::int64_t Calls::integer(std::size_t argument) const {
  const double value = number(argument);
  if (value != std::floor(value) || value < 0 || value > 2147483647.0)
    fail_at("G011",
            fmt::format("argument {} of {} must be an integer in 0..2147483647, got {}",
                        argument + 1, n_.name, value),
            ast_.nodes[static_cast<std::size_t>(n_.children[argument])]);
  return static_cast<std::int64_t>(value);
}

Shape Calls::shape_from(std::size_t first) const {
  std::vector<std::int64_t> dims;
  for (std::size_t i = first; i < a_.size(); ++i) dims.push_back(integer(i));
  return Shape(std::span<const std::int64_t>(dims));
}

std::optional<double> Calls::named(std::string_view name) const {
  const std::size_t first = n_.children.size() - n_.named.size();
  for (std::size_t i = 0; i < n_.named.size(); ++i)
    if (n_.named[i] == name) return known(n_.children[first + i], fmt::format("\"{}\"", name));
  return {};
}

int Calls::axis(int otherwise) const {
  const std::optional<double> axis = named("axis");
  if (!axis) return otherwise;
  if (*axis != std::floor(*axis) || std::abs(*axis) > kMaxRank)
    fail_at(
        "G011",
        fmt::format("the axis of {} must be an integer, from 0 or negative from the end, got {}",
                    n_.name, *axis),
        n_);
  return static_cast<int>(*axis);
}

Along Calls::along() const {
  const double keep = named("keep").value_or(0);
  if (keep != 0 && keep != 1)
    fail_at("E005", fmt::format("\"keep\" of {} is 0 or 1, got {}", n_.name, keep), n_);
  return {.axis = axis(Along::kAll), .keep = keep == 1};
}

double Calls::eps() const {
  const double eps = named("eps").value_or(1e-5);
  if (!(eps >= 0) || !std::isfinite(eps))
    fail_at("E005", fmt::format("\"eps\" of {} is a number of at least 0, got {}", n_.name, eps),
            n_);
  return eps;
}

std::int64_t Calls::dilation() const {
  const double dilation = named("dilation").value_or(1);
  if (dilation != std::floor(dilation) || dilation < 1 || dilation > 1e6)
    fail_at("G011",
            fmt::format("\"dilation\" of {} must be an integer in 1..1000000, got {}", n_.name,
                        dilation),
            n_);
  return static_cast<std::int64_t>(dilation);
}

// ---- functions that check what they are given
// -----------------------------------------------------

Value Calls::clamped() const {
  double lo = 0, hi = 0;
  const bool numbers = constant_value(ast_, n_.children[1], model_.system, lo) &&
                       constant_value(ast_, n_.children[2], model_.system, hi);
  if (!numbers) return {.var = clamp((*this)[0], (*this)[1], (*this)[2])};
  if (!(lo <= hi))
    fail_at("E005", fmt::format("clamp from {} to {}: the lower end is above the upper", lo, hi),
            n_);
  return {.var = clamp((*this)[0], lo, hi)};
}

Value Calls::sliced() const {
  const std::int64_t from = integer(1), to = integer(2);
  if (from > to)
    fail_at("G020", fmt::format("slice from {} to {}: the end lies before the start", from, to),
            n_);
  return {.var = slice((*this)[0], from, to)};
}

// where the place is known, a slice
Value Calls::element() const {
  double i = 0;
  if (!constant_value(ast_, n_.children[1], model_.system, i))
    return {.var = at((*this)[0], (*this)[1])};
  const Var a = (*this)[0];
  const std::int64_t place = integer(1), rows = a.shape().rank() == 0 ? 0 : a.shape()[0];
  if (place >= rows)
    fail_at("G020",
            a.shape().rank() == 0 ? "at: a number has no first axis"
                                  : fmt::format("at: {} has no element {} along its first axis",
                                                to_string(a.shape()), place),
            n_, "elements are counted from 0");
  return {.var = a[place]};
}

Value Calls::permuted() const {
  if (count() == 1) return {.var = transpose((*this)[0])};
  std::vector<int> axes;
  for (std::size_t i = 1; i < count(); ++i)
    axes.push_back(static_cast<int>(std::min<std::int64_t>(integer(i), kMaxRank)));
  const Var a = (*this)[0];
  std::vector<int> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int>(i) || static_cast<int>(axes.size()) != a.shape().rank())
      fail_at("G020",
              fmt::format("the axes of a transpose of {} are 0..{} in some order, each once",
                          to_string(a.shape()), a.shape().rank() - 1),
              n_);
  return {.var = transpose(a, axes)};
}

void Calls::require_category(std::size_t argument) const {
  if (a_[argument].category < 0)
    fail_at("E011", fmt::format("{} takes a category", n_.name), n_,
            "an input declared \"category(k)\", or a categorical variable");
}

Value Calls::one_hot_of() const {
  require_category(0);
  const std::int64_t size = integer(1);
  if (a_[0].category > size)
    fail_at("G020",
            fmt::format("one_hot of {} places cannot hold a category of {} symbols", size,
                        a_[0].category),
            n_);
  return {.var = one_hot(a_[0].var, size)};
}

Value Calls::row_of_table() const {
  require_category(1);
  const Var table = (*this)[0];
  if (table.shape().rank() < 1) fail_at("G020", "embed takes a table of rows", n_);
  if (a_[1].category > table.shape()[0])
    fail_at("G020",
            fmt::format("a table of {} rows cannot hold a category of {} symbols", table.shape()[0],
                        a_[1].category),
            n_);
  return {.var = embed(table, a_[1].var)};
}

// the mask is a leaf, drawn in training and ones otherwise (R10)
Value Calls::dropped() const {
  const double p = number(1);
  if (!(p >= 0 && p <= 1))
    fail_at("E005", fmt::format("dropout takes a probability in 0..1, got {}", p), n_);
  const Var x = (*this)[0];
  return {.var = x * compiler_.slot({.kind = Slot::Kind::dropout, .p = p}, x.shape(), true, -1)};
}

Value Calls::category_of_largest() const {
  const Var a = (*this)[0];
  if (a.shape().rank() != 1 || a.shape()[0] < 1)
    fail_at("G020", fmt::format("argmax takes a vector, not {}", to_string(a.shape())), n_);
  return {.var = argmax(a), .category = a.shape()[0]};
}

// shapes are solved beforehand, and only of elementwise ones it is known how
Value Calls::own(const Op& op, const std::vector<Value>& a) {
  if (!op.traits.elementwise)
    fail_at("G012", fmt::format("the operation \"{}\" is no function of equations", op.name), n_,
            "elementwise operations are; use this one in a graph");
  if (static_cast<int>(a.size()) != op.arity || !n_.named.empty())
    fail_at("G015",
            fmt::format("{} takes {}, got {}", op.name, counted(op.arity, op.arity), a.size()), n_);
  Vars operands;
  for (const Value& v : a) operands.push_back(compiler_.tensor(v));
  return {.var = apply_elementwise(op, operands)};
}

}  // namespace taugrad
