#include "taugrad/evaluate/run_segment.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/fail.h"
#include "evaluate/evaluation.h"
#include "evaluate/fetch.h"
#include "evaluate/leaves/batch_data.h"
#include "evaluate/not_finite.h"
#include "evaluate/segments/segment_plan.h"
#include "evaluate/segments/segment_tensors.h"
#include "taugrad/autodiff/gradient.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

using runtime::SegmentItems;
using runtime::SegmentPlan;
using runtime::SegmentRead;
using runtime::SegmentShape;
using runtime::SegmentState;

std::vector<Fetch> fetches_of(const ResolvedModel& model, const RunOptions& options) {
  std::vector<Fetch> fetches;
  for (const std::string& text : options.fetch) {
    fetches.push_back(parse_fetch(model, text));
    if (fetches.back().has_brackets || !fetches.back().edge.empty())
      fail(Status::usage, "U020",
           "\"{}\": a segment is fetched whole, by name: positions count from its beginning", text);
  }
  return fetches;
}

SegmentRequest request_of(const ResolvedModel& model, const std::vector<Fetch>& fetches,
                          const RunOptions& options) {
  SegmentRequest r;
  r.train = options.train;
  r.modes = options.modes;
  for (const Fetch& f : fetches) {
    if (f.loss || f.gradient) r.loss = true;
    if (f.loss || model.symbols[static_cast<std::size_t>(f.symbol)].kind == SymbolKind::weight)
      continue;
    (f.nll ? r.likelihoods : r.values).push_back(f.name);
  }
  return r;
}

/// One segment in floats of type S.
template <class S>
class SegmentRun {
 public:
  SegmentRun(Segments& segments, const BatchData& data, const Tensors& weights,
             const std::vector<Fetch>& fetches, const RunOptions& options)
      : segments_(segments),
        model_(*segments.model()),
        data_(data),
        weights_(weights),
        fetches_(fetches),
        options_(options),
        cut_(static_cast<std::size_t>(segments.length())) {}

  Tensors operator()(SegmentState<S>& state) {
    for (const Fetch& f : fetches_) {
      results_[f.text] = Tensor(dims_of(f), dtype());
      if (is_data(f)) copy_data(f);
    }
    for (const auto& [first, items] : groups(state)) run(first, items, state);
    return std::move(results_);
  }

 private:
  struct Wanted {
    const Fetch* fetch;
    NodeId node;
    std::int64_t place;
  };

  static Dtype dtype() { return sizeof(S) == 4 ? Dtype::f32 : Dtype::f64; }
  const Symbol& symbol(const Fetch& f) const {
    return model_.symbols[static_cast<std::size_t>(f.symbol)];
  }
  bool per_example(const Fetch& f) const { return f.loss || f.nll || symbol(f).per_example; }
  std::size_t length_of(int axis) const {
    return static_cast<std::size_t>(model_.index_length[static_cast<std::size_t>(axis)]);
  }

  Dims dims_of(const Fetch& f) const {
    Dims dims;
    if (!f.loss)
      for (const int axis : symbol(f).axes) dims.push_back(data_.longest[length_of(axis)]);
    if (per_example(f)) dims.push_back(data_.items);
    if (!f.loss && !f.nll)
      for (const std::int64_t n : symbol(f).shape.dims()) dims.push_back(n);
    if (dims.empty()) dims.push_back(1);
    return dims;
  }

  // an input is fetched from its tensor: what no equation reads is no node of the graph
  bool is_data(const Fetch& f) const {
    return !f.loss && !f.gradient && symbol(f).kind == SymbolKind::input;
  }
  void copy_data(const Fetch& f) {
    const Tensor& from = needed(data_.inputs, "input", f.name);
    const std::span<S> to = results_.at(f.text).template values<S>();
    const auto size = static_cast<std::size_t>(symbol(f).shape.size());
    const auto items = static_cast<std::size_t>(data_.items);
    for (std::size_t row = 0; size > 0 && row * size < to.size(); ++row)
      if (within(f, static_cast<std::int64_t>(row / items), row % items))
        convert(from, static_cast<std::int64_t>(row * size), to.subspan(row * size, size));
  }

