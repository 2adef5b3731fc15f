#pragma once

#include <cstdint>
#include <span>

#include "taugrad/graph/op.h"

/// Rows that numbers choose, whatever items they stand for: how the nodes of one level of a tree
/// are put together over all items of a batch, and given back (docs/plan.md, levels).
namespace taugrad {

extern const Op kTakeRows, kGiveRows;

/// The length that counts levels. Its rows are no items: a batch has a list of their own of it,
/// longest first (BatchContext::lengths), and what exists for those of at least l is level l.
inline constexpr const char* kLevelRows = "rows of levels";

/// Row r is row places[r][1] of source number places[r][0], counted from `first`; zeros, or an
/// absent category, where there is none.
/// @param places  [2], for the rows of `extent`
Var take_rows(Var places, std::span<const Var> sources, std::int64_t first, ExtentId extent);
/// The same the other way: a row of what was taken from source number `source` is added to the row
/// that it came from. vjp of take_rows.
Var give_rows(Var a, Var places, std::int64_t source, ExtentId extent);

/// Shares of one value that only add rows of theirs to rows of it - of give_rows, of if_position -
/// become one node for all that agree in all else: what nobody adds is then not moved.
void join_shares(Vars& shares);

}  // namespace taugrad
