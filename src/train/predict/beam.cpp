// Beam search: the likeliest sequences, kept from step to step.
#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "base/fail.h"
#include "taugrad/ops/ops.h"
#include "taugrad/train/sample.h"
#include "train/data/windows.h"
#include "train/predict/given_inputs.h"
#include "train/predict/in_segments.h"
#include "train/predict/sample_check.h"
#include "unfold/graph_size.h"
#include "unfold/unfolder.h"

namespace taugrad {
namespace {

/// A beginning of a sequence; its number in the state is its place in the beam.
struct Hypothesis {
  std::vector<std::int64_t> symbols;
  double log_p = 0;
};

/// One symbol more: which hypothesis, which symbol, log p of all.
struct Step {
  std::size_t parent;
  std::int64_t symbol;
  double log_p;
};

/// Log probabilities of the next symbols, from logits or probabilities.
std::vector<double> log_probabilities(const Symbol& s, std::span<const float> argument) {
  std::vector<double> out(argument.begin(), argument.end());
  if (s.distribution == DistributionKind::categorical_p) {
    for (double& x : out) x = std::log(x);
    return out;
  }
  const double shift = *std::ranges::max_element(out);
  double total = 0;
  for (const double x : out) total += std::exp(x - shift);
  for (double& x : out) x -= shift + std::log(total);
  return out;
}

class BeamSearch {
 public:
  /// @param given  of a model with inputs, or null
  BeamSearch(const Definition& d, const Tensors& weights, const BeamOptions& options,
             const GivenInputs* given)
      : model_(resolve(d)), weights_(weights), options_(options), given_(given) {
    if (given != nullptr) items_.emplace(given->inputs());
    find_variable(d);
    SegmentRequest request;
    request.values = request.likelihoods = {symbol_->name};
    segments_ = std::make_unique<Segments>(model_, request);
    if (segments_->settled() < 0)
      fail(Status::usage, "U010", "cannot search in {}: it has weights for each position", d.name);
    if (axis_along(*model_, *symbol_, cut()) < 0)
      cannot_sample(d, fmt::format("a beam goes along the index of {}, and what is handed on is "
                                   "along {}",
                                   symbol_->name, segments_->length_name()));
    for (std::size_t l = 0; l < model_->lengths.size(); ++l) {
      const bool told = given != nullptr && given->tells(l);
      if (static_cast<int>(l) == cut())
        told_ = told;
      else if (!told && model_->fixed_lengths[l] < 0 && !model_->is_derived(l))
        cannot_sample(d, fmt::format("nothing tells its length {}", model_->lengths[l]));
    }
    ends_ = !told_ && ends_with_symbol(d, symbol_->name);
    if (given != nullptr && !told_ && !ends_ && !model_->ends.empty())
      cannot_sample(d, fmt::format("a beam ends where {} is 0", symbol_->name));
  }

  /// @param item  number among those given, or 0
  std::vector<Found> operator()(std::size_t item) {
    item_ = item;
    begin();
    beam_ = {{options_.prompt, 0}};
    found_.clear();
    read_prompt();
    for (auto t = static_cast<std::int64_t>(options_.prompt.size());
         t < steps_ && !beam_.empty() && !settled_best(); ++t)
      extend(t);
    for (Hypothesis& h : beam_) found_.push_back({std::move(h.symbols), h.log_p});
    std::ranges::stable_sort(found_, [&](const Found& a, const Found& b) {
      return score(a.log_p, a.symbols.size()) > score(b.log_p, b.symbols.size());
    });
    if (found_.size() > static_cast<std::size_t>(options_.count))
      found_.resize(static_cast<std::size_t>(options_.count));
    return std::move(found_);
  }

 private:
  void find_variable(const Definition& d) {
    for (const Symbol& s : model_->symbols) {
      if (s.kind == SymbolKind::input && given_ == nullptr)
        cannot_sample(d, fmt::format("it has the input {}", s.name));
      if (!s.random()) continue;
      if (symbol_ != nullptr || s.category < 0 || s.axes.size() != 1)
        cannot_sample(d, "a beam is of one indexed category variable");
      symbol_ = &s;
    }
    if (symbol_ == nullptr) cannot_sample(d, "it has no random variable");
  }

  int cut() const { return segments_->length(); }

  /// The lengths of the item and how far its sequences go, and a state without steps.
  void begin() {
    UnfoldOptions how{.steps = options_.steps};
    if (given_ != nullptr) how.lengths = given_->inputs().examples[item_].lengths;
    lengths_ = lengths_of(*model_, how);
    steps_ = lengths_[static_cast<std::size_t>(cut())];
    state_ = runtime::empty_state<float>(*model_, segments_->slots(lengths_), 1);
  }

