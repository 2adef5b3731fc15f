#include "rewrite/checkpoint.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "graph/verified.h"
#include "ops/kernel.h"
#include "rewrite/segments.h"
#include "rewrite/tape_copy.h"
#include "taugrad/graph/op.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

class Checkpointing {
 public:
  Checkpointing(const Tape& tape, std::span<const NodeId> outputs, NodeId last)
      : tape_(tape),
        last_(last),
        marked_(reachable(tape, outputs)),
        cut_(cut(tape, marked_, last)),
        base_(base_nodes(tape)),
        copy_(tape),
        kept_(marked_.size(), -1),
        again_(marked_.size(), -1),
        wrapped_(marked_.size(), {-1, -1}) {}

  Rewritten run(std::span<const NodeId> outputs) {
    find_crossing();
    find_backward_segments();
    find_repeated();
    for (NodeId id = 0; id < tape_.size(); ++id)
      if (marked_[at(id)] && base_[at(id)]) keep_base(id);
    nothing_ = constant(copy_.graph().tape(), 0, {}, kShared).id;
    run_forward();
    run_backward();
    Rewritten result{copy_.graph(), {}, std::move(original_), -1};
    for (const NodeId id : outputs) result.outputs.push_back(kept_[at(id)]);
    result.original.resize(static_cast<std::size_t>(result.graph.size()), -1);
    verify_rewritten(result.graph.tape());
    return result;
  }

 private:
  std::int32_t last_segment() const { return cut_.count - 1; }
  bool shared(NodeId id) const { return tape_.extent_id(id) == kShared; }
  /// A per-example node of the forward part.
  bool forward(NodeId id) const { return id <= last_ && cut_.of[at(id)] >= 0; }

  // ---- what becomes of each node

  /// Values that a later segment reads are kept.
  void find_crossing() {
    crossing_.assign(marked_.size(), 0);
    for (NodeId id = 0; id <= last_; ++id)
      if (marked_[at(id)] && forward(id))
        for (const NodeId x : tape_.inputs(id))
          if (forward(x) && cut_.of[at(x)] < cut_.of[at(id)]) crossing_[at(x)] = 1;
  }

  bool is_repeated(NodeId x) const {
    return forward(x) && !crossing_[at(x)] && cut_.of[at(x)] < last_segment();
  }

  bool backward(NodeId id) const { return id > last_ && marked_[at(id)] && !base_[at(id)]; }

  /// A node of the gradient belongs to the earliest segment whose values it needs; if it needs none
  /// of them, to the segment that needs it first.
  void find_backward_segments() {
    std::vector<char> anywhere(marked_.size(), 0);
    for (NodeId id = last_ + 1; id < tape_.size(); ++id) {
      if (!backward(id)) continue;
      anywhere[at(id)] = 1;
      std::int32_t& segment = cut_.of[at(id)] = last_segment();
      for (const NodeId x : tape_.inputs(id)) {
        const bool last = forward(x) && !crossing_[at(x)];
        if (!last && (!backward(x) || anywhere[at(x)])) continue;
        segment = std::min(segment, cut_.of[at(x)]);
        anywhere[at(id)] = 0;
      }
      if (anywhere[at(id)]) segment = -1;
    }
    for (NodeId id = tape_.size() - 1; id > last_; --id) {
      if (!backward(id)) continue;
      if (cut_.of[at(id)] < 0) cut_.of[at(id)] = last_segment();  // an output
      for (const NodeId x : tape_.inputs(id))
        if (backward(x) && anywhere[at(x)])
          cut_.of[at(x)] = std::max(cut_.of[at(x)], cut_.of[at(id)]);
    }
  }

  void find_repeated() {
    repeated_.assign(marked_.size(), 0);
    for (NodeId id = tape_.size() - 1; id >= 0; --id) {
      const bool reads = marked_[at(id)] && !base_[at(id)] && (id > last_ || repeated_[at(id)]);
      if (!reads) continue;
      for (const NodeId x : tape_.inputs(id))
        if (is_repeated(x) && (id > last_ || cut_.of[at(x)] == cut_.of[at(id)]))
          repeated_[at(x)] = 1;
    }
  }

  /// Needed nodes by segment, in tape order.
  std::vector<std::vector<NodeId>> by_segment(NodeId first, NodeId end) const {
    std::vector<std::vector<NodeId>> lists(static_cast<std::size_t>(cut_.count));
    for (NodeId id = first; id < end; ++id)
      if (marked_[at(id)] && !base_[at(id)]) lists[at(cut_.of[at(id)])].push_back(id);
    return lists;
  }

  // ---- the new tape

  void keep_base(NodeId id) {
    inputs_.clear();
    for (const NodeId x : tape_.inputs(id)) inputs_.push_back(kept_[at(x)]);
    kept_[at(id)] = copy_.add(id, inputs_, true);
    original_.resize(at(kept_[at(id)]) + 1, -1);
    if (tape_.op(id).traits.leaf) original_.back() = id;
  }

  void run_forward() {
    const auto segments = by_segment(0, last_ + 1);
    for (std::int32_t s = 0; s < cut_.count; ++s) {
      for (const NodeId id : segments[at(s)]) {
        inputs_.clear();
        for (const NodeId x : tape_.inputs(id)) {
          const bool direct = forward(x) ? cut_.of[at(x)] == s : shared(x);
          inputs_.push_back(direct ? kept_[at(x)] : wrapped(x));
        }
        kept_[at(id)] = copy_.add(id, inputs_, true);
      }
      begin_phase(s + 1, segments[at(s)], [&](NodeId id) { return crossing_[at(id)] != 0; });
    }
  }

