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
      if (!draft_.sums(id) && together(x, id)) parent_[at(find(x))] = find(id);
    });
    add_sums();
    number();
    each_read([&](NodeId x, NodeId id) {
      if (draft_.region[at(x)] != draft_.region[at(id)]) draft_.stored[at(x)] = 1;
    });
    for (const NodeId id : draft_.outputs) draft_.stored[at(id)] = 1;
  }

 private:
  template <class Body>
  void each_read(const Body& body) const {
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[at(id)]) continue;
      draft_.each_read(id, [&](const Read& read) { body(read.node, id); });
    }
  }

  bool together(NodeId x, NodeId id) const {
    return draft_.form[at(x)] == Form::fused && draft_.form[at(id)] == Form::fused &&
           draft_.key[at(x)] == draft_.key[at(id)] && draft_.same_tiles(x, id);
  }

  /// Elements of a tile in which a sum along lines has whole lines; 0: any. What a line's sum is
  /// made of follows from the sum alone.
  std::int64_t tile_of(NodeId id) const {
    if (!draft_.sums(id)) return 0;
    return sum_tile(draft_.patterns[draft_.sum[at(id)] - 1]);
  }

  /// A sum joins the regions that it reads, where its tiles are theirs.
  void add_sums() {
    std::vector<std::int64_t> tile(static_cast<std::size_t>(draft_.size()));  // by root
    std::vector<NodeId> roots;
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[at(id)] || !draft_.sums(id)) continue;
      std::int64_t mine = tile_of(id);
      roots.clear();
      draft_.each_read(id, [&](const Read& read) {
        if (together(read.node, id)) roots.push_back(find(read.node));
      });
      bool fits = true;
      for (const NodeId root : roots) {
        const std::int64_t other = tile[at(root)];
        fits = fits && (mine == 0 || other == 0 || mine == other);
        mine = std::max(mine, other);
      }
      tile[at(id)] = fits ? mine : tile_of(id);
      if (!fits) continue;
      for (const NodeId root : roots) {
        parent_[at(find(root))] = id;
      }
    }
  }

  NodeId find(NodeId id) {
    while (parent_[at(id)] != id) id = parent_[at(id)] = parent_[at(parent_[at(id)])];
    return id;
  }

  /// Numbers in tape order; a long region is cut along the tape.
  void number() {
    for (NodeId id = 0; id < draft_.size(); ++id) parent_[at(id)] = find(id);
    RegionCuts cuts(draft_, parent_);
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[at(id)] || draft_.form[at(id)] != Form::fused) continue;
      draft_.region[at(id)] = cuts.number(id);
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