  double score(double log_p, std::size_t symbols) const {
    const auto length = static_cast<double>(symbols - options_.prompt.size());
    return log_p / std::pow(std::max(length, 1.0), options_.length_penalty);
  }

  // Without a penalty on length nothing that goes on becomes likelier than it is.
  bool settled_best() const {
    if (options_.length_penalty != 0 || found_.size() < static_cast<std::size_t>(options_.count))
      return false;
    std::vector<double> ended;
    for (const Found& f : found_) ended.push_back(f.log_p);
    std::ranges::sort(ended, std::greater<>());
    return beam_.front().log_p <= ended[static_cast<std::size_t>(options_.count) - 1];
  }

  void read_prompt() {
    const auto all = static_cast<std::int64_t>(options_.prompt.size());
    for (std::int64_t from = 0; from < all;) {
      const std::int64_t settled = std::max<std::int64_t>(segments_->settled(), 1);
      const std::int64_t steps = std::min(from < settled ? 1 : kRead, all - from);
      run(from, steps, {&options_.prompt}, state_);
      from += steps;
    }
  }

  /// Runs steps of all sequences, which are as long as these are told; what is not told is absent.
  void run(std::int64_t from, std::int64_t steps,
           const std::vector<const std::vector<std::int64_t>*>& symbols,
           runtime::SegmentState<float>& state) {
    lengths_[static_cast<std::size_t>(cut())] = steps;
    std::vector<std::int64_t> key = lengths_;
    key.push_back(std::min(from, std::max<std::int64_t>(segments_->settled(), 1)));
    if (!plan_ || key != key_) plan_for(from, steps);
    key_ = std::move(key);
    runtime::SegmentItems batch;
    for (const std::int64_t length : lengths_) batch.lengths.emplace_back(symbols.size(), length);
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      batch.items.push_back(i);
      batch.keys.push_back(static_cast<std::int64_t>(i));
    }
    plan_->run(batch, state, [&](const runtime::SegmentRead& r, std::span<float> to) {
      if (r.name != symbol_->name) return read_item(*model_, *items_, item_, r, to);
      const auto at = static_cast<std::size_t>(r.at[0]) - 1;
      const std::vector<std::int64_t>& own = *symbols[r.item];
      to[0] = r.at[0] >= 1 && at < own.size() ? static_cast<float>(own[at]) : -1.0F;
    });
  }

  void plan_for(std::int64_t from, std::int64_t steps) {
    plan_.reset();
    plan_ = std::make_unique<runtime::SegmentPlan<float>>(
        *segments_, runtime::SegmentShape{.first = from, .steps = steps, .lengths = lengths_},
        runtime::SegmentDraws{}, [&](const Unfolded& u) { return arguments(u, steps); },
        ExecutorOptions{.engine = options_.engine});
    plan_->bind(weights_);
    plan_->forget_graph();
  }

  /// What the symbol of the last step is drawn from.
  std::vector<NodeId> arguments(const Unfolded& u, std::int64_t steps) const {
    const auto last = static_cast<std::int32_t>(u.segment()->of.first + steps);
    const Var nll = u.nll(symbol_->name, {last});
    return {nll.tape->inputs(nll.id)[0]};
  }

  void extend(std::int64_t t) {
    std::vector<const std::vector<std::int64_t>*> symbols;
    for (const Hypothesis& h : beam_) symbols.push_back(&h.symbols);
    runtime::SegmentState<float> unknown = state_;  // the next symbol is not chosen yet
    run(t, 1, symbols, unknown);
    std::vector<Step> steps = candidates();
    const auto kept = std::min(steps.size(), static_cast<std::size_t>(options_.beam));
    std::ranges::stable_sort(steps, [](const Step& a, const Step& b) { return a.log_p > b.log_p; });
    steps.resize(kept);
    std::vector<Hypothesis> next;
    std::vector<std::size_t> parents;
    for (const Step& s : steps) {
      Hypothesis h{beam_[s.parent].symbols, s.log_p};
      h.symbols.push_back(s.symbol);
      if (ends_ && s.symbol == 0) {
        found_.push_back({std::move(h.symbols), h.log_p});
        continue;
      }
      next.push_back(std::move(h));
      parents.push_back(s.parent);
    }
    beam_ = std::move(next);
    state_ = taken(state_, parents);
    if (beam_.empty()) return;
    symbols.clear();
    for (const Hypothesis& h : beam_) symbols.push_back(&h.symbols);
    run(t, 1, symbols, state_);
  }

