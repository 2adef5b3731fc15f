#include "draw/pictures/check_numbers.h"

#include "base/in_range.h"

namespace taugrad::draw {

void check_numbers(const Picture& p) {
  for (const PictureNode& n : p.nodes) {
    if (n.cluster != -1) check_number("cluster", n.cluster, p.clusters.size());
    if (n.beside != -1) check_number("node", n.beside, p.nodes.size());
  }
  for (const PictureEdge& e : p.edges) {
    check_number("node", e.from, p.nodes.size());
    check_number("node", e.to, p.nodes.size());
  }
}

}  // namespace taugrad::draw