  void run_backward() {
    const auto forward_segments = by_segment(0, last_ + 1);
    const auto segments = by_segment(last_ + 1, tape_.size());
    std::vector<char> handed(marked_.size(), 0);  // to the nodes of an earlier segment
    for (NodeId id = last_ + 1; id < tape_.size(); ++id)
      if (backward(id))
        for (const NodeId x : tape_.inputs(id))
          handed[at(x)] |= x > last_ && !shared(x) && cut_.of[at(x)] > cut_.of[at(id)];
    for (std::int32_t s = last_segment(); s >= 0; --s) {
      for (const NodeId id : forward_segments[at(s)])
        if (repeated_[at(id)]) repeat(id);
      for (const NodeId id : segments[at(s)]) keep_backward(id);
      begin_phase(2 * cut_.count - s, segments[at(s)],
                  [&](NodeId id) { return handed[at(id)] != 0; });
    }
  }

  void repeat(NodeId id) {
    inputs_.clear();
    for (const NodeId x : tape_.inputs(id)) {
      if (is_repeated(x) && cut_.of[at(x)] == cut_.of[at(id)])
        inputs_.push_back(again_[at(x)]);
      else
        inputs_.push_back(!forward(x) && shared(x) ? kept_[at(x)] : wrapped(x));
    }
    again_[at(id)] = copy_.add(id, inputs_, false);
  }

  void keep_backward(NodeId id) {
    inputs_.clear();
    terms_of_.clear();
    for (const NodeId x : tape_.inputs(id)) {
      const bool outside = crossing_[at(x)] || (base_[at(x)] && !shared(x));
      inputs_.push_back(is_repeated(x) ? again_[at(x)] : outside ? wrapped(x) : kept_[at(x)]);
      terms_of_.push_back(base_[at(x)] || x <= last_ ? last_segment() : cut_.of[at(x)]);
    }
    if (shared(id) && &tape_.op(id) == &kAddN && std::ranges::is_sorted(terms_of_, std::greater()))
      nest_terms(id);
    kept_[at(id)] = copy_.add(id, inputs_, true);
  }

  /// a + b + c + d -> ((a + b) + c) + d: what a segment adds to a weight's gradient is a node.
  void nest_terms(NodeId id) {
    for (std::size_t first = 0;;) {
      std::size_t end = first + 1;
      while (end < inputs_.size() && terms_of_[end] == terms_of_[first]) ++end;
      if (end == inputs_.size()) {
        inputs_.erase(inputs_.begin(), inputs_.begin() + static_cast<std::ptrdiff_t>(first));
        return;
      }
      if (end - first > 1)
        inputs_[end - 1] = copy_.add(id, std::span(inputs_).subspan(first, end - first), false);
      first = end - 1;  // the sum so far is the first term of the next one
      terms_of_[first] = terms_of_[end];
    }
  }

  /// From now on what comes from outside waits for those nodes of the segment before.
  template <class Waits>
  void begin_phase(std::int32_t phase, const std::vector<NodeId>& nodes, const Waits& waits) {
    inputs_.assign(1, nothing_);
    for (const NodeId id : nodes)
      if (waits(id)) inputs_.push_back(kept_[at(id)]);
    if (inputs_.size() == 1) return;
    phase_ = phase;
    barrier_ = copy_.add_after(inputs_, phase);
  }

  /// A value of the first tape as this phase sees it.
  NodeId wrapped(NodeId x) {
    const NodeId value = kept_[at(x)];
    if (barrier_ < 0) return value;
    auto& [node, phase] = wrapped_[at(x)];
    if (phase != phase_) {
      const NodeId inputs[] = {value, barrier_};
      node = copy_.add_after(inputs, phase_);
      phase = phase_;
    }
    return node;
  }

  const Tape& tape_;
  NodeId last_;
  std::vector<char> marked_;
  TapeSegments cut_;
  std::vector<char> base_;  // copied as they are
  TapeCopy copy_;
  std::vector<NodeId> kept_, again_;  // by node: its copy, and the one that is computed again
  std::vector<std::pair<NodeId, std::int32_t>> wrapped_;  // by node, of the phase beside it
  std::vector<char> crossing_, repeated_;
  std::vector<NodeId> original_, inputs_;
  std::vector<std::int32_t> terms_of_;
  NodeId nothing_ = -1, barrier_ = -1;
  std::int32_t phase_ = 0;
};

Shape first_shape(std::span<const Shape> in, const Attrs&) {
  require(!in.empty(), "after nothing");
  return in[0];
}

/// Plans move nothing; the reference interpreter copies.
struct First {
  template <class S>
  static void run(const Call<S>& c) {
    const std::int64_t n = c.shape->size();
    for (std::int64_t item = 0; item < c.items; ++item)
      std::copy_n(row(c.in[0], item), n, c.out + item * n);
  }
};

}  // namespace

constinit const Op kAfter{.name = "after",
                          .about = "y = a, once the others are there",
                          .attributes = "phase:integer",
                          .arity = kAnyArity,
                          .shape = &first_shape,
                          .forward = exact_forwards<First>(),
                          .traits = {.view = true, .waits = true}};

Rewritten checkpoint(const Tape& tape, std::span<const NodeId> outputs, NodeId last) {
  return Checkpointing(tape, outputs, last).run(outputs);
}

}  // namespace taugrad