  std::vector<Step> candidates() {
    std::vector<Step> steps;
    const std::span<const float> all = plan_->executor().value(0);
    const auto k = static_cast<std::size_t>(symbol_->category);
    for (std::size_t i = 0; i < beam_.size(); ++i) {
      // not per item where nothing that was read decides it
      const std::size_t row = all.size() == k ? 0 : i;
      const std::vector<double> log_p = log_probabilities(*symbol_, all.subspan(row * k, k));
      for (std::size_t s = 0; s < k; ++s) {
        if (std::isnan(log_p[s]))
          fail(Status::numerical, "N004",
               "{}[{}] has no distribution: its arguments are NaN or infinite", symbol_->name,
               beam_[i].symbols.size() + 1);
        if (log_p[s] > -INFINITY)
          steps.push_back({i, static_cast<std::int64_t>(s), beam_[i].log_p + log_p[s]});
      }
    }
    return steps;
  }

  /// The state in which item i is what item parents[i] was.
  static runtime::SegmentState<float> taken(const runtime::SegmentState<float>& from,
                                            const std::vector<std::size_t>& parents) {
    runtime::SegmentState<float> to{
        from.slots, std::vector<std::vector<float>>(from.values.size()), {}};
    for (const std::size_t p : parents) to.steps.push_back(from.steps[p]);
    for (std::size_t s = 0; s < from.values.size(); ++s) {
      const std::size_t size = from.steps.empty() ? 0 : from.values[s].size() / from.steps.size();
      for (const std::size_t p : parents)
        to.values[s].insert(to.values[s].end(),
                            from.values[s].begin() + static_cast<std::ptrdiff_t>(p * size),
                            from.values[s].begin() + static_cast<std::ptrdiff_t>((p + 1) * size));
    }
    return to;
  }

  std::shared_ptr<const ResolvedModel> model_;
  const Tensors& weights_;
  const BeamOptions& options_;
  const GivenInputs* given_;
  std::optional<Items> items_;  ///< given
  const Symbol* symbol_ = nullptr;
  bool ends_ = false, told_ = false;  ///< told_: inputs tell how long sequences are
  std::unique_ptr<Segments> segments_;
  std::unique_ptr<runtime::SegmentPlan<float>> plan_;
  std::vector<std::int64_t> key_;
  // of the item at hand
  std::size_t item_ = 0;
  std::int64_t steps_ = 0;             ///< the most of a sequence
  std::vector<std::int64_t> lengths_;  ///< by number; of the cut those of a segment
  runtime::SegmentState<float> state_;
  std::vector<Hypothesis> beam_;
  std::vector<Found> found_;
};

void check(const Tensors& weights, const BeamOptions& options) {
  const auto need = [](bool ok, const char* what) {
    if (!ok) fail(Status::usage, "U002", "{}", what);
  };
  need(options.beam >= 1, "a beam keeps 1 sequence or more");
  need(options.count >= 1 && options.count <= options.beam, "count must be in 1..beam");
  need(options.steps > static_cast<std::int64_t>(options.prompt.size()),
       "steps must be more than the prompt has symbols");
  need(std::isfinite(options.length_penalty) && options.length_penalty >= 0,
       "length_penalty must be finite and >= 0");
  check_weights_to_draw(weights);
}

}  // namespace

std::vector<Found> beam_search(const Definition& d, const Tensors& weights,
                               const BeamOptions& options) {
  check(weights, options);
  if (!options.prompt.empty()) {
    const std::int64_t symbols = text_variable(d).symbols;
    for (const std::int64_t s : options.prompt)
      if (s < 0 || s >= symbols)
        fail(Status::usage, "U002", "the prompt holds a number that is no symbol's");
  }
  return BeamSearch(d, weights, options, nullptr)(0);
}

std::vector<std::vector<Found>> beam_search(const Definition& d, const Tensors& weights,
                                            const Dataset& items, const BeamOptions& options) {
  check(weights, options);
  if (!options.prompt.empty()) cannot_sample(d, "a prompt is for models of text");
  if (items.examples.empty())
    fail(Status::bad_input, "D002", "there is no item to search a sequence for");
  const GivenInputs given(*resolve(d), items);
  BeamSearch search(d, weights, options, &given);
  std::vector<std::vector<Found>> all;
  for (std::size_t i = 0; i < items.examples.size(); ++i) all.push_back(search(i));
  return all;
}

}  // namespace taugrad
