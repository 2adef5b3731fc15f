#include "rewrite/rounding.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "autodiff/sweep.h"
#include "graph/verified.h"
#include "ops/kernel.h"
#include "ops/rules.h"
#include "rewrite/tape_copy.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

struct Round {
  template <class S>
  S operator()(S x) const {
    using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
    constexpr int kCut = sizeof(S) == 4 ? 16 : 45;
    if (x != x) return x;
    const Bits bits = std::bit_cast<Bits>(x);
    const Bits half = (Bits{1} << (kCut - 1)) - 1 + ((bits >> kCut) & 1);
    return std::bit_cast<S>((bits + half) & ~((Bits{1} << kCut) - 1));
  }
};

class Rounding {
 public:
  explicit Rounding(const Tape& tape, std::span<const NodeId> outputs)
      : tape_(tape),
        marked_(reachable(tape, outputs)),
        copy_(tape),
        kept_(marked_.size(), -1),
        rounded_(marked_.size(), -1) {}

  Rewritten run(std::span<const NodeId> outputs, NodeId last) {
    Rewritten result{copy_.graph(), {}, {}, -1};
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (marked_[at(id)]) keep(id);
      if (id == last) result.last = result.graph.size() - 1;
    }
    for (const NodeId id : outputs) result.outputs.push_back(kept_[at(id)]);
    original_.resize(at(result.graph.size()), -1);
    result.original = std::move(original_);
    verify_rewritten(result.graph.tape());
    return result;
  }

 private:
  void keep(NodeId id) {
    const Op* op = &tape_.op(id);
    const bool product = op == &kMatmul || op == &kStackedMatmul || op == &kOuter ||
                         op == &kOuterSum || op == &kConv;
    std::vector<NodeId> inputs;
    for (const NodeId x : tape_.inputs(id)) inputs.push_back(product ? rounded(x) : kept_[at(x)]);
    kept_[at(id)] = copy_.add(id, inputs, true);
    if (!op->traits.leaf) return;
    original_.resize(at(kept_[at(id)]) + 1, -1);
    original_.back() = id;
  }

  /// Behind what only moves numbers, so that passes find it where it was.
  NodeId rounded(NodeId x) {
    std::vector<NodeId> path;
    for (; rounded_[at(x)] < 0 && moves(x); x = tape_.inputs(x)[0]) path.push_back(x);
    if (rounded_[at(x)] < 0)
      rounded_[at(x)] = &tape_.op(x) == &kOneHot ? kept_[at(x)] : copy_.add_rounded(kept_[at(x)]);
    for (; !path.empty(); path.pop_back()) {
      rounded_[at(path.back())] = copy_.add(path.back(), {&rounded_[at(x)], 1}, false);
      x = path.back();
    }
    return rounded_[at(x)];
  }
  bool moves(NodeId x) const {
    const Op& op = tape_.op(x);
    return tape_.extent_id(x) == kShared && tape_.inputs(x).size() == 1 &&
           (op.traits.view || &op == &kTranspose || &op == &kSlice);
  }

  const Tape& tape_;
  std::vector<char> marked_;
  TapeCopy copy_;
  std::vector<NodeId> kept_, rounded_, original_;
};

}  // namespace

constinit const Op kRound{.name = "round",
                          .about = "y = x to 8 significant bits",
                          .arity = 1,
                          .shape = &one_shape,
                          .forward = {&Map<Round, 1>::run<float>, &Map<Round, 1>::run<double>},
                          .traits = {.elementwise = true}};

Rewritten round_operands(const Tape& tape, std::span<const NodeId> outputs, NodeId last) {
  return Rounding(tape, outputs).run(outputs, last);
}

}  // namespace taugrad
