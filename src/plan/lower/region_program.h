#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "plan/plan.h"
#include "plan/plan_builder.h"

namespace taugrad::plan {

/// Writes what a region computes as a program. Regions of one structure share it: they differ in
/// their streams.
template <class S>
class ProgramWriter {
 public:
  /// @param value  by node: its value where it has one
  ProgramWriter(const PlanBuilder& draft, const std::vector<ValueId>& value,
                std::vector<RegionProgram<S>>& programs)
      : draft_(draft),
        value_(value),
        programs_(programs),
        ref_(static_cast<std::size_t>(draft.size())) {}

  /// The program of a region's nodes, which come in tape order; `streams()` are its instance's.
  std::int32_t write(std::span<const NodeId> nodes);
  const std::vector<ValueId>& streams() const { return streams_; }

 private:
  /// Where an operand is found: a register before they are shared out, a constant, a stream.
  struct Ref {
    enum class Kind : std::uint8_t { none, tile, constant, stream };
    Kind kind = Kind::none;
    std::uint16_t number = 0;
    bool operator==(const Ref&) const = default;
  };
  struct Line {
    kernels::TileOp op;
    typename Instruction<S>::Kind kind;
    std::uint16_t pattern;
    Ref out, a, b, c;
    S lo, hi;
    std::uint16_t of_a = Instruction<S>::kTiles, of_b = Instruction<S>::kTiles;
    bool from_zero = false;
    bool sums() const {
      return kind == Instruction<S>::Kind::sum || kind == Instruction<S>::Kind::dot;
    }
  };

  void write_node(NodeId id);
  void write_sum(NodeId id, std::span<const Ref> terms);
  void write_sum_of_places(NodeId id, Ref a, Ref b);
  Ref operand(const Read& read, NodeId user);
  Ref made_again(NodeId id);
  void append_product(Ref out, Ref a, Ref b);
  std::uint16_t stream(ValueId value, std::uint32_t pattern);
  Ref spread(ValueId value, std::uint32_t pattern);
  std::uint16_t pattern(std::uint32_t number);
  Ref constant(double value);
  Ref tile() { return {Ref::Kind::tile, tiles_++}; }
  Ref result(NodeId id);
  void append(kernels::TileOp op, Ref out, Ref a, Ref b = {}, Ref c = {});
  // region_fold.cpp
  void fold();
  void fold_patterns(Line& line);
  void fold_sum(Line& line);
  void fold_addition(Line& line);
  void read_factors(Line& line, const Line& product);
  bool fold_pattern(Ref& operand, std::uint16_t& by, std::int64_t& line);
  const Line* single_product(const Ref& operand) const;
  const kernels::Pattern& pattern_of(std::uint16_t local) const {
    return draft_.patterns[patterns_[local]];
  }
  void drop_unread();
  void share_registers();
  std::string signature() const;
  std::int64_t tile_elements() const;
  RegionProgram<S> finish() const;
  std::uint16_t place(const Ref& ref) const;

  const PlanBuilder& draft_;
  const std::vector<ValueId>& value_;
  std::vector<RegionProgram<S>>& programs_;
  std::vector<Ref> ref_;  // by node, of the region at hand
  std::vector<ValueId> streams_;
  std::vector<std::uint32_t> stream_pattern_;          // of the draft; 0: element by element
  std::vector<std::pair<std::uint16_t, Ref>> spread_;  // tiles that hold a stream spread out
  std::vector<std::uint32_t> patterns_;                // of the draft
  std::vector<std::pair<NodeId, Ref>> again_;          // tiles of nodes that each reader makes
  std::vector<std::int32_t> definition_,
      reads_;  // by tile: the line, its readers
  std::int64_t elements_ = 0;
  std::vector<S> constants_;
  std::vector<Line> code_;
  std::uint16_t tiles_ = 0, registers_ = 0;
  std::vector<Ref> terms_;
  std::unordered_map<std::string, std::int32_t> known_;
};

}  // namespace taugrad::plan
