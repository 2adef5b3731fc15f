// The lines of printed pictures: straight where nothing is in the way, else the arc that meets
// least.
#include <algorithm>
#include <numeric>
#include <utility>

#include "base/index.h"
#include "draw/printed/arcs.h"
#include "draw/printed/drawn_line.h"
#include "draw/printed/printed_layout.h"

namespace taugrad::draw {
namespace {

constexpr double kHit = 1e6;  // more than any number of crossings

struct Sides {
  double left = 1e18, right = -1e18, top = 1e18, bottom = -1e18;
  void cover(Point q) {
    left = std::min(left, q.x), right = std::max(right, q.x);
    top = std::min(top, q.y), bottom = std::max(bottom, q.y);
  }
  Box box(double gap) const {
    return {(left + right) / 2, (top + bottom) / 2, right - left + 2 * gap, bottom - top + 2 * gap};
  }
};

class Router {
 public:
  Router(const Picture& p, const std::vector<Box>& boxes) : p_(p), boxes_(boxes), arcs_(p, boxes) {
    box_sides_.resize(boxes.size());
    for (std::size_t n = 0; n < boxes.size(); ++n) box_sides_.set(n, boxes[n], kClear);
    lines_.resize(p.edges.size());
    done_at_.assign(p.edges.size(), p.edges.size());
    line_sides_.resize(p.edges.size());
    candidates_.resize(p.edges.size());
    reach_.resize(p.edges.size());
    own_.resize(p.edges.size());
  }

  std::optional<std::vector<Path>> run() {
    std::vector<int> order(p_.edges.size());
    std::vector<double> far(order.size());
    std::iota(order.begin(), order.end(), 0);
    for (const int e : order) far[at(e)] = length(arcs_.end(e, false) - arcs_.end(e, true));
    std::ranges::stable_sort(order, {}, [&](int e) { return far[at(e)]; });
    for (const int e : order) {
      if (choose(e, 1e18) >= kHit) return std::nullopt;
      done_at_[at(e)] = done_.size();
      done_.push_back(e);
      is_drawn(e);
    }
    reconsider(order);
    std::vector<Path> paths;
    for (DrawnLine& l : lines_) paths.push_back(std::move(l.path));
    return paths;
  }

 private:
  /// A curve that an edge may be, drawn where it is first asked for.
  struct Candidate {
    Arc arc;
    DrawnLine line;
    double own = 0;       ///< what it costs
    double on_nodes = 0;  ///< and that of nodes that it runs into, once drawn
    bool drawn = false;
  };

  /// The candidate that meets least of the lines so far. @param least  what it is to cost less than
  /// @returns what it costs, or `least` where there is none
  double choose(int e, double least) {
    const bool loop = p_.edges[at(e)].from == p_.edges[at(e)].to;
    if (!loop && !p_.edges[at(e)].square) {  // no arc costs less than a straight line in no way
      DrawnLine straight = arcs_.drawn(e, arcs_.straight(e));
      const double cost = cost_of(e, straight, kBent);
      if (cost < kBent || (along_grid(e) && hits(e, straight, 1) == 0)) {
        lines_[at(e)] = std::move(straight);
        own_[at(e)] = 0;
        return cost;
      }
    }
    for (Candidate& c : candidates(e)) {
      if (c.own >= least) continue;
      if (!c.drawn) {
        c.line = arcs_.drawn(e, c.arc);
        c.on_nodes = kHit * hits(e, c.line, 1e18);
        c.drawn = true;
      }
      const double alone = c.own + c.on_nodes;
      if (alone >= least) continue;
      const double cost = alone + meets(e, c.line, least - alone);
      if (cost >= least) continue;
      least = cost;
      lines_[at(e)] = c.line;
      own_[at(e)] = c.own;
    }
    return least;
  }
  std::vector<Candidate>& candidates(int e) {
    std::vector<Candidate>& all = candidates_[at(e)];
    if (!all.empty()) return all;
    Sides sides;
    for (const Arc& arc : arcs_.of(e)) {
      all.push_back({arc, {}, static_cast<double>(all.size()) * 0.01 + arc.cost});
      for (const Point q : arc.points) sides.cover(q);
    }
    reach_[at(e)] = sides.box(kClear * 4);
    return all;
  }