  // items that can share a graph, by the steps before that it is for
  std::map<std::vector<std::int64_t>, std::vector<std::size_t>> by_graph(
      const SegmentState<S>& state) const {
    std::map<std::vector<std::int64_t>, std::vector<std::size_t>> groups;
    const bool ragged = can_be_ragged(model_);
    const std::int64_t settled = segments_.settled();
    for (std::size_t i = 0; i < static_cast<std::size_t>(data_.items); ++i) {
      std::int64_t first = state.steps[i];
      if (settled >= 0) first = std::min(first, std::max<std::int64_t>(settled, 1));
      std::vector<std::int64_t> key{first};
      for (std::size_t l = 0; l < data_.lengths.size() && !ragged; ++l)
        key.push_back(data_.lengths[l][i]);
      groups[key].push_back(i);
    }
    return groups;
  }
  std::vector<std::pair<std::int64_t, std::vector<std::size_t>>> groups(
      const SegmentState<S>& state) const {
    std::vector<std::pair<std::int64_t, std::vector<std::size_t>>> all;
    for (auto& [key, items] : by_graph(state)) all.emplace_back(key.front(), std::move(items));
    return all;
  }

  void run(std::int64_t first, const std::vector<std::size_t>& items, SegmentState<S>& state) {
    SegmentItems batch;
    batch.items = items;
    batch.seed = options_.seed;
    batch.train = options_.train;
    for (const auto& [name, mode] : options_.modes)
      if (mode.kind == Mode::Kind::mixed) batch.mixes[name] = mode.data.from;
    SegmentShape shape{.first = first, .steps = 0, .lengths = {}, .ragged = can_be_ragged(model_)};
    for (std::size_t l = 0; l < data_.lengths.size(); ++l) {
      batch.lengths.emplace_back();
      for (const std::size_t i : items) batch.lengths.back().push_back(data_.lengths[l][i]);
      shape.lengths.push_back(*std::ranges::max_element(batch.lengths.back()));
    }
    shape.steps = shape.lengths[cut_];
    shape.of_state = data_.longest;
    for (const std::size_t i : items) batch.keys.push_back(data_.keys[i]);
    std::vector<Wanted> wanted;
    runtime::SegmentDraws draws{options_.temperature, options_.top_k, {}, options_.top_p};
    for (const Symbol& s : model_.symbols)
      if (s.random() && data_.inputs.contains(s.name)) draws.given.insert(s.name);
    SegmentPlan<S> plan(segments_, shape, draws,
                        [&](const Unfolded& u) { return nodes_of(u, shape, wanted); },
                        {.engine = options_.engine});
    plan.bind(weights_);
    plan.run(batch, state, [&](const SegmentRead& read, std::span<S> to) {
      this->read(read, state.steps[read.item], to);
    });
    for (std::size_t o = 0; o < wanted.size(); ++o) store(plan, wanted[o], o, items);
  }

