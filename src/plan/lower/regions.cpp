// Fused nodes that read each other at one stage form a region.
#include <numeric>

#include "plan/lower/region_cuts.h"
#include "plan/plan_builder.h"

namespace taugrad::plan {
namespace {

class Regions {
 public:
  explicit Regions(PlanBuilder& draft)
      : draft_(draft), parent_(static_cast<std::size_t>(draft.size())) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  void run() {
    each_read([&](NodeId x, NodeId id) {
      if (together(x, id)) parent_[PlanBuilder::at(find(x))] = find(id);
    });
    number();
    each_read([&](NodeId x, NodeId id) {
      if (draft_.region[PlanBuilder::at(x)] != draft_.region[PlanBuilder::at(id)])
        draft_.stored[PlanBuilder::at(x)] = 1;
    });
    for (const NodeId id : draft_.outputs) draft_.stored[PlanBuilder::at(id)] = 1;
  }

 private:
  template <class Body>
  void each_read(const Body& body) const {
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[PlanBuilder::at(id)]) continue;
      draft_.each_read(id, [&](const Read& read) { body(read.node, id); });
    }
  }

  bool together(NodeId x, NodeId id) const {
    return draft_.form[PlanBuilder::at(x)] == Form::fused &&
           draft_.form[PlanBuilder::at(id)] == Form::fused &&
           draft_.key[PlanBuilder::at(x)] == draft_.key[PlanBuilder::at(id)] &&
           draft_.same_tiles(x, id);
  }

  NodeId find(NodeId id) {
    while (parent_[PlanBuilder::at(id)] != id)
      id = parent_[PlanBuilder::at(id)] = parent_[PlanBuilder::at(parent_[PlanBuilder::at(id)])];
    return id;
  }

  /// Numbers in tape order; a long region is cut along the tape.
  void number() {
    for (NodeId id = 0; id < draft_.size(); ++id) parent_[PlanBuilder::at(id)] = find(id);
    RegionCuts cuts(draft_, parent_);
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[PlanBuilder::at(id)] || draft_.form[PlanBuilder::at(id)] != Form::fused)
        continue;
      draft_.region[PlanBuilder::at(id)] = cuts.number(id);
    }
    draft_.regions = cuts.regions();
    draft_.together = cuts.together();
  }

  PlanBuilder& draft_;
  std::vector<NodeId> parent_;
};

}  // namespace

void form_regions(PlanBuilder& draft) { Regions(draft).run(); }

}  // namespace taugrad::plan
