#include "evaluate/planner.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <type_traits>

#include "runtime/plan_of.h"
#include "taugrad/language/mode.h"
#include "unfold/graph_size.h"
#include "unfold/moved.h"

namespace taugrad::runtime {
namespace {

constexpr std::int64_t kShort = 40;  ///< lengths below do not grow: a plan is made for each

/// The largest number that a position is given by, or that it is moved by.
std::int64_t reach_of(const ResolvedModel& model) {
  std::int64_t reach = 0;
  const auto look = [&](const std::vector<At>& places) {
    for (const At& at : places) reach = std::max<std::int64_t>(reach, std::abs(at.offset));
  };
  for (const Rule& rule : model.rules) look(rule.places);
  for (const Block& block : model.blocks)
    for (const Slot& slot : block.slots) look(slot.places);
  return reach;
}

/// Whether no length follows from another, and no position is computed or read from data (R17).
bool moves_by_steps(const ResolvedModel& model) {
  const auto plain = [](const std::vector<At>& places) {
    return std::ranges::none_of(places,
                                [](const At& at) { return at.kind == Place::Kind::computed; });
  };
  for (std::size_t l = 0; l < model.lengths.size(); ++l)
    if (model.is_derived(l)) return false;
  return std::ranges::all_of(model.blocks, [&](const Block& block) {
    return std::ranges::all_of(block.slots, [&](const Slot& slot) { return plain(slot.places); });
  });
}

/// What is refused is refused of the graph that was asked for (plan_of).
template <class S>
bool fits_numbers(const ResolvedModel& model, const ExecutorOptions& options) {
  constexpr std::int64_t kFloatCategories = std::int64_t{1} << 24;
  if (std::is_same_v<S, double>) return options.engine.precision == Precision::full;
  return std::ranges::none_of(model.symbols,
                              [](const Symbol& s) { return s.category > kFloatCategories; });
}

/// The target of a bernoulli's likelihood: the data of that variable.
bool is_bernoulli(const ResolvedModel& model, const std::string& source) {
  const int symbol = model.find(data_of(source));
  if (symbol < 0) return false;
  const DistributionKind kind = model.symbols[static_cast<std::size_t>(symbol)].distribution;
  return kind == DistributionKind::bernoulli_logits || kind == DistributionKind::bernoulli_p;
}

std::vector<Source> sources_of(const ResolvedModel& model, const std::vector<plan::LeafKind>& kinds,
                               const Column<plan::Leaf>& leaves) {
  std::vector<Source> sources;
  for (const plan::LeafKind& k : kinds)
    sources.push_back({.name = k.name,
                       .weight = k.weight,
                       .per_example = k.per_example,
                       .shape = k.shape,
                       .category = k.category,
                       .bernoulli = is_bernoulli(model, k.name),
                       .index_axes = k.axes,
                       .leaves = {},
                       .positions = {}});
  for (const plan::Leaf& leaf : leaves) {
    Source& s = sources[static_cast<std::size_t>(leaf.kind)];
    s.leaves.push_back(leaf.id);
    s.positions.insert(s.positions.end(), leaf.index.begin(), leaf.index.begin() + s.index_axes);
  }
  return sources;
}

}  // namespace

template <class S>
Planner<S>::Planner(std::shared_ptr<const ResolvedModel> model, Ask ask, ExecutorOptions options,
                    bool again, std::int64_t reach, std::set<std::string> asked)
    : model_(std::move(model)),
      ask_(std::move(ask)),
      options_(std::move(options)),
      again_(again),
      reach_(std::max(reach, reach_of(*model_))),
      asked_(std::move(asked)) {
  if (!again_ && passes_of(options_).has(plan::Pass::levels)) circle_ = level_circle(*model_);
}

template <class S>
typename Planner<S>::Growing Planner<S>::growing(const UnfoldOptions& unfolding) const {
  Growing growing;
  growing.as_asked = lengths_of(*model_, unfolding);
  growing.least = std::numeric_limits<std::int64_t>::max();
  for (std::size_t l = 0; l < growing.as_asked.size(); ++l) {
    const std::int64_t length = growing.as_asked[l];
    if (model_->fixed_lengths[l] >= 0 || length < kShort) continue;
    growing.lengths.push_back(l);
    growing.least = std::min(growing.least, length);
  }
  return growing;
}

/// Equal for graphs that differ by as much in all lengths that grow.
template <class S>
typename Planner<S>::Key Planner<S>::key_of(const UnfoldOptions& unfolding,
                                            const Growing& growing) {
  std::vector<std::int64_t> lengths;
  for (std::size_t l = 0; l < growing.as_asked.size(); ++l) {
    const bool grows = std::ranges::count(growing.lengths, l) > 0;
    lengths.push_back(grows);
    lengths.push_back(growing.as_asked[l] - (grows ? growing.least : 0));
  }
  return {unfolding.ragged, std::move(lengths)};
}

template <class S>
plan::Request Planner<S>::request(UnfoldOptions unfolding, const Growing& growing,
                                  std::int64_t length) const {
  unfolding.steps = -1;
  unfolding.lengths.clear();
  for (std::size_t l = 0; l < growing.as_asked.size(); ++l) {
    const bool grows = std::ranges::count(growing.lengths, l) > 0;
    unfolding.lengths[model_->lengths[l]] =
        growing.as_asked[l] - (grows ? growing.least - length : 0);
  }
  const Unfolded u = unfold(model_, unfolding);
  Asked asked = ask_(u);
  std::optional<Rewritten> own = with_own_products(
      u.graph().tape(), asked.outputs, passes_of(options_), options_.engine.precision, -1);
  if (!own) return {u.graph(), std::move(asked.outputs), std::move(asked.lists)};
  return {own->graph, std::move(own->outputs), std::move(asked.lists)};
}

template <class S>
std::optional<Made<S>> Planner<S>::by_law(const UnfoldOptions& unfolding) {
  if (again_ || !unfolding.data_lengths.empty() || !unfolding.stands_for.empty() ||
      unfolding.segment || !fits_numbers<S>(*model_, options_) || !moves_by_steps(*model_))
    return std::nullopt;
  const Growing grows = growing(unfolding);
  if (grows.lengths.empty()) return std::nullopt;
  const Key key = key_of(unfolding, grows);
  auto family = families_.find(key);
  if (family == families_.end()) {
    const auto make = [this, unfolding, grows](std::int64_t length) {
      return request(unfolding, grows, length);
    };
    family = families_.try_emplace(key, make, passes_of(options_), reach_).first;
  }
  auto member = family->second.member(grows.least);
  if (!member) return std::nullopt;
  member->plan.layout.longest = grows.as_asked;
  return Made<S>{.plan = std::make_unique<const plan::Plan<S>>(std::move(member->plan)),
                 .sources = sources_of(*model_, member->leaf_kinds, member->leaves),
                 .lists = std::move(member->lists),
                 .longest = grows.as_asked,
                 .nodes = member->nodes,
                 .by_law = true};
}

template <class S>
Made<S> Planner<S>::whole(const UnfoldOptions& unfolding, std::int64_t levels) const {
  return made_of(levels > 0 ? unfold_by_levels(model_, unfolding, *circle_, levels)
                            : unfold(model_, unfolding),
                 unfolding);
}

/// The forward part is rewritten before anything is asked of it: what is asked for may be
/// gradients.
template <class S>
std::optional<Made<S>> Planner<S>::chunked(const UnfoldOptions& unfolding) const {
  if (options_.engine.chunk < 1 || unfolding.segment) return std::nullopt;
  const Unfolded u = unfold(model_, unfolding);
  InChunks other = in_chunks(u.graph().tape(), options_.engine.chunk, asked_);
  if (other.states.empty()) return std::nullopt;
  Made<S> made = made_of(moved(u, other.graph, other.nodes), unfolding);
  made.chunked = std::move(other.states);
  return made;
}

template <class S>
Made<S> Planner<S>::made_of(const Unfolded& u, const UnfoldOptions& unfolding) const {
  Asked asked = ask_(u);
  const Tape& tape = u.graph().tape();
  ExecutorOptions options = options_;
  options.checkpoint = again_ ? asked.forward_end : -1;
  auto plan = std::make_unique<const plan::Plan<S>>(plan_of<S>(tape, asked.outputs, options));
  std::vector<Source> sources = runtime::sources_of(tape, plan->leaves);
  return {.plan = std::move(plan),
          .sources = std::move(sources),
          .lists = std::move(asked.lists),
          .longest = lengths_of(*model_, unfolding),
          .nodes = tape.size(),
          .by_law = false};
}

template <class S>
Made<S> Planner<S>::make(const UnfoldOptions& unfolding, std::int64_t levels) {
  if (levels == 0) {
    if (auto made = chunked(unfolding)) {
      has_chunks_ = true;
      return std::move(*made);
    }
    if (auto made = by_law(unfolding)) return std::move(*made);
  }
  return whole(unfolding, levels);
}

template class Planner<float>;
template class Planner<double>;

}  // namespace taugrad::runtime
