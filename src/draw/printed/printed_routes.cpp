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

class Router {
 public:
  Router(const Picture& p, const std::vector<Box>& boxes) : p_(p), boxes_(boxes), arcs_(p, boxes) {
    box_sides_.resize(boxes.size());
    for (std::size_t n = 0; n < boxes.size(); ++n) box_sides_.set(n, boxes[n], kClear);
    lines_.resize(p.edges.size());
    done_at_.assign(p.edges.size(), p.edges.size());
    line_sides_.resize(p.edges.size());
  }

  std::optional<std::vector<Path>> run() {
    std::vector<int> order(p_.edges.size());
    std::vector<double> far(order.size());
    std::iota(order.begin(), order.end(), 0);
    for (const int e : order) far[at(e)] = length(arcs_.end(e, false) - arcs_.end(e, true));
    std::ranges::stable_sort(order, {}, [&](int e) { return far[at(e)]; });
    for (const int e : order) {
      if (choose(e) >= kHit) return std::nullopt;
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
  /// The candidate that meets least of the lines so far. @returns what it costs
  double choose(int e) {
    const bool loop = p_.edges[at(e)].from == p_.edges[at(e)].to;
    if (!loop && !p_.edges[at(e)].square) {  // no arc costs less than a straight line in no way
      DrawnLine straight = arcs_.drawn(e, arcs_.straight(e));
      const double cost = cost_of(e, straight, kBent);
      if (cost < kBent || (along_grid(e) && hits(e, straight, 1) == 0)) {
        lines_[at(e)] = std::move(straight);
        return cost;
      }
    }
    const std::vector<Arc> candidates = arcs_.of(e);
    double least = 1e18;
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const double own = static_cast<double>(c) * 0.01 + candidates[c].cost;
      if (own >= least) continue;
      DrawnLine line = arcs_.drawn(e, candidates[c]);
      const double cost = own + cost_of(e, line, least - own);
      if (cost >= least) continue;
      least = cost;
      lines_[at(e)] = std::move(line);
    }
    return least;
  }

  /// Those that were drawn early knew nothing of those that came later: lines that cross are
  /// chosen again, until none gets better.
  void reconsider(const std::vector<int>& order) {
    constexpr int kRounds = 3;
    bool better = true;
    for (int round = 0; better && round < kRounds; ++round) {
      better = false;
      for (const int e : order) {
        const double before = cost_of(e, lines_[at(e)], 1e18);
        if (before < kCrossing) continue;
        DrawnLine old = lines_[at(e)];
        choose(e);
        is_drawn(e);
        if (cost_of(e, lines_[at(e)], before) < before - 1e-9)
          better = true;
        else
          lines_[at(e)] = std::move(old), is_drawn(e);
      }
    }
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
    double cost = kHit * hits(e, line, most / kHit);
    if (cost >= most) return cost;
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
  std::vector<DrawnLine> lines_;
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
