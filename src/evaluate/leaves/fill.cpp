#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/fail.h"
#include "evaluate/leaves/bind.h"

namespace taugrad::runtime {
namespace {

/// Where position `leaf` of a source begins in its tensor. @throws Error (D011) where the tensor
/// ends before it
std::int64_t start_of(const Source& s, const Tensor& t, std::size_t leaf, std::int64_t elements) {
  std::int64_t at = 0;
  for (int axis = 0; axis < s.index_axes; ++axis) {
    const std::int64_t size = t.dims()[static_cast<std::size_t>(axis)];
    const std::int64_t position =
        s.positions[leaf * static_cast<std::size_t>(s.index_axes) + static_cast<std::size_t>(axis)];
    if (position > size)
      fail(Status::bad_input, "D011",
           "\"{}\" has {} positions along axis {}, but position {} is read", s.name, size, axis,
           position);
    at = at * size + position - 1;
  }
  return at * elements;
}

/// "y[3] of item 2"
std::string place_name(const Source& s, std::size_t leaf, std::int32_t item) {
  std::string index;
  for (int axis = 0; axis < s.index_axes; ++axis)
    index += fmt::format("{}{}", axis == 0 ? "[" : ",",
                         s.positions[leaf * static_cast<std::size_t>(s.index_axes) +
                                     static_cast<std::size_t>(axis)]);
  return fmt::format("{}{} of item {}", s.name, index.empty() ? "" : index + "]", item);
}

template <class T>
void check_bernoulli(const Source& s, std::size_t leaf, std::int32_t item, T value) {
  const auto number = static_cast<double>(value);
  if (!(number >= 0 && number <= 1))
    fail(Status::bad_input, "D013", "{} is {}; a bernoulli is 0 or 1, or between them",
         place_name(s, leaf, item), value);
}

template <class T>
void check_category(const Source& s, std::size_t leaf, std::int32_t item, T value) {
  const auto number = static_cast<double>(value);
  if (number == -1 ||
      (number >= 0 && number < static_cast<double>(s.category) && number == std::floor(number)))
    return;
  fail(Status::bad_input, "D013", "{} is {}, not a category 0..{} (-1: absent)",
       place_name(s, leaf, item), value, s.category - 1);
}

/// Rows of one leaf from the items of [batch, shape...] at `from`.
template <class S, class T>
void fill_rows(const Source& s, std::size_t leaf, const T* from,
               std::span<const std::int32_t> items, S* out) {
  const std::int64_t n = s.shape.size();
  for (const std::int32_t item : items) {
    const T* row = from + item * n;
    if (s.category > 0) check_category(s, leaf, item, *row);
    for (std::int64_t i = 0; s.bernoulli && i < n; ++i) check_bernoulli(s, leaf, item, row[i]);
    out = std::transform(row, row + n, out, [](T x) { return static_cast<S>(x); });
  }
}

template <class T>
void read_leaf_as(const Source& s, const Tensor& t, std::size_t leaf,
                  std::span<const std::int32_t> items, std::span<double> to) {
  const T* data = t.values<T>().data();
  const std::int64_t n = s.shape.size();
  if (!s.per_example) {
    std::copy_n(data + start_of(s, t, leaf, n), n, to.data());
    return;
  }
  const std::int64_t batch = t.dims()[static_cast<std::size_t>(s.index_axes)];
  if (!items.empty()) fill_rows(s, leaf, data + start_of(s, t, leaf, batch * n), items, to.data());
}

template <class S, class T>
void fill_source(Executor<S>& executor, const Source& s, const Tensor& t) {
  const T* data = t.values<T>().data();
  const std::int64_t n = s.shape.size();
  const std::int64_t batch = s.per_example ? t.dims()[static_cast<std::size_t>(s.index_axes)] : 1;
  for (std::size_t i = 0; i < s.leaves.size(); ++i) {
    const NodeId leaf = s.leaves[i];
    if (s.per_example) {
      const auto items = executor.items(leaf);
      if (items.empty()) continue;  // past the end of all items: the tensor need not reach so far
      fill_rows(s, i, data + start_of(s, t, i, batch * n), items, executor.leaf(leaf).data());
      continue;
    }
    const T* from = data + start_of(s, t, i, n);
    if constexpr (std::is_same_v<S, T>) {
      executor.bind(leaf, {from, static_cast<std::size_t>(n)});
    } else {
      std::transform(from, from + n, executor.leaf(leaf).data(),
                     [](T x) { return static_cast<S>(x); });
    }
  }
}

}  // namespace

void read_leaf(const Source& s, const Tensor& t, std::size_t leaf,
               std::span<const std::int32_t> items, std::span<double> to) {
  switch (t.dtype()) {
    case Dtype::f32:
      return read_leaf_as<float>(s, t, leaf, items, to);
    case Dtype::f64:
      return read_leaf_as<double>(s, t, leaf, items, to);
    case Dtype::i64:
      return read_leaf_as<std::int64_t>(s, t, leaf, items, to);
  }
}

template <class S>
void bind_source(Executor<S>& executor, const Source& source, const Tensor& t) {
  switch (t.dtype()) {
    case Dtype::f32:
      return fill_source<S, float>(executor, source, t);
    case Dtype::f64:
      return fill_source<S, double>(executor, source, t);
    case Dtype::i64:
      return fill_source<S, std::int64_t>(executor, source, t);
  }
}

template void bind_source(Executor<float>&, const Source&, const Tensor&);
template void bind_source(Executor<double>&, const Source&, const Tensor&);

}  // namespace taugrad::runtime
