// Printed pictures of all shipped definitions: no text lies on another, on a circle or on a line,
// few on an arrow head or where they could be of another line; no square of a delay on another
// line.
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "support_printed.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// What must never be.
struct Overlaps {
  int on_texts = 0, on_nodes = 0, on_lines = 0, outside = 0, nodes = 0;
};

bool crosses(const Box& b, const std::vector<Point>& line) {
  for (std::size_t s = 0; s + 1 < line.size(); ++s)
    if (cut(line[s], line[s + 1], {b.left(), b.top()}, {b.right(), b.bottom()}) ||
        cut(line[s], line[s + 1], {b.left(), b.bottom()}, {b.right(), b.top()}))
      return true;
  return false;
}

Overlaps overlaps_of(const Picture& p, const Layout& l, const Lines& lines) {
  Overlaps f;
  const std::vector<Box> texts = texts_of(p, l);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Box& b = texts[i];
    for (std::size_t k = i + 1; k < texts.size(); ++k) f.on_texts += overlap(b, texts[k]);
    for (std::size_t n = 0; n < l.nodes.size(); ++n)
      if (p.nodes[n].kind != NodeKind::ellipsis) f.on_nodes += overlap(b, l.nodes[n]);
    f.outside += b.left() < 0 || b.right() > l.width || b.top() < 0 || b.bottom() > l.height;
    bool crossed = false;
    for (const auto& line : lines) crossed = crossed || crosses(b, line);
    f.on_lines += crossed;
  }
  for (std::size_t n = 0; n < l.nodes.size(); ++n)
    for (std::size_t m = n + 1; m < l.nodes.size(); ++m) f.nodes += overlap(l.nodes[n], l.nodes[m]);
  return f;
}

/// What is to be rare.
struct Doubts {
  int labels = 0, near_others = 0, on_heads = 0, squares = 0, squares_on_lines = 0;
  void add(const Doubts& d) {
    labels += d.labels, near_others += d.near_others, on_heads += d.on_heads;
    squares += d.squares, squares_on_lines += d.squares_on_lines;
  }
};

std::vector<Point> head_of(const draw::Path& path) {
  const Point tip = path.points.back(), from = path.points[path.points.size() - 2];
  const double far = std::hypot(tip.x - from.x, tip.y - from.y);
  const Point way{(tip.x - from.x) / far, (tip.y - from.y) / far};
  const Point back{tip.x - draw::kHeadLength * way.x, tip.y - draw::kHeadLength * way.y};
  const double half = draw::kHeadWidth / 2;
  const Point one{back.x - half * way.y, back.y + half * way.x},
      other{back.x + half * way.y, back.y - half * way.x};
  return {one, tip, other, one};
}

Doubts doubts_of(const Picture& p, const Layout& l, const Lines& lines) {
  Doubts f;
  const std::vector<Box> texts = texts_of(p, l);
  for (const draw::Path& path : l.edges)
    for (const Box& b : texts) f.on_heads += distance(b, head_of(path)) < 0.5;
  for (std::size_t e = 0; e < p.edges.size(); ++e) {
    double nearest = 1e18;
    const Point s = l.edges[e].square, c = l.edges[e].label;
    const Box square{s.x, s.y, draw::kSquare, draw::kSquare},
        label{c.x, c.y, draw::printed_width(p.edges[e]), draw::kLabelHeight};
    bool on_line = false;
    for (std::size_t k = 0; k < lines.size(); ++k) {
      if (k == e) continue;
      on_line = on_line || (p.edges[e].square && distance(square, lines[k]) < 1);
      if (label.width > 0 && p.edges[k].label != p.edges[e].label)
        nearest = std::min(nearest, distance(label, lines[k]));
    }
    f.squares += p.edges[e].square;
    f.squares_on_lines += on_line;
    if (label.width == 0) continue;
    ++f.labels;
    f.near_others += nearest < distance(label, lines[e]) + 1;
  }
  return f;
}

}  // namespace

TEST_CASE("printed: no text lies on another, on a circle or on a line, or seems to be of another",
          "[draw][printed]") {
  const bool tell = std::getenv("TAUGRAD_TELL") != nullptr;
  int pictures = 0, laid = 0;
  Doubts all;
  for (const std::string& name : shipped_names())
    for (const auto& [view, p] : printed_views(name)) {
      INFO(name << ", " << view);
      const Layout l = draw::lay_out(p);
      ++pictures;
      if (!l.printed) continue;
      ++laid;
      const Lines lines = lines_of(l);
      const Overlaps f = overlaps_of(p, l, lines);
      CHECK(f.on_texts == 0);
      CHECK(f.on_nodes == 0);
      CHECK(f.on_lines == 0);
      CHECK(f.outside == 0);
      CHECK(f.nodes == 0);
      const Doubts d = doubts_of(p, l, lines);
      CHECK(d.squares_on_lines == 0);
      if (tell && d.near_others + d.on_heads + d.squares_on_lines > 0)
        std::cout << name << ", " << view << ": of " << d.labels << " labels " << d.near_others
                  << " near other lines, " << d.on_heads << " on arrow heads; "
                  << d.squares_on_lines << " squares on lines\n";
      all.add(d);
    }
  CHECK(laid == pictures);
  INFO(all.near_others << " of " << all.labels << " labels near other lines, " << all.on_heads
                       << " on arrow heads, " << all.squares << " squares");
  if (tell)
    std::cout << all.near_others << " of " << all.labels << " labels near other lines, "
              << all.on_heads << " on arrow heads, " << all.squares_on_lines << " of "
              << all.squares << " squares on lines\n";
  CHECK(all.squares > 100);
  CHECK(25 * all.near_others <= all.labels);
  CHECK(120 * all.on_heads <= all.labels);
}
