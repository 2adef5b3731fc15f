#include "taugrad/base/tensor.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <ostream>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/memory_limit.h"
#include "base/whole.h"
#include "taugrad/base/shape.h"

namespace taugrad {
namespace {

constexpr std::size_t kLargeTensor = std::size_t{64} << 20;  // bytes

template <class T>
constexpr Dtype kDtypeOf = Dtype::f64;
template <>
constexpr Dtype kDtypeOf<float> = Dtype::f32;
template <>
constexpr Dtype kDtypeOf<std::int64_t> = Dtype::i64;

template <class T>
Tensor filled(Dims dims, const std::vector<T>& values) {
  Tensor t(std::move(dims), kDtypeOf<T>);
  require(static_cast<std::int64_t>(values.size()) == t.size(),
          "a tensor {} has {} elements, got {} values", dims_text(t.dims()), t.size(),
          values.size());
  if (!values.empty()) std::memcpy(t.bytes().data(), values.data(), t.bytes().size());
  return t;
}

std::int64_t to_integer(double value) {
  const std::optional<std::int64_t> whole = whole_number(value);
  if (!whole) fail(Status::bad_input, "G011", "{} is no integer of 64 bits", value);
  return *whole;
}

template <class From>
void convert(std::span<const From> from, Tensor& to) {
  const auto fill = [&](auto out, auto cast) {
    std::transform(from.begin(), from.end(), out.begin(), cast);
  };
  switch (to.dtype()) {
    case Dtype::f32:
      fill(to.values<float>(), [](From x) { return static_cast<float>(x); });
      break;
    case Dtype::f64:
      fill(to.values<double>(), [](From x) { return static_cast<double>(x); });
      break;
    case Dtype::i64:
      fill(to.values<std::int64_t>(), [](From x) { return to_integer(static_cast<double>(x)); });
      break;
  }
}

}  // namespace

std::string_view to_string(Dtype d) {
  switch (d) {
    case Dtype::f32:
      return "f32";
    case Dtype::f64:
      return "f64";
    case Dtype::i64:
      return "i64";
  }
  return "?";
}

std::size_t size_of(Dtype d) { return d == Dtype::f32 ? 4 : 8; }

std::string dims_text(std::span<const std::int64_t> dims) {
  return fmt::format("[{}]", fmt::join(dims, ","));
}

std::int64_t checked_elements(std::span<const std::int64_t> dims) {
  if (dims.size() > static_cast<std::size_t>(limits::kTensorRank))
    fail(Status::bad_input, "G021", "{} axes; a tensor has at most {}", dims.size(),
         limits::kTensorRank);
  double product = 1;  // for the message: exact enough, cannot wrap
  for (const std::int64_t d : dims) {
    if (d < 0 || d > kMaxDim)
      fail(Status::bad_input, "G021", "{}: an axis must be in 0..{}, got {}", dims_text(dims),
           kMaxDim, d);
    product *= static_cast<double>(d);
  }
  if (product > static_cast<double>(kMaxElements))
    fail(Status::bad_input, "G021", "{} would have {:.2g} elements; limit {:.2g}", dims_text(dims),
         product, static_cast<double>(kMaxElements));
  std::int64_t elements = 1;
  for (const std::int64_t d : dims)
    if (__builtin_mul_overflow(elements, d, &elements)) elements = 0;  // only where an axis is 0
  return product == 0 ? 0 : elements;
}

std::size_t checked_bytes(std::span<const std::int64_t> dims, Dtype dtype) {
  return static_cast<std::size_t>(checked_elements(dims)) * size_of(dtype);  // <= 2^43
}

Tensor::Tensor(Dims dims, Dtype dtype)
    : dims_(std::move(dims)), dtype_(dtype), size_(checked_elements(dims_)) {
  if (dtype != Dtype::f32 && dtype != Dtype::f64 && dtype != Dtype::i64)
    fail(Status::usage, "U022", "there is no type of elements {}", static_cast<int>(dtype));
  const std::size_t bytes = checked_bytes(dims_, dtype);
  if (bytes >= kLargeTensor)  // the machine would promise it, and end the process for using it
    require_memory("a tensor", {{dims_text(dims_), static_cast<double>(bytes)}});
  try {
    bytes_.resize(bytes);
  } catch (const std::bad_alloc&) {
    fail(Status::resource, "R001", "a tensor {} needs {:.1f} GiB, more than can be allocated",
         dims_text(dims_), static_cast<double>(bytes) / (1 << 30));
  }
}

Tensor& Tensor::operator=(Tensor&& other) noexcept {
  if (this == &other) return *this;
  dims_ = std::exchange(other.dims_, {});
  dtype_ = std::exchange(other.dtype_, Dtype::f64);
  size_ = std::exchange(other.size_, 0);
  bytes_ = std::exchange(other.bytes_, {});
  return *this;
}

Tensor Tensor::of(Dims dims, std::vector<double> values) { return filled(std::move(dims), values); }
Tensor Tensor::of(Dims dims, std::vector<std::int64_t> values) {
  return filled(std::move(dims), values);
}

Tensor Tensor::of(std::initializer_list<Number> vector) {
  std::vector<double> values;
  for (const Number& number : vector) values.push_back(number.value);
  return of(Dims{static_cast<std::int64_t>(vector.size())}, std::move(values));
}
Tensor Tensor::of(std::initializer_list<std::initializer_list<double>> rows) {
  return of_rows({rows.begin(), rows.end()});
}
Tensor Tensor::of_rows(const std::vector<std::vector<double>>& rows) {
  const std::size_t columns = rows.empty() ? 0 : rows.front().size();
  std::vector<double> values;
  for (const std::vector<double>& row : rows) {
    if (row.size() != columns)
      fail(Status::usage, "D011", "a row of {} numbers under one of {}", row.size(), columns);
    values.insert(values.end(), row.begin(), row.end());
  }
  return of(Dims{static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)},
            std::move(values));
}
Tensor Tensor::zeros(Dims dims, Dtype dtype) { return {std::move(dims), dtype}; }
Tensor Tensor::ones(Dims dims, Dtype dtype) {
  Tensor t(std::move(dims), dtype);
  for (std::int64_t i = 0; i < t.size(); ++i) t.set(i, 1);
  return t;
}

