#include "train/data/windows.h"

#include <algorithm>

#include "evaluate/segments/segment_tensors.h"

namespace taugrad {
namespace {

constexpr std::size_t kMostPlans = 16;

SegmentRequest request_of(const Modes& modes) {
  SegmentRequest r;
  r.loss = true;
  r.train = true;
  r.modes = modes;
  return r;
}

}  // namespace

std::set<std::string> random_names(const ResolvedModel& model) {
  std::set<std::string> names;
  for (const Symbol& s : model.symbols)
    if (s.random()) names.insert(s.name);
  return names;
}

void read_item(const ResolvedModel& model, const Items& data, std::size_t item,
               const runtime::SegmentRead& r, std::span<float> to) {
  const int s = model.find(r.name);  // none of "counted:y"
  data.read(item, r.name, r.at, s >= 0 && model.symbols[static_cast<std::size_t>(s)].category >= 0,
            to);
}

Windows::Windows(std::shared_ptr<const ResolvedModel> model, const Modes& modes,
                 const Truncation& truncation, LossRequest request, bool checkpoint,
                 const ExecutorOptions& options)
    : model_(std::move(model)),
      truncation_(truncation),
      request_(std::move(request)),
      checkpoint_(checkpoint),
      options_(options),
      segments_(model_, request_of(modes)),
      ragged_(can_be_ragged(*model_)),
      cut_(static_cast<std::size_t>(segments_.length())) {}

std::int64_t Windows::count(std::int64_t steps) const {
  if (steps <= truncation_.back) return 1;
  return (steps + truncation_.stride() - 1) / truncation_.stride();
}

std::int64_t Windows::longest(const Items& data, const std::vector<std::size_t>& items) const {
  std::int64_t most = 0;
  for (const std::size_t i : items) most = std::max(most, steps_of(data, i));
  return most;
}

std::int64_t Windows::targets(const Items& data, const std::vector<std::size_t>& items,
                              std::int64_t from) const {
  std::int64_t targets = 0;
  const bool any = std::any_of(model_->symbols.begin(), model_->symbols.end(),
                               [](const Symbol& s) { return s.random(); });
  for (const std::size_t i : items) {
    const std::int64_t steps =
        std::clamp<std::int64_t>(steps_of(data, i) - from, 0, truncation_.stride());
    if (!any && steps > 0) ++targets;
    for (const Symbol& s : model_->symbols) {
      if (!s.random()) continue;
      const int axis = axis_along(*model_, s, segments_.length());
      if (axis < 0 && from > 0) continue;
      std::int64_t positions = axis < 0 ? 1 : steps;
      for (std::size_t a = 0; a < s.axes.size(); ++a)
        if (static_cast<int>(a) != axis)
          positions *=
              data.length(i, model_->lengths[static_cast<std::size_t>(
                                 model_->index_length[static_cast<std::size_t>(s.axes[a])])]);
      targets += positions - data.missing(i, s, axis, from, from + steps);
    }
  }
  return targets;
}

void Windows::begin(std::size_t items) {
  state_ = {};
  state_.steps.assign(items, 0);
}

// the slots are those of the lengths of the minibatch, which the first window knows
void Windows::make_state(std::size_t items, const std::vector<std::int64_t>& lengths) {
  if (state_.slots.empty())
    state_ = runtime::empty_state<float>(*model_, segments_.slots(lengths), items);
}

Windows::Plan& Windows::plan_for(const runtime::SegmentShape& shape, const Tensors& weights) {
  const std::int64_t settled = segments_.settled();
  std::vector<std::int64_t> key = shape.lengths;
  key.insert(key.end(), shape.of_state.begin(), shape.of_state.end());
  const bool later = settled >= 0 && shape.first >= std::max<std::int64_t>(settled, 1);
  key.insert(key.end(),
             {later ? -1 : shape.first, shape.steps, shape.from - shape.first, shape.hand_on});
  if (const auto known = plans_.find(key); known != plans_.end()) return known->second;
  if (plans_.size() >= kMostPlans) plans_.clear();
  Plan plan;
  ExecutorOptions how = options_;
  const auto outputs = [&](const Unfolded& u) {
    NodeId forward = 0;
    std::vector<NodeId> nodes = add_weight_gradients(u, *model_, request_, plan.slots, forward);
    how.checkpoint = checkpoint_ ? forward - 1 : -1;
    return nodes;
  };
  plan.segment = std::make_unique<runtime::SegmentPlan<float>>(
      segments_, shape, runtime::SegmentDraws{.given = random_names(*model_)}, outputs, how);
  plan.segment->bind(weights);
  plan.segment->forget_graph();
  return plans_.emplace(key, std::move(plan)).first->second;
}

double Windows::run(const Items& data, const std::vector<std::size_t>& items, std::int64_t from,
                    const BatchRun& how, const Tensors& weights, Tensors& gradients) {
  const std::int64_t first = begin_of(from), to = from + truncation_.stride();
  // items that run together; a window begins at the same step for all
  std::map<std::vector<std::int64_t>, std::vector<std::size_t>> groups;
  std::vector<std::int64_t> most(model_->lengths.size(), 0);
  const auto lengths_of = [&](std::size_t i) {
    std::vector<std::int64_t> lengths;
    for (std::size_t l = 0; l < model_->lengths.size(); ++l) {
      const std::int64_t own = data.length(items[i], model_->lengths[l]);
      lengths.push_back(l == cut_ ? std::clamp<std::int64_t>(own - first, 0, to - first) : own);
    }
    return lengths;
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<std::int64_t> own = lengths_of(i);
    for (std::size_t l = 0; l < own.size(); ++l) most[l] = std::max(most[l], own[l]);
    groups[ragged_ ? std::vector<std::int64_t>{} : own].push_back(i);
  }
  make_state(items.size(), most);
  double loss = 0;
  for (const auto& [key, group] : groups) {
    runtime::SegmentShape shape;
    shape.first = first;
    shape.lengths = ragged_ ? most : key;
    shape.lengths[cut_] = shape.steps = ragged_ ? to - first : key[cut_];
    shape.ragged = ragged_;
    shape.of_state = most;
    shape.of_state[cut_] = 0;
    shape.from = from;
    shape.hand_on = begin_of(to) - first;
    if (shape.hand_on > shape.steps) shape.hand_on = shape.steps;  // the items end here
    runtime::SegmentItems batch;
    batch.items = group;
    batch.seed = how.seed;
    batch.train = how.train;
    batch.mixes = how.mixes;
    batch.lengths.resize(most.size());
    for (const std::size_t i : group) {
      const std::vector<std::int64_t> own = lengths_of(i);
      for (std::size_t l = 0; l < own.size(); ++l) batch.lengths[l].push_back(own[l]);
      batch.keys.push_back(static_cast<std::int64_t>(items[i]));
    }
    Plan& plan = plan_for(shape, weights);
    plan.segment->run(batch, state_, [&](const runtime::SegmentRead& r, std::span<float> out) {
      read_item(*model_, data, items[r.item], r, out);
    });
    loss += add_gradients(plan.segment->executor(), plan.slots, gradients);
  }
  // of an item that has ended nothing is read any more; all are told as one
  for (std::int64_t& steps : state_.steps) steps = begin_of(to);
  return loss;
}

Tensors Windows::state() const {
  if (state_.slots.empty()) return {};
  return runtime::state_tensors(*model_, segments_.length(), state_);
}

bool Windows::set_state(const Tensors& state, const Items& data, const std::vector<std::size_t>& of,
                        std::int64_t from) {
  const std::size_t items = of.size();
  begin(items);
  if (state.empty()) return from == 0;
  std::vector<std::int64_t> lengths(model_->lengths.size(), 0);
  for (const std::size_t i : of)
    for (std::size_t l = 0; l < lengths.size(); ++l)
      lengths[l] = std::max(lengths[l], data.length(i, model_->lengths[l]));
  try {
    make_state(items, lengths);
    runtime::read_state(*model_, segments_.length(), state, 0, state_);
  } catch (const Error&) {
    begin(items);
    return false;
  }
  const bool fits = std::ranges::all_of(
      state_.steps, [&](std::int64_t steps) { return steps == begin_of(from); });
  if (!fits) begin(items);
  return fits;
}

}  // namespace taugrad
