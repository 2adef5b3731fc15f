// When each node runs.
#include <algorithm>
#include <map>

#include "plan/plan_builder.h"
#include "rewrite/checkpoint.h"

namespace taugrad::plan {
namespace {

constexpr int kMostTypes = 64;   ///< of products that are told apart
constexpr int kMostRounds = 64;  ///< then groups that still wait for each other are dissolved

class Levels {
 public:
  explicit Levels(PlanBuilder& draft) : draft_(draft) {
    number_groups();
    latest_.resize(groups_.size());
  }

  void run() {
    if (draft_.passes.has(Pass::time)) find_free();
    for (int round = 0; sweep(); ++round)
      if (round >= kMostRounds) dissolve();
  }

 private:
  void number_groups() {
    for (Product& p : draft_.products) {
      const std::int32_t phase = draft_.phase.empty() ? 0 : draft_.phase[at(p.node)];
      const auto next = static_cast<std::int32_t>(groups_.size());
      p.group = groups_.try_emplace({p.type, phase}, next).first->second;
    }
  }

  /// A product that depends on no other of its group is free: all free ones of a group can run
  /// together. A set of types fits one word; each phase begins with none.
  void find_free() {
    std::vector<std::uint64_t> types(static_cast<std::size_t>(draft_.size()));
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[at(id)]) continue;
      std::uint64_t& set = types[at(id)];
      if (&draft_.tape.op(id) == &kAfter) continue;
      draft_.each_read(id, [&](const Read& r) { set |= types[at(r.node)]; });
      const std::int32_t number = draft_.product[at(id)];
      if (number < 0) continue;
      Product& p = draft_.products[static_cast<std::size_t>(number)];
      if (p.type >= kMostTypes) continue;
      const std::uint64_t bit = std::uint64_t{1} << p.type;
      p.free = (set & bit) == 0;
      set |= bit;
    }
  }

  /// One pass over the tape; whether free products had to be moved to a later level.
  bool sweep() {
    moved_.clear();
    for (NodeId id = 0; id < draft_.size(); ++id)
      if (draft_.needed[at(id)]) draft_.key[at(id)] = key_of(id);
    return !moved_.empty();
  }

  void dissolve() {
    for (Product& p : draft_.products)
      if (std::ranges::find(moved_, p.group) != moved_.end()) p.free = false;
  }

  Key key_of(NodeId id) {
    const Form form = draft_.form[at(id)];
    if (form == Form::leaf) return 0;
    if (form == Form::rows) return key_of_product(id);
    Key key = 0;
    draft_.each_read(id, [&](const Read& r) {
      key = std::max(key, form == Form::fused || form == Form::again ? after(r.node, id)
                                                                     : draft_.key[at(r.node)]);
    });
    const bool step =
        form != Form::fused && form != Form::again && form != Form::view && form != Form::placed;
    return step ? next_stage(key) : key;
  }

  /// Fused nodes of one shape share a stage.
  Key after(NodeId x, NodeId id) const {
    const Key key = draft_.key[at(x)];
    const Form form = draft_.form[at(x)];
    if (form == Form::leaf || form == Form::again) return key;
    return form == Form::fused && draft_.same_tiles(x, id) ? key : next_stage(key);
  }

  Key key_of_product(NodeId id) {
    const Product& p = draft_.products[static_cast<std::size_t>(draft_.product[at(id)])];
    const Key key = next_level(std::max(draft_.key[at(p.a)], draft_.key[at(p.matrix)]));
    if (!p.free) return key;
    Key& latest = latest_[static_cast<std::size_t>(p.group)];
    if (key > latest) {
      if (latest > 0) moved_.push_back(p.group);
      latest = key;
    }
    return latest;
  }

  PlanBuilder& draft_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> groups_;  // by type and phase
  std::vector<Key> latest_;          // of the free products, by group
  std::vector<std::int32_t> moved_;  // groups whose free products moved in this sweep
};

}  // namespace

void set_levels(PlanBuilder& draft) { Levels(draft).run(); }

}  // namespace taugrad::plan
