#include "rewrite/own_gradients.h"

#include <algorithm>
#include <vector>

#include "autodiff/sweep.h"
#include "rewrite/equal_nodes.h"
#include "taugrad/autodiff/gradient.h"

namespace taugrad {

bool holds_gradients_of(const Graph& work, const Var& loss) {
  Tape& tape = work.tape();
  const NodeId size = tape.size();
  Vars wrt;
  std::vector<NodeId> held;
  for (NodeId id = 0; id < size; ++id) {
    if (!tape.is_value(id) || !tape.name(id).starts_with("grad:")) continue;
    for (const NodeId of : tape.find_values(tape.name(id).substr(5), tape.index(id)))
      if (of < loss.id && std::ranges::equal(tape.letters(of), tape.letters(id))) {
        wrt.push_back(tape.var(of));
        held.push_back(id);
      }
  }
  if (wrt.empty()) return false;
  const Gradients fresh = gradient({&loss, 1}, {}, wrt, SweepOptions{.named = false});
  const std::vector<NodeId> same = equal_nodes(tape, true);
  for (std::size_t i = 0; i < held.size(); ++i)
    if (same[static_cast<std::size_t>(held[i])] != same[static_cast<std::size_t>(fresh[i].id)])
      return false;
  return true;
}

}  // namespace taugrad
