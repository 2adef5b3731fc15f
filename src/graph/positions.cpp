#include "graph/positions.h"

#include "base/index.h"
#include "taugrad/graph/op.h"

namespace taugrad {
namespace {

constexpr NodeId kNone = -1, kSeveral = -2;

class Positions {
 public:
  Positions(const Tape& tape, const std::vector<char>& adjoint)
      : tape_(tape),
        adjoint_(adjoint),
        owner_(at(tape.size()), kNone),
        leads_to_(at(tape.size()), kNone) {}

  std::vector<NodeId> run() {
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (tape_.index_id(id) != 0) owner_[at(id)] = id;
    find_what_leads_to();
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (is_open(id)) owner_[at(id)] = adjoint_[at(id)] ? of_gradient(id) : of_forward(id);
      if (owner_[at(id)] >= 0 && !tape_.inputs(id).empty() && !adjoint_[at(id)]) touch(id);
    }
    move_products();
    return std::move(owner_);
  }

 private:
  /// Without a name and an index of its own, and computed.
  bool is_open(NodeId id) const {
    return tape_.name(id).empty() && tape_.index_id(id) == 0 && !tape_.inputs(id).empty();
  }
  IndexId position(NodeId owner) const { return tape_.index_id(owner); }
  bool same(NodeId a, NodeId b) const { return a >= 0 && b >= 0 && position(a) == position(b); }
  void merge(NodeId& into, NodeId owner) const {
    if (owner == kNone || same(into, owner)) return;
    into = into == kNone ? owner : kSeveral;
  }

  void find_what_leads_to() {
    for (NodeId id = tape_.size() - 1; id >= 0; --id) {
      if (adjoint_[at(id)]) continue;
      const NodeId to = is_open(id) ? leads_to_[at(id)] : owner_[at(id)];
      for (const NodeId in : tape_.inputs(id))
        if (is_open(in)) merge(leads_to_[at(in)], to);
    }
  }

  static bool tells(const Tape& tape, NodeId in) {
    const std::string_view op = tape.op(in).name;
    return op == "input" || op == "copy";
  }

  NodeId of_forward(NodeId id) const {
    if (leads_to_[at(id)] >= 0) return leads_to_[at(id)];
    NodeId data = kNone, any = kNone;
    for (const NodeId in : tape_.inputs(id)) {
      if (owner_[at(in)] < 0) continue;
      merge(any, owner_[at(in)]);
      if (tells(tape_, in)) merge(data, owner_[at(in)]);
    }
    if (data >= 0) return data;
    return any == kSeveral ? newest(id, false) : any;
  }

  NodeId of_gradient(NodeId id) const {
    const NodeId owner = newest(id, true);
    return owner >= 0 ? owner : newest(id, false);
  }

  /// Of the inputs' positions the one begun last; of gradients, which go back, the one begun first.
  NodeId newest(NodeId id, bool gradients) const {
    NodeId best = kNone;
    for (const NodeId in : tape_.inputs(id)) {
      const NodeId owner = owner_[at(in)];
      if (owner < 0 || (gradients && !adjoint_[at(in)])) continue;
      if (best < 0 || (gradients ? begun(owner) < begun(best) : begun(owner) > begun(best)))
        best = owner;
    }
    return best;
  }

  std::int32_t begun(NodeId owner) const {
    const IndexId p = position(owner);
    return p < begun_.size() ? begun_[p] : 0;
  }
  void touch(NodeId id) {
    const IndexId p = position(owner_[at(id)]);
    if (p >= begun_.size()) begun_.resize(p + std::size_t{1}, 0);
    if (begun_[p] == 0) begun_[p] = ++count_;
  }

  /// A weight times a value of an earlier step belongs to the step that it is computed for, and so
  /// does what is computed of nothing that has a position, where only one step reads it.
  void move_products() {
    std::vector<NodeId> reader(at(tape_.size()), kNone);
    for (NodeId id = tape_.size() - 1; id >= 0; --id) {
      if (adjoint_[at(id)]) continue;
      const NodeId to = reader[at(id)], from = owner_[at(id)];
      if (to >= 0 && is_open(id) && leads_to_[at(id)] != to)
        if (from < 0 || (reads_weight(id) && leads_to_[at(id)] < 0 && begun(to) > begun(from)))
          owner_[at(id)] = to;
      for (const NodeId in : tape_.inputs(id)) merge(reader[at(in)], owner_[at(id)]);
    }
  }
  bool reads_weight(NodeId id) const {
    bool weight = false, data = false;
    for (const NodeId in : tape_.inputs(id)) {
      weight = weight || tape_.op(in).name == "weight" || tape_.op(in).name == "copy";
      data = data || (owner_[at(in)] >= 0 && tells(tape_, in));
    }
    return weight && !data && tape_.op(id).traits.bilinear;
  }

  const Tape& tape_;
  const std::vector<char>& adjoint_;
  std::vector<NodeId> owner_, leads_to_;
  std::vector<std::int32_t> begun_;  // by position: when its first value was computed; 0: never
  std::int32_t count_ = 0;
};

}  // namespace

std::vector<NodeId> position_owners(const Tape& tape, const std::vector<char>& adjoint) {
  return Positions(tape, adjoint).run();
}

}  // namespace taugrad
