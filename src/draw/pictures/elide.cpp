#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/index.h"
#include "draw/pictures/check_numbers.h"
#include "taugrad/draw/picture.h"

namespace taugrad {
namespace {

constexpr int kFirst = 3, kLast = 2;  // positions kept at either end, of those that are full

class Elider {
 public:
  Elider(const Picture& picture, int limit) : in_(picture), limit_(limit) {}

  Picture run() {
    find_gaps();
    if (gaps_.empty()) return in_;
    out_.title = in_.title;
    out_.about = in_.about;
    out_.legend = in_.legend;
    out_.printed = in_.printed;
    map_clusters();
    map_nodes();
    map_edges();
    return std::move(out_);
  }

 private:
  struct Gap {
    int first, last;  // positions left out
  };

  // Positions 0 and tau + 1 hold boundary values only: what counts as an end are the positions that
  // are full.
  void find_gaps() {
    std::vector<int> load(in_.clusters.size(), 0);
    for (const PictureNode& n : in_.nodes) {
      if (n.cluster >= 0) ++load[at(n.cluster)];
    }
    std::map<std::pair<std::string, std::size_t>, std::map<int, int>>
        loads;  // by axis: position -> fullest cluster
    for (std::size_t c = 0; c < in_.clusters.size(); ++c) {
      const PictureCluster& cluster = in_.clusters[c];
      for (std::size_t axis = 0; axis < cluster.position.size(); ++axis) {
        int& most = loads[{cluster.domain, axis}][cluster.position[axis]];
        most = std::max(most, load[c]);
      }
    }
    for (const auto& [axis, by_position] : loads) {
      int most = 0;
      for (const auto& [position, nodes] : by_position) most = std::max(most, nodes);
      std::vector<int> full;
      for (const auto& [position, nodes] : by_position) {
        if (2 * nodes >= most) full.push_back(position);
      }
      if (static_cast<int>(full.size()) <= limit_ || full.size() < at(kFirst + kLast + 2)) continue;
      gaps_[axis] = {full[kFirst], full[full.size() - kLast - 1]};
    }
  }

  void map_clusters() {
    std::map<std::pair<std::string, std::vector<int>>, int> known;
    for (const PictureCluster& c : in_.clusters) {
      PictureCluster shown = c;
      for (std::size_t axis = 0; axis < c.position.size(); ++axis) {
        const auto gap = gaps_.find({c.domain, axis});
        if (gap == gaps_.end() || c.position[axis] < gap->second.first ||
            c.position[axis] > gap->second.last)
          continue;
        shown.position[axis] = gap->second.first;
        shown.elided = true;
      }
      const auto [it, fresh] =
          known.try_emplace({c.domain, shown.position}, static_cast<int>(out_.clusters.size()));
      if (fresh) {
        if (shown.elided) shown.label = label_of_gap(shown);
        out_.clusters.push_back(shown);
        stand_in_.push_back(shown.elided ? add_ellipsis(it->second) : -1);
      }
      cluster_.push_back(it->second);
    }
  }

  std::string label_of_gap(const PictureCluster& c) const {
    if (c.position.size() != 1) return "⋯";
    const Gap& gap = gaps_.at({c.domain, 0});
    return c.domain + " = " + std::to_string(gap.first) + " … " + std::to_string(gap.last);
  }

  int add_ellipsis(int cluster) {
    PictureNode n;
    n.id = "gap" + std::to_string(cluster);
    n.name = "⋯";
    n.title = "steps left out: " + out_.clusters[at(cluster)].label;
    n.kind = NodeKind::ellipsis;
    n.cluster = cluster;
    n.role = "ellipsis";
    out_.nodes.push_back(n);
    return static_cast<int>(out_.nodes.size()) - 1;
  }

  void map_nodes() {
    for (const PictureNode& n : in_.nodes) {
      const int cluster = n.cluster < 0 ? -1 : cluster_[at(n.cluster)];
      if (cluster >= 0 && stand_in_[at(cluster)] >= 0) {
        node_.push_back(stand_in_[at(cluster)]);
        continue;
      }
      node_.push_back(static_cast<int>(out_.nodes.size()));
      out_.nodes.push_back(n);
      out_.nodes.back().cluster = cluster;
      if (n.beside >= 0)
        out_.nodes.back().beside = -2 - n.beside;  // settled below: it may come later
    }
    for (PictureNode& n : out_.nodes) {
      if (n.beside > -2) continue;
      const int primal = node_[at(-2 - n.beside)];
      n.beside = out_.nodes[at(primal)].kind == NodeKind::ellipsis ? -1 : primal;
    }
  }

  bool is_gap(int n) const { return out_.nodes[at(n)].kind == NodeKind::ellipsis; }

  // Inside the gap nothing is drawn; into it one edge a neighbour, and none from weights: their
  // copies are left out.
  void map_edges() {
    std::set<std::tuple<int, int, EdgeKind, bool>> drawn;
    for (const PictureEdge& e : in_.edges) {
      PictureEdge shown = e;
      shown.from = node_[at(e.from)];
      shown.to = node_[at(e.to)];
      const bool gap = is_gap(shown.from) || is_gap(shown.to);
      if (gap) {
        if (shown.from == shown.to || e.kind == EdgeKind::share) continue;
        if (in_.nodes[at(e.from)].kind == NodeKind::weight ||
            in_.nodes[at(e.from)].kind == NodeKind::constant)
          continue;
        if (!drawn.insert({shown.from, shown.to, e.kind, e.delayed}).second) continue;
      }
      out_.edges.push_back(shown);
    }
  }

  const Picture& in_;
  int limit_;
  Picture out_;
  std::map<std::pair<std::string, std::size_t>, Gap> gaps_;  // by domain and axis
  std::vector<int> cluster_, stand_in_, node_;  // old -> new; ellipsis of a new cluster
};

}  // namespace

Picture elide(const Picture& picture, int limit) {
  draw::check_numbers(picture);
  return Elider(picture, limit).run();
}

}  // namespace taugrad
