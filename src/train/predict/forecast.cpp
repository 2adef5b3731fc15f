// How items go on after their ends.
#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "taugrad/train/predict.h"
#include "train/data/windows.h"
#include "train/predict/in_segments.h"

namespace taugrad {
namespace {

void require_open(const Definition& d, const ResolvedModel& model, const Segments& segments) {
  const auto cannot = [&](const std::string& why) {
    Diagnostic e;
    e.code = "U010";
    e.message = fmt::format("cannot forecast {}: {}", d.name, why);
    e.help = "`taugrad predict` without --steps tells of the steps that the data have";
    fail(Status::usage, std::move(e));
  };
  if (model.lengths.size() != 1) cannot("it has several lengths");
  bool random = false;
  for (const Symbol& s : model.symbols) {
    const bool along = axis_along(model, s, segments.length()) >= 0;
    if (s.kind == SymbolKind::input && along)
      cannot(fmt::format("its input {} is not known after an item's end", s.name));
    random = random || (s.random() && along);
  }
  if (!random) cannot("it has no random variable along its length");
}

class Forecast {
 public:
  Forecast(const Definition& d, const Tensors& weights, const Dataset& data,
           const ForecastOptions& o)
      : model_(resolve(d)), weights_(weights), data_(data), options_(o) {
    for (const Symbol& s : model_->symbols)
      if (s.random()) modes_[s.name] = o.likeliest ? Mode::greedy : Mode::sampled;
    read_ = std::make_unique<Segments>(model_, request_of(*model_, {}, false));
    draw_ = std::make_unique<Segments>(model_, request_of(*model_, modes_, true));
    require_open(d, *model_, *read_);
    if (draw_->settled() < 0)
      fail(Status::usage, "U010", "cannot forecast {}: it has weights for each position", d.name);
  }

  std::vector<Tensors> operator()() {
    read_items();
    std::vector<Tensors> results(data_.examples.size());
    for (Tensors& item : results)
      for (const Symbol& s : model_->symbols) {
        if (!s.random() || s.axes.empty()) continue;
        Dims dims{options_.steps};
        dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
        item.emplace(s.name, Tensor(dims, s.category >= 0 ? Dtype::i64 : Dtype::f32));
      }
    ended_.assign(results.size(), options_.steps);
    for (std::int64_t from = 0; from < options_.steps && !all_ended(from);) {
      std::int64_t steps = std::min(kDraw, options_.steps - from);
      if (unsettled()) steps = 1;
      draw(from, steps, results);
      from += steps;
    }
    for (std::size_t i = 0; i < results.size(); ++i)
      for (auto& [name, t] : results[i]) t = first_steps(t, ended_[i]);
    return results;
  }

 private:
  static Tensor first_steps(const Tensor& t, std::int64_t steps) {
    Dims dims = t.dims();
    if (dims[0] == steps) return t;
    dims[0] = steps;
    Tensor first(dims, t.dtype());
    std::ranges::copy(t.bytes().first(first.bytes().size()), first.bytes().begin());
    return first;
  }
  bool all_ended(std::int64_t step) const {
    return std::ranges::all_of(ended_, [&](std::int64_t n) { return n <= step; });
  }
  std::int64_t settled() const { return std::max<std::int64_t>(draw_->settled(), 1); }
  bool unsettled() const {
    return std::ranges::any_of(state_.steps, [&](std::int64_t n) { return n < settled(); });
  }

  // items by where they stand: those before `settled` each with the others of their own step
  std::map<std::int64_t, std::vector<std::size_t>> groups() const {
    std::map<std::int64_t, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < state_.steps.size(); ++i)
      groups[std::min(state_.steps[i], settled())].push_back(i);
    return groups;
  }

  void run(Segments& segments, const Modes& modes, std::int64_t first, std::int64_t steps,
           const std::vector<std::size_t>& items, const std::vector<std::int64_t>& own,
           const std::function<std::vector<NodeId>(const Unfolded&)>& outputs,
           std::unique_ptr<runtime::SegmentPlan<float>>& plan) {
    runtime::SegmentShape shape{.first = first, .steps = steps, .lengths = {steps}};
    shape.ragged = std::ranges::any_of(own, [&](std::int64_t n) { return n != steps; });
    plan = std::make_unique<runtime::SegmentPlan<float>>(
        segments, shape,
        runtime::SegmentDraws{options_.temperature, options_.top_k,
                              modes.empty() ? random_names(*model_) : std::set<std::string>{},
                              options_.top_p},
        outputs, ExecutorOptions{.engine = options_.engine});
    plan->bind(weights_);
    runtime::SegmentItems batch;
    batch.items = items;
    batch.lengths = {own};
    batch.seed = options_.seed;
    for (const std::size_t i : items) batch.keys.push_back(static_cast<std::int64_t>(i));
    plan->run(batch, state_, [&](const runtime::SegmentRead& r, std::span<float> to) {
      read_item(*model_, items_, r.item, r, to);
    });
  }

