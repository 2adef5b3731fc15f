#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/runtime.h"
#include "taugrad/evaluate/stepper.h"
#include "unfold/segments.h"

namespace taugrad::runtime {

/// Numbers of a batch by name: [others..., batch, shape...].
template <class S>
struct StepTensor {
  std::string name;
  std::vector<std::int64_t> others;  ///< sizes of the axes before the batch
  Shape shape = {};
  bool category = false, shared = false;
  std::vector<S> values = {};
  std::span<S> place = {};  ///< of an output: `values`, or what the caller is shown
};

/// What every step of a Stepper has to do with.
template <class S>
struct StepTensors {
  std::vector<StepTensor<S>> inputs, outputs;
  std::vector<std::vector<S>> state, next;  ///< by slot: [batch, elements]
  std::vector<std::int64_t> steps;          ///< by item
};

/// One step as a graph of its own: the first, one that has equations of its own, or any later one.
/// Every item has it, so that row r of whatever is per example is item r.
template <class S>
class StepPlan {
 public:
  StepPlan(Segments& segments, std::int64_t first, const std::vector<std::int64_t>& lengths,
           const StepperOptions& options, const Tensors& weights, StepTensors<S>& tensors);

  /// Of the items that `mine` marks (null: of all), outputs and next state.
  void run(StepTensors<S>& tensors, const char* mine);
  /// A step of all items whose state is what the last one left here, or take_state brought. The
  /// next state stays here, and in `tensors` is what it was, until give_state.
  void run_on(const StepTensors<S>& tensors);
  void take_state(const StepTensors<S>& tensors);
  void give_state(StepTensors<S>& tensors) const;
  /// Whether run_on can: nothing is drawn, and the next step reads all that one tells.
  bool runs_on() const { return runs_on_; }

 private:
  struct Piece {  ///< a leaf and what fills it, or an output and where it goes: what is told of a
                  ///< state to the leaf of the next step
    std::span<S> leaf = {};
    plan::ValueId value = -1;      ///< of the leaf
    std::size_t output = 0;        ///< of the plan
    std::span<const S> made = {};  ///< its values, found by the first run
    std::size_t tensor = 0;        ///< number of the tensor or slot
    std::size_t offset = 0;        ///< in it
    std::size_t size = 0;          ///< elements of an item; of what is shared all
    bool shared = false;
  };
  struct Copy {
    const S* from;
    S* to;
    std::size_t count;
  };
  void find_outputs(const Unfolded& u, const StepTensors<S>& tensors, std::vector<NodeId>& nodes);
  void add_output(const Unfolded& u, std::size_t number, const StepTensor<S>& t,
                  std::span<const std::int32_t> at, NodeId id, std::vector<NodeId>& nodes);
  void bind(const Unfolded& u, NodeId id, const Tensors& weights);
  void find_input(const Unfolded& u, NodeId id, StepTensors<S>& tensors);
  void warm_up(StepTensors<S>& tensors);
  void find_values(StepTensors<S>& tensors);
  void find_copies(StepTensors<S>& tensors);
  void find_handed_on();
  void find_in_place();
  std::span<S> leaf(NodeId id) { return machine_->leaf(machine_->leaf_value(id)); }
  void take_inputs(const StepTensors<S>& tensors);
  void take(const Piece& p, S* to, const char* mine) const;
  void find_leaves(const Unfolded& u, const Tensors& weights, StepTensors<S>& tensors);

  std::shared_ptr<const ResolvedModel> model_;
  Segment segment_;
  std::int64_t batch_;
  std::unique_ptr<const plan::Plan<S>> plan_;
  std::unique_ptr<Runtime<S>> machine_;
  BatchContext context_;
  std::vector<Piece> inputs_, state_, outputs_, told_;
  std::vector<Piece> copied_;  ///< of told_, what no run writes where the next one reads it
  std::span<S> steps_;
  std::vector<Copy> before_, after_;  ///< of run_on: inputs to leaves; outputs, and copied_
  bool draws_ = false, found_ = false, runs_on_ = false, again_ = false;
};

}  // namespace taugrad::runtime
