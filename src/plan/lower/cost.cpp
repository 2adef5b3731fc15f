#include <algorithm>
#include <iterator>

#include "plan/lower/lowering.h"
#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/gated.h"
#include "taugrad/ops/records.h"
#include "taugrad/ops/triangular.h"

namespace taugrad::plan {
namespace {

constexpr const Op* kMoves[] = {&kTranspose,  &kBroadcastTo, &kConcat,   &kSlice,   &kPad,
                                &kStack,      &kOneHot,      &kEmbed,    &kToItems, &kRestrictTo,
                                &kExtendTo,   &kAtLength,    &kIfLength, &kAt,      &kAtPosition,
                                &kIfPosition, &kTakeRows,    &kGiveRows};
constexpr const Op* kPasses[] = {&kSoftmax,   &kLogSoftmax,     &kCentre,
                                 &kNormalize, &kNllCategorical, &kLogSumExp};

/// Multiply-adds behind each element of the result of a product; 0: the op is not one.
std::int64_t depth(const Tape& tape, NodeId id) {
  const Op* op = &tape.op(id);
  const auto in = tape.inputs(id);
  if (op == &kMatmul) {
    const Shape& a = tape.shape(in[0]);
    return a[a.rank() - 1];
  }
  if (op == &kStackedMatmul) {
    const Shape& a = tape.shape(in[0]);
    return a[a.rank() - (tape.attrs(id).has("transpose_a") ? 2 : 1)];
  }
  if (op == &kSolve) return tape.shape(in[0])[tape.shape(in[0]).rank() - 1];  // and a third for LU
  if (op == &kSolveUnitLower) return tape.shape(in[0])[tape.shape(in[0]).rank() - 1] / 2;
  if (op == &kGatedScores || op == &kGatedSums || op == &kGatedSlopes) {
    const Shape& a = tape.shape(in.back());  // a number of a line passes a gate for each pair
    return op == &kGatedScores ? a[a.rank() - 1] : a[a.rank() - 2];
  }
  if (op == &kOuter || op == &kOuterSum) return 1;
  if (op == &kConv && in.size() > 1)
    return tape.shape(in[1]).size() * static_cast<std::int64_t>(in.size() - 1);
  return 0;
}

std::int64_t operations(const Tape& tape, NodeId id) {
  const Op& op = tape.op(id);
  const std::int64_t result = tape.shape(id).size();
  if (const std::int64_t k = depth(tape, id); k > 0) return 2 * k * result;
  const auto listed = [&](auto& list) {
    return std::find(std::begin(list), std::end(list), &op) != std::end(list);
  };
  if (op.traits.leaf || op.traits.view || listed(kMoves)) return 0;
  std::int64_t largest = op.traits.sums_items ? 0 : result;
  for (const NodeId x : tape.inputs(id)) largest = std::max(largest, tape.shape(x).size());
  return largest * (listed(kPasses) ? 4 : 1);
}

}  // namespace

Work work_of(const Tape& tape, NodeId id) {
  ExtentId extent = tape.extent_id(id);
  if (extent == kShared)  // a sum over items works on the items' rows
    for (const NodeId x : tape.inputs(id))
      if (tape.extent_id(x) != kShared) extent = tape.extent_id(x);
  return {operations(tape, id), extent};
}

}  // namespace taugrad::plan
