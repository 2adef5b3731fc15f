#include "train/loop/stack.h"

#include <algorithm>

namespace taugrad {
namespace {

/// Copies one item's tensor [index..., shape...] into place `item` of a batch [index..., batch,
/// shape...].
void place(Tensor& batch, const Tensor& from, std::size_t axes, std::int64_t items,
           std::int64_t item) {
  std::int64_t size = 1;
  for (std::size_t a = axes; a < from.dims().size(); ++a) size *= from.dims()[a];
  if (size == 0) return;
  for (std::int64_t row = 0; row < from.size() / size; ++row) {
    std::int64_t rest = row, to = 0, stride = 1;  // the same position in the longer axes
    for (std::size_t a = axes; a-- > 0;) {
      to += rest % from.dims()[a] * stride;
      rest /= from.dims()[a];
      stride *= batch.dims()[a];
    }
    for (std::int64_t i = 0; i < size; ++i)
      batch.set((to * items + item) * size + i, from.at(row * size + i));
  }
}

}  // namespace

Tensors stacked(const ResolvedModel& model, const Items& data,
                const std::vector<std::size_t>& items) {
  Tensors all;
  const auto count = static_cast<std::int64_t>(items.size());
  for (const auto& [name, first] : data[items.front()].values) {
    const int number = model.find(name);
    if (number < 0) continue;  // "item", lengths: not a variable
    const Symbol& s = model.symbols[static_cast<std::size_t>(number)];
    const std::size_t axes = s.axes.size();
    Dims dims = first.dims();
    for (const std::size_t i : items)
      for (std::size_t a = 0; a < axes; ++a)
        dims[a] = std::max(dims[a], data[i].values.at(name).dims()[a]);
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axes), count);
    Tensor batch(dims, first.dtype());
    for (std::int64_t e = 0; s.category >= 0 && e < batch.size(); ++e) batch.set(e, -1);
    for (std::size_t i = 0; i < items.size(); ++i)
      place(batch, data[items[i]].values.at(name), axes, count, static_cast<std::int64_t>(i));
    all.emplace(name, std::move(batch));
  }
  for (const auto& [length, first] : data.lengths(items.front())) {
    std::vector<std::int64_t> own;
    for (const std::size_t i : items) own.push_back(data.length(i, length));
    all.emplace("lengths:" + length, Tensor::of({count}, std::move(own)));
  }
  return all;
}

Tensor counted_targets(const Symbol& s, const Items& data, const std::vector<std::size_t>& items,
                       const Tensor& like) {
  const std::size_t axes = s.axes.size();
  const auto end = [&](const Dims& dims, std::size_t n) {
    return dims.begin() + static_cast<std::ptrdiff_t>(n);
  };
  Tensor counted({like.dims().begin(), end(like.dims(), axes + 1)}, Dtype::f64);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Example& e = data[items[i]];
    const Dims& own = e.values.at(s.name).dims();
    Tensor given({own.begin(), end(own, axes)}, Dtype::f64);
    std::ranges::fill(given.values<double>(), 1.0);
    if (const auto missing = e.missing.find(s.name); missing != e.missing.end())
      for (const std::int64_t at : missing->second) given.set(at, 0);
    place(counted, given, axes, counted.dims()[axes], static_cast<std::int64_t>(i));
  }
  return counted;
}

}  // namespace taugrad
