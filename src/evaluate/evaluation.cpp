#include "evaluate/evaluation.h"

#include <algorithm>

#include "base/fail.h"

namespace taugrad {

const Tensor& needed(const Tensors& tensors, const char* kind, const std::string& name) {
  const auto given = tensors.find(name);
  if (given == tensors.end())
    fail(Status::bad_input, "D010", "{} \"{}\" is needed and not given", kind, name);
  return given->second;
}

template <class S>
void convert(const Tensor& tensor, std::int64_t from, std::span<S> to) {
  const auto copy = [&](auto values) {
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<S>(values[static_cast<std::size_t>(from) + i]);
  };
  if (tensor.dtype() == Dtype::f32) return copy(tensor.values<float>());
  if (tensor.dtype() == Dtype::f64) return copy(tensor.values<double>());
  copy(tensor.values<std::int64_t>());
}

template <class S>
UnfoldOptions Evaluation<S>::unfolding(const std::vector<std::int32_t>& items) const {
  UnfoldOptions o;
  o.modes = options_.modes;
  for (const Symbol& s : model_->symbols)
    if (s.random() && data_.inputs.contains(s.name)) o.given.insert(s.name);
  o.temperature = options_.temperature;
  o.top_k = options_.top_k;
  o.top_p = options_.top_p;
  o.train = options_.train;
  o.cotangents = data_.cotangents;
  for (std::size_t l = 0; l < model_->lengths.size(); ++l) {
    std::int64_t longest = items.empty() ? data_.longest[l] : 0;
    for (const std::int32_t i : items) {
      const std::int64_t length = data_.lengths[l][static_cast<std::size_t>(i)];
      o.ragged = o.ragged || length != data_.lengths[l][static_cast<std::size_t>(items.front())];
      longest = std::max(longest, length);
    }
    o.lengths[model_->lengths[l]] = longest;
    if (!data_.data_lengths[l].empty() && !items.empty())  // the same for all items of a group
      o.data_lengths[model_->lengths[l]] =
          data_.data_lengths[l][static_cast<std::size_t>(items.front())];
  }
  return o;
}

template <class S>
Executor<S> Evaluation<S>::operator()(const Tape& tape, std::span<const NodeId> outputs,
                                      const std::vector<std::int32_t>& items) const {
  Executor<S> executor(tape, outputs, {.engine = options_.engine});
  run(executor, runtime::sources_of(tape, executor.leaves()), items);
  return executor;
}

template <class S>
void Evaluation<S>::run(Executor<S>& executor, const std::vector<runtime::Source>& sources,
                        const std::vector<std::int32_t>& items,
                        const runtime::LevelRows& levels) const {
  BatchContext context = context_of(items);
  if (levels.levels() > 0) context.lengths.push_back(levels.lengths());
  executor.set_batch(context, static_cast<std::int64_t>(items.size()));
  for (const runtime::Source& source : sources) {
    if (levels.fills(source)) {
      for (std::size_t i = 0; i < source.leaves.size(); ++i)
        levels.fill(source, i, executor.items(source.leaves[i]), executor.leaf(source.leaves[i]));
      continue;
    }
    const Tensor& tensor = tensor_of(source);
    for (std::size_t i = 0; i < source.leaves.size(); ++i)
      fill(source, i, tensor, items, executor.items(source.leaves[i]),
           executor.leaf(source.leaves[i]));
  }
  executor.run();
}

template <class S>
runtime::LevelRows Evaluation<S>::level_rows(const LevelCircle& circle,
                                             const std::vector<std::int32_t>& items) const {
  std::vector<std::int64_t> lengths;
  for (const std::int32_t i : items)
    lengths.push_back(data_.lengths[0][static_cast<std::size_t>(i)]);
  return {*model_, circle, lengths, [&](int symbol, std::int64_t t, std::int64_t item) {
            const std::string& name = model_->symbols[static_cast<std::size_t>(symbol)].name;
            return needed(data_.inputs, "input", name)
                .at((t - 1) * data_.items + items[static_cast<std::size_t>(item)]);
          }};
}

template <class S>
Interpreter<S> Evaluation<S>::interpreted(const Tape& tape, std::span<const NodeId> outputs,
                                          std::int32_t item) const {
  Interpreter<S> interpreter(tape, outputs);
  interpreter.set_batch(context_of({item}), 1);
  static constexpr std::int32_t kOnly[] = {0};
  for (const runtime::Source& source : runtime::sources_of(tape, interpreter.leaves()))
    for (std::size_t i = 0; i < source.leaves.size(); ++i)
      if (const std::span<S> to = interpreter.leaf(source.leaves[i]); !to.empty())
        fill(source, i, tensor_of(source), {item}, kOnly, to);
  interpreter.run();
  return interpreter;
}

template <class S>
BatchContext Evaluation<S>::context_of(const std::vector<std::int32_t>& items) const {
  BatchContext context;
  context.seed = options_.seed;
  context.train = options_.train;
  context.lengths.resize(model_->lengths.size());
  for (const std::int32_t i : items) {
    context.item.push_back(data_.keys[static_cast<std::size_t>(i)]);
    for (std::size_t l = 0; l < model_->lengths.size(); ++l)
      context.lengths[l].push_back(data_.lengths[l][static_cast<std::size_t>(i)]);
  }
  return context;
}

template <class S>
const Tensor& Evaluation<S>::tensor_of(const runtime::Source& source) const {
  const std::string name = data_of(source.name);
  const int number = model_->find(name);
  const bool weight =
      number >= 0 && model_->symbols[static_cast<std::size_t>(number)].kind == SymbolKind::weight;
  const Tensor& tensor =
      weight ? needed(weights_, "weight", name) : needed(data_.inputs, "input", name);
  if (weight) check_weight(model_->symbols[static_cast<std::size_t>(number)], tensor);
  return tensor;
}

template <class S>
void Evaluation<S>::fill(const runtime::Source& source, std::size_t leaf, const Tensor& tensor,
                         const std::vector<std::int32_t>& items, std::span<const std::int32_t> rows,
                         std::span<S> to) const {
  const auto axes = static_cast<std::size_t>(source.index_axes);
  std::int64_t flat = 0;
  for (std::size_t a = 0; a < axes; ++a)
    flat = flat * tensor.dims()[a] + source.positions[leaf * axes + a] - 1;
  const std::int64_t size = source.shape.size();
  if (!source.per_example) return convert(tensor, flat * size, to);
  const bool once = is_shared_cotangent(source.name);  // it counts with the first item, for all
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::int64_t item = items[static_cast<std::size_t>(rows[r])];
    const auto to_item =
        to.subspan(r * static_cast<std::size_t>(size), static_cast<std::size_t>(size));
    if (once && item == 0) convert(tensor, 0, to_item);
    if (once && item != 0) std::fill(to_item.begin(), to_item.end(), S(0));
    if (once) continue;
    convert(tensor, (flat * data_.items + item) * size, to_item);
  }
}

template <class S>
bool Evaluation<S>::is_shared_cotangent(const std::string& leaf) const {
  if (!leaf.starts_with("cotangent:")) return false;
  const int of = model_->find(leaf.substr(10));
  return of >= 0 && !model_->symbols[static_cast<std::size_t>(of)].per_example;
}

template <class S>
void Evaluation<S>::check_weight(const Symbol& s, const Tensor& tensor) const {
  Dims wanted;
  for (const int axis : s.axes)
    wanted.push_back(data_.longest[static_cast<std::size_t>(
        model_->index_length[static_cast<std::size_t>(axis)])]);
  for (const std::int64_t n : s.shape.dims()) wanted.push_back(n);
  if (tensor.dims() != wanted && !(wanted.empty() && tensor.dims() == Dims{1}))
    fail(Status::bad_input, "D011", "weight \"{}\" has shape {}, want {}", s.name,
         dims_text(tensor.dims()), dims_text(wanted));
}

template class Evaluation<float>;
template class Evaluation<double>;
template void convert(const Tensor&, std::int64_t, std::span<float>);
template void convert(const Tensor&, std::int64_t, std::span<double>);

}  // namespace taugrad
