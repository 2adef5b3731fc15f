#include "draw/printed/printed.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/index.h"

namespace taugrad::draw {
namespace {

/// The picture without some nodes, and without the edges that end at them.
Picture without(Picture p, const std::vector<char>& dropped) {
  std::vector<int> number(p.nodes.size(), -1);
  std::vector<PictureNode> kept;
  for (std::size_t n = 0; n < p.nodes.size(); ++n) {
    if (dropped[n]) continue;
    number[n] = static_cast<int>(kept.size());
    kept.push_back(std::move(p.nodes[n]));
  }
  for (PictureNode& n : kept)
    if (n.beside >= 0) n.beside = number[at(n.beside)];
  std::vector<PictureEdge> edges;
  for (PictureEdge& e : p.edges) {
    e.from = number[at(e.from)];
    e.to = number[at(e.to)];
    if (e.from >= 0 && e.to >= 0) edges.push_back(std::move(e));
  }
  p.nodes = std::move(kept);
  p.edges = std::move(edges);
  return p;
}

/// Names of the variables whose losses are drawn.
std::set<std::string> losses_of(const Picture& p) {
  std::set<std::string> names;
  for (const PictureNode& n : p.nodes)
    if (n.name.starts_with("nll:")) names.insert(n.name.substr(4, n.name.find('[') - 4));
  return names;
}

/// "L[3]" for "nll:y[3]"; with several random variables "L_y[3]".
void name_losses(Picture& p) {
  const std::set<std::string> names = losses_of(p);
  for (PictureNode& n : p.nodes) {
    if (n.kind != NodeKind::loss) continue;
    if (n.name == "loss") n.name = "L";
    if (!n.name.starts_with("nll:")) continue;
    const std::size_t index = n.name.find('[');
    const std::string of = n.name.substr(4, index == std::string::npos ? index : index - 4);
    n.name = (names.size() > 1 ? "L_" + of : std::string("L")) +
             (index == std::string::npos ? "" : n.name.substr(index));
  }
}

/// The sum of the terms: books draw the terms (eq 12). And what is no variable's gradient.
std::vector<char> left_out(const Picture& p) {
  std::vector<char> dropped(p.nodes.size(), 0);
  std::vector<int> terms(p.nodes.size(), 0), others(p.nodes.size(), 0);
  for (const PictureEdge& e : p.edges) {
    const bool term = p.nodes[at(e.from)].kind == NodeKind::loss;
    ++(term ? terms : others)[at(e.to)];
  }
  for (std::size_t n = 0; n < dropped.size(); ++n) {
    const PictureNode& node = p.nodes[n];
    const bool grid = node.cluster >= 0 && p.clusters[at(node.cluster)].position.size() > 1;
    if (grid && node.kind == NodeKind::constant)
      dropped[n] = 1;  // zeros around it
    else if (node.adjoint)
      dropped[n] = node.beside < 0 || p.nodes[at(node.beside)].kind == NodeKind::weight;
    else
      dropped[n] = node.kind == NodeKind::loss && terms[n] > 0 && others[n] == 0;
  }
  return dropped;
}

/// From the loss to the gradients of what it reads: where the way back begins (eq 16-17).
void begin_gradients(Picture& p) {
  std::map<int, int> gradient;  // of a node
  for (std::size_t n = 0; n < p.nodes.size(); ++n)
    if (p.nodes[n].order == 1 && p.nodes[n].beside >= 0)
      gradient[p.nodes[n].beside] = static_cast<int>(n);
  const std::size_t edges = p.edges.size();
  for (std::size_t e = 0; e < edges; ++e) {
    const auto of = gradient.find(p.edges[e].from);
    if (p.nodes[at(p.edges[e].to)].kind == NodeKind::loss && of != gradient.end())
      p.edges.push_back(
          {.from = p.edges[e].to, .to = of->second, .kind = EdgeKind::adjoint, .label = ""});
  }
}

/// "W" of "W z⁻¹"; the delay in `delay`.
std::string without_delay(const std::string& label, std::string& delay) {
  const std::size_t at_z = label.rfind("z\xE2\x81");  // z, and a raised sign
  if (at_z == std::string::npos || (at_z > 0 && label[at_z - 1] != ' ')) return label;
  delay = label.substr(at_z);
  return label.substr(0, at_z > 0 ? at_z - 1 : 0);
}

/// Whether a delay is told by letters, as those of several indices are.
bool is_of_plane(const std::string& label) {
  return label.find("\u2212") != std::string::npos && label.find("z\xE2\x81") == std::string::npos;
}

/// Three or more ways back between two nodes of a plane, such as "t-1" and "t-1, s-2", could not be
/// told apart: one line names them all.
void join_ways_back(Picture& p) {
  constexpr std::size_t kMany = 3;
  std::map<std::pair<int, int>, std::vector<std::size_t>> ways;
  for (std::size_t e = 0; e < p.edges.size(); ++e)
    if (p.edges[e].square && is_of_plane(p.edges[e].label))
      ways[{p.edges[e].from, p.edges[e].to}].push_back(e);
  std::vector<char> joined(p.edges.size(), 0);
  for (const auto& [ends, edges] : ways)
    for (std::size_t i = 1; edges.size() >= kMany && i < edges.size(); ++i) {
      p.edges[edges[0]].label += " | " + p.edges[edges[i]].label;
      joined[edges[i]] = 1;
    }
  std::size_t e = 0;
  std::erase_if(p.edges, [&](const PictureEdge&) { return joined[e++] != 0; });
}

}  // namespace

Picture printed(Picture p) {
  p.printed = true;
  if (p.clusters.empty()) return p;
  for (PictureNode& n : p.nodes) {
    n.op.clear();
    n.shape.clear();
  }
  std::vector<char> dropped = left_out(p);
  p = without(std::move(p), dropped);
  name_losses(p);
  begin_gradients(p);
  std::string delay;
  for (PictureEdge& e : p.edges) {
    if (!e.delayed) continue;
    const PictureCluster& to = p.clusters[at(p.nodes[at(e.to)].cluster)];
    if (to.position.size() == 1)
      e.label = without_delay(e.label, delay);
    else  // "i−1" of a grid is seen from where the nodes stand
      e.label = e.label.substr(0, e.label.find(' ') == std::string::npos ? 0 : e.label.find(' '));
    e.delayed = false;
  }
  return p;
}

Picture printed_circuit(Picture p) {
  p.printed = true;
  const bool steps = !p.clusters.empty();
  std::vector<char> dropped = steps ? left_out(p) : std::vector<char>(p.nodes.size(), 0);
  name_losses(p);
  for (std::size_t n = 0; n < p.nodes.size(); ++n) {
    PictureNode& node = p.nodes[n];
    const bool boundary = node.kind == NodeKind::constant;  // "h[0] = h0"
    dropped[n] |= steps && (node.kind == NodeKind::weight || boundary || node.name.empty());
    if (node.cluster >= 0) node.name = node.name.substr(0, node.name.rfind('['));
    if (steps) {
      node.op.clear();
      node.shape.clear();
    }
  }
  p = without(std::move(p), dropped);
  for (PictureEdge& e : p.edges) {
    if (!e.delayed) continue;
    std::string delay;
    const std::string label = without_delay(e.label, delay);
    if (delay == "z⁻¹") e.label = label;
    e.delayed = false;
    e.square = true;
  }
  join_ways_back(p);
  return p;
}

}  // namespace taugrad::draw
