#include "draw/pictures/scan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/index.h"
#include "graph/adjoint.h"
#include "graph/gradient_order.h"
#include "graph/positions.h"
#include "taugrad/graph/reachable.h"
#include "taugrad/ops/records.h"

namespace taugrad::draw {
namespace {

class Scanner {
 public:
  Scanner(const Tape& tape, const GraphPictureOptions& options, const Manner& manner)
      : tape_(tape), options_(options) {
    find_adjoint(manner);
    if (manner.by_hand) {
      out_.owner = position_owners(tape, out_.adjoint);
    } else {
      for (NodeId id = 0; id < tape.size(); ++id)
        out_.owner.push_back(tape.index_id(id) != 0 ? id : -1);
    }
  }

  TapeScan run(const Manner& manner) {
    if (options_.outputs.empty()) {
      out_.shown.assign(at(tape_.size()), 1);
    } else {
      out_.shown = reachable(tape_, options_.outputs);
      out_.unneeded = std::ranges::count(out_.shown, 0);
    }
    if (manner.by_hand) hide_zeros();
    if (!options_.cotangents) hide_cotangents();
    out_.cluster.assign(at(tape_.size()), -1);
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (out_.shown[at(id)] && out_.owner[at(id)] >= 0 && !is_weight_copy(tape_, id))
        out_.cluster[at(id)] = cluster_of(out_.owner[at(id)]);
    }
    place_copies();
    if (options_.most_steps > 0) thin();
    return std::move(out_);
  }

 private:
  void find_adjoint(const Manner& manner) {
    const NodeId first = options_.gradient_from;
    if (manner.by_hand)
      out_.adjoint = adjoint_nodes(tape_);
    else
      out_.adjoint.assign(at(tape_.size()), 0);
    for (NodeId id = first; first >= 0 && id < tape_.size(); ++id)
      out_.adjoint[at(id)] = static_cast<char>(std::max(gradient_order(tape_, id), 1));
  }

  void hide_zeros() {
    for (const NodeId id : sinks(tape_)) {
      const bool zero = &tape_.op(id) == &kConstant && tape_.is_value(id);
      if (!zero || !out_.shown[at(id)] || !tape_.name(id).starts_with("grad:")) continue;
      out_.shown[at(id)] = 0;
      out_.zeros.push_back(id);
    }
  }

  bool is_forward(NodeId id) const { return out_.adjoint[at(id)] == 0; }

  /// Cotangents, the sum that they stand in for a loss with, and what is on the way to it alone;
  /// of the gradient what is made of nothing else.
  void hide_cotangents() {
    std::vector<char> hidden(at(tape_.size()), 0), read(hidden);
    for (NodeId id = tape_.size(); id-- > 0;) {
      const bool named = tape_.is_value(id);
      const std::string_view name = tape_.name(id);
      if (!out_.shown[at(id)] || !is_forward(id)) continue;
      const bool cotangent = &tape_.op(id) == &kInput && name.starts_with("cotangent:");
      hidden[at(id)] = cotangent || (named ? name == "loss" : !read[at(id)]);
      out_.cotangents_left_out = out_.cotangents_left_out || cotangent;
      if (!hidden[at(id)])
        for (const NodeId in : tape_.inputs(id)) read[at(in)] = 1;
    }
    if (!out_.cotangents_left_out) return;
    for (NodeId id = 0; id < tape_.size(); ++id) {
      const auto inputs = tape_.inputs(id);
      if (!is_forward(id) && !tape_.is_value(id) && !inputs.empty())
        hidden[at(id)] = std::ranges::all_of(
            inputs, [&](NodeId in) { return hidden[at(in)] || is_loose_leaf(tape_, in); });
      if (hidden[at(id)]) out_.shown[at(id)] = 0;
    }
  }

