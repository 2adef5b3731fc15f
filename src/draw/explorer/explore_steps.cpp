// A step drawn alone.
#include <algorithm>
#include <map>

#include "base/index.h"
#include "draw/explorer/explore.h"

namespace taugrad::draw {
namespace {

/// The nodes of one cluster, with those outside at the other ends of its edges.
Picture step_of(const Picture& whole, const std::string& title, std::vector<int> nodes,
                const std::vector<int>& edges) {
  for (const int e : edges)
    for (const int n : {whole.edges[at(e)].from, whole.edges[at(e)].to}) nodes.push_back(n);
  std::ranges::sort(nodes);
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  Picture step{.title = title, .about = {}, .nodes = {}, .edges = {}, .clusters = {}};
  std::map<int, int> number, clusters;
  for (const int n : nodes) number.emplace(n, static_cast<int>(number.size()));
  for (const int n : nodes) {
    PictureNode node = whole.nodes[at(n)];
    const auto beside = number.find(node.beside);
    node.beside = beside == number.end() ? -1 : beside->second;
    if (node.cluster >= 0) {
      const auto [it, fresh] =
          clusters.try_emplace(node.cluster, static_cast<int>(step.clusters.size()));
      if (fresh) step.clusters.push_back(whole.clusters[at(node.cluster)]);
      node.cluster = it->second;
    }
    step.nodes.push_back(std::move(node));
  }
  for (const int e : edges) {
    PictureEdge edge = whole.edges[at(e)];
    edge.from = number.at(edge.from);
    edge.to = number.at(edge.to);
    step.edges.push_back(std::move(edge));
  }
  return step;
}

}  // namespace

bool has_gap(const Picture& p) { return std::ranges::any_of(p.clusters, &PictureCluster::elided); }

Detail drawn_detail(const Picture& p) {
  if (p.printed) return Detail::variables;
  const bool operations =
      std::ranges::any_of(p.nodes, [](const PictureNode& n) { return n.name.empty(); });
  return operations ? Detail::operations : Detail::values;
}

std::vector<Step> steps_of(const Picture& operations) {
  std::vector<std::vector<int>> edges(operations.clusters.size());  // that touch a cluster
  for (std::size_t e = 0; e < operations.edges.size(); ++e) {
    const int from = operations.nodes[at(operations.edges[e].from)].cluster;
    const int to = operations.nodes[at(operations.edges[e].to)].cluster;
    if (from >= 0) edges[at(from)].push_back(static_cast<int>(e));
    if (to >= 0 && to != from) edges[at(to)].push_back(static_cast<int>(e));
  }
  std::vector<std::vector<int>> nodes(operations.clusters.size());
  for (std::size_t n = 0; n < operations.nodes.size(); ++n)
    if (const int c = operations.nodes[n].cluster; c >= 0)
      nodes[at(c)].push_back(static_cast<int>(n));
  std::vector<Step> steps;
  for (std::size_t c = 0; c < operations.clusters.size(); ++c) {
    const PictureCluster& cluster = operations.clusters[c];
    if (!cluster.elided)
      steps.push_back(
          {{.name = cluster.label,
            .label = cluster.label,
            .picture = step_of(operations, cluster.label, std::move(nodes[c]), edges[c])},
           std::move(edges[c])});
  }
  return steps;
}

}  // namespace taugrad::draw