template <class T>
std::span<T> Tensor::values() & {
  if (dtype_ != kDtypeOf<T>)
    fail(Status::usage, "D015", "a tensor of {} is read as {}", to_string(dtype_),
         to_string(kDtypeOf<T>));
  return {reinterpret_cast<T*>(bytes_.data()), static_cast<std::size_t>(size_)};
}
template <class T>
std::span<const T> Tensor::values() const& {
  return const_cast<Tensor*>(this)->values<T>();
}
template <class T>
std::vector<T> Tensor::values() && {
  const std::span<T> all = values<T>();  // of an object with a name: the view above
  return {all.begin(), all.end()};
}
template std::span<float> Tensor::values<float>() &;
template std::span<double> Tensor::values<double>() &;
template std::span<std::int64_t> Tensor::values<std::int64_t>() &;
template std::span<const float> Tensor::values<float>() const&;
template std::span<const double> Tensor::values<double>() const&;
template std::span<const std::int64_t> Tensor::values<std::int64_t>() const&;
template std::vector<float> Tensor::values<float>() &&;
template std::vector<double> Tensor::values<double>() &&;
template std::vector<std::int64_t> Tensor::values<std::int64_t>() &&;

std::size_t Tensor::place(std::int64_t flat) const {
  if (flat < 0 || flat >= size_)
    fail(Status::usage, "U022", "a tensor {} has no element {}: it has {}", dims_text(dims_), flat,
         size_);
  return static_cast<std::size_t>(flat);
}

