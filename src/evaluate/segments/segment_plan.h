#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/runtime/executor.h"
#include "unfold/segments.h"

/// A sequence that runs a segment after another.                                             (R19)
namespace taugrad::runtime {

/// What segments hand on, of each item of a batch.
template <class S>
struct SegmentState {
  std::vector<StateSlot> slots;
  std::vector<std::vector<S>> values;  ///< by slot: [item, elements...]
  std::vector<std::int64_t> steps;     ///< by item: made so far
};

/// Of a model, so many items: at step 0, values still to be told by a segment that begins there.
template <class S>
SegmentState<S> empty_state(const ResolvedModel& model, std::vector<StateSlot> slots,
                            std::size_t items);
/// Elements of a slot's value.
std::size_t elements_of(const ResolvedModel& model, const StateSlot& slot);

/// An input's or observed variable's value that a segment reads.
struct SegmentRead {
  const std::string& name;
  std::span<const std::int32_t> at;  ///< positions in the whole sequence
  std::size_t item;
};
/// Writes it; what is not there is zero, or absent.
template <class S>
using ReadValue = std::function<void(const SegmentRead&, std::span<S>)>;

struct SegmentShape {
  std::int64_t first = 0;                   ///< steps before: 0, or what Segments::segment takes
  std::int64_t steps = 1;                   ///< the most of any item
  std::vector<std::int64_t> lengths;        ///< of the whole items; of the one cut along, `steps`
  bool ragged = false;                      ///< items of other lengths within these
  std::vector<std::int64_t> of_state = {};  ///< lengths that the state is for; empty: `lengths`
  std::int64_t from = -1, hand_on = -1;     ///< as Segments::segment takes them
};

/// How values are drawn.
struct SegmentDraws {
  double temperature = 1;
  std::int64_t top_k = 0;
  std::set<std::string> given = {};  ///< random variables whose data are scored in every mode
  double top_p = 1;
};

/// The items of a run.
struct SegmentItems {
  std::vector<std::size_t> items;                  ///< numbers in the state, and for ReadValue
  std::vector<std::vector<std::int64_t>> lengths;  ///< [length][of items]; of the cut: steps here
  std::vector<std::int64_t> keys;                  ///< [of items] of the draws
  std::uint64_t seed = 0;
  bool train = false;
  std::map<std::string, double> mixes = {};  ///< probability of the data, of mixed variables
};

/// One segment, unfolded and planned; run on every batch, and where Segments::segment says so on
/// every later segment.
template <class S>
class SegmentPlan {
 public:
  /// @param outputs  the nodes to compute beside the state; may append to the graph
  SegmentPlan(Segments& segments, const SegmentShape& shape, const SegmentDraws& draws,
              const std::function<std::vector<NodeId>(const Unfolded&)>& outputs,
              const ExecutorOptions& options);

  /// Weights by name, of any type; those of type S are read in place.
  /// @throws Error (S013) where one is missing or does not fit
  void bind(const Tensors& weights);
  /// Reads and renews the items' state. @throws whatever `read` throws
  void run(const SegmentItems& batch, SegmentState<S>& state, const ReadValue<S>& read);

  Executor<S>& executor() { return *executor_; }  ///< its first outputs are those asked for
  const Unfolded& unfolded() const { return *unfolded_; }
  /// Lets the graph go, which runs do not need.
  void forget_graph() { unfolded_.reset(); }
  std::int64_t first() const { return segment_.first; }
  bool moves() const { return segment_.moves; }

 private:
  struct Leaf {
    NodeId id;
    std::string name;
    std::vector<std::int32_t> at;
    int cut = -1;  ///< axis along the length that is cut
    std::size_t size = 1;
    Shape shape = {};
  };
  void sort_leaves(const Tape& tape);
  void fill(const SegmentItems& batch, const SegmentState<S>& state, const ReadValue<S>& read);
  void take_state(const SegmentItems& batch, SegmentState<S>& state);
  BatchContext context_of(const SegmentItems& batch, const SegmentState<S>& state) const;

  std::shared_ptr<const ResolvedModel> model_;
  Segment segment_;
  std::int64_t hand_on_;
  std::unique_ptr<Unfolded> unfolded_;
  std::unique_ptr<Executor<S>> executor_;
  std::size_t outputs_ = 0;
  std::vector<Leaf> weights_, data_, mixes_;
  std::vector<std::pair<NodeId, std::size_t>> state_;      ///< leaf, number of the slot
  std::vector<std::pair<std::size_t, std::size_t>> told_;  ///< output, number of the slot
  NodeId steps_ = -1;
};

}  // namespace taugrad::runtime
