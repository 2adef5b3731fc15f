#include "taugrad/draw/difference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/index.h"
#include "draw/differences/matching.h"
#include "draw/pictures/check_numbers.h"

namespace taugrad {
namespace {

constexpr const char *kOnlyA = "#fdd0a2", *kOnlyB = "#bdd7ee", *kChanged = "#dcc5ec";

double norm(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

/// |a - b| / max(|a|, |b|); NaN where it cannot be told.
double apart(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.empty()) return std::nan("");
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = a[i] - b[i];
  const double largest = std::max(norm(a), norm(b));
  return largest == 0 ? 0 : norm(d) / largest;
}

std::vector<double> elements_of(const Tensor& t) {
  std::vector<double> v;
  for (std::int64_t i = 0; i < t.size(); ++i) v.push_back(t.at(i));
  return v;
}

class Differ {
 public:
  Differ(const DrawnSide& a, const DrawnSide& b)
      : sides_{&a, &b}, match_(draw::match_pictures(a.picture, b.picture)) {}

  DrawnDifference run() {
    out_.picture.title = fmt::format("{} and {}", sides_[0]->name, sides_[1]->name);
    out_.picture.about = "A: " + sides_[0]->name + "; B: " + sides_[1]->name;
    out_.picture.printed = sides_[0]->picture.printed && sides_[1]->picture.printed;
    for (const int side : {0, 1}) add_side(side);
    for (std::size_t n = 0; n < match_.in_b.size(); ++n) mark(static_cast<int>(n));
    for (std::size_t n = 0; n < match_.in_a.size(); ++n)
      if (match_.in_a[n] < 0) mark_alone(first_[1] + static_cast<int>(n), 1);
    mark_edges();
    add_notes();
    return std::move(out_);
  }

 private:
  /// Nodes, edges and steps of one side; without steps, the side is one box.
  void add_side(int side) {
    const Picture& p = sides_[at(side)]->picture;
    const GraphValues& values = sides_[at(side)]->values;
    const char* letter = side == 0 ? "A" : "B";
    Picture& to = out_.picture;
    first_[at(side)] = static_cast<int>(to.nodes.size());
    const int first_cluster = static_cast<int>(to.clusters.size());
    for (PictureCluster c : p.clusters) {
      c.label = fmt::format("{}: {}", letter, c.label);
      c.domain = fmt::format("{}:{}", letter, c.domain);
      to.clusters.push_back(std::move(c));
    }
    if (p.clusters.empty())
      to.clusters.push_back({.label = letter, .domain = letter, .position = {1}});
    for (PictureNode n : p.nodes) {
      n.id = fmt::format("{}_{}", letter, n.id);
      if (n.cluster >= 0) n.cluster += first_cluster;
      if (p.clusters.empty()) n.cluster = first_cluster;
      if (n.beside >= 0) n.beside += first_[at(side)];
      const bool known = values.find(n.source) != nullptr;
      out_.facts.push_back(known ? static_cast<std::int32_t>(out_.all_facts.size()) : -1);
      if (known) out_.all_facts.push_back(*values.find(n.source));
      out_.partner.push_back(-1);
      to.nodes.push_back(std::move(n));
    }
    for (PictureEdge e : p.edges) {
      e.from += first_[at(side)];
      e.to += first_[at(side)];
      to.edges.push_back(std::move(e));
    }
  }

  void mark(int in_a) {
    const int in_b = match_.in_b[at(in_a)];
    if (in_b < 0) return mark_alone(first_[0] + in_a, 0);
    const int a = first_[0] + in_a, b = first_[1] + in_b;
    out_.partner[at(a)] = b;
    out_.partner[at(b)] = a;
    const double far = distance(a, b);
    const bool otherwise = match_.changed[at(in_a)] != 0;
    if (otherwise) ++out_.changed;
    for (const int n : {a, b}) {
      PictureNode& node = out_.picture.nodes[at(n)];
      if (otherwise)
        fill(node, kChanged, "computed otherwise on the other side");
      else if (!std::isnan(far))
        shade(node, far);
      const PictureNode& other = out_.picture.nodes[at(n == a ? b : a)];
      if (otherwise)
        node.title +=
            fmt::format("; there: {}{}{}", other.op, other.shape.empty() ? "" : " ", other.shape);
    }
  }
  void mark_alone(int n, int side) {
    ++(side == 0 ? out_.only_a : out_.only_b);
    fill(out_.picture.nodes[at(n)], side == 0 ? kOnlyA : kOnlyB,
         side == 0 ? "only in A" : "only in B");
  }
  static void fill(PictureNode& n, const char* colour, const char* why) {
    n.fill = colour;
    n.ink = "#111111";
    n.title += fmt::format("; {}", why);
  }

