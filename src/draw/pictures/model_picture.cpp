#include "taugrad/draw/model_picture.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <utility>

#include "base/in_range.h"
#include "draw/layout/layout.h"
#include "draw/pictures/names.h"

namespace taugrad {
namespace {

NodeKind kind_of(ModelRole role) {
  return role == ModelRole::random  ? NodeKind::random
         : role == ModelRole::given ? NodeKind::input
                                    : NodeKind::variable;
}

std::string title_of(const GraphicalModel& model, const ModelNode& n) {
  if (n.role == ModelRole::given) return n.label() + ", given";
  std::string text = n.label();
  text += n.role == ModelRole::state ? ", a function of" : n.parents.empty() ? "" : ", given";
  constexpr std::size_t kMost = 12;
  for (std::size_t i = 0; i < n.parents.size() && i < kMost; ++i)
    text.append(" ").append(model.nodes[static_cast<std::size_t>(n.parents[i])].label());
  return n.parents.size() > kMost ? text + " ..." : text;
}

}  // namespace

Picture picture_of(const GraphicalModel& model, const ModelPictureOptions& options) {
  for (const ModelNode& n : model.nodes)
    for (const int from : n.parents) check_number("node", from, model.nodes.size());
  const auto edges = static_cast<std::size_t>(model.edges());
  draw::require_room(model.nodes.size(), edges, options.most_steps <= 0);
  Picture p;
  p.nodes.reserve(model.nodes.size());
  p.edges.reserve(edges);
  p.title = model.name + ", graphical model";
  draw::IdMaker ids;
  std::map<std::pair<std::string, std::vector<std::int32_t>>, int> clusters;
  for (const ModelNode& n : model.nodes) {
    PictureNode node;
    node.id = ids.make(n.name, n.position, "");
    node.name = n.label();
    node.op = n.distribution;
    if (n.shape.rank() > 0) node.shape = to_string(n.shape);
    node.title = title_of(model, n);
    node.kind = kind_of(n.role);
    node.role = n.name;
    if (!n.position.empty()) {
      const std::string domain = fmt::format("{}", fmt::join(n.letters, ","));
      const auto [it, fresh] =
          clusters.try_emplace({domain, n.position}, static_cast<int>(p.clusters.size()));
      node.cluster = it->second;
      if (fresh)
        p.clusters.push_back({.label = fmt::format("{} = {}", domain, fmt::join(n.position, ",")),
                              .domain = domain,
                              .position = {n.position.begin(), n.position.end()}});
    }
    p.nodes.push_back(std::move(node));
  }
  for (std::size_t n = 0; n < model.nodes.size(); ++n)
    for (const int from : model.nodes[n].parents)
      p.edges.push_back({.from = from, .to = static_cast<int>(n), .label = ""});
  p.printed = options.printed;
  if (p.printed)
    for (PictureNode& n : p.nodes) n.op = n.shape = "";
  p.about = fmt::format("{} nodes, {} edges; {}", p.nodes.size(), p.edges.size(),
                        to_text(structure_of(model)));
  return options.most_steps > 0 ? elide(p, options.most_steps) : p;
}

}  // namespace taugrad
