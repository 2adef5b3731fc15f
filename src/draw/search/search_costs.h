#pragma once

#include <initializer_list>
#include <vector>

#include "draw/search/crossing_board.h"
#include "draw/search/printed_search.h"
#include "draw/search/search_groups.h"

namespace taugrad::draw {

inline constexpr double kStepX = kSlotPitch / 2, kStepY = kRowPitch / 2;  // between places tried

/// What a printed picture costs where its lines are straight: crossings, lines that run into
/// circles, far and falling ones. Of the groups that move alone: the rest costs the same before and
/// after. What the lines meet is kept from move to move, so that only a place that is tried has to
/// be compared with the rest.
class SearchCosts {
 public:
  using Groups = std::initializer_list<const SearchGroup*>;

  /// All are to outlive it.
  /// @param dots  where nodes are; to be shown after each change
  SearchCosts(const Picture& picture, const std::vector<Box>& boxes, const std::vector<Point>& dots,
              const SearchGroups& found);

  /// After a change of anything.
  void show_all();
  /// After a move of a group that may be taken back.
  void show(const SearchGroup& group);

  /// The cost of some groups before they were moved.
  double known(Groups groups);
  /// That of their new places. @param most  no more need be known
  double tried(Groups groups, double most);
  /// The places that were tried last, to their full cost, are kept.
  void keep(Groups groups);
  /// The places that are shown are kept.
  void learn(Groups groups);

  double work() const { return work_; }  ///< pairs of lines compared

 private:
  void show_line(std::size_t l);
  Point end(const SearchLine& l, bool from) const;
  double own(std::size_t number) const;
  double away(Groups groups) const;
  void touch(Groups groups);
  template <class Of>
  double cost_of(Groups groups, double most, const Of& of);

  const Picture& p_;
  const std::vector<Box>& boxes_;
  const std::vector<Point>& dots_;
  const SearchGroups& found_;
  CrossingBoard board_;
  Crossings known_;
  std::vector<double> own_;  // by line
  std::vector<int> stamp_, touched_;
  int mark_ = 0;
  BitRow earlier_;  // touched lines that are counted
  // of the touched lines, and of the nodes that move
  std::vector<double> tried_own_;
  std::vector<BitRow> tried_crossed_, tried_nodes_on_, tried_lines_on_;
  double work_ = 0;
};

}  // namespace taugrad::draw
