#pragma once

#include <span>
#include <vector>

#include "base/index.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

/// What the sweeps over the tape share: reverse mode runs backwards, forward mode forwards.
namespace taugrad {

/// Nodes emitted while it lives belong to the variables of their primals, whatever steps are open;
/// then the owner is as before.
class OwnerScope {
 public:
  explicit OwnerScope(Tape& tape)
      : tape_(tape),
        name_(tape.owner_name()),
        index_(tape.owner_index()),
        heed_(tape.heed_steps(false)) {}
  ~OwnerScope() {
    tape_.set_owner(name_, index_);
    tape_.heed_steps(heed_);
  }
  OwnerScope(const OwnerScope&) = delete;
  OwnerScope& operator=(const OwnerScope&) = delete;
  void enter(NodeId id) { tape_.set_owner(tape_.name_id(id), tape_.index_id(id)); }

 private:
  Tape& tape_;
  NameId name_;
  IndexId index_;
  bool heed_;
};

/// 1 for each node up to `last` whose value depends differentiably on one of wrt.
std::vector<char> depends_on(const Tape& tape, std::span<const Var> wrt, NodeId last);

/// The largest order of a derivative (gradient_order.h) on any way from wrt to the outputs.
int order_through(const Tape& tape, std::span<const Var> outputs, std::span<const Var> wrt);

/// The derivative of `of` in the form of `of`: a share per example of what is not is summed over
/// the items, a share of all items is given to each. @throws Error (bug) on another shape or other
/// items
Var fitted(Var derivative, Var of, const Op& rule);

/// Cotangents or tangents of `of`, one each (empty Vars: none). @throws Error (G020) where shape or
/// items differ, (G023) for one of another tape
void check_directions(std::span<const Var> of, std::span<const Var> directions, const Tape& tape);

/// What is asked of a gradient beside what it is of.
struct SweepOptions {
  /// The node whose vjp is made wrong on purpose, so that a check can be seen to fail; -1: none.
  NodeId spoiled = -1;
  double factor = 1.01;  ///< of what it gives to each of its inputs
  bool named = true;     ///< the first gradient of W[3] is called `grad:W`[3]
};
Gradients gradient(std::span<const Var> outputs, std::span<const Var> cotangents,
                   std::span<const Var> wrt, const SweepOptions& options);

/// @throws Error (G023) for a loss that is a category
void require_no_symbol(Var loss);

/// The largest id, or -1. @throws Error (G023) where a Var is empty or of another tape
NodeId last_of(std::span<const Var> vars, const Tape& tape);

}  // namespace taugrad
