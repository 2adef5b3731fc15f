#include "draw/layout/grid.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/index.h"

namespace taugrad::draw {
namespace {

using Prefix = std::vector<int>;

struct Domain {
  std::string letters;
  int first_use = std::numeric_limits<int>::max();  // first computed node: orders the domains
  int block = -1;
  int first_row = 0;
  std::map<Prefix, int> rows;
};

std::string last_letter(const std::string& letters) {
  const auto comma = letters.rfind(',');
  return comma == std::string::npos ? letters : letters.substr(comma + 1);
}
bool is_line(const Domain& d) { return d.letters.find(',') == std::string::npos; }

Prefix row_key(const PictureCluster& c) {
  return c.position.empty() ? Prefix{} : Prefix(c.position.begin(), c.position.end() - 1);
}
int column_key(const PictureCluster& c) { return c.position.empty() ? 0 : c.position.back(); }

class GridMaker {
 public:
  explicit GridMaker(const Picture& picture) : picture_(picture) {}

  Grid make() {
    find_domains();
    order_domains();
    join_lines_to_grids();
    number_columns();
    place_slots();
    finish_columns();
    return std::move(grid_);
  }

 private:
  void find_domains() {
    std::map<std::string, int> known;
    for (const PictureCluster& c : picture_.clusters) {
      const auto [it, fresh] = known.try_emplace(c.domain, static_cast<int>(domains_.size()));
      if (fresh) {
        domains_.emplace_back();
        domains_.back().letters = c.domain;
      }
      domain_of_.push_back(it->second);
      domains_[at(it->second)].rows.try_emplace(row_key(c), 0);
    }
    std::vector<char> computed(picture_.nodes.size(), 0);
    for (const PictureEdge& e : picture_.edges) computed[at(e.to)] = 1;
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      const PictureNode& node = picture_.nodes[n];
      if (node.cluster < 0 || node.adjoint || !computed[n] || node.kind == NodeKind::copy) continue;
      Domain& d = domains_[at(domain_of_[at(node.cluster)])];
      d.first_use = std::min(d.first_use, static_cast<int>(n));
    }
  }

  void order_domains() {
    order_.resize(domains_.size());
    for (std::size_t d = 0; d < order_.size(); ++d) order_[d] = static_cast<int>(d);
    std::stable_sort(order_.begin(), order_.end(), [this](int a, int b) {
      return domains_[at(a)].first_use < domains_[at(b)].first_use;
    });
  }

  // d[t] stands under the grid q[s,t], in the same columns; other domains have columns of their
  // own.
  void join_lines_to_grids() {
    for (const int d : order_) {
      Domain& domain = domains_[at(d)];
      for (const int other : order_) {
        Domain& partner = domains_[at(other)];
        if (partner.block < 0 || is_line(domain) == is_line(partner)) continue;
        if (last_letter(domain.letters) == last_letter(partner.letters))
          domain.block = partner.block;
      }
      if (domain.block < 0) {
        domain.block = static_cast<int>(columns_.size());
        columns_.emplace_back();
        rows_.push_back(0);
      }
    }
    for (const bool line : {false, true}) {  // grids above, lines below
      for (const int d : order_) {
        Domain& domain = domains_[at(d)];
        if (is_line(domain) != line) continue;
        int& row = rows_[at(domain.block)];
        for (auto& [prefix, number] : domain.rows) number = row++;
      }
    }
    for (const int count : rows_) grid_.rows = std::max(grid_.rows, count);
  }

  void number_columns() {
    for (std::size_t c = 0; c < picture_.clusters.size(); ++c) {
      columns_[at(domains_[at(domain_of_[c])].block)].try_emplace(column_key(picture_.clusters[c]),
                                                                  0);
    }
  }