  void read_items() {
    const std::string& length = read_->length_name();
    state_ = runtime::empty_state<float>(*model_, read_->slots({0}), data_.examples.size());
    const auto nothing = [](const Unfolded&) { return std::vector<NodeId>{}; };
    const bool ragged = can_be_ragged(*model_);
    for (bool more = true; more;) {
      more = false;
      for (const auto& [first, items] : groups()) {
        const std::int64_t most = first < settled() ? 1 : kRead;
        std::map<std::int64_t, std::vector<std::size_t>> by_steps;
        for (const std::size_t i : items) {
          const std::int64_t left = data_.examples[i].lengths.at(length) - state_.steps[i];
          if (left > 0) by_steps[ragged ? most : std::min(left, most)].push_back(i);
        }
        for (const auto& [steps, group] : by_steps) {
          std::vector<std::int64_t> own;
          for (const std::size_t i : group)
            own.push_back(std::min(data_.examples[i].lengths.at(length) - state_.steps[i], steps));
          std::unique_ptr<runtime::SegmentPlan<float>> plan;
          run(*read_, {}, first, steps, group, own, nothing, plan);
          more = true;
        }
      }
    }
    auto next = runtime::empty_state<float>(*model_, draw_->slots({0}), state_.steps.size());
    next.steps = state_.steps;
    for (std::size_t s = 0; s < next.slots.size(); ++s) {
      const auto found = std::ranges::find(state_.slots, next.slots[s]);
      if (found == state_.slots.end()) fail(Status::bug, "B001", "data hand on too little");
      next.values[s] = state_.values[static_cast<std::size_t>(found - state_.slots.begin())];
    }
    state_ = std::move(next);
  }

  void draw(std::int64_t from, std::int64_t steps, std::vector<Tensors>& results) {
    for (const auto& [first, items] : groups()) {
      std::vector<std::pair<const Symbol*, std::int64_t>> asked;  // null: whether it ends there
      const auto outputs = [&](const Unfolded& u) {
        std::vector<NodeId> nodes;
        const auto before = static_cast<std::int32_t>(u.segment()->of.first);
        for (const Symbol& s : model_->symbols)
          for (std::int32_t t = 1; s.random() && !s.axes.empty() && t <= steps; ++t) {
            nodes.push_back(u.at(s.name, before + t).id);
            asked.emplace_back(&s, t);
          }
        for (std::int32_t t = 1; t <= steps; ++t)
          if (const Var end = u.end(t)) {  // counted from its begin
            nodes.push_back(end.id);
            asked.emplace_back(nullptr, t);
          }
        return nodes;
      };
      std::unique_ptr<runtime::SegmentPlan<float>> plan;
      run(*draw_, modes_, first, steps, items, std::vector<std::int64_t>(items.size(), steps),
          outputs, plan);
      for (std::size_t o = 0; o < asked.size(); ++o) {
        const auto values = plan->executor().value(o);
        const auto rows = plan->executor().output_items(o);
        const std::size_t size = rows.empty() ? 0 : values.size() / rows.size();
        for (std::size_t r = 0; r < rows.size() && asked[o].first == nullptr; ++r) {
          std::int64_t& ended = ended_[items[static_cast<std::size_t>(rows[r])]];
          if (values[r] != 0) ended = std::min(ended, from + asked[o].second);
        }
        for (std::size_t r = 0; r < rows.size() && asked[o].first != nullptr; ++r) {
          Tensor& t = results[items[static_cast<std::size_t>(rows[r])]].at(asked[o].first->name);
          for (std::size_t i = 0; i < size; ++i)
            t.set((from + asked[o].second - 1) * static_cast<std::int64_t>(size) +
                      static_cast<std::int64_t>(i),
                  static_cast<double>(values[r * size + i]));
        }
      }
    }
  }

  std::shared_ptr<const ResolvedModel> model_;
  const Tensors& weights_;
  const Dataset& data_;
  Items items_{data_};
  const ForecastOptions& options_;
  Modes modes_;
  std::unique_ptr<Segments> read_, draw_;
  runtime::SegmentState<float> state_;
  std::vector<std::int64_t> ended_;  ///< steps of each item's forecast
};

}  // namespace

std::vector<Tensors> forecast(const Definition& d, const Tensors& weights, const Dataset& data,
                              const ForecastOptions& options) {
  if (options.steps < 1) fail(Status::usage, "U002", "a forecast has 1 step or more");
  if (!(options.temperature > 0)) fail(Status::usage, "U002", "a temperature is above 0");
  if (options.top_k < 0) fail(Status::usage, "U002", "top_k must be >= 0");
  if (!(options.top_p > 0 && options.top_p <= 1))
    fail(Status::usage, "U002", "top_p must be in (0, 1]");
  if (data.examples.empty()) fail(Status::bad_input, "D002", "there is no item to go on with");
  return Forecast(d, weights, data, options)();
}

}  // namespace taugrad
