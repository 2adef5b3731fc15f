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
    bool splat;
    Ref out, a, b, c;
    S lo, hi;
  };

  void write_node(NodeId id);
  void write_sum(NodeId id, std::span<const Ref> terms);
  Ref operand(const Read& read, NodeId user);
  Ref stream(ValueId value, bool splat);
  Ref constant(double value);
  Ref tile() { return {Ref::Kind::tile, tiles_++}; }
  Ref result(NodeId id);
  void append(kernels::TileOp op, Ref out, Ref a, Ref b = {}, Ref c = {});
  void share_registers();
  std::string signature() const;
  RegionProgram<S> finish() const;
  std::uint16_t place(const Ref& ref) const;

  const PlanBuilder& draft_;
  const std::vector<ValueId>& value_;
  std::vector<RegionProgram<S>>& programs_;
  std::vector<Ref> ref_;  // by node, of the region at hand
  std::vector<ValueId> streams_;
  std::vector<std::uint8_t> splat_;
  std::vector<std::pair<std::uint16_t, Ref>> splats_;  // tiles that hold a stream of one number
  std::vector<S> constants_;
  std::vector<Line> code_;
  std::uint16_t tiles_ = 0, registers_ = 0;
  std::vector<Ref> terms_;
  std::unordered_map<std::string, std::int32_t> known_;
};

}  // namespace taugrad::plan
