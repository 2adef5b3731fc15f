#include "train/batch_plan.h"

#include <algorithm>
#include <functional>

#include "base/fail.h"
#include "taugrad/ops/records.h"
#include "train/counted.h"
#include "train/example_check.h"
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

std::int64_t work_of(const Example& e) {
  std::int64_t steps = 1;
  for (const auto& [name, n] : e.lengths) steps *= std::max<std::int64_t>(n, 1);
  return steps;
}

std::int64_t targets_of(const ResolvedModel& model, const Example& e) {
  std::int64_t targets = 0;
  bool any = false;
  for (const Symbol& s : model.symbols) {
    if (!s.random()) continue;
    any = true;
    std::int64_t positions = 1;
    for (const int axis : s.axes)
      positions *= e.lengths.at(model.lengths[static_cast<std::size_t>(
          model.index_length[static_cast<std::size_t>(axis)])]);
    targets += positions - missing_of(e, s);
  }
  return any ? targets : 1;
}

Batching::Batching(std::shared_ptr<const ResolvedModel> model, const Dataset& data)
    : model_(std::move(model)), ragged_(can_be_ragged(*model_)), longest_(model_->lengths.size()) {
  for (std::size_t i = 0; i < data.examples.size(); ++i) {
    const Example& e = data.examples[i];
    require_example(*model_, e, i);
    for (std::size_t l = 0; l < longest_.size(); ++l)
      longest_[l] = std::max(longest_[l], e.lengths.at(model_->lengths[l]));
  }
}

std::vector<std::int64_t> Batching::lengths_for(const Dataset& data,
                                                const std::vector<std::size_t>& items) const {
  std::vector<std::int64_t> lengths(longest_.size(), 0);
  for (std::size_t l = 0; l < longest_.size(); ++l) {
    for (const std::size_t i : items)
      lengths[l] = std::max(lengths[l], data.examples[i].lengths.at(model_->lengths[l]));
    if (ragged_ && model_->fixed_lengths[l] < 0)
      lengths[l] = std::min(rounded_up(lengths[l]), longest_[l]);
  }
  return lengths;
}

std::vector<std::vector<std::size_t>> Batching::groups(
    const Dataset& data, const std::vector<std::size_t>& items) const {
  if (ragged_) return {items};
  std::map<std::map<std::string, std::int64_t>, std::vector<std::size_t>> by_lengths;
  for (const std::size_t i : items) by_lengths[data.examples[i].lengths].push_back(i);
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

void fill_leaf(const DataLeaf& leaf, const Dataset& data, std::span<const std::size_t> items,
               std::span<float> to) {
  const auto size = static_cast<std::size_t>(leaf.shape.size());
  if (const std::string variable = counted_variable(leaf.name); !variable.empty()) {
    for (std::size_t r = 0; r < items.size(); ++r)
      to[r] = has_target(data.examples[items[r]], variable, leaf.at) ? 1.0F : 0.0F;
    return;
  }
  for (std::size_t r = 0; r < items.size(); ++r) {
    const std::size_t item = items[r];
    const auto& values = data.examples[item].values;
    const auto found = values.find(leaf.name);
    if (found == values.end())
      fail(Status::bad_input, "D005", "item {} lacks the variable \"{}\"", item, leaf.name);
    const Tensor& from = found->second;
    const bool given = inside(from, leaf.at);
    const auto first = given ? flat_position(from, leaf.at) * static_cast<std::int64_t>(size) : 0;
    // outside an item a number is zero and a symbol absent (R4)
    for (std::size_t i = 0; i < size; ++i)
      to[r * size + i] = given ? static_cast<float>(from.at(first + static_cast<std::int64_t>(i)))
                         : leaf.category ? -1.0F
                                         : 0.0F;
  }
}

BatchContext batch_context(const std::vector<std::string>& lengths, const Dataset& data,
                           const std::vector<std::size_t>& items, const BatchRun& how) {
  BatchContext context;
  context.seed = how.seed;
  context.train = how.train;
  context.lengths.resize(lengths.size());
  for (const std::size_t i : items) {
    context.item.push_back(static_cast<std::int64_t>(i));
    for (std::size_t l = 0; l < lengths.size(); ++l)
      context.lengths[l].push_back(data.examples[i].lengths.at(lengths[l]));
  }
  return context;
}

std::vector<std::size_t> longest_first(const ResolvedModel& model, const Dataset& data,
                                       std::vector<std::size_t> items) {
  std::ranges::stable_sort(items, std::greater<>(), [&](std::size_t i) {
    return data.examples[i].lengths.at(model.lengths[0]);
  });
  return items;
}

runtime::LevelRows level_rows(const ResolvedModel& model, const LevelCircle& circle,
                              const Dataset& data, const std::vector<std::size_t>& items) {
  std::vector<std::int64_t> lengths;
  for (const std::size_t i : items)
    lengths.push_back(data.examples[i].lengths.at(model.lengths[0]));
  return {model, circle, lengths, [&](int symbol, std::int64_t t, std::int64_t item) {
            const Example& e = data.examples[items[static_cast<std::size_t>(item)]];
            return e.values.at(model.symbols[static_cast<std::size_t>(symbol)].name).at(t - 1);
          }};
}

std::int64_t levels_for(const runtime::LevelRows& rows, std::int64_t steps) {
  constexpr std::int64_t kTogether = 4;
  return std::min((rows.levels() + kTogether - 1) / kTogether * kTogether, steps);
}

void BatchPlan::run(const Dataset& data, const std::vector<std::size_t>& items, const BatchRun& how,
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
