#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "taugrad/graph/graph.h"

/// Recurrences that are linear in their state, found in a tape:
///   S[t] = a[t] S[t-1] + k[t] v[t]^T,   y[t] = S[t] q[t]
/// with a number a (a head), or a row or a column of them, however the products are written; and
/// where v[t] holds a product of S[t-1] with a vector.
namespace taugrad {

/// A state is a matrix [m,n] for each of its heads. A vector of each head has m = 1.
struct StateAxes {
  int head = -1, m = -1, n = -1;  ///< axes of its shape; -1: it has none, which counts as size 1
  std::int64_t heads = 1, rows = 1, columns = 1;
};

/// A factor of a product that makes a state, smaller than the state: it broadcasts to it.
struct Factor {
  enum class Kind : std::uint8_t { number, column, row };
  NodeId node;         ///< its elements in order are [heads], [heads,m] or [heads,n]
  Kind kind;           ///< of a column an element a row of the matrix: k of k v^T
  bool below;          ///< divides
  std::int64_t heads;  ///< 1, or those of the state
  bool is_like(const Factor& other) const {
    return kind == other.kind && below == other.below && heads == other.heads;
  }
};

/// A product of such factors, perhaps with a minus.
struct FactorProduct {
  std::vector<Factor> factors;
  bool negative = false;
  /// Of a gate: row or column where it has such factors, number where it has none; none: both.
  std::optional<Factor::Kind> kind() const;
  bool is_like(const FactorProduct& other) const;
  FactorProduct times(const FactorProduct& other) const;
};

/// y = S q, or q S: a sum over the columns, or over the rows, of the state.
struct StateRead {
  NodeId node, query;
  std::size_t step;    ///< place of its state in the chain
  bool over_columns;   ///< y[m] = sum over n of S[m,n] q[n]; else y[n] = sum over m of S[m,n] q[m]
  std::int64_t heads;  ///< of the query: 1, or those of the state
};

/// A line of what is added holds what the state before has under a vector, as the error of a delta
/// rule does:
///   line = rest + scale S[t-1] p,   or rest + scale (a S[t-1]) p
struct Correction {
  Factor::Kind line = Factor::Kind::column;  ///< a column, of a sum over columns, or a row
  StateRead read = {-1, -1, 0, true, 1};     ///< its step says nothing; -1: it has no node
  bool gated = false;                        ///< the state as the gate left it is read
  FactorProduct scale;                       ///< numbers
  std::vector<FactorProduct> rest;           ///< lines and numbers
  std::vector<NodeId> way;     ///< from the read to the state, which is the last of them
  std::vector<NodeId> opened;  ///< the read and what of the line is made of it
  bool is_like(const Correction& other) const;
};

/// state = gate before + added
struct LinearUpdate {
  NodeId state;
  NodeId given;        ///< the state before as it is read: a copy of it, a weight's copy
  NodeId before;       ///< and what it is a copy of
  FactorProduct gate;  ///< numbers, and rows or columns; none: 1
  std::vector<FactorProduct> added;  ///< products of columns, rows and numbers
  std::vector<NodeId> way;     ///< products of its size, among them those between the two states
  std::vector<NodeId> opened;  ///< products of what is added, which is made of their factors
  /// A row or a column of what is added first, which is then not among its factors.
  std::optional<Correction> correction = {};
};

/// States that follow one another. Nothing reads them but the next one and the reads - and the last
/// one what is `whole`.
struct StateChain {
  StateAxes axes;
  std::vector<LinearUpdate> updates;
  std::size_t period = 1;        ///< updates a step, which take turns: those of a turn are alike
  std::vector<StateRead> reads;  ///< in the order of their states
  bool whole = false;            ///< the last state is read as it is
  NodeId first() const { return updates.front().given; }
  /// Of all gates: a number a head, or a row or a column.
  Factor::Kind gate_kind() const;
  /// The first one: all are read alike. Null: there is none.
  const Correction* correction() const;
};

/// All chains of two steps or more that something reads.
/// @param asked  names of variables that are asked for: their values are no states of a chain
std::vector<StateChain> linear_states(const Tape& tape, const std::set<std::string>& asked);

}  // namespace taugrad
