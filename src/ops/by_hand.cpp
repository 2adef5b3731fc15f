// What users build graphs with: leaves, names and steps of a Graph.
#include <algorithm>

#include "base/fail.h"
#include "base/utf8.h"
#include "graph/position_text.h"
#include "ops/rules.h"
#include "taugrad/base/tensor.h"
#include "taugrad/graph/graph.h"

namespace taugrad {
namespace {

/// A leaf's name, and the row of its tensor: the position that the name says, else that of the
/// step.
struct LeafName {
  LeafName(const Tape& tape, std::string_view text) : given(given_name(text, true)) {
    row = given.index ? std::span<const std::int32_t>(*given.index)
                      : tape.index_of(tape.step_index());
    for (const std::int32_t position : row)  // the tensor has no row 0
      if (position < 1) refuse_row(position);
  }
  GivenName given;
  std::span<const std::int32_t> row;

 private:
  [[noreturn]] void refuse_row(std::int32_t position) const {
    Diagnostic d;
    d.code = "G011";
    d.message = fmt::format("\"{}\" at position {}: those of inputs and untied weights begin at 1",
                            printable(given.name, 80), position);
    d.help = "let the loop begin at 1: position t is row t - 1 of the tensor";
    fail(Status::usage, std::move(d));
  }
};

}  // namespace

Var Graph::input(std::string_view name, const Shape& shape) {
  const LeafName leaf(*tape_, name);
  return taugrad::input(*tape_, leaf.given.name, shape, leaf.row);
}
Var Graph::category(std::string_view name, std::int64_t size) {
  const LeafName leaf(*tape_, name);
  return category_input(*tape_, leaf.given.name, size, leaf.row);
}
Var Graph::weight(std::string_view name, const Shape& shape) { return weight(name, shape, {}); }
Var Graph::weight(std::string_view name, const Shape& shape, std::string_view init) {
  const LeafName leaf(*tape_, name);
  const Attrs attrs = init.empty() ? Attrs{} : Attrs{{"init", std::string(init)}};
  return tape_->named_leaf(kWeight, shape, kShared, attrs, leaf.given.name, leaf.row);
}

Var Graph::constant(double value, const Shape& shape) {
  return taugrad::constant(*tape_, value, shape);
}
Var Graph::constant(std::initializer_list<double> values) {
  return constant(Tensor::of(Dims{std::ssize(values)}, std::vector<double>(values)));
}
Var Graph::constant(std::initializer_list<std::initializer_list<double>> rows) {
  return constant(Tensor::of(rows));
}
Var Graph::constant(const Tensor& values) {
  const Shape shape(values.dims());
  if (shape.is_scalar()) return constant(values.at(0));
  if (values.size() == 0) return constant(0, shape);
  Vars numbers;
  for (std::int64_t i = 0; i < values.size(); ++i) numbers.push_back(constant(values.at(i)));
  return shape.rank() == 1 ? stack(numbers) : reshape(stack(numbers), shape);
}
Var Graph::zeros(const Shape& shape) { return taugrad::constant(*tape_, 0, shape, kEveryItem); }
Var Graph::ones(const Shape& shape) { return taugrad::constant(*tape_, 1, shape, kEveryItem); }

StepScope::StepScope(Tape& tape, std::string_view letter, std::int64_t position)
    : tape_(&tape), depth_(tape.step_depth()) {
  tape.enter_step(letter, position, kWeight, kCopy);
}
StepScope::~StepScope() { tape_->leave_steps(depth_); }

StepScope Graph::step(std::string_view letter, std::int64_t position) {
  return {*tape_, letter, position};
}

Var Graph::name(Var v, std::string_view name) {
  const GivenName given = given_name(name, false);
  return name_at(v, given.name,
                 given.index ? tape_->intern_index(*given.index) : tape_->step_index());
}
Var Graph::name(Var v, std::string_view name, std::initializer_list<std::int32_t> index) {
  const GivenName given = given_name(name, false);
  if (given.index && !std::ranges::equal(*given.index, index))
    fail(Status::usage, "G025", "\"{}\" says another position than its index", printable(name, 80));
  return name_at(v, given.name, tape_->intern_index({index.begin(), index.size()}));
}

Var Graph::name_at(Var v, std::string_view name, IndexId index) {
  Tape& tape = *tape_;
  tape.own(v);
  const NameId number = tape.variable(name, index);
  const bool other =
      tape.is_value(v.id) && (tape.name_id(v.id) != number || tape.index_id(v.id) != index);
  tape.check_free(other ? -1 : v.id, number, index);
  if (other) {  // a node has one name; a further one is that of a copy, which moves nothing
    if (&v.op() == &kWeight && tape.in_step()) v = copy(v);
    const std::int64_t size = category_size(v);
    v = append1(kCopy, v, size > 0 ? Attrs{{"category", size}} : Attrs{});
  }
  tape.name_value(v.id, number, index);
  return v;
}

}  // namespace taugrad
