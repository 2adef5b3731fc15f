#pragma once

#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/unfold/unfold.h"
#include "unfold/hoist.h"
#include "unfold/levels.h"
#include "unfold/positions.h"
#include "unfold/segments.h"

namespace taugrad {

/// A block with its nodes numbered and its shapes and attributes known to the target tape.
struct Template {
  struct Step {
    const Op* op;
    int first, count;  ///< inputs, numbers of earlier steps
    ShapeId shape;
    AttrsId attrs;
    int slot;            ///< number of the slot this leaf is, or -1
    NodeId shared = -1;  ///< a constant, placed once
    int dropout = -1;    ///< number of the slot of a dropout that it reads, or -1
  };
  std::vector<Step> steps;
  std::vector<int> inputs;
  std::vector<int> roots;
  std::vector<NodeId> placed;  ///< where it stands now: a node for each step
  std::vector<NodeId> values;  ///< of its roots
};

/// What the copies of one kind of left side have in common (R8).
struct CopyKey {
  std::vector<std::string> letters;  ///< of the axes
  std::vector<int> axes;             ///< index numbers of those that are not at an end
  std::vector<std::string>
      ends;               ///< "tau+1" where the position depends on the item's length, else ""
  bool numbered = false;  ///< every position is a number
  std::vector<int> group = {};  ///< by symbol: number of the group of its copies, or -1
};

/// Where a template is placed.
struct Setting {
  Positions
      at;  ///< by index number; only the letters of the left side and of open reductions count
  ExtentId extent = kEveryItem;
  const Rule* rule = nullptr;  ///< null: a loss term or an end
  CopyKey* copy_key = nullptr;
  Positions copy_at;
};

/// Unfolds a model: places every equation's template at every position, what it reads first.
class Unfolder {
 public:
  /// What stands by levels instead of by steps; levels 0: nothing does.
  struct ByLevel {
    LevelCircle circle;
    std::int64_t levels = 0;
    std::vector<std::vector<NodeId>> values = {};           ///< by symbol and level
    std::map<const Slot*, std::vector<NodeId>> steps = {};  ///< what is read outside, by step
    std::map<std::pair<std::vector<NodeId>, std::int64_t>, NodeId> taken = {};  ///< of it, by level
    std::map<std::pair<std::string, std::int32_t>, NodeId> leaves = {};
  };
  Unfolder(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& options,
           ByLevel by_level);
  Unfolded run();
  /// moved.h
  static Unfolded moved(const Unfolded& u, Graph graph, std::span<const NodeId> nodes);

 private:
  enum class Part { value, arguments, nll, shared };
  struct Task {
    int rule;  ///< shared: number of the hoisted part
    Part part;
    Positions letters;
  };
  struct Done {  ///< what is placed of a rule, by its letters
    PositionTable value = {}, argument0 = {}, argument1 = {}, nll = {}, tried_value = {},
                  tried_arguments = {}, tried_nll = {};
    PositionTable& of(Part p) {
      return p == Part::nll ? nll : p == Part::arguments ? argument0 : value;
    }
    PositionTable& tried(Part p) {
      return p == Part::nll ? tried_nll : p == Part::arguments ? tried_arguments : tried_value;
    }
  };

  // unfolder.cpp: the walk
  void set_lengths(const UnfoldOptions& options);
  void make_templates();
  void make_leaves();
  void make_copy_keys();
  void reserve_nodes();
  void every_position();
  void demand(Task task);
  bool attempt(const Task& task);
  bool place_rule(const Task& task);
  Setting setting_of(const Rule& rule, const Positions& letters);
  NodeId finish_value(NodeId root, const Symbol& symbol, const Setting& setting,
                      const Positions& at);
  Positions position_of(const Rule& rule, const Positions& letters) const;
  std::int32_t shown(std::int32_t at, int index) const;
  IndexId index_at(const Positions& at, const std::vector<int>& axes);
  std::vector<std::string> letters_of(const std::vector<int>& indices) const;

