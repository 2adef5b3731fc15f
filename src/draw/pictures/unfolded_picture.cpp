#include <string>
#include <utility>
#include <vector>

#include "base/index.h"
#include "draw/pictures/scan.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/graph/op.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

// Values that the loss depends on and that have a gradient worth drawing: not data, not terms of
// the loss.
Vars variables_of(Tape& tape, Var loss) {
  const std::vector<NodeId> outputs{loss.id};
  const std::vector<char> used = reachable(tape, outputs);
  Vars wrt;
  for (NodeId id = 0; id <= loss.id; ++id) {
    const bool data = &tape.op(id) == &kInput || &tape.op(id) == &kConstant;
    const bool loss_term = tape.name(id) == "loss" || tape.name(id).starts_with("nll:");
    if (used[at(id)] && tape.is_value(id) && !data && !loss_term) wrt.push_back(tape.var(id));
  }
  return wrt;
}

}  // namespace

Picture picture_of(const Unfolded& unfolded, GraphPictureOptions options) {
  if (options.title.empty()) options.title = unfolded.model().system.name;
  return draw::picture_of(unfolded.graph().tape(), options, draw::kUnfolded);
}

Picture gradient_picture_of(const Unfolded& unfolded, GraphPictureOptions options) {
  const Var loss = unfolded.loss();
  Tape& tape = *loss.tape;
  options.gradient_from = tape.size();
  options.outputs = {loss.id};
  if (const Vars wrt = variables_of(tape, loss); !wrt.empty()) {
    const Gradients gradients = gradient(loss, wrt);
    for (const Var& g : gradients.values()) {
      if (&g.op() != &kConstant) options.outputs.push_back(g.id);
    }
  }
  if (options.title.empty()) options.title = unfolded.model().system.name + ", gradient";
  return picture_of(unfolded, std::move(options));
}

}  // namespace taugrad
