// Texts on edges in the layout of all pictures: none lies on another, on a node or on a line that
// is not its own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <set>
#include <tuple>

#include "draw/layout/layout.h"
#include "draw/printed/printed_layout.h"
#include "draw/text/text.h"
#include "support_picture.h"

using namespace taugrad;
using namespace taugrad::test;
using draw::Box;
using draw::Layout;
using draw::Point;

namespace {

bool overlap(const Box& a, const Box& b) {
  return std::abs(a.x - b.x) * 2 < a.width + b.width - 0.2 &&
         std::abs(a.y - b.y) * 2 < a.height + b.height - 0.2;
}

/// Whether a straight piece passes through a box, which a little of it may touch.
bool passes(Point a, Point b, const Box& box) {
  double from = 0, to = 1;
  const auto clip = [&](double start, double step, double low, double high) {
    if (std::abs(step) < 1e-9) return start > low && start < high;
    const double s = (low - start) / step, t = (high - start) / step;
    from = std::max(from, std::min(s, t));
    to = std::min(to, std::max(s, t));
    return from < to;
  };
  constexpr double kTouch = 1;
  return clip(a.x, b.x - a.x, box.left() + kTouch, box.right() - kTouch) &&
         clip(a.y, b.y - a.y, box.top() + kTouch, box.bottom() - kTouch);
}

/// Whether a box lies on the head of an arrow.
bool hides_head(const Box& box, const draw::Path& path) {
  const Point tip = path.points.back(), from = path.points[path.points.size() - 2];
  const double far = std::hypot(tip.x - from.x, tip.y - from.y);
  if (far < 1e-9) return false;
  const Point base{tip.x - draw::kHeadLength * (tip.x - from.x) / far,
                   tip.y - draw::kHeadLength * (tip.y - from.y) / far};
  return passes(base, tip, box);
}

struct Faults {
  int labels = 0, on_labels = 0, on_nodes = 0, on_lines = 0, on_heads = 0, outside = 0;
  int captions = 0, crossed_captions = 0;
};

Faults faults_of(const Picture& p, const Layout& l) {
  Faults f;
  std::vector<std::vector<Point>> lines;
  for (const draw::Path& path : l.edges) lines.push_back(draw::sampled(path));
  std::vector<std::size_t> edges;  // of which the labels are drawn
  std::vector<Box> boxes;
  std::set<std::tuple<std::string, long, long>> seen;
  for (std::size_t e = 0; e < p.edges.size(); ++e) {
    const std::string& label = p.edges[e].label;
    const Point c = l.edges[e].label;
    if (label.empty() || !seen.emplace(label, std::lround(c.x), std::lround(c.y)).second) continue;
    edges.push_back(e);
    boxes.push_back({c.x, c.y, draw::text_width(label, draw::kSmallSize), 10});
  }
  f.labels = static_cast<int>(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& b = boxes[i];
    const PictureEdge& own = p.edges[edges[i]];
    for (std::size_t k = i + 1; k < boxes.size(); ++k) f.on_labels += overlap(b, boxes[k]);
    for (const Box& node : l.nodes) f.on_nodes += overlap(b, node);
    bool crossed = false;
    for (std::size_t e = 0; e < lines.size(); ++e) {
      if (p.edges[e].from == own.from || p.edges[e].to == own.to) continue;
      for (std::size_t s = 0; s + 1 < lines[e].size(); ++s)
        crossed = crossed || passes(lines[e][s], lines[e][s + 1], b);
    }
    f.on_lines += crossed;
    for (const draw::Path& path : l.edges) f.on_heads += hides_head(b, path);
    f.outside += b.left() < 0 || b.right() > l.width || b.top() < 0 || b.bottom() > l.height;
  }
  for (std::size_t c = 0; c < p.clusters.size(); ++c) {
    const double width = draw::text_width(p.clusters[c].label, draw::kSmallSize + 1);
    const Box box{l.captions[c].x, l.captions[c].y, width, 10};
    bool crossed = false;
    for (const auto& line : lines)
      for (std::size_t s = 0; s + 1 < line.size(); ++s)
        crossed = crossed || passes(line[s], line[s + 1], box);
    f.crossed_captions += crossed;
    ++f.captions;
  }
  return f;
}

}  // namespace

TEST_CASE("labels: none on another, on a node, or on a line of others, in every view",
          "[draw][labels]") {
  const bool tell = std::getenv("TAUGRAD_TELL") != nullptr;
  int on_lines = 0, on_heads = 0, labels = 0, captions = 0, crossed_captions = 0;
  for (const std::string& name : shipped_names())
    for (const auto& [view, picture] : views_of(name)) {
      INFO(name << ", " << view);
      const Layout layout = draw::lay_out(picture);
      const Faults f = faults_of(picture, layout);
      if (tell && f.on_labels + f.on_nodes + f.on_lines + f.on_heads + f.outside > 0)
        std::cout << name << ", " << view << ": labels " << f.on_labels << ", nodes " << f.on_nodes
                  << ", lines " << f.on_lines << ", heads " << f.on_heads << ", outside "
                  << f.outside << ", of " << f.labels << "; captions " << f.crossed_captions
                  << " of " << f.captions << "\n";
      CHECK(f.outside == 0);
      CHECK(f.on_labels == 0);
      CHECK(f.on_nodes == 0);
      CHECK(f.on_lines <= std::max(f.labels / 9, 1));
      on_lines += f.on_lines;
      on_heads += f.on_heads;
      labels += f.labels;
      captions += f.captions;
      crossed_captions += f.crossed_captions;
    }
  INFO(on_lines << " of " << labels << " labels on lines of others, " << on_heads
                << " on arrow heads, lines through " << crossed_captions << " of " << captions
                << " captions");
  if (tell) std::cout << on_heads << " of " << labels << " labels on arrow heads\n";
  if (tell) std::cout << crossed_captions << " of " << captions << " captions\n";
  CHECK(crossed_captions == 0);
  CHECK(60 * on_lines <= labels);
  CHECK(150 * on_heads <= labels);
}
