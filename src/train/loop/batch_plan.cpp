#include "train/loop/batch_plan.h"

#include <algorithm>
#include <functional>

#include "base/fail.h"
#include "taugrad/ops/records.h"
#include "train/data/example_check.h"
#include "unfold/unfolder.h"

namespace taugrad {
namespace {

// multiples of 8, later of an eighth of a power of two
std::int64_t rounded_up(std::int64_t n) {
  std::int64_t step = 8;
  while (step * 16 <= n) step *= 2;
  return (n + step - 1) / step * step;
}

bool inside(const Tensor& t, const std::vector<std::int32_t>& at) {
  for (std::size_t a = 0; a < at.size(); ++a)
    if (at[a] < 1 || at[a] > t.dims()[a]) return false;
  return true;
}

// of an untied weight as many positions as the data have steps, or more
bool fits(const Tensor& t, const Shape& shape, const std::vector<std::int32_t>& at) {
  return t.dims().size() == at.size() + static_cast<std::size_t>(shape.rank()) && inside(t, at) &&
         std::equal(t.dims().begin() + static_cast<std::ptrdiff_t>(at.size()), t.dims().end(),
                    shape.dims().begin());
}

}  // namespace

std::int64_t flat_position(const Tensor& t, const std::vector<std::int32_t>& at) {
  std::int64_t flat = 0;
  for (std::size_t a = 0; a < at.size(); ++a) flat = flat * t.dims()[a] + at[a] - 1;
  return flat;
}

Batching::Batching(std::shared_ptr<const ResolvedModel> model, const Items& data)
    : model_(std::move(model)), ragged_(can_be_ragged(*model_)), longest_(model_->lengths.size()) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!data.stored()) require_example(*model_, data[i], i);  // those in files are
    for (std::size_t l = 0; l < longest_.size(); ++l)
      longest_[l] = std::max(longest_[l], data.length(i, model_->lengths[l]));
  }
}

std::vector<std::int64_t> Batching::lengths_for(const Items& data,
                                                const std::vector<std::size_t>& items) const {
  std::vector<std::int64_t> lengths(longest_.size(), 0);
  for (std::size_t l = 0; l < longest_.size(); ++l) {
    for (const std::size_t i : items)
      lengths[l] = std::max(lengths[l], data.length(i, model_->lengths[l]));
    if (ragged_ && model_->fixed_lengths[l] < 0)
      lengths[l] = std::min(rounded_up(lengths[l]), longest_[l]);
  }
  return lengths;
}

std::vector<std::vector<std::size_t>> Batching::groups(
    const Items& data, const std::vector<std::size_t>& items) const {
  if (ragged_) return {items};
  std::map<std::map<std::string, std::int64_t>, std::vector<std::size_t>> by_lengths;
  for (const std::size_t i : items) by_lengths[data.lengths(i)].push_back(i);
  std::vector<std::vector<std::size_t>> all;
  for (auto& [lengths, group] : by_lengths) all.push_back(std::move(group));
  return all;
}

UnfoldOptions unfold_options(const ResolvedModel& model, const std::vector<std::int64_t>& lengths,
                             bool ragged, const Modes& modes) {
  UnfoldOptions o;
  o.ragged = ragged;
  o.modes = modes;
  for (std::size_t l = 0; l < lengths.size(); ++l) o.lengths[model.lengths[l]] = lengths[l];
  for (const Symbol& s : model.symbols)
    if (s.random()) o.given.insert(s.name);
  return o;
}

namespace {

/// Leaf number `leaf` of a source.
DataLeaf data_leaf(const runtime::Source& source, std::size_t leaf) {
  const auto axes = static_cast<std::size_t>(source.index_axes);
  const auto first = source.positions.begin() + static_cast<std::ptrdiff_t>(leaf * axes);
  return {source.leaves[leaf],
          data_of(source.name),
          source.shape,
          {first, first + source.index_axes},
          source.category > 0};
}

}  // namespace

BatchPlan::BatchPlan(const Unfolded& u, std::span<const NodeId> outputs,
                     const ExecutorOptions& options)
    : BatchPlan(u.model().lengths, Executor<float>(u.graph().tape(), outputs, options), {}) {
  place(runtime::sources_of(u.graph().tape(), executor_.leaves()));
}

BatchPlan::BatchPlan(std::vector<std::string> lengths, Executor<float> executor,
                     std::vector<runtime::Source> sources)
    : lengths_(std::move(lengths)), executor_(std::move(executor)) {
  place(std::move(sources));
}

