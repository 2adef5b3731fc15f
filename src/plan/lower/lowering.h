#pragma once

#include <array>
#include <map>
#include <vector>

#include "base/index.h"
#include "plan/lower/region_program.h"
#include "plan/memory/buffers.h"
#include "plan/plan.h"
#include "plan/plan_builder.h"

namespace taugrad::plan {

/// Floating-point operations for one row (executor.h says how they count), and whose rows they are.
struct Work {
  std::int64_t operations;
  ExtentId extent;
};
Work work_of(const Tape& tape, NodeId id);

/// Numbers of the plan's copies of what the tape interns, by the tape's own numbers.
class Copies {
 public:
  /// The number for `id`; `add()` makes the copy the first time.
  template <class Add>
  std::uint32_t number(std::size_t id, Add&& add) {
    if (id >= number_.size()) number_.resize(id + 1);
    if (number_[id] == 0) {
      add();
      number_[id] = ++count_;
    }
    return number_[id] - 1;
  }

 private:
  std::vector<std::uint32_t> number_;  // plus 1; 0: not copied
  std::uint32_t count_ = 0;
};

/// A plan before values that live at different times share slots: each value's slot is the number
/// of its storage.
template <class S>
struct Emission {
  Plan<S> plan;
  Column<Storage> storages;
  std::int32_t together = 1;  ///< steps of a sequence between two cuts of a region
};

/// All passes in their order. @param long_sum  PlanBuilder::long_sum
template <class S>
Emission<S> emit(const Tape& tape, std::span<const NodeId> outputs, PassSet passes,
                 std::span<const std::uint8_t> long_sum = {});

/// Gives the values of an emission their slots.
template <class S>
void place(Emission<S>& emission, PassSet passes);

/// Writes the plan of a finished draft: values, then steps in the order of their keys.
template <class S>
class Lowering {
 public:
  explicit Lowering(const PlanBuilder& draft);
  Emission<S> make();

 private:
  /// What becomes one step, or part of one.
  struct Unit {
    static constexpr std::int32_t kNode = 1 + static_cast<std::int32_t>(kMostTerms),
                                  kRegion = kNode + 1;
    bool product() const { return rank < kNode; }
    Key key;
    std::int32_t rank;  ///< within a key: products, those that add in their turn, nodes, regions
    std::int32_t type;  ///< of products; number of a region or a node
    NodeId node;
    bool operator<(const Unit& u) const {
      if (key != u.key) return key < u.key;
      if (rank != u.rank) return rank < u.rank;
      return type != u.type ? type < u.type : node < u.node;
    }
  };
  Value& value(NodeId id) { return plan_.values[at(value_[at(id)])]; }
  bool on(Pass pass) const { return draft_.passes.has(pass); }

  // values.cpp: where values lie
  void add_values();
  void place_value(NodeId id);
  void add_value(NodeId id);
  void add_leaf(NodeId id);
  void add_view(NodeId id);
  void add_part(NodeId id);
  std::uint32_t add_shape(NodeId id);
  std::uint32_t add_attrs(NodeId id);
  std::uint32_t add_name(NodeId id);
  std::int32_t add_owner(NodeId id);

  // emitter.cpp: units in their order
  void sort_regions();
  std::vector<Unit> units() const;
  void add_unit(const Unit& unit);
  void read(Step<S>& step, ValueId v);
  void finish(const Step<S>& step, std::initializer_list<ValueId> written = {});
  std::int32_t next() const { return static_cast<std::int32_t>(plan_.steps.size()); }
  Storage& storage(ValueId v) { return storages_[at(plan_.values[at(v)].slot)]; }
  Step<S> step_of(NodeId id, Form form);
  void add_products(std::span<const Unit> units);
  void add_job(NodeId id);
  void add_region(const Unit& unit);
  void add_node(NodeId id);
  void add_forward(NodeId id);
  void count_work();

  // sums.cpp: gradients of weights
  void add_sum(NodeId id);
  bool list_terms(NodeId id);
  void continue_sum(NodeId id, bool begun, Step<S>& step);
  bool add_terms(NodeId id, Form form, bool accumulate);

  // packing.cpp
  std::int32_t pack(const Product& p);
  bool is_rounded(NodeId id) const;
  std::int32_t pack_taps(NodeId id);
  std::int32_t pack_matrices(ValueId from, PackedMatrix m, std::int64_t count);

  const PlanBuilder& draft_;
  const Tape& tape_;
  Plan<S> plan_;
  std::vector<ValueId> value_;  // by node; -1: none
  Column<Storage> storages_;
  ProgramWriter<S> programs_;
  std::vector<std::uint32_t> region_first_;  // of its nodes in region_node_, by region
  std::vector<NodeId> region_node_;
  std::vector<NodeId> terms_;  // of the sum at hand
  /// of sums in parts, by owner: where an open block is kept, and the step before
  std::map<NodeId, std::pair<ValueId, std::int32_t>> open_sums_;
  std::map<std::array<std::int64_t, 7>, std::int32_t>
      packed_;  // first panels of a place's matrices
  // by value: the step whose job last wrote to it, and that job's type
  std::vector<std::pair<std::int32_t, std::int32_t>> added_;
  Key last_key_ = 0;  // of the unit before
  Copies shapes_, attrs_, names_;
  std::map<const Op*, std::size_t> op_numbers_;
};

}  // namespace taugrad::plan
