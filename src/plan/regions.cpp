// Fused nodes that read each other at one stage form a region.
#include <numeric>
#include <unordered_map>

#include "plan/draft.h"

namespace taugrad::plan {
namespace {

constexpr int kMostNodes = 48;  ///< of a region: longer ones are cut

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
    struct Open {
      std::int32_t number;
      int nodes;
    };
    std::unordered_map<NodeId, Open> open;
    for (NodeId id = 0; id < draft_.size(); ++id) {
      if (!draft_.needed[Draft::at(id)] || draft_.form[Draft::at(id)] != Form::fused) continue;
      Open& region = open.try_emplace(find(id), Open{-1, 0}).first->second;
      if (region.number < 0 || region.nodes >= kMostNodes) region = {draft_.regions++, 0};
      ++region.nodes;
      draft_.region[Draft::at(id)] = region.number;
    }
  }

  Draft& draft_;
  std::vector<NodeId> parent_;
};

}  // namespace

void form_regions(Draft& draft) { Regions(draft).run(); }

}  // namespace taugrad::plan