  /// Those that were drawn early knew nothing of those that came later: lines that cross are
  /// chosen again, until none gets better.
  void reconsider(const std::vector<int>& order) {
    constexpr int kRounds = 3;
    std::vector<Box> changed;  // where lines were and are
    std::vector<std::size_t> seen(order.size(), 0);
    bool better = true;
    for (int round = 0; better && round < kRounds; ++round) {
      better = false;
      for (const int e : order) {
        const std::size_t since = std::exchange(seen[at(e)], changed.size());
        // nothing it may meet is otherwise than when it was chosen
        if (round > 0 && !candidates_[at(e)].empty() && !any_near(changed, since, reach_[at(e)]))
          continue;
        const double before = cost_of(e, lines_[at(e)], 1e18);
        if (before < kCrossing) continue;
        DrawnLine old = lines_[at(e)];
        const double own = own_[at(e)];
        choose(e, own + before);  // as it is it costs that
        is_drawn(e);
        if (cost_of(e, lines_[at(e)], before) < before - 1e-9) {
          better = true;
          changed.push_back(old.around);
          changed.push_back(lines_[at(e)].around);
        } else {
          lines_[at(e)] = std::move(old), own_[at(e)] = own, is_drawn(e);
        }
      }
    }
  }
  static bool any_near(const std::vector<Box>& boxes, std::size_t since, const Box& b) {
    for (std::size_t i = since; i < boxes.size(); ++i)
      if (!apart(boxes[i], b)) return true;
    return false;
  }

  /// From one place of a grid to the next: straight, whatever it crosses, so that the grid is seen.
  bool along_grid(int e) const {
    const PictureNode &a = p_.nodes[at(p_.edges[at(e)].from)],
                      &b = p_.nodes[at(p_.edges[at(e)].to)];
    return a.cluster >= 0 && b.cluster >= 0 && a.cluster != b.cluster && a.role == b.role &&
           p_.clusters[at(a.cluster)].position.size() > 1;
  }

  void is_drawn(int e) { line_sides_.set(done_at_[at(e)], lines_[at(e)].around, 1); }

  /// Nodes that a line runs into. @param most  no more are counted
  int hits(int e, const DrawnLine& line, double most) {
    const PictureEdge& edge = p_.edges[at(e)];
    int count = 0;
    box_sides_.near(line.around, boxes_.size(), near_);
    for (const int n : near_) {
      if (count >= most) break;
      if (n != edge.from && n != edge.to) count += runs_into(line, boxes_[at(n)]);
    }
    return count;
  }

  double cost_of(int e, const DrawnLine& line, double most) {
    const double cost = kHit * hits(e, line, most / kHit);
    return cost >= most ? cost : cost + meets(e, line, most - cost);
  }
  /// What the lines so far cost that a line crosses or lies on.
  double meets(int e, const DrawnLine& line, double most) {
    double cost = 0;
    line_sides_.near(line.around, done_.size(), near_);
    for (const int i : near_) {
      if (cost >= most) break;
      if (done_[at(i)] == e) continue;
      const DrawnLine& other = lines_[at(done_[at(i)])];
      cost += kCrossing * crossings(line, other);
      if (lie_together(line, other)) cost += kHit / 2;
    }
    return cost;
  }

  const Picture& p_;
  const std::vector<Box>& boxes_;
  const Arcs arcs_;
  std::vector<std::vector<Candidate>> candidates_;  // by edge
  std::vector<Box> reach_;  // by edge with candidates: where all of them lie
  std::vector<DrawnLine> lines_;
  std::vector<double> own_;           // what lines cost that meet nothing
  std::vector<int> done_;             // edges, in the order in which they were drawn
  std::vector<std::size_t> done_at_;  // by edge
  BoxSides box_sides_, line_sides_;   // of nodes; of what is done
  std::vector<int> near_;
};

}  // namespace

std::optional<std::vector<Path>> printed_routes(const Picture& picture,
                                                const std::vector<Box>& boxes) {
  return Router(picture, boxes).run();
}

}  // namespace taugrad::draw
