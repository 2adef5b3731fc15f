#include "rewrite/once_each.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/index.h"
#include "graph/verified.h"
#include "rewrite/equal_nodes.h"
#include "rewrite/tape_copy.h"

namespace taugrad {
namespace {

enum class Made : char { apart, of_asked, asked };

/// What is asked for, and what is made of it.
std::vector<Made> made_of_asked(const Tape& tape, const std::set<std::string>& asked) {
  std::vector<Made> made(at(tape.size()), Made::apart);
  for (NodeId id = 0; id < tape.size() && !asked.empty(); ++id) {
    if (tape.is_value(id) && asked.contains(std::string(tape.name(id))))
      made[at(id)] = Made::asked;
    else if (std::ranges::any_of(tape.inputs(id),
                                 [&](NodeId x) { return made[at(x)] != Made::apart; }))
      made[at(id)] = Made::of_asked;
  }
  return made;
}

}  // namespace

OnceEach once_each(const Tape& tape, const std::set<std::string>& asked) {
  const std::vector<NodeId> same = equal_nodes(tape, true);
  const std::vector<Made> made = made_of_asked(tape, asked);
  TapeCopy copy(tape);
  OnceEach result{copy.graph(), std::vector<NodeId>(same.size(), -1)};
  std::vector<NodeId> first(same.size(), -1), inputs;  // by the first of equal ones
  std::map<std::pair<NodeId, std::vector<NodeId>>, NodeId> first_of_asked;  // and what it reads
  for (NodeId id = 0; id < tape.size(); ++id) {
    const auto in = tape.inputs(id);
    inputs.clear();
    for (const NodeId x : in) inputs.push_back(result.nodes[at(x)]);
    NodeId& node = result.nodes[at(id)];
    const bool renames = in.size() == 1 && same[at(id)] == same[at(in[0])];
    NodeId* known = nullptr;
    if (made[at(id)] == Made::apart) known = &first[at(same[at(id)])];
    if (made[at(id)] == Made::of_asked)
      known = &first_of_asked.try_emplace({same[at(id)], inputs}, -1).first->second;
    if (known != nullptr) node = renames ? inputs[0] : *known;
    if (node >= 0) continue;
    node = copy.add(id, inputs, true);
    if (known != nullptr) *known = node;
  }
  verify_rewritten(result.graph.tape());
  return result;
}

}  // namespace taugrad