  /// How far apart two values are, from 0; NaN where there are none on both sides.
  double distance(int a, int b) const {
    const PictureNode& n = out_.picture.nodes[at(a)];
    if (n.kind == NodeKind::weight || n.kind == NodeKind::copy) {
      const std::string name = n.name.substr(0, n.name.find('['));
      const auto one = sides_[0]->weights.find(name), other = sides_[1]->weights.find(name);
      if (one != sides_[0]->weights.end() && other != sides_[1]->weights.end())
        return apart(elements_of(one->second), elements_of(other->second));
    }
    const std::int32_t x = out_.facts[at(a)], y = out_.facts[at(b)];
    if (x < 0 || y < 0) return std::nan("");
    return apart(out_.all_facts[at(x)].value.elements, out_.all_facts[at(y)].value.elements);
  }

  void shade(PictureNode& n, double far) {
    any_values_ = true;
    const int level = 247 - static_cast<int>(std::lround(std::clamp(far, 0.0, 1.0) * 214));
    n.fill = fmt::format("#{0:02x}{0:02x}{0:02x}", level);
    n.ink = level > 120 ? "#111111" : "#ffffff";
    n.title += fmt::format("; apart from the other side by {:.3g} % of the larger norm", 100 * far);
    if (n.name.empty() || out_.picture.printed) return;
    n.op = far == 0 ? "same" : fmt::format("{:.3g} %", 100 * far);
    n.shape.clear();
  }

  /// What only one side has, between nodes that both have.
  void mark_edges() {
    std::set<std::pair<int, int>> known;
    for (const PictureEdge& e : out_.picture.edges) known.insert({e.from, e.to});
    for (PictureEdge& e : out_.picture.edges) {
      const int from = out_.partner[at(e.from)], to = out_.partner[at(e.to)];
      e.striking = from >= 0 && to >= 0 && !known.contains({from, to});
    }
  }

  void add_notes() {
    Picture& p = out_.picture;
    p.notes.push_back(fmt::format("A: {}", sides_[0]->name));
    p.notes.push_back(fmt::format("B: {}", sides_[1]->name));
    p.notes.push_back(
        fmt::format("computed otherwise (purple): {}; only in A (orange): {}; only in "
                    "B (blue): {}",
                    out_.changed, out_.only_a, out_.only_b));
    if (!any_values_) return;
    p.legend = {.title = "distance of the values, of the larger norm", .low = "0", .high = "100 %"};
    for (int i = 0; i < 9; ++i)
      p.legend.colours.push_back(fmt::format("#{0:02x}{0:02x}{0:02x}", 247 - i * 214 / 8));
  }

  const DrawnSide* sides_[2];
  const draw::Matching match_;
  DrawnDifference out_;
  int first_[2] = {0, 0};  // number of each side's first node
  bool any_values_ = false;
};

}  // namespace

DrawnDifference difference_of(const DrawnSide& a, const DrawnSide& b) {
  draw::check_numbers(a.picture);
  draw::check_numbers(b.picture);
  return Differ(a, b).run();
}

Explorer DrawnDifference::page() const {
  Explorer page{.title = picture.title, .about = picture.about, .scenes = {}};
  page.scenes.push_back({.name = "differences", .label = "Differences", .picture = picture});
  if (!all_facts.empty()) {
    page.scenes[0].facts = facts;
    page.scenes[0].shares.assign(picture.edges.size(), std::nan(""));
    page.facts = all_facts;
  }
  return page;
}

}  // namespace taugrad