  // parts.cpp: what several positions share
  void make_parts();
  bool place_part(const Task& task);
  NodeId read_part(const Slot& slot,
                   const Setting& setting);  ///< -1: not placed yet (a task is pushed)
  Setting setting_of(const HoistedPart& part, const Positions& letters);
  bool is_part(int block, std::size_t root) const;
  const std::string& name_of(const Task& task) const;

  // random_variables.cpp: values in every mode, likelihoods
  void set_modes();
  const Mode& mode_of(const Symbol& s) const {
    return modes_[static_cast<std::size_t>(&s - model_.symbols.data())];
  }
  bool observed(const Symbol& symbol, const Positions& at) const;
  bool before_data_end(const Symbol& symbol, const Positions& at) const;
  bool scores_data(const Symbol& symbol, const Positions& at) const;
  void place_nll(const Task& task, const Setting& setting);
  NodeId random_value(const Task& task, const Setting& setting);
  Var mixed_with_data(Var value, int symbol, const Positions& at, const Setting& setting);

  // placing.cpp: templates
  bool gather(int block, Setting& setting, std::vector<NodeId>& found);
  bool gather_slot(const Slot& slot, Setting& setting, std::vector<NodeId>& found);
  std::span<NodeId> place(int block, Setting& setting, const std::vector<NodeId>& found,
                          std::size_t& cursor);
  NodeId place_step(int block, Template::Step& step, const std::vector<NodeId>& placed,
                    const Setting& setting);
  NodeId place_reduction(int block, Setting& setting, const std::vector<NodeId>& found,
                         std::size_t& cursor);
  NodeId reduce(const Block& block, const std::vector<NodeId>& terms,
                const std::vector<ExtentId>& extents, ExtentId target);
  Var where_alive(ExtentId alive, ExtentId target, Var a, Var b);
  NodeId chained(const std::string& how, const std::vector<NodeId>& terms,
                 const std::vector<ExtentId>& extents, ExtentId target);
  NodeId stacked(const std::string& how, const std::vector<NodeId>& terms,
                 const std::vector<ExtentId>& extents, ExtentId target);
  NodeId count_of(const Block& block, ExtentId extent);
  NodeId dropped(NodeId a, int block, int slot, const Setting& setting);
  template <class F>
  void each_position(const std::vector<int>& letters, Setting& setting, const F& f);

  // reading.cpp: what stands at a position
  NodeId read(const Slot& slot, const Setting& setting,
              Part part);  ///< -1: not placed yet (a task is pushed)
  NodeId read_at(int symbol, Positions at, ExtentId extent, Part part);
  NodeId read_last(int symbol, const Positions& at, std::size_t axis, int offset, ExtentId extent,
                   Part part);
  NodeId boundaries_at_end(int symbol, const Positions& at, ExtentId extent, Part part,
                           NodeId base);
  const Rule* rule_at(const Symbol& symbol, const Positions& at, Positions& letters) const;
  NodeId instance(const Rule& rule, const Positions& letters, Part part);
  NodeId outside(int symbol, const Positions& at, Part part);
  NodeId given(int symbol, const Positions& at);
  const Attrs& init_of(int number);  // the attributes of a weight: how it begins
  NodeId weight_leaf(int symbol, const Positions& at);
  NodeId copy_of(const Slot& slot, const Setting& setting);
  NodeId copy_at(int symbol, const Positions& at, const Setting& setting);
  std::int32_t place_of(const At& place, int axis, const Setting& setting) const;

  // data_reading.cpp: what stands at positions that data name (R17)
  struct DataAxis {
    std::size_t axis;
    NodeId position;           ///< a number for each item
    std::int64_t first, last;  ///< where it may lie; elsewhere nothing stands
    std::int64_t moved;        ///< what is read lies so far behind it
  };
  NodeId read_data(int symbol, const std::vector<At>& places, const Setting& setting, Part part);
  NodeId gathered(int symbol, const Positions& at, const std::vector<DataAxis>& axes,
                  const Setting& setting, Part part);
  NodeId step_at(int symbol, const Positions& at, const Setting& setting, Part part);
  NodeId computed(const PositionForm& form, const Setting& setting);
  void bound_by_order(const PositionForm& form, const Setting& setting, DataAxis& axis) const;
  DataAxis data_axis(const Symbol& s, std::size_t axis) const;