  // A node outside all steps stands after the last block that it reads; one that reads nothing,
  // before its first use.
  void place_slots() {
    const std::size_t count = picture_.nodes.size();
    slot_.assign(count, 0);
    std::vector<char> computed(count, 0);
    for (const PictureEdge& e : picture_.edges) computed[at(e.to)] = 1;
    for (std::size_t n = 0; n < count; ++n) {
      if (picture_.nodes[n].cluster >= 0) slot_[n] = block_of(picture_.nodes[n].cluster) + 1;
    }
    push_slots();
    std::vector<int> first_use(count, static_cast<int>(columns_.size()));
    for (const PictureEdge& e : picture_.edges) {
      const int cluster = picture_.nodes[at(e.to)].cluster;
      const int use = cluster >= 0 ? block_of(cluster) : slot_[at(e.to)];
      first_use[at(e.from)] = std::min(first_use[at(e.from)], use);
    }
    for (std::size_t n = 0; n < count; ++n) {
      const PictureNode& node = picture_.nodes[n];
      if (node.cluster >= 0) continue;
      if (!computed[n]) slot_[n] = first_use[n];
      if (node.adjoint && node.beside >= 0 && picture_.nodes[at(node.beside)].cluster < 0) {
        slot_[n] = slot_[at(node.beside)];
      }
    }
  }

  // Along the edges until nothing moves: a slot only grows, so each node is looked at once a block.
  void push_slots() {
    std::vector<std::vector<int>> users(picture_.nodes.size());
    std::vector<int> changed;
    for (const PictureEdge& e : picture_.edges) {
      if (picture_.nodes[at(e.to)].cluster >= 0 ||
          picture_.nodes[at(e.from)].kind == NodeKind::weight)
        continue;
      users[at(e.from)].push_back(e.to);
      if (picture_.nodes[at(e.from)].cluster >= 0) changed.push_back(e.from);
    }
    while (!changed.empty()) {
      const int n = changed.back();
      changed.pop_back();
      for (const int user : users[at(n)]) {
        if (slot_[at(user)] >= slot_[at(n)]) continue;
        slot_[at(user)] = slot_[at(n)];
        changed.push_back(user);
      }
    }
  }

  bool in_band(const PictureNode& n) const {
    if (picture_.clusters.empty() || n.cluster >= 0) return false;
    if (n.kind == NodeKind::weight) return true;
    return n.beside >= 0 && picture_.nodes[at(n.beside)].kind == NodeKind::weight;
  }

  int block_of(int cluster) const { return domains_[at(domain_of_[at(cluster)])].block; }

  void finish_columns() {
    const std::size_t slots = columns_.size() + 1;
    std::vector<char> used(slots, 0);
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      if (picture_.nodes[n].cluster < 0 && !in_band(picture_.nodes[n])) used[at(slot_[n])] = 1;
    }
    std::vector<int> slot_cell(slots, -1);
    for (std::size_t s = 0; s < slots; ++s) {
      if (used[s]) {
        slot_cell[s] = static_cast<int>(grid_.cells.size());
        grid_.cells.push_back(
            {.pattern = static_cast<int>(domains_.size() + s), .column = grid_.columns++});
        grid_.block_of_column.push_back(-1 - static_cast<int>(s));
      }
      if (s == columns_.size()) break;
      for (auto& [key, column] : columns_[s]) {
        column = grid_.columns++;
        grid_.block_of_column.push_back(static_cast<int>(s));
      }
    }
    grid_.patterns = static_cast<int>(domains_.size() + slots);
    const int first_cluster_cell = static_cast<int>(grid_.cells.size());
    add_cluster_cells();
    grid_.cell_of.resize(picture_.nodes.size());
    for (std::size_t n = 0; n < picture_.nodes.size(); ++n) {
      const PictureNode& node = picture_.nodes[n];
      grid_.cell_of[n] = node.cluster >= 0 ? first_cluster_cell + node.cluster
                         : in_band(node)   ? kBand
                                           : slot_cell[at(slot_[n])];
    }
  }

  void add_cluster_cells() {
    for (std::size_t c = 0; c < picture_.clusters.size(); ++c) {
      const PictureCluster& cluster = picture_.clusters[c];
      const Domain& d = domains_[at(domain_of_[c])];
      grid_.cells.push_back({.pattern = domain_of_[c],
                             .column = columns_[at(d.block)].at(column_key(cluster)),
                             .row = d.rows.at(row_key(cluster)),
                             .cluster = static_cast<int>(c)});
    }
  }

  const Picture& picture_;
  Grid grid_;
  std::vector<Domain> domains_;
  std::vector<int> domain_of_;               // by cluster
  std::vector<int> order_;                   // domains, as computed
  std::vector<std::map<int, int>> columns_;  // by block: position -> column
  std::vector<int> rows_;                    // by block
  std::vector<int> slot_;                    // by node
};

}  // namespace

Grid make_grid(const Picture& picture) { return GridMaker(picture).make(); }

}  // namespace taugrad::draw
