#include <map>
#include <tuple>
#include <unordered_map>

#include "fold/fold_shift.h"
#include "fold/folding.h"
#include "graph/tables.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/records.h"

namespace taugrad::folding {
namespace {

bool is_weight_copy(const Tape& tape, NodeId id) {
  return &tape.op(id) == &kCopy && &tape.op(tape.inputs(id)[0]) == &kWeight;
}

// Numbers sets of attributes that say the same: extents, and values of constants, do not count.
class AttrsNumbers {
 public:
  std::size_t number(const Tape& tape, NodeId id) {
    const bool constant = &tape.op(id) == &kConstant;
    const auto [it, fresh] = known_.try_emplace({tape.attrs_id(id), constant}, 0);
    if (fresh) {
      Attrs kept;
      for (const auto& [name, value] : essential(tape.attrs(id)))
        if (!constant || name != "value") kept.set(name, value);
      it->second = interned(std::move(kept));
    }
    return it->second;
  }

 private:
  std::size_t interned(Attrs attrs) {
    const std::uint64_t hash = hash_of(attrs);
    const auto same = [&](std::int64_t i) {
      return same_bits(sets_[static_cast<std::size_t>(i)], attrs);
    };
    if (const std::int64_t i = table_.find(hash, same); i >= 0) return static_cast<std::size_t>(i);
    sets_.push_back(std::move(attrs));
    table_.insert(hash, static_cast<std::int64_t>(sets_.size()) - 1);
    return sets_.size() - 1;
  }

  std::map<std::pair<AttrsId, bool>, std::size_t> known_;
  std::vector<Attrs> sets_;
  HashIndex table_;
};

}  // namespace

Net::Net(const Tape& tape) : tape_(tape), first_{0} {
  AttrsNumbers attrs;
  std::map<std::tuple<const Op*, ShapeId, std::size_t, std::size_t>, std::uint32_t> labels;
  for (NodeId id = 0; id < tape.size(); ++id) {
    std::uint32_t label = 0;
    if (!is_weight_copy(tape, id)) {
      const auto key = std::tuple(&tape.op(id), tape.shape_id(id), attrs.number(tape, id),
                                  tape.inputs(id).size());
      label = labels.try_emplace(key, static_cast<std::uint32_t>(labels.size() + 1)).first->second;
      for (const NodeId in : tape.inputs(id))
        input_.push_back(is_weight_copy(tape, in) ? tape.inputs(in)[0] : in);
    }
    label_.push_back(label);
    first_.push_back(static_cast<std::uint32_t>(input_.size()));
  }
  find_untied();
}

std::span<const NodeId> Net::inputs(NodeId id) const {
  const std::size_t from = first_[at(id)], to = first_[at(id) + 1];
  return std::span<const NodeId>(input_).subspan(from, to - from);
}

bool Net::is_weight(NodeId id) const { return &tape_.op(id) == &kWeight; }
bool Net::is_constant(NodeId id) const { return &tape_.op(id) == &kConstant; }

void Net::find_untied() {
  std::unordered_map<NodeId, int> reads;
  for (const NodeId in : input_)
    if (is_weight(in)) ++reads[in];
  std::unordered_map<std::uint32_t, int> family;  // by label
  for (const auto& [id, count] : reads)
    if (count <= 2) ++family[label(id)];
  maybe_untied_.assign(label_.size(), 0);
  for (const auto& [id, count] : reads)
    maybe_untied_[at(id)] = count <= 2 && family[label(id)] >= 3 ? 1 : 0;
}

}  // namespace taugrad::folding
