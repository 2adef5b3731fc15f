#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "rewrite/chunks/chunk_order.h"
#include "rewrite/chunks/lanes.h"
#include "rewrite/tape_copy.h"

namespace taugrad {

/// Writes chunks of states as products. With the steps of a chunk as rows of Q, K and V, and the
/// products of gates a between them
///   L[i,j] = a[j+1] .. a[i],   d[i] = a[1] .. a[i],   w[j] = a[j+1] .. a[C],
/// the reads and the state after it are
///   Y = ((Q K^T) o L) V + d o (Q S^T),   S' = d[C] S + (w o V)^T K.
/// Where gates are rows, L[i,j], d[i] and w[j] are rows too, which go with the queries and keys:
///   Y = A V + (d o Q) S^T,   A[i,j] = sum of Q[i] o L[i,j] o K[j],   S' = S o d[C] + V^T (w o K);
/// where they go with the values, Y[i] = sum over j of (Q K^T)[i,j] L[i,j] o V[j] + d[i] o (Q
/// S^T)[i]. Where they are columns all of that is turned.
/// Where a line of what is added is corrected by the state before under a vector p, with a scale s,
///   V[i] = X[i] + s[i] (d[i] S P[i] + sum over j < i of L[i,j] (P K^T)[i,j] V[j]),
/// V solves (I - s o (P K^T) o L below the diagonal) V = X + s o d o (P S^T). Where the state is
/// read before the gate L[i,j] and d[i] are those of step i - 1.
class ChunkWriter {
 public:
  /// @param kept  by node of the old tape: the one of the new tape that stands for it
  /// @param asked  Lanes
  ChunkWriter(const Tape& from, TapeCopy& copy, std::vector<NodeId>& kept,
              const std::set<std::string>& asked);

  /// Appends what it makes, and notes it in `kept`.
  void write(const StateChain& chain, const Chunk& chunk);

 private:
  /// What is made once of the same.
  enum What { kInverse, kBetween, kFromStart, kToEnd, kMet, kWeighed, kValues, kBefore, kOfSteps };
  /// Reads of which each step has at most one: by step, or none.
  struct Group {
    bool over_columns;
    std::int64_t heads;
    std::vector<const StateRead*> reads;
  };
  /// What is left of the gates of a chunk; empty where there is no gate.
  struct Decays {
    Var between;                  ///< of numbers [h,C,C]
    Var lines;                    ///< of rows or columns the gates themselves [h,C,width]
    Var from_start, to_end, all;  ///< [h,C,1 or width] twice, [h,1,1 or width]
    bool lagging = false;         ///< they count up to the step before
  };

  Var fit(Var v, ExtentId extent) const;
  Var kept(NodeId id) const { return to_.var(kept_[static_cast<std::size_t>(id)]); }
  std::size_t size() const { return chunk_->end - chunk_->first; }
  void begin(const StateChain& chain, const Chunk& chunk);
  ExtentId items_of_chunk() const;
  Var state_before();

  // a row a step: [heads,C,width]
  Var stacked(std::span<const NodeId> nodes, std::int64_t heads, std::int64_t width);
  Var all_lines(std::span<const NodeId> nodes, std::int64_t heads, std::int64_t width);
  using ProductOf = std::function<const FactorProduct&(const LinearUpdate&)>;
  static ProductOf added_of(std::size_t product) {
    return [product](const LinearUpdate& u) -> const FactorProduct& { return u.added[product]; };
  }
  Var multiplied(const ProductOf& of, Factor::Kind kind);
  Var multiplied_in_turn(const ProductOf& of, Factor::Kind kind, std::int64_t width);
  Var factor_line(const Factor& factor);
  Var numbers(const ProductOf& of);
  Var signs(const ProductOf& of);
  std::size_t products() const { return chain_->updates[chunk_->first].added.size(); }
  Var keys(bool over_columns, std::size_t product);
  Var values(bool over_columns, std::size_t product);
  Var of_steps(Var v);

  Var gates();
  Decays decays_of(Var gates);
  Decays decays_of_lines(Var gates);
  std::vector<Group> groups() const;
  bool reads_end(const Group& group) const;
  bool gates_meet_queries(bool over_columns) const;
  Var scores(Var q, Var k, const Decays& decays);
  Var read_in_chunk(Var q, bool over_columns);
  Var read_of(Var q, Var k, Var v, bool over_columns);
  Var read_before(Var q, bool over_columns, const Decays& decays) const;
  Var result(const Group& group);
  Var state_after();

  // corrections: chunk_corrections.cpp
  Decays decays_read(Var gates);
  Var corrected();
  Var lagging(Var from_start);
  Var decays_of_none() const;
  Var rest_of_line();
  Var earlier_lines(Var q, std::size_t product);
  Var rest_at(const LinearUpdate& update, Factor::Kind kind, std::int64_t width);
  Group corrections() const;
  Var queries(const Group& group);
  void give_corrections();
  void give(const Group& group, Var y);

  template <class Make>
  Var once(int what, Var a, Var b, const Make& make) {
    Var& known = made_[{what, a.id, b.id}];
    return known ? known : known = make();
  }
  Var unit_column(std::int64_t place) const;  ///< [C,1]: 1 at a place
  static Var product(Var a, Var b);           ///< the other where one is empty
  static Var of_heads(Var v, std::int64_t heads);
  Var of_all_heads(Var v) const { return of_heads(v, chain_->axes.heads); }

  const Tape& from_;
  TapeCopy& copy_;
  Tape& to_;
  std::vector<NodeId>& kept_;
  Lanes lanes_;
  std::map<std::pair<std::vector<NodeId>, std::int64_t>, Var> stacked_;  // by nodes and width
  std::map<std::pair<std::vector<NodeId>, std::int64_t>, Var> in_turn_;  // by factors and heads
  std::map<std::tuple<int, NodeId, NodeId>, Var> made_;
  std::map<const StateChain*, Var> after_;  // the last chunk of each: [heads,m,n]

  const StateChain* chain_ = nullptr;
  const Chunk* chunk_ = nullptr;
  ExtentId extent_ = kShared;
  Var before_;  // [heads,m,n]; empty: zeros
  Decays decays_;
  // of a chunk with corrections
  Decays decays_read_;  ///< of the states that they read
  Var line_;            ///< the line that they correct [heads,C,width]; empty: there are none
};

}  // namespace taugrad