  // A copy belongs to the step of the equation that reads it, whatever the letters of its own name.
  void place_copies() {
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!out_.shown[at(id)] || out_.cluster[at(id)] < 0) continue;
      for (const NodeId in : tape_.inputs(id)) {
        if (out_.cluster[at(in)] < 0 && is_weight_copy(tape_, in))
          out_.cluster[at(in)] = out_.cluster[at(id)];
      }
    }
    // the gradient of a copy stands where the copy does
    for (NodeId id = 0; id < tape_.size(); ++id) {
      if (!out_.shown[at(id)] || !tape_.is_value(id) || tape_.index_id(id) == 0) continue;
      const std::string_view name = tape_.name(id);
      if (!name.starts_with("grad:")) continue;
      const NodeId primal = tape_.find_value(name.substr(5), tape_.index(id));
      if (primal >= 0 && out_.cluster[at(primal)] >= 0)
        out_.cluster[at(id)] = out_.cluster[at(primal)];
    }
  }

  // as the tape says, else t, or i and j
  std::vector<std::string> letters_of(NameId name, std::size_t rank) const {
    if (const auto own = tape_.letters_of(name); own.size() == rank)
      return {own.begin(), own.end()};
    if (rank == 1) return {"t"};
    std::vector<std::string> usual{"i", "j", "k", "l"};
    while (usual.size() < rank) usual.push_back(fmt::format("i{}", usual.size()));
    usual.resize(rank);
    return usual;
  }

  int cluster_of(NodeId id) {
    const auto key = (static_cast<std::uint64_t>(tape_.name_id(id)) << 32) | tape_.index_id(id);
    const auto [it, fresh] = by_owner_.try_emplace(key, -1);
    if (!fresh) return it->second;
    const auto index = tape_.index(id);
    const std::vector<std::string> letters = letters_of(tape_.name_id(id), index.size());
    std::string domain = fmt::format("{}", fmt::join(letters, ","));
    const auto [place, first] =
        by_place_.try_emplace({domain, tape_.index_id(id)}, static_cast<int>(out_.clusters.size()));
    it->second = place->second;
    if (first) {
      PictureCluster c;
      for (std::size_t a = 0; a < index.size(); ++a) {
        c.label += fmt::format("{}{} = {}", a == 0 ? "" : ", ", letters[a], index[a]);
      }
      c.position.assign(index.begin(), index.end());
      c.domain = std::move(domain);
      out_.clusters.push_back(std::move(c));
    }
    return it->second;
  }

  void thin() {
    const int keep = 64 + options_.most_steps;
    std::map<std::pair<std::string, std::size_t>, std::set<int>> axes;
    for (const PictureCluster& c : out_.clusters) {
      for (std::size_t a = 0; a < c.position.size(); ++a) axes[{c.domain, a}].insert(c.position[a]);
    }
    std::map<std::pair<std::string, std::size_t>, std::pair<int, int>> gaps;
    for (const auto& [axis, positions] : axes) {
      if (static_cast<int>(positions.size()) <= 2 * keep) continue;
      gaps[axis] = {*std::next(positions.begin(), keep), *std::prev(positions.end(), keep + 1)};
    }
    if (gaps.empty()) return;
    std::vector<char> dropped(out_.clusters.size(), 0);
    for (std::size_t c = 0; c < dropped.size(); ++c) {
      const PictureCluster& cluster = out_.clusters[c];
      for (std::size_t a = 0; a < cluster.position.size(); ++a) {
        const auto gap = gaps.find({cluster.domain, a});
        if (gap == gaps.end()) continue;
        if (cluster.position[a] >= gap->second.first && cluster.position[a] <= gap->second.second)
          dropped[c] = 1;
      }
    }
    drop(dropped);
  }

  void drop(const std::vector<char>& dropped) {
    std::vector<int> renumbered(dropped.size(), -1);
    std::vector<PictureCluster> kept;
    for (std::size_t c = 0; c < dropped.size(); ++c) {
      if (dropped[c]) continue;
      renumbered[c] = static_cast<int>(kept.size());
      kept.push_back(std::move(out_.clusters[c]));
    }
    out_.clusters = std::move(kept);
    for (std::size_t n = 0; n < out_.cluster.size(); ++n) {
      if (out_.cluster[n] < 0) continue;
      out_.cluster[n] = renumbered[at(out_.cluster[n])];
      if (out_.cluster[n] < 0) out_.shown[n] = 0;
    }
  }

  const Tape& tape_;
  const GraphPictureOptions& options_;
  TapeScan out_;
  std::unordered_map<std::uint64_t, int> by_owner_;          // (name, index) -> cluster
  std::map<std::pair<std::string, IndexId>, int> by_place_;  // (domain, index) -> cluster
};

}  // namespace

bool is_weight_copy(const Tape& tape, NodeId id) {
  return &tape.op(id) == &kCopy && tape.is_value(id) && &tape.op(tape.inputs(id)[0]) == &kWeight;
}

bool is_loose_leaf(const Tape& tape, NodeId id) {
  return tape.inputs(id).empty() && !tape.is_value(id) && &tape.op(id) != &kInput &&
         &tape.op(id) != &kWeight;
}

TapeScan scan(const Tape& tape, const GraphPictureOptions& options, const Manner& manner) {
  return Scanner(tape, options, manner).run(manner);
}

}  // namespace taugrad::draw
