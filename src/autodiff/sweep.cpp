#include "autodiff/sweep.h"

#include <algorithm>

#include "base/fail.h"
#include "base/utf8.h"
#include "graph/gradient_order.h"
#include "ops/own.h"
#include "taugrad/ops/ops.h"

namespace taugrad {

std::vector<char> depends_on(const Tape& tape, std::span<const Var> wrt, NodeId last) {
  std::vector<char> depends(at(last) + 1, 0);
  for (const Var& v : wrt)
    if (v.id <= last) depends[at(v.id)] = 1;
  for (NodeId id = 0; id <= last; ++id) {
    if (depends[at(id)] || tape.op(id).traits.discrete) continue;
    for (const NodeId in : tape.inputs(id)) depends[at(id)] |= depends[at(in)];
  }
  return depends;
}

int order_through(const Tape& tape, std::span<const Var> outputs, std::span<const Var> wrt) {
  if (!has_gradient_orders(tape)) return 0;
  const NodeId last = last_of(outputs, tape);
  const std::vector<char> depends = depends_on(tape, wrt, last), orders = gradient_orders(tape);
  std::vector<char> passed(depends.size(), 0);
  for (const Var& v : outputs) passed[at(v.id)] = depends[at(v.id)];
  int most = 0;
  for (NodeId id = last; id >= 0; --id) {
    if (!passed[at(id)]) continue;
    most = std::max<int>(most, orders[at(id)]);
    for (const NodeId in : tape.inputs(id)) passed[at(in)] |= depends[at(in)];
  }
  return most;
}

// of an operation of the user's own it is not our bug
[[noreturn]] static void refuse_derivative(const Op& rule, const std::string& what) {
  if (is_own(rule)) fail(Status::usage, "U024", "the record of {} gives {}", rule.name, what);
  fail(Status::bug, "B001", "{}: {}", rule.name, what);
}

Var fitted(Var derivative, Var of, const Op& rule) {
  if (of.tape->shape_id(derivative.id) != of.tape->shape_id(of.id))
    refuse_derivative(rule, fmt::format("a derivative of shape {} for {} of shape {}",
                                        to_string(derivative.shape()), of.tape->label(of.id),
                                        to_string(of.shape())));
  const ExtentId have = derivative.extent(), want = of.extent();
  if (have == want) return derivative;
  if (want == kShared) return sum_items(derivative);
  if (have == kShared) return to_items(derivative, want);
  refuse_derivative(
      rule, fmt::format("a derivative for other items than those of {}", of.tape->label(of.id)));
}

void check_directions(std::span<const Var> of, std::span<const Var> directions, const Tape& tape) {
  for (std::size_t i = 0; i < directions.size(); ++i) {
    const Var& d = directions[i];
    if (!d) continue;
    last_of({&d, 1}, tape);
    if (!(d.shape() == of[i].shape()))
      fail(Status::bad_input, "G020", "a direction of shape {} for {} of shape {}",
           to_string(d.shape()), tape.label(of[i].id), to_string(of[i].shape()));
    if (d.per_example() && of[i].per_example() && d.extent() != of[i].extent())
      fail(Status::bad_input, "G020", "a direction for other items than those of {}",
           tape.label(of[i].id));
  }
}

void require_no_symbol(Var loss) {
  if (loss && loss.tape->category(loss.id) != 0)
    fail(Status::bad_input, "G023", "a loss is a number, \"{}\" is a symbol",
         printable(loss.tape->label(loss.id), 80));
}

NodeId last_of(std::span<const Var> vars, const Tape& tape) {
  NodeId last = -1;
  for (const Var& v : vars) {
    if (!(v.tape == &tape) || v.id < 0 || v.id >= tape.size())
      fail(Status::usage, "G023", "a gradient was asked for a variable of another graph");
    last = std::max(last, v.id);
  }
  return last;
}

}  // namespace taugrad
