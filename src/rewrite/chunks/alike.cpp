#include "rewrite/chunks/alike.h"

#include <algorithm>

#include "base/index.h"
#include "graph/verified.h"
#include "rewrite/equal_nodes.h"
#include "rewrite/tape_copy.h"

namespace taugrad {
namespace {

/// 1 for what is asked for, and for what is made of it.
std::vector<char> made_of_asked(const Tape& tape, const std::set<std::string>& asked) {
  std::vector<char> mark(at(tape.size()), 0);
  for (NodeId id = 0; id < tape.size() && !asked.empty(); ++id)
    mark[at(id)] = (tape.is_value(id) && asked.contains(std::string(tape.name(id)))) ||
                   std::ranges::any_of(tape.inputs(id), [&](NodeId x) { return mark[at(x)] != 0; });
  return mark;
}

}  // namespace

OnceEach once_each(const Tape& tape, const std::set<std::string>& asked) {
  const std::vector<NodeId> same = equal_nodes(tape, true);
  const std::vector<char> apart = made_of_asked(tape, asked);
  TapeCopy copy(tape);
  OnceEach result{copy.graph(), std::vector<NodeId>(same.size(), -1)};
  std::vector<NodeId> made(same.size(), -1), inputs;  // made: by the first of equal ones
  for (NodeId id = 0; id < tape.size(); ++id) {
    const auto in = tape.inputs(id);
    NodeId& node = result.nodes[at(id)];
    NodeId& known = made[at(same[at(id)])];
    const bool renames = in.size() == 1 && same[at(id)] == same[at(in[0])];
    if (apart[at(id)] == 0) node = renames ? result.nodes[at(in[0])] : known;
    if (node >= 0) continue;
    inputs.clear();
    for (const NodeId x : in) inputs.push_back(result.nodes[at(x)]);
    node = copy.add(id, inputs, true);
    if (apart[at(id)] == 0) known = node;
  }
  verify_rewritten(result.graph.tape());
  return result;
}

}  // namespace taugrad
