#include "taugrad/graph/reachable.h"

namespace taugrad {

std::vector<char> reachable(const Tape& tape, std::span<const NodeId> outputs) {
  std::vector<char> mark(static_cast<std::size_t>(tape.size()), 0);
  for (const NodeId id : outputs) {
    tape.check(id);
    mark[static_cast<std::size_t>(id)] = 1;
  }
  for (NodeId id = tape.size() - 1; id >= 0; --id)  // users come after their inputs
    if (mark[static_cast<std::size_t>(id)])
      for (const NodeId in : tape.inputs(id)) mark[static_cast<std::size_t>(in)] = 1;
  return mark;
}

}  // namespace taugrad
