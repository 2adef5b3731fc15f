// Places of what depends, each on most of what is given, as a layer of full connections is printed.
#include <algorithm>
#include <array>

#include "draw/printed/printed_layout.h"
#include "draw/search/printed_search.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMany = 4;  // lines for each node
constexpr double kGap = 14;       // between circles of a row
constexpr double kSlope = 0.75;   // height between the rows, of their width

std::vector<char> readers(const Picture& p) {
  std::vector<char> reads(p.nodes.size(), 0);
  for (const PictureEdge& e : p.edges) reads[static_cast<std::size_t>(e.to)] = 1;
  return reads;
}

}  // namespace

bool is_layer(const Picture& p) {
  if (!is_plane(p) || p.edges.size() < kMany * p.nodes.size()) return false;
  const std::vector<char> reads = readers(p);
  return std::ranges::none_of(
      p.edges, [&](const PictureEdge& e) { return reads[static_cast<std::size_t>(e.from)]; });
}

std::vector<Box> two_rows(const Picture& p, double scale) {
  const std::vector<char> reads = readers(p);
  std::vector<Box> boxes(p.nodes.size());
  std::array<double, 2> width{};
  for (std::size_t n = 0; n < boxes.size(); ++n) {
    double& right = width[reads[n] ? 1 : 0];
    boxes[n].width = printed_node_width(p.nodes[n]);
    boxes[n].height = kCircle;
    boxes[n].x = right + boxes[n].width / 2;
    right += boxes[n].width + kGap * scale;
  }
  const double height = std::max(kRowPitch, kSlope * std::max(width[0], width[1])) * scale;
  for (std::size_t n = 0; n < boxes.size(); ++n) {
    boxes[n].x -= width[reads[n] ? 1 : 0] / 2;
    boxes[n].y = reads[n] ? -height : 0;
  }
  return boxes;
}

}  // namespace taugrad::draw