void BatchPlan::place(std::vector<runtime::Source> sources) {
  for (runtime::Source& s : sources) {
    const bool mix = s.name.starts_with(mix_input(""));
    (s.weight ? weights_ : mix ? mixes_ : inputs_).push_back(std::move(s));
  }
}

DataLeaf data_leaf(const Tape& tape, NodeId id) {
  return {id,
          data_of(tape.name(id)),
          tape.shape(id),
          {tape.index(id).begin(), tape.index(id).end()},
          tape.attrs(id).has("category")};
}

void BatchPlan::bind(const Tensors& weights) {
  for (const runtime::Source& source : weights_) {
    const auto found = weights.find(source.name);
    if (found == weights.end())
      fail(Status::bad_input, "S013", "weight \"{}\" is missing", source.name);
    const Tensor& w = found->second;
    for (std::size_t i = 0; i < source.leaves.size(); ++i) {
      const DataLeaf leaf = data_leaf(source, i);
      if (!fits(w, leaf.shape, leaf.at))
        fail(Status::bad_input, "S013", "weight \"{}\" is {}, the definition needs {}{}", leaf.name,
             dims_text(w.dims()), to_string(leaf.shape),
             leaf.at.empty() ? ""
                             : fmt::format(" at each of {} or more positions", leaf.at.front()));
      const auto size = static_cast<std::size_t>(leaf.shape.size());
      const auto first = static_cast<std::size_t>(flat_position(w, leaf.at)) * size;
      executor_.bind(leaf.id, w.values<float>().subspan(first, size));
    }
  }
}

void fill_leaf(const DataLeaf& leaf, const Items& data, std::span<const std::size_t> items,
               std::span<float> to) {
  const auto size = static_cast<std::size_t>(leaf.shape.size());
  for (std::size_t r = 0; r < items.size(); ++r)
    data.read(items[r], leaf.name, leaf.at, leaf.category, to.subspan(r * size, size));
}

BatchContext batch_context(const std::vector<std::string>& lengths, const Items& data,
                           const std::vector<std::size_t>& items, const BatchRun& how) {
  BatchContext context;
  context.seed = how.seed;
  context.train = how.train;
  context.lengths.resize(lengths.size());
  for (const std::size_t i : items) {
    context.item.push_back(static_cast<std::int64_t>(i));
    for (std::size_t l = 0; l < lengths.size(); ++l)
      context.lengths[l].push_back(data.length(i, lengths[l]));
  }
  return context;
}

std::vector<std::size_t> longest_first(const ResolvedModel& model, const Items& data,
                                       std::vector<std::size_t> items) {
  std::ranges::stable_sort(items, std::greater<>(),
                           [&](std::size_t i) { return data.length(i, model.lengths[0]); });
  return items;
}

runtime::LevelRows level_rows(const ResolvedModel& model, const LevelCircle& circle,
                              const Items& data, const std::vector<std::size_t>& items) {
  std::vector<std::int64_t> lengths;
  for (const std::size_t i : items) lengths.push_back(data.length(i, model.lengths[0]));
  return {model, circle, lengths, [&](int symbol, std::int64_t t, std::int64_t item) {
            const Example& e = data[items[static_cast<std::size_t>(item)]];
            return e.values.at(model.symbols[static_cast<std::size_t>(symbol)].name).at(t - 1);
          }};
}

std::int64_t levels_for(const runtime::LevelRows& rows, std::int64_t steps) {
  constexpr std::int64_t kTogether = 4;
  return std::min((rows.levels() + kTogether - 1) / kTogether * kTogether, steps);
}

void BatchPlan::run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
                    const runtime::LevelRows& levels) {
  BatchContext context = batch_context(lengths_, data, items, how);
  if (levels.levels() > 0) context.lengths.push_back(levels.lengths());
  executor_.set_batch(context, static_cast<std::int64_t>(items.size()));
  std::vector<std::size_t> own;
  for (const runtime::Source& source : inputs_)
    for (std::size_t i = 0; i < source.leaves.size(); ++i) {
      if (levels.fills(source)) {
        const NodeId leaf = source.leaves[i];
        levels.fill(source, i, executor_.items(leaf), executor_.leaf(leaf));
        continue;
      }
      const DataLeaf leaf = data_leaf(source, i);
      own.clear();
      for (const std::int32_t row : executor_.items(leaf.id))
        own.push_back(items[static_cast<std::size_t>(row)]);
      fill_leaf(leaf, data, own, executor_.leaf(leaf.id));
    }
  for (const runtime::Source& source : mixes_)
    for (const NodeId leaf : source.leaves)
      executor_.leaf(leaf)[0] =
          static_cast<float>(how.mixes.at(source.name.substr(mix_input("").size())));
  executor_.run();
}

}  // namespace taugrad