double Tensor::at(std::int64_t flat) const {
  const std::size_t i = place(flat);
  switch (dtype_) {
    case Dtype::f32:
      return static_cast<double>(values<float>()[i]);
    case Dtype::f64:
      return values<double>()[i];
    case Dtype::i64:
      return static_cast<double>(values<std::int64_t>()[i]);
  }
  return 0;
}

void Tensor::set(std::int64_t flat, double value) {
  const std::size_t i = place(flat);
  switch (dtype_) {
    case Dtype::f32:
      values<float>()[i] = static_cast<float>(value);
      break;
    case Dtype::f64:
      values<double>()[i] = value;
      break;
    case Dtype::i64:
      values<std::int64_t>()[i] = to_integer(value);
      break;
  }
}

std::int64_t Tensor::flat(std::span<const std::int64_t> place) const {
  if (place.size() != dims_.size())
    fail(Status::usage, "U022", "{} numbers for a tensor {}: an element is told by {}",
         place.size(), dims_text(dims_), dims_.size());
  std::int64_t flat = 0;
  for (std::size_t a = 0; a < place.size(); ++a) {
    if (place[a] < 0 || place[a] >= dims_[a])
      fail(Status::usage, "U022", "a tensor {} has no element {}", dims_text(dims_),
           dims_text(place));
    flat = flat * dims_[a] + place[a];
  }
  return flat;
}

Tensor::Row Tensor::operator[](std::int64_t i) const { return Row(*this)[i]; }

Tensor::Row Tensor::Row::operator[](std::int64_t i) const {
  const Dims& dims = tensor_->dims();
  if (axes_ >= dims.size() || i < 0 || i >= dims[axes_])
    fail(Status::usage, "U022", "a tensor {} has no row {} along axis {}", dims_text(dims), i,
         axes_);
  Row row(*tensor_);
  row.axes_ = axes_ + 1;
  row.first_ = first_ * dims[axes_] + i;
  return row;
}

Tensor::Row::operator double() const {
  const std::size_t axes = tensor_->dims().size();
  if (axes_ != axes)
    fail(Status::usage, "U022", "{} numbers for a tensor {}: an element is told by {}", axes_,
         dims_text(tensor_->dims()), axes);
  return tensor_->at(first_);
}

namespace {

/// As short as tells it from every other of its type.
std::string element_text(const Tensor& t, std::int64_t flat) {
  const auto i = static_cast<std::size_t>(flat);
  return t.dtype() == Dtype::f32   ? fmt::format("{}", t.values<float>()[i])
         : t.dtype() == Dtype::i64 ? fmt::format("{}", t.values<std::int64_t>()[i])
                                   : fmt::format("{}", t.values<double>()[i]);
}

void print(std::ostream& out, const Tensor& t, std::size_t axis, std::int64_t first) {
  constexpr std::int64_t kAll = 1000, kFirst = 6;
  if (axis == t.dims().size()) {
    out << element_text(t, first);
    return;
  }
  const std::int64_t size = t.dims()[axis];
  const std::int64_t shown = t.size() > kAll ? std::min(size, kFirst) : size;
  out << '[';
  for (std::int64_t i = 0; i < shown; ++i) {
    if (i > 0) out << ", ";
    print(out, t, axis + 1, first * size + i);
  }
  out << (shown < size ? ", ..]" : "]");
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) {
  if (tensor.size() == 0) return out << "a tensor " << dims_text(tensor.dims());
  print(out, tensor, 0, 0);
  return out;
}

Tensor Tensor::to(Dtype dtype) const {
  if (dtype == dtype_) return *this;
  Tensor out(dims_, dtype);
  switch (dtype_) {
    case Dtype::f32:
      convert(values<float>(), out);
      break;
    case Dtype::f64:
      convert(values<double>(), out);
      break;
    case Dtype::i64:
      convert(values<std::int64_t>(), out);
      break;
  }
  return out;
}

}  // namespace taugrad
