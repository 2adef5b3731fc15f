#include "analysis/states.h"

#include <algorithm>

#include "language/resolve/resolved_model.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/records.h"

namespace taugrad::analysis {
namespace {

/// The deterministic variable that a node is a value of, or null.
const Symbol* deterministic(const ResolvedModel& model, const Tape& tape, NodeId id) {
  if (!tape.is_value(id)) return nullptr;
  const int number = model.find(tape.name(id));
  if (number < 0) return nullptr;
  const Symbol& s = model.symbols[static_cast<std::size_t>(number)];
  return s.kind == SymbolKind::variable && !s.random() ? &s : nullptr;
}

/// What only moves a value from items to items.
bool passes(const Tape& tape, NodeId id) {
  const Op* op = &tape.op(id);
  return !tape.is_value(id) &&
         (op == &kToItems || op == &kRestrictTo || op == &kExtendTo || op == &kAtLength ||
          op == &kIfLength || op == &kAtPosition || op == &kIfPosition);
}

/// The named values that a node reads.
void read_by(const Tape& tape, NodeId reader, std::vector<NodeId>& found) {
  found.assign(tape.inputs(reader).begin(), tape.inputs(reader).end());
  for (std::size_t i = 0; i < found.size(); ++i)
    if (passes(tape, found[i]))
      for (const NodeId in : tape.inputs(found[i])) found.push_back(in);
}

}  // namespace

std::set<std::string> state_names(const Unfolded& u) {
  const Tape& tape = u.graph().tape();
  const ResolvedModel& model = u.model();
  std::set<std::string> names;
  std::vector<NodeId> read;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const std::string_view owner = tape.name(id);
    if (owner.empty() || owner == "loss") continue;
    const int reader = model.find(owner.starts_with("nll:") ? owner.substr(4) : owner);
    if (reader < 0) continue;  // a cotangent
    if (passes(tape, id)) continue;
    read_by(tape, id, read);
    for (const NodeId in : read) {
      const Symbol* s = deterministic(model, tape, in);
      if (!s) continue;
      if (!std::ranges::equal(tape.index(in), tape.index(id)) ||
          model.symbols[static_cast<std::size_t>(reader)].axes != s->axes)
        names.insert(s->name);
    }
  }
  return names;
}

}  // namespace taugrad::analysis