  // of this segment's tensors, whose first step is 1
  void read(const SegmentRead& r, std::int64_t before, std::span<S> to) const {
    const Tensor& from = needed(data_.inputs, "input", r.name);
    const Symbol& s = model_.symbols[static_cast<std::size_t>(model_.find(r.name))];
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < r.at.size(); ++a) {
      const std::int64_t at = r.at[a] - (length_of(s.axes[a]) == cut_ ? before : 0);
      flat = flat * from.dims()[a] + at - 1;
    }
    const auto item = static_cast<std::int64_t>(r.item);
    convert(from, (flat * data_.items + item) * static_cast<std::int64_t>(to.size()), to);
  }

  std::vector<NodeId> nodes_of(const Unfolded& u, const SegmentShape& shape,
                               std::vector<Wanted>& wanted) const {
    const std::int64_t before = u.length(segments_.length_name()) - shape.steps;
    std::vector<Wanted> of_gradients;
    std::vector<Var> wrt;
    for (const Fetch& f : fetches_) {
      if (is_data(f)) continue;
      const auto add = [&](const auto& at, NodeId id) {
        const std::int64_t place = place_of(f, {at.begin(), at.end()}, before);
        if (place < 0) return;
        (f.gradient ? of_gradients : wanted).push_back({&f, id, place});
        if (f.gradient) wrt.push_back(u.graph().tape().var(id));
      };
      if (f.loss)
        wanted.push_back({&f, u.loss().id, 0});
      else if (f.nll)
        u.each_nll(f.name, add);
      else if (symbol(f).kind == SymbolKind::weight)
        u.each_weight(f.name, add);
      else
        u.each_value(f.name, add);
    }
    if (!wrt.empty()) {
      const Gradients g = gradient(u.loss(), wrt);
      for (std::size_t i = 0; i < wrt.size(); ++i)
        wanted.push_back({of_gradients[i].fetch, g[i].id, of_gradients[i].place});
    }
    std::vector<NodeId> nodes;
    for (const Wanted& w : wanted) nodes.push_back(w.node);
    return nodes;
  }

  // the flat place of a position among a result's index axes, or -1
  std::int64_t place_of(const Fetch& f, const std::vector<std::int32_t>& at,
                        std::int64_t before) const {
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < at.size(); ++a) {
      const std::size_t l = length_of(symbol(f).axes[a]);
      const bool moves = l == cut_ && symbol(f).kind != SymbolKind::weight;
      const std::int64_t here = at[a] - (moves ? before : 0);
      if (here < 1 || here > data_.longest[l]) return -1;
      flat = flat * data_.longest[l] + here - 1;
    }
    return flat;
  }

  bool within(const Fetch& f, std::int64_t place, std::size_t item) const {
    if (f.loss) return true;
    const std::vector<int>& axes = symbol(f).axes;
    for (std::size_t a = axes.size(); a-- > 0;) {
      const std::size_t l = length_of(axes[a]);
      if (place % data_.longest[l] + 1 > data_.lengths[l][item]) return false;
      place /= data_.longest[l];
    }
    return true;
  }

  void store(SegmentPlan<S>& plan, const Wanted& w, std::size_t output,
             const std::vector<std::size_t>& items) {
    const std::span<S> to = results_.at(w.fetch->text).template values<S>();
    const std::span<const S> from = plan.executor().value(output);
    const std::span<const std::int32_t> rows = plan.executor().output_items(output);
    if (rows.empty() && !per_example(*w.fetch)) {  // a weight's gradient adds up over groups
      for (std::size_t i = 0; i < from.size(); ++i) {
        S& place = to[static_cast<std::size_t>(w.place) * from.size() + i];
        place = w.fetch->gradient ? place + from[i] : from[i];
      }
      return;
    }
    const std::size_t size = rows.empty() ? 0 : from.size() / rows.size();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::size_t item = items[static_cast<std::size_t>(rows[r])];
      if (!within(*w.fetch, w.place, item)) continue;
      std::copy_n(
          from.begin() + static_cast<std::ptrdiff_t>(r * size), size,
          to.begin() + static_cast<std::ptrdiff_t>(
                           (static_cast<std::size_t>(w.place * data_.items) + item) * size));
    }
  }

  Segments& segments_;
  const ResolvedModel& model_;
  const BatchData& data_;
  const Tensors& weights_;
  const std::vector<Fetch>& fetches_;
  const RunOptions& options_;
  std::size_t cut_;
  Tensors results_;
};

template <class S>
void evaluate(Segments& segments, const BatchData& data, const Tensors& weights,
              const Tensors& state, const std::vector<Fetch>& fetches, const RunOptions& options,
              SegmentResult& result) {
  const ResolvedModel& model = *segments.model();
  SegmentState<S> own = runtime::empty_state<S>(model, segments.slots(data.longest),
                                                static_cast<std::size_t>(data.items));
  if (!state.empty())
    runtime::read_state(model, segments.length(), state,
                        data.longest[static_cast<std::size_t>(segments.length())], own);
  result.values = SegmentRun<S>(segments, data, weights, fetches, options)(own);
  result.state = runtime::state_tensors(model, segments.length(), own);
  for (const Fetch& f : fetches) {
    const Tensor& t = result.values.at(f.text);
    const std::int64_t at = first_not_finite(t);
    if (at < 0) continue;
    const bool shared =
        !f.loss && !f.nll && !model.symbols[static_cast<std::size_t>(f.symbol)].per_example;
    const std::size_t axes =
        f.loss ? 0 : model.symbols[static_cast<std::size_t>(f.symbol)].axes.size();
    result.not_finite.push_back(
        told(f.text, t.at(at), place_in(t.dims(), axes, !shared, at), std::nullopt));
  }
}

}  // namespace

SegmentResult run_segment(const Definition& d, const Tensors& inputs, const Tensors& weights,
                          const Tensors& state, const RunOptions& options) {
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  check_modes(*model, options.modes);
  check_constant_mixes(options.modes);
  const std::vector<Fetch> fetches = fetches_of(*model, options);
  Segments segments(model, request_of(*model, fetches, options));
  const BatchData data = read_batch(*model, inputs, options);
  SegmentResult result;
  for (const auto& [name, tensor] : weights) {
    const int number = model->find(name);
    if (number < 0 || model->symbols[static_cast<std::size_t>(number)].kind != SymbolKind::weight)
      result.warnings.push_back(fmt::format("weight \"{}\" is not in the definition", name));
  }
  if (options.dtype == Dtype::f64)
    evaluate<double>(segments, data, weights, state, fetches, options, result);
  else
    evaluate<float>(segments, data, weights, state, fetches, options, result);
  return result;
}

}  // namespace taugrad
