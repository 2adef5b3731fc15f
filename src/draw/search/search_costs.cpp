#include "draw/search/search_costs.h"

#include <algorithm>
#include <cmath>

#include "base/index.h"

namespace taugrad::draw {
namespace {

constexpr double kCrossing = 3, kHit = 4, kDown = 1.2;
constexpr double kLength = 0.03, kTilt = 0.04;  // a slot of a line; of one within a step, aside
constexpr double kAway = 0.03;                  // a slot, from where it began
constexpr double kAlone = 1.5;                  // a node that stands elsewhere than its fellows
constexpr double kClear = 6;                    // of a line from a circle

template <class Do>
void each_node(SearchCosts::Groups groups, const Do& act) {
  std::size_t i = 0;
  for (const SearchGroup* g : groups)
    for (const auto* nodes : {&g->nodes, &g->mirrored})
      for (const int n : *nodes) act(i++, at(n));
}

}  // namespace

SearchCosts::SearchCosts(const Picture& picture, const std::vector<Box>& boxes,
                         const std::vector<Point>& dots, const SearchGroups& found)
    : p_(picture),
      boxes_(boxes),
      dots_(dots),
      found_(found),
      board_(found.lines.size(), boxes.size()),
      known_(found.lines.size(), boxes.size()),
      own_(found.lines.size(), 0),
      stamp_(found.lines.size(), 0),
      earlier_(words_of(found.lines.size()), 0),
      tried_own_(found.lines.size(), 0),
      tried_crossed_(found.lines.size(), earlier_),
      tried_nodes_on_(found.lines.size(), BitRow(words_of(boxes.size()), 0)),
      tried_lines_on_(boxes.size(), earlier_) {
  for (std::size_t n = 0; n < boxes_.size(); ++n)
    board_.set_node(n, dots_[n], boxes_[n].width, boxes_[n].height, kClear);
  show_all();
}

void SearchCosts::show_all() {
  for (std::size_t n = 0; n < dots_.size(); ++n) board_.move_node(n, dots_[n]);
  for (std::size_t l = 0; l < found_.lines.size(); ++l) {
    show_line(l);
    own_[l] = own(l);
  }
  known_.find_all(board_);
}

void SearchCosts::show(const SearchGroup& group) {
  for (const auto* nodes : {&group.nodes, &group.mirrored})
    for (const int n : *nodes) board_.move_node(at(n), dots_[at(n)]);
  for (const int l : group.lines) show_line(at(l));
}

void SearchCosts::show_line(std::size_t l) {
  board_.set_line(l, end(found_.lines[l], true), end(found_.lines[l], false));
}

Point SearchCosts::end(const SearchLine& l, bool from) const {
  const int n = from ? l.from : l.to, other = from ? l.to : l.from;
  Point d = dots_[at(n)];
  if (p_.nodes[at(n)].kind == NodeKind::ellipsis) {
    const double room = boxes_[at(n)].height / 2 - kCircle / 2;
    d.y = std::clamp(dots_[at(other)].y, d.y - room, d.y + room);
  }
  return d;
}

double SearchCosts::own(std::size_t number) const {
  const SearchLine& l = found_.lines[number];
  const Point a = board_.from(number), b = board_.to(number);
  double cost = kLength * board_.length(number) / kSlotPitch;
  if (l.inner) cost += kTilt * std::abs(b.x - a.x) / kSlotPitch;
  if (l.rises && b.y > a.y - kStepY / 2) cost += kDown * (1 + (b.y - a.y) / kRowPitch);
  return cost;
}

double SearchCosts::away(Groups groups) const {
  double cost = 0;
  for (const SearchGroup* g : groups) {
    cost += kAway * (std::abs(g->dx) + std::abs(g->dy)) / kSlotPitch;
    if (moved_alone(*g)) cost += kAlone;
  }
  return cost;
}

void SearchCosts::touch(Groups groups) {
  ++mark_;
  touched_.clear();
  for (const SearchGroup* g : groups)
    for (const int l : g->lines)
      if (stamp_[at(l)] != mark_) stamp_[at(l)] = mark_, touched_.push_back(l);
}

template <class Of>
double SearchCosts::cost_of(Groups groups, double most, const Of& of) {
  touch(groups);
  std::ranges::fill(earlier_, 0);
  double cost = away(groups);
  for (std::size_t i = 0; i < touched_.size(); ++i) cost += of.own(i, at(touched_[i]));
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (cost > most) return cost;
    work_ += static_cast<double>(found_.lines.size());
    const auto l = at(touched_[i]);
    const int crossed = count_bits(of.crossed(i, l), earlier_);
    set_bit(earlier_, l);
    cost += kCrossing * crossed + kHit * (count_bits(of.nodes_on(i, l)) - 2);
  }
  if (cost > most) return cost;
  int hits = 0;
  each_node(groups,
            [&](std::size_t i, std::size_t n) { hits += count_bits(of.lines_on(i, n), earlier_); });
  work_ += 2 * static_cast<double>(found_.lines.size());
  return cost + kHit * hits;
}

double SearchCosts::known(Groups groups) {
  struct Known {
    const SearchCosts& c;
    double own(std::size_t, std::size_t l) const { return c.own_[l]; }
    const BitRow& crossed(std::size_t, std::size_t l) const { return c.known_.of_line(l); }
    const BitRow& nodes_on(std::size_t, std::size_t l) const { return c.known_.nodes_on(l); }
    const BitRow& lines_on(std::size_t, std::size_t n) const { return c.known_.lines_on(n); }
  };
  return cost_of(groups, 1e18, Known{*this});
}

double SearchCosts::tried(Groups groups, double most) {
  struct Tried {
    SearchCosts& c;
    double own(std::size_t i, std::size_t l) const { return c.tried_own_[i] = c.own(l); }
    const BitRow& crossed(std::size_t i, std::size_t l) const {
      c.board_.find_crossings(l, c.tried_crossed_[i]);
      return c.tried_crossed_[i];
    }
    const BitRow& nodes_on(std::size_t i, std::size_t l) const {
      c.board_.find_nodes_on(l, c.tried_nodes_on_[i]);
      return c.tried_nodes_on_[i];
    }
    const BitRow& lines_on(std::size_t i, std::size_t n) const {
      c.board_.find_lines_on(n, c.tried_lines_on_[i]);
      return c.tried_lines_on_[i];
    }
  };
  return cost_of(groups, most, Tried{*this});
}

void SearchCosts::keep(Groups groups) {
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    const auto l = at(touched_[i]);
    own_[l] = tried_own_[i];
    known_.replace_line(l, tried_crossed_[i], tried_nodes_on_[i]);
  }
  each_node(groups,
            [&](std::size_t i, std::size_t n) { known_.replace_node(n, tried_lines_on_[i]); });
}

void SearchCosts::learn(Groups groups) {
  const double work = work_;
  tried(groups, 1e18);
  work_ = work;
  keep(groups);
}

}  // namespace taugrad::draw
