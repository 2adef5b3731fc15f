#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace taugrad {

enum class Dtype { f32, f64, i64 };
std::string_view to_string(Dtype d);  ///< "f32", "f64", "i64"
std::size_t size_of(Dtype d);

using Dims = std::vector<std::int64_t>;

/// Elements in `dims`, and bytes with the element size; checked. @throws Error (G021) on overflow or over 2^40 elements
std::int64_t checked_elements(std::span<const std::int64_t> dims);
std::size_t checked_bytes(std::span<const std::int64_t> dims, Dtype dtype);

/// An owning, row-major array with its axes: what files hold and what `run` takes and gives. One
/// that was moved from is as one made without arguments: no elements. A view of a tensor that is
/// about to go (`t.to(Dtype::f64).values<double>()`) is a copy of its own.
class Tensor {
 public:
  Tensor() = default;
  Tensor(Dims dims, Dtype dtype);  ///< zeros
  Tensor(const Tensor&) = default;
  Tensor(Tensor&& other) noexcept { *this = std::move(other); }
  Tensor& operator=(const Tensor&) = default;
  Tensor& operator=(Tensor&& other) noexcept;
  ~Tensor() = default;
  static Tensor of(Dims dims, std::vector<double> values);        ///< f64
  static Tensor of(Dims dims, std::vector<std::int64_t> values);  ///< i64
  static Tensor of(double number);                                ///< f64, no axes
  /// A number in a list; with a type of its own, {{1.}} is a matrix and {1.} a vector.
  struct Number {
    double value;
    template <class T>
      requires std::is_arithmetic_v<T>
    Number(T v) : value(static_cast<double>(v)) {}  // NOLINT: numbers are written as they are
  };
  static Tensor of(std::initializer_list<Number> vector);  ///< f64 [size]
  /// f64 [rows, columns]. @throws Error (D011) where the rows differ in size
  static Tensor of(std::initializer_list<std::initializer_list<double>> rows);

  const Dims& dims() const& { return dims_; }
  Dims dims() && { return std::move(dims_); }
  Dtype dtype() const { return dtype_; }
  std::int64_t size() const { return size_; }
  std::span<std::byte> bytes() & { return bytes_; }
  std::span<const std::byte> bytes() const& { return bytes_; }
  std::vector<std::byte> bytes() && { return std::move(bytes_); }

  /// The elements as T (float, double or std::int64_t). @throws Error (usage, D015) if T is not the
  /// dtype
  template <class T>
  std::span<T> values() &;
  template <class T>
  std::span<const T> values() const&;
  template <class T>
  std::vector<T> values() &&;

  /// Element by flat index, whatever the dtype. @throws Error (U022) where there is none, (G011)
  /// for what no integer is
  double at(std::int64_t flat) const;
  void set(std::int64_t flat, double value);
  Tensor to(Dtype dtype) const;             ///< converted copy
  bool operator==(const Tensor&) const = default;

 private:
  Dims dims_;
  Dtype dtype_ = Dtype::f64;
  std::int64_t size_ = 0;
  std::vector<std::byte> bytes_;
  std::size_t place(std::int64_t flat) const;
};

std::string dims_text(std::span<const std::int64_t> dims);  ///< "[2,3]"

/// Tensors by name, sorted by name.
using Tensors = std::map<std::string, Tensor>;

}  // namespace taugrad