  // by_level.cpp: equations that stand by levels
  bool stands_by_level(const Task& task) const;
  bool place_from_levels(const Task& task);
  const std::string& letter_of_levels() const;
  ExtentId extent_of_level(std::int64_t level);
  Var places_leaf(const std::string& name, std::int32_t at, ExtentId extent);
  bool place_levels();
  bool gather_steps();
  bool in_circle(const Slot& slot) const;
  bool place_at_level(int rule, std::int64_t level);
  NodeId read_at_level(const Slot& slot, const Setting& setting, std::int64_t level);
  NodeId step_at_level(const std::vector<NodeId>& steps, std::int64_t level, ExtentId extent);

  Unfolded::CopyGroup& copies_of(int symbol, CopyKey& kind);
  NodeId number(double value);
  NodeId length_node(int length, ExtentId extent);
  bool inside(const Symbol& symbol, const Positions& at) const;
  /// At tau+1 of a ragged batch: another position for each item.
  bool ends_with_item(const Rule& rule) const {
    return ends_with_item_[static_cast<std::size_t>(&rule - model_.rules.data())] != 0;
  }
  void find_ends();

  // segment_nodes.cpp: what stands before a segment, and what it hands on
  void begin_segment();
  int axis_cut(const Symbol& s) const {
    return axis_cut_[static_cast<std::size_t>(&s - model_.symbols.data())];
  }
  /// The leaf of a value before the segment; -2: it stands in it, or nothing does there.
  NodeId before_segment(int symbol, const Positions& at, Part part);
  NodeId state_leaf(int symbol, const Positions& at, bool nll);
  NodeId position_number(const Setting& setting, int index);
  bool is_asked(const Rule& rule, const Positions& at, bool nll) const;
  bool is_counted(const Symbol& s, const Positions& at) const;
  bool is_cut(int index) const {
    return segment_.length >= 0 &&
           model_.index_length[static_cast<std::size_t>(index)] == segment_.length;
  }
  std::int64_t first_of_index(int index) const { return is_cut(index) ? segment_.first + 1 : 1; }
  void add_state();
  NodeId handed_on(const StateSlot& slot);
  NodeId placed_at(int symbol, const Positions& at, ExtentId extent, Part part);

  // extents of a ragged batch
  ExtentId extent_of(const std::vector<int>& letters, const Positions& at_by_index);
  ExtentId both(ExtentId a, ExtentId b);
  NodeId fit(NodeId node, ExtentId target);
  std::int32_t bound(ExtentId extent, int length) const;

  // finishing.cpp: loss, ends
  void add_loss();
  void add_ends();
  void drain();
  NodeId total(const std::vector<NodeId>& terms);
  std::vector<NodeId> place_everywhere(int block, const std::vector<int>& letters,
                                       std::int64_t from = 0);

  std::int64_t length_of_index(int index) const {
    return out_
        .lengths_[static_cast<std::size_t>(model_.index_length[static_cast<std::size_t>(index)])];
  }
  std::int64_t shown_length_of_index(int index) const {
    return length_of_index(index) +
           longer_[static_cast<std::size_t>(model_.index_length[static_cast<std::size_t>(index)])];
  }
  bool runs_ragged(int length) const {
    return options_.ragged && model_.fixed_lengths[static_cast<std::size_t>(length)] < 0;
  }
  const Symbol& symbol(int s) const { return model_.symbols[static_cast<std::size_t>(s)]; }
  const Block& block(int b) const { return hoisted_.blocks[static_cast<std::size_t>(b)]; }
  Done& done(const Task& task) {
    return (task.part == Part::shared ? parts_done_ : done_)[static_cast<std::size_t>(task.rule)];
  }
  Done& done(const Rule& rule) {
    return done_[static_cast<std::size_t>(&rule - model_.rules.data())];
  }

