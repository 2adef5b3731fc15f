#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"
#include "taugrad/unfold/position_table.h"

namespace taugrad {

struct ResolvedModel;
struct Segment;
struct SegmentNodes;

struct UnfoldOptions {
  std::int64_t steps = -1;  ///< length of every length not named in `lengths`; >= 0
  std::map<std::string, std::int64_t> lengths = {};  ///< by length name or index letter: {"s", 7}
  bool ragged = false;  ///< lengths are the longest of a batch: items may be shorter at run time
  bool train = false;   ///< dropout is active
  Modes modes = {};     ///< by random variable; default observed
  /// Sampled and greedy variables whose data are given too: the likelihood scores them, not the
  /// values. (R12)
  std::set<std::string> given = {};
  /// By length name: where the data of what is drawn end, the same for all items; what follows is
  /// drawn, and scored.
  std::map<std::string, std::int64_t> data_lengths = {};
  double temperature = 1;  ///< > 0: draws are from the density to the power 1/temperature
  std::int64_t top_k = 0;  ///< draws are of the k likeliest categories; 0: of all
  double top_p = 1;        ///< and of the likeliest that have this share together, in (0, 1]
  std::vector<std::string> cotangents =
      {};  ///< variables v with an input `cotangent:v`: the loss is then sum(cotangent:v * v)
  /// By length name: the graph stands for one of this length. Positions behind the middle bear the
  /// numbers that they have there, counted from the end.
  std::map<std::string, std::int64_t> stands_for = {};
  std::shared_ptr<const Segment> segment =
      {};  ///< of a longer sequence: what stands before is read from leaves (R19)
  std::function<void(std::int64_t, std::int64_t)> progress =
      {};  ///< called at each position of the first index, and of how many
};

/// The graph of a definition, unfolded to given lengths, with its named nodes. (eq 1-6) Each weight
/// W enters through its copies W(t); dL/dW is the sum over t of dL/dW(t).             (eq 24-25)
class Unfolded {
 public:
  Graph graph() const { return graph_; }
  const ResolvedModel& model()
      const;  ///< @throws Error (U021) for one that was never unfolded, or moved from
  std::shared_ptr<const ResolvedModel> shared_model() const { return model_; }

  /// Value of a variable or input at a position, boundaries included. @throws Error (G014) if it is
  /// not in the graph
  Var at(std::string_view name) const { return at(name, std::vector<std::int32_t>{}); }
  template <class... I>
  Var at(std::string_view name, std::int32_t first, I... rest) const {
    return at(name, std::vector<std::int32_t>{first, static_cast<std::int32_t>(rest)...});
  }
  Var at(std::string_view name, const std::vector<std::int32_t>& position) const;
  Var weight(std::string_view name, const std::vector<std::int32_t>& position = {})
      const;  ///< the leaf that all copies share
  /// The copy of a weight at the position of a left side. @throws Error (G014)
  template <class... I>
  Var copy(std::string_view name, I... position) const {
    return copy_at(name, std::vector<std::int32_t>{static_cast<std::int32_t>(position)...});
  }
  Var copy_at(std::string_view name, const std::vector<std::int32_t>& position) const;
  /// A copy by what stands in its brackets: "3", "3,2", "t=3", "0", "tau+1", "". An empty Var:
  /// there is none.
  Var copy_named(std::string_view name, std::string_view brackets) const;
  /// Several where one left side reads several positions of an untied weight: its copies add up to
  /// the one asked for.
  std::vector<Var> copies_named(std::string_view name, std::string_view brackets) const;
  Var loss()
      const;  ///< per example; the sum over an item's steps. @throws Error (G023) without a loss
  bool has_loss() const { return loss_ >= 0; }
  Var nll(std::string_view name, const std::vector<std::int32_t>& position) const;
  /// Whether the sequence ends at a step: not 0 where `ends` holds. Empty Var: no such step.
  Var end(std::int32_t step) const;
  std::int64_t length(std::string_view length_or_letter) const;

  const SegmentNodes* segment() const {
    return segment_.get();
  }  ///< of a segment: its state; else null

  /// The node at a position, or -1.
  NodeId find(std::string_view name, const std::vector<std::int32_t>& position) const;
  NodeId find_nll(std::string_view name, const std::vector<std::int32_t>& position) const;
  /// Names of variables and inputs, and of the random ones.
  std::vector<std::string> variables() const;
  std::vector<std::string> random_variables() const;
  /// Walk a variable, its likelihoods, or an untied weight: f(position, node), boundaries last.
  template <class F>
  void each_value(std::string_view name, F&& f) const {
    each(values_, name, f);
  }
  template <class F>
  void each_nll(std::string_view name, F&& f) const {
    each(nlls_, name, f);
  }
  template <class F>
  void each_weight(std::string_view name, F&& f) const {
    each(weights_, name, f);
  }
  /// Copies of one weight as (label, node), in order of position.
  std::vector<std::pair<std::string, Var>> copies(std::string_view name) const;

 private:
  friend class Unfolder;
  /// Copies of a weight by what their left sides have in common: "t", "i,j", "tau+1".
  struct CopyGroup {
    std::vector<std::string> letters;  ///< of the left side
    std::vector<std::string>
        ends;  ///< "tau+1" where the position depends on the item's length, else ""
    PositionTable nodes;
    NameId name;  ///< of those that a number tells apart
    /// where a left side reads an untied weight at several of its positions: the copies after the
    /// first
    std::map<std::vector<std::int32_t>, std::vector<NodeId>> more = {};
  };
  bool names_end(const std::string& letter, const std::string& text, const std::string& end) const;
  using Tables = std::map<std::string, PositionTable, std::less<>>;
  template <class F>
  static void each(const Tables& tables, std::string_view name, F& f) {
    if (const auto table = tables.find(name); table != tables.end()) table->second.each(f);
  }
  Graph graph_;
  std::shared_ptr<const ResolvedModel> model_;
  std::vector<std::int64_t> lengths_;
  Tables values_, nlls_, weights_;
  std::map<std::string, std::vector<CopyGroup>, std::less<>> copies_;
  std::vector<NodeId> ends_;
  std::shared_ptr<SegmentNodes> segment_;
  NodeId loss_ = -1;
};

/// @throws Error (G022) for a negative length or more than 2*10^8 nodes, and all that a definition
/// can have wrong
Unfolded unfold(const Definition& d, const UnfoldOptions& options = {});
Unfolded unfold(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& options = {});

}  // namespace taugrad
