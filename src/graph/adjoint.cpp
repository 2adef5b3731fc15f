#include "graph/adjoint.h"

#include "base/index.h"
#include "graph/gradient_order.h"
#include "taugrad/graph/op.h"

namespace taugrad {
namespace {

bool is_gradient(const Tape& tape, NodeId id) {
  return tape.is_value(id) && tape.name(id).starts_with("grad:") && !tape.inputs(id).empty();
}

}  // namespace

bool has_gradients(const Tape& tape) {
  if (has_gradient_orders(tape)) return true;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (is_gradient(tape, id)) return true;
  return false;
}

std::vector<NodeId> sinks(const Tape& tape) {
  std::vector<char> read(at(tape.size()), 0);
  for (NodeId id = 0; id < tape.size(); ++id)
    for (const NodeId in : tape.inputs(id)) read[at(in)] = 1;
  std::vector<NodeId> ids;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (!read[at(id)]) ids.push_back(id);
  return ids;
}

// Of a file that does not tell orders, by names. Backwards: what a gradient needs, and what
// anything else needs. The second does not look through a gradient, so that a step down the
// gradient (W - 0.1 dW) is no reason to take dW for forward.
std::vector<char> adjoint_nodes(const Tape& tape) {
  if (has_gradient_orders(tape)) return gradient_orders(tape);
  std::vector<char> adjoint(at(tape.size()), 0);
  if (!has_gradients(tape)) return adjoint;
  std::vector<char> forward(at(tape.size()), 0);
  for (const NodeId id : sinks(tape)) forward[at(id)] = !is_gradient(tape, id);
  for (NodeId id = tape.size() - 1; id >= 0; --id) {
    const bool gradient = is_gradient(tape, id);
    if (gradient) forward[at(id)] = 0, adjoint[at(id)] = 1;
    if (!gradient && (tape.is_value(id) || tape.op(id).traits.leaf)) forward[at(id)] = 1;
    for (const NodeId in : tape.inputs(id)) {
      if (forward[at(id)]) forward[at(in)] = 1;
      if (adjoint[at(id)]) adjoint[at(in)] = 1;
    }
  }
  for (NodeId id = 0; id < tape.size(); ++id)
    if (forward[at(id)]) adjoint[at(id)] = 0;
  return adjoint;
}

}  // namespace taugrad
