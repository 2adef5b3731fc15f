#include "autodiff/structural_zeros.h"
#include "autodiff/sweep.h"
#include "base/fail.h"
#include "graph/gradient_order.h"
#include "graph/verified.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/ops.h"

// Forward mode: the tape in order, each node's tangent from those of its inputs.
namespace taugrad {
namespace {

Var zeros_of(Var v) { return constant(*v.tape, 0, v.shape(), v.extent()); }

// The jvp of a linear op is the op itself, a tangent that is not there being zero.
Var linear_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars moved(xdot.begin(), xdot.end());
  for (std::size_t i = 0; i < moved.size(); ++i)
    if (!moved[i]) moved[i] = zeros_of(p.in[i]);
  return taugrad::apply(p.out.op(), moved, p.attrs());
}

// The product rule: one input moves at a time.
Var bilinear_jvp(const Primal& p, std::span<const Var> xdot) {
  Vars terms;
  for (std::size_t i = 0; i < xdot.size(); ++i) {
    if (!xdot[i]) continue;
    Vars moved = p.in;
    moved[i] = xdot[i];
    terms.push_back(taugrad::apply(p.out.op(), moved, p.attrs()));
  }
  // of a shared operand the term may be shared where the other's is per example
  for (Var& term : terms) term = fitted(term, p.out, p.out.op());
  return terms.size() == 1 ? terms[0] : add_n(terms);
}

Var push(const Primal& p, std::span<const Var> xdot) {
  const Op& op = p.out.op();
  if (op.jvp) return op.jvp(p, xdot);
  if (op.traits.linear) return linear_jvp(p, xdot);
  if (op.traits.bilinear) return bilinear_jvp(p, xdot);
  fail(Status::usage, "U024", "{} has no forward mode: its record lacks a jvp", op.name);
}

class ForwardSweep {
 public:
  ForwardSweep(Tape& tape, std::span<const Var> outputs)
      : tape_(tape),
        dot_(at(tape.size())),
        needed_(reachable(tape, ids_of(outputs))),
        zeros_(tape, needed_) {}

  void seed(Var v, Var tangent) {
    const Var t = fitted(tangent, v, v.op());
    dot_[at(v.id)] = dot_[at(v.id)] ? dot_[at(v.id)] + t : t;
  }

  void run(NodeId last) {
    OwnerScope owner(tape_);
    for (NodeId id = 0; id <= last; ++id) {
      if (!needed_[at(id)] || tape_.op(id).traits.discrete || !gather(id)) continue;
      owner.enter(id);
      const bool given = static_cast<bool>(dot_[at(id)]);
      const Var ydot = zeros_.push(primal_, xdot_, push);
      if (ydot) seed(primal_.out, ydot);
      if (given) zeros_.whole(id);
    }
  }
  Var of(Var v) const { return dot_[at(v.id)] ? dot_[at(v.id)] : zeros_of(v); }

 private:
  static std::vector<NodeId> ids_of(std::span<const Var> vars) {
    std::vector<NodeId> ids;
    for (const Var& v : vars) ids.push_back(v.id);
    return ids;
  }

  // the node with its inputs and their tangents; false where none moves
  bool gather(NodeId id) {
    bool moves = false;
    primal_.out = tape_.var(id);
    primal_.in.clear();
    xdot_.clear();
    for (const NodeId in : tape_.inputs(id)) {
      primal_.in.push_back(tape_.var(in));
      xdot_.push_back(dot_[at(in)]);
      moves = moves || xdot_.back();
    }
    return moves;
  }

  Tape& tape_;
  std::vector<Var> dot_;
  std::vector<char> needed_;
  ForwardZeros zeros_;
  Primal primal_;
  Vars xdot_;
};

}  // namespace

Vars tangent(std::span<const Var> outputs, std::span<const Var> wrt,
             std::span<const Var> tangents) {
  if (outputs.empty()) return {};
  if (wrt.size() != tangents.size())
    fail(Status::usage, "G023", "{} tangents for {} variables", tangents.size(), wrt.size());
  if (!outputs[0].tape) fail(Status::usage, "G023", "a tangent needs a variable to follow");
  Tape& tape = *outputs[0].tape;
  last_of(wrt, tape);
  last_of(tangents, tape);
  check_directions(wrt, tangents, tape);
  const NodeId first = tape.size(), last = last_of(outputs, tape);
  // forward mode through a gradient is a part of its derivative, else of the forward pass
  const int through = order_through(tape, outputs, wrt);
  const GradientOrderScope order(tape, through > 0 ? through + 1 : 0);
  ForwardSweep sweep(tape, outputs);
  for (std::size_t i = 0; i < wrt.size(); ++i) sweep.seed(wrt[i], tangents[i]);
  sweep.run(last);
  Vars result;
  for (const Var& v : outputs) result.push_back(sweep.of(v));
  verify_rewritten(tape, first);
  return result;
}

Vars tangent(std::initializer_list<Var> outputs, std::initializer_list<Var> wrt,
             std::initializer_list<Var> tangents) {
  return tangent(std::span(outputs), std::span(wrt), std::span(tangents));
}

Var tangent(Var output, Var wrt, Var along) {
  return tangent(std::span<const Var>(&output, 1), {&wrt, 1}, {&along, 1}).front();
}

}  // namespace taugrad
