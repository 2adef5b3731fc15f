#include "draw/search/search_groups.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/index.h"
#include "draw/printed/printed_cell.h"

namespace taugrad::draw {
namespace {

class Finder {
 public:
  Finder(const Picture& p, const std::vector<Box>& boxes, Freedom freedom, Scope scope)
      : p_(p), boxes_(boxes), freedom_(freedom), scope_(scope) {
    out_.grid = make_grid(p);
  }

  SearchGroups run() {
    find_columns();
    find_lines();
    find_groups();
    return std::move(out_);
  }

 private:
  const PictureNode& node(int n) const { return p_.nodes[at(n)]; }

  // what belongs to no step but stands between steps has a column as they have
  void find_columns() {
    std::vector<char> reads(p_.nodes.size(), 0), read(p_.nodes.size(), 0);
    for (const PictureEdge& e : p_.edges) {
      if (node(e.from).cluster >= 0) reads[at(e.to)] = 1;
      if (node(e.to).cluster >= 0) read[at(e.from)] = 1;
    }
    out_.column.assign(p_.nodes.size(), -1);
    if (freedom_ == Freedom::anywhere) return;
    for (std::size_t n = 0; n < p_.nodes.size(); ++n) {
      const int c = out_.grid.cell_of[n];
      if (c < 0 || p_.clusters.empty() || is_free(static_cast<int>(n))) continue;
      if (node(static_cast<int>(n)).cluster >= 0 || (reads[n] && read[n]))
        out_.column[n] = out_.grid.cells[at(c)].column;
    }
  }

  void find_lines() {
    for (const PictureEdge& e : p_.edges) {
      if (e.from == e.to) continue;
      if (scope_ == Scope::forward && (node(e.from).adjoint || node(e.to).adjoint)) continue;
      const bool inner = node(e.from).cluster == node(e.to).cluster && !e.square &&
                         (node(e.from).cluster >= 0 || p_.clusters.empty());
      out_.lines.push_back(
          {e.from, e.to, inner,
           inner && !node(e.to).adjoint && boxes_[at(e.from)].y > boxes_[at(e.to)].y});
    }
  }

  bool is_free(int n) const { return freedom_ != Freedom::roles && is_boundary(node(n)); }

  std::string group_of(int n) const {
    const bool alike = freedom_ < Freedom::nodes && node(n).cluster >= 0 && !is_free(n);
    if (!alike) return node(n).id;
    const Cell& cell = out_.grid.cells[at(out_.grid.cell_of[at(n)])];
    return std::to_string(cell.pattern) + "\n" + role_in_cell(p_, n);
  }

  void find_groups() {
    std::map<std::string, int> known;
    group_.assign(p_.nodes.size(), -1);
    upside_down_.assign(p_.nodes.size(), 0);
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      const int n = static_cast<int>(i);
      if (node(n).adjoint || node(n).kind == NodeKind::ellipsis) continue;
      const auto [it, fresh] = known.try_emplace(group_of(n), static_cast<int>(out_.groups.size()));
      if (fresh) out_.groups.emplace_back();
      out_.groups.back().alone = freedom_ >= Freedom::nodes && !p_.clusters.empty() && !is_free(n);
      out_.groups[at(it->second)].nodes.push_back(n);
      group_[i] = it->second;
    }
    for (std::size_t i = 0; i < p_.nodes.size(); ++i) {
      const PictureNode& n = p_.nodes[i];
      if (!n.adjoint || n.beside < 0 || group_[at(n.beside)] < 0) continue;
      group_[i] = group_[at(n.beside)];
      upside_down_[i] = !upside_down_[at(n.beside)];
      SearchGroup& g = out_.groups[at(group_[i])];
      (upside_down_[i] ? g.mirrored : g.nodes).push_back(static_cast<int>(i));
      if (n.order > 1) continue;
      out_.axis = (boxes_[i].y + boxes_[at(n.beside)].y) / 2;
      out_.has_axis = true;
    }
    for (std::size_t l = 0; l < out_.lines.size(); ++l) {
      const int a = group_[at(out_.lines[l].from)], b = group_[at(out_.lines[l].to)];
      if (a >= 0) out_.groups[at(a)].lines.push_back(static_cast<int>(l));
      if (b >= 0 && b != a) out_.groups[at(b)].lines.push_back(static_cast<int>(l));
    }
  }

  const Picture& p_;
  const std::vector<Box>& boxes_;
  const Freedom freedom_;
  const Scope scope_;
  SearchGroups out_;
  std::vector<int> group_;         // by node; -1: none
  std::vector<char> upside_down_;  // by node
};

}  // namespace

bool is_boundary(const PictureNode& node) {
  return node.kind == NodeKind::constant && node.cluster >= 0;
}

bool is_plane(const Picture& picture) {
  return std::ranges::any_of(picture.clusters,
                             [](const PictureCluster& c) { return c.position.size() > 1; });
}

SearchGroups search_groups(const Picture& picture, const std::vector<Box>& boxes, Freedom freedom,
                           Scope scope) {
  return Finder(picture, boxes, freedom, scope).run();
}

}  // namespace taugrad::draw
