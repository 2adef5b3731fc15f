#include <algorithm>
#include <limits>
#include <vector>

#include "base/index.h"
#include "draw/layout/plan.h"
#include "draw/layout/tracks.h"

namespace taugrad::draw {
namespace {

constexpr double kNodeGap = 18;
constexpr double kBendGap = 9;
constexpr double kTextGap = 4;

double separation(const PlanNode& a, const PlanNode& b) {
  const double boxes = a.width + b.width,
               texts = std::max(a.width, a.text) + std::max(b.width, b.text);
  return std::max(boxes / 2 + (a.is_real() && b.is_real() ? kNodeGap : kBendGap),
                  texts / 2 + kTextGap);
}

// Straight chains of bends matter most: they are what the eye follows.
double weight(const PlanNode& a, const PlanNode& b) {
  return a.is_real() && b.is_real() ? 1 : a.is_real() || b.is_real() ? 2 : 8;
}

struct Pull {
  int node;
  double weight;
};

class Placer {
 public:
  explicit Placer(Plan& plan) : plan_(plan), up_(plan.nodes.size()), down_(plan.nodes.size()) {
    for (const PlanEdge& e : plan.edges) {
      if (e.chain.size() == 2)
        plan.nodes[at(e.lower)].text = std::max(plan.nodes[at(e.lower)].text, e.label);
      for (std::size_t i = 0; i + 1 < e.chain.size(); ++i) {
        const int a = e.chain[i], b = e.chain[i + 1];
        const double w = weight(plan.nodes[at(a)], plan.nodes[at(b)]);
        down_[at(a)].push_back({b, w});
        up_[at(b)].push_back({a, w});
      }
    }
  }

  void run() {
    for (const auto& row : plan_.rows) {
      double x = 0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) x += separation(plan_.nodes[at(row[i - 1])], plan_.nodes[at(row[i])]);
        plan_.nodes[at(row[i])].x = x;
      }
    }
    const int rounds = plan_.nodes.size() < 2000 ? 40 : 12;
    for (int round = 0; round < rounds; ++round) {
      const bool both = round >= 4;
      for (std::size_t r = 0; r < plan_.rows.size(); ++r) settle(plan_.rows[r], true, both);
      for (std::size_t r = plan_.rows.size(); r-- > 0;) settle(plan_.rows[r], both, true);
    }
    normalise();
  }

 private:
  double wish(int n, bool from_above, bool from_below, double& total) const {
    double sum = 0;
    total = 0;
    if (from_above) {
      for (const Pull& p : up_[at(n)])
        sum += p.weight * plan_.nodes[at(p.node)].x, total += p.weight;
    }
    if (from_below) {
      for (const Pull& p : down_[at(n)])
        sum += p.weight * plan_.nodes[at(p.node)].x, total += p.weight;
    }
    if (total > 0) return sum / total;
    total = 0.01;
    return plan_.nodes[at(n)].x;
  }

  void settle(const std::vector<int>& row, bool from_above, bool from_below) {
    std::vector<double> wishes(row.size()), weights(row.size()), separations(row.size(), 0);
    for (std::size_t i = 0; i < row.size(); ++i) {
      wishes[i] = wish(row[i], from_above, from_below, weights[i]);
      if (i > 0) separations[i] = separation(plan_.nodes[at(row[i - 1])], plan_.nodes[at(row[i])]);
    }
    const std::vector<double> x = spread(wishes, weights, separations);
    for (std::size_t i = 0; i < row.size(); ++i) plan_.nodes[at(row[i])].x = x[i];
  }

  void normalise() {
    double left = std::numeric_limits<double>::max(), right = std::numeric_limits<double>::lowest();
    for (const PlanNode& n : plan_.nodes) {
      left = std::min(left, n.x - n.width / 2);
      right = std::max(right, n.x + n.width / 2);
    }
    if (plan_.nodes.empty()) return;
    for (PlanNode& n : plan_.nodes) n.x -= left;
    plan_.width = right - left;
  }

  Plan& plan_;
  std::vector<std::vector<Pull>> up_, down_;
};

}  // namespace

void place_layers(Plan& plan) { Placer(plan).run(); }

}  // namespace taugrad::draw
