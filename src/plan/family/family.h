#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/family/lesson.h"
#include "taugrad/graph/graph.h"

/// The plans of one network, whatever the length of its sequences.
namespace taugrad::plan {

/// What is planned: a graph of one length, what is asked of it, and what else its maker wants to
/// know of it.
struct Request {
  Graph graph;
  std::vector<NodeId> outputs;
  std::vector<Table> lists = {};
};

/// What leaves of one name have in common.
struct LeafKind {
  std::string name;
  bool named = true;  ///< false: a leaf that stands alone
  bool weight = false;
  bool per_example = false;
  Shape shape;
  std::int64_t category = 0;  ///< number of symbols; 0: numbers
  std::int32_t axes = 0;      ///< of its index
  bool operator==(const LeafKind&) const = default;
};
inline constexpr std::size_t kMostLeafAxes = 4;
struct Leaf {
  NodeId id;
  std::int32_t kind;
  std::array<std::int32_t, kMostLeafAxes> index;
};

/// The plan for one length.
template <class S>
struct Member {
  Plan<S> plan;
  std::vector<LeafKind> leaf_kinds;
  Column<Leaf> leaves;  ///< of the plan, in its order
  std::vector<Table> lists;
  std::int64_t nodes = 0;  ///< of the graph
};

/// Plans of sequences of any length, made from the graphs of a few short ones: where their plans
/// grow by a law, and one more graph that took no part in finding it has the plan that the law
/// says, longer ones do too. The graphs of long sequences are never built.
template <class S>
class Family {
 public:
  using Maker = std::function<Request(std::int64_t length)>;

  /// @param make   the request for a length. What it throws says that there is none of that length.
  /// @param reach  steps at either end that may differ from those in the middle: positions that
  ///               are numbers, offsets
  /// @param written  nodes of the largest graph whose plan is written down record by record, where
  ///                 a law tells the places of values too: that is read sooner, and takes a line of
  ///                 memory a node
  Family(Maker make, PassSet passes, std::int64_t reach, std::int64_t written = kWritten)
      : make_(std::move(make)), passes_(passes), reach_(reach), written_(written) {}

  /// Nothing where no law is known that holds for this length, and none is worth looking for.
  std::optional<Member<S>> member(std::int64_t length);

 private:
  /// How short the graphs are, and by how much they grow.
  struct Attempt {
    std::int64_t settled;   ///< steps of the shortest, beside its ends
    std::int64_t multiple;  ///< of the steps between two cuts of a region: how much they grow
    bool marked;  ///< sums over about all steps count as long ones, as they are in longer graphs
  };
  struct Branch {  ///< of an attempt, for lengths that differ by whole numbers of its step
    std::optional<Lesson<S>> lesson;
    bool placed = false;  ///< it is of plans with slots; else these are shared out for each length
    std::vector<LeafKind> leaf_kinds;
    Layout layout;  ///< of a short one: its extents are in a list
  };
  struct Short {
    std::int64_t length = 0;
    bool marked = false;
    Sample<S> sample;
    std::vector<LeafKind> leaf_kinds;
    std::int32_t together = 1;
  };

  Short short_one(std::int64_t length, bool marked);
  bool find_together();
  Branch learn(const Attempt& attempt, std::int64_t first);
  const Branch* branch_of(const Attempt& attempt, std::int64_t length, std::int64_t share,
                          std::int64_t& first);
  std::int64_t step(const Attempt& attempt) const { return attempt.multiple * together_; }
  std::int64_t first_length(const Attempt& attempt) const;
  std::int64_t proof(const Attempt& attempt, std::int64_t first) const;
  std::int64_t cost(const Attempt& attempt, std::int64_t first) const;
  std::int64_t nodes_of(const Branch& branch, std::int64_t sample) const;
  void require_for_plan(const Branch& branch, std::int64_t nodes) const;
  Member<S> member_of(const Branch& branch, std::int64_t sample) const;

  static constexpr std::int64_t kWritten = 1 << 16;
  static constexpr std::int64_t kSettled = 20;  ///< sums over so many steps are no part of a region
  static constexpr std::int64_t kShare =
      128;  ///< of what is spent: a second law costs at most one part
  static constexpr Attempt kAttempts[] = {{8, 1, true},         {8, 2, true},
                                          {kSettled, 1, false}, {kSettled, 2, false},
                                          {kSettled, 6, false}, {kSettled, 12, false}};

  Maker make_;
  PassSet passes_;
  std::int64_t reach_, written_;
  std::int64_t spent_ = 0;      ///< twice the steps that were asked for, less those of short graphs
  std::int32_t together_ = 0;   ///< steps between two cuts of a region; 0: not known yet
  std::optional<Short> first_;  ///< the one that told it, until it is used
  std::map<std::pair<const Attempt*, std::int64_t>, Branch> branches_;  ///< by shortest length
};

}  // namespace taugrad::plan
