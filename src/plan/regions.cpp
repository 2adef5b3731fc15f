// Fused nodes that read each other at one stage form a region.
#include <numeric>

#include "plan/draft.h"
#include "plan/region_cuts.h"

namespace taugrad::plan {
namespace {

class Regions {
 public:
  explicit Regions(Draft& draft) : draft_(draft), parent_(static_cast<std::size_t>(draft.size())) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  void run() {
    each_read([&](NodeId x, NodeId id) {
      if (together(x, id)) parent_[Draft::at(find(x))] = find(id);
    });
    number();
    each_read([&](NodeId x, NodeId id) {
      if (draft_.region[Draft::at(x)] != draft_.region[Draft::at(id)])
        draft_.stored[Draft::at(x)] = 1;
    });
    for (const NodeId id : draft_.outputs) draft_.stored[Draft::at(id)] = 1;
  }

 private:
  template <class Body>
  void each_read(const Body& body) const {
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[Draft::at(id)]) continue;
      draft_.each_read(id, [&](const Read& read) { body(read.node, id); });
    }
  }

  bool together(NodeId x, NodeId id) const {
    return draft_.form[Draft::at(x)] == Form::fused && draft_.form[Draft::at(id)] == Form::fused &&
           draft_.key[Draft::at(x)] == draft_.key[Draft::at(id)] && draft_.same_tiles(x, id);
  }

  NodeId find(NodeId id) {
    while (parent_[Draft::at(id)] != id)
      id = parent_[Draft::at(id)] = parent_[Draft::at(parent_[Draft::at(id)])];
    return id;
  }

  /// Numbers in tape order; a long region is cut along the tape.
  void number() {
    for (NodeId id = 0; id < draft_.size(); ++id) parent_[Draft::at(id)] = find(id);
    RegionCuts cuts(draft_, parent_);
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[Draft::at(id)] || draft_.form[Draft::at(id)] != Form::fused) continue;
      draft_.region[Draft::at(id)] = cuts.number(id);
    }
    draft_.regions = cuts.regions();
    draft_.together = cuts.together();
  }

  Draft& draft_;
  std::vector<NodeId> parent_;
};

}  // namespace

void form_regions(Draft& draft) { Regions(draft).run(); }

}  // namespace taugrad::plan