  Unfolded out_;
  const ResolvedModel& model_;
  UnfoldOptions options_;
  ByLevel by_level_;
  Segment segment_;                   ///< length -1: the whole sequence
  std::vector<int> axis_cut_;         ///< by symbol: the axis along the segment's length, or -1
  std::vector<std::int64_t> longer_;  ///< by length: what the graph stands for is so much longer
  std::vector<Mode> modes_;           ///< by symbol
  std::vector<char> has_data_;  ///< by symbol: a random variable that the likelihood scores data of
  std::map<int, NodeId> mixes_;  ///< probability of the data, by symbol
  Tape& tape_;
  std::vector<Template> templates_;
  std::vector<Done> done_;
  HoistedBlocks hoisted_;
  std::vector<Done> parts_done_;  ///< of hoisted parts: `value` alone
  std::vector<Task> tasks_;
  std::vector<NodeId> found_;  ///< what place_rule gathers
  std::vector<NodeId> inputs_;
  std::vector<int>
      reduced_;  ///< letters of the reductions that are being placed, the outermost first
  std::vector<NameId> names_;         ///< of symbols, on the tape
  std::vector<CopyKey> copy_keys_;    ///< of rules
  std::map<int, CopyKey> term_keys_;  ///< of loss terms and ends, by block
  std::map<int, std::vector<int>> term_letters_;
  std::vector<char> ends_with_item_;  ///< by rule
  std::vector<AttrsId> categories_;   ///< of symbols; 0: not interned yet
  std::vector<NameId> nll_names_;     ///< of symbols; 0: not interned yet
  std::vector<PositionTable*> values_, nlls_,
      weights_;  ///< of symbols, in the result; null: has none
  std::vector<std::vector<Unfolded::CopyGroup>*> copies_;
  std::vector<PositionTable> given_;  ///< leaves of inputs and observed variables, weights
  std::map<std::pair<int, Positions>, NodeId> zeros_;
  std::unordered_map<double, NodeId> numbers_;
  std::map<int, Attrs> inits_;  // by declaration of a weight
  std::vector<NodeId> length_nodes_;
  std::unordered_map<std::uint64_t, NodeId> fitted_;
  std::map<std::tuple<int, Positions, std::size_t, int, int>, NodeId> lasts_;
  std::map<std::tuple<int, Positions, ExtentId, int>, NodeId> merged_;
  std::map<std::tuple<int, Positions, std::vector<std::int64_t>, ExtentId, int>, NodeId> data_read_;
  std::map<std::tuple<std::string, Positions, ExtentId>, NodeId> computed_;
};

// Calls f at every position of the letters, which setting.at then holds.
template <class F>
void Unfolder::each_position(const std::vector<int>& letters, Setting& setting, const F& f) {
  for (const int index : letters)
    if (length_of_index(index) == 0) return;
  const Positions before = setting.at;  // a reduction may bind a letter of the left side anew
  for (const int index : letters) {
    setting.at[static_cast<std::size_t>(index)] = static_cast<std::int32_t>(first_of_index(index));
    if (first_of_index(index) > length_of_index(index)) return void(setting.at = before);
  }
  while (true) {
    f();
    std::size_t k = letters.size();
    while (k > 0) {  // odometer, the last letter fastest
      const auto index = static_cast<std::size_t>(letters[k - 1]);
      if (++setting.at[index] <= length_of_index(letters[k - 1])) break;
      setting.at[index] = static_cast<std::int32_t>(first_of_index(letters[k - 1]));
      --k;
    }
    if (k == 0) break;
  }
  setting.at = before;
}

/// -log p(y) of a random variable, from the arguments of its distribution (`second`: of a normal).
/// (eq 11-13)
Var nll_of(const Symbol& s, Var y, Var first, Var second, ExtentId extent);

}  // namespace taugrad
