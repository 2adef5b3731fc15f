#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
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

/// Elements in `dims`, and bytes with the element size; checked. @throws Error (G021) on overflow
/// or over 2^40 elements
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
  template <class T>
  requires std::is_arithmetic_v<T>
  static Tensor of(T number) {  ///< f64, no axes
    return of(Dims{}, std::vector<double>{static_cast<double>(number)});
  }
  /// A number in a list; with a type of its own, {{1.}} is a matrix and {1.} a vector.
  struct Number {
    double value;
    template <class T>
    requires std::is_arithmetic_v<T> Number(T v)
        : value(static_cast<double>(v)) {}  // NOLINT: numbers are written as they are
  };
  static Tensor of(std::initializer_list<Number> vector);  ///< f64 [size]
  /// f64 [rows, columns]. @throws Error (D011) where the rows differ in size
  static Tensor of(std::initializer_list<std::initializer_list<double>> rows);
  /// Lists beside one another: of({2, 1}, {3., 4.}) are axes, whole numbers, and the elements; of
  /// what is no whole number, of({1., 2.}, {3., 4.}), they are rows.
  template <class A, class B, class... More>
  requires(std::is_arithmetic_v<A>&& std::is_arithmetic_v<B> &&
           (std::is_arithmetic_v<More> && ...)) static Tensor
      of(std::initializer_list<A> first, std::initializer_list<B> second,
         std::initializer_list<More>... more) {
    if constexpr (std::is_integral_v<A> && sizeof...(More) == 0) {
      using Element = std::conditional_t<std::is_integral_v<B>, std::int64_t, double>;
      return of(Dims(first.begin(), first.end()),
                std::vector<Element>(second.begin(), second.end()));
    } else {
      return of_rows({row(first), row(second), row(more)...});
    }
  }
  static Tensor zeros(Dims dims, Dtype dtype = Dtype::f64);
  static Tensor ones(Dims dims, Dtype dtype = Dtype::f64);

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
  /// t(1, 2): the element there. @throws Error (U022) for other than one number an axis, or outside
  template <std::convertible_to<std::int64_t>... I>
  double operator()(I... place) const {
    const std::array<std::int64_t, sizeof...(I)> at{static_cast<std::int64_t>(place)...};
    return this->at(flat(at));
  }
  /// t[1][2]: row 1 of it, a number or what has rows itself; counted from 0.
  class Row;
  Row operator[](std::int64_t i) const;
  Tensor to(Dtype dtype) const;  ///< converted copy
  bool operator==(const Tensor&) const = default;

 private:
  Dims dims_;
  Dtype dtype_ = Dtype::f64;
  std::int64_t size_ = 0;
  std::vector<std::byte> bytes_;
  std::size_t place(std::int64_t flat) const;
  std::int64_t flat(std::span<const std::int64_t> place) const;
  template <class T>
  static std::vector<double> row(std::initializer_list<T> numbers) {
    return {numbers.begin(), numbers.end()};
  }
  static Tensor of_rows(const std::vector<std::vector<double>>& rows);
};

/// What stands under the first numbers of a place, of a tensor that outlives it.
class Tensor::Row {
 public:
  Row operator[](std::int64_t i) const;  ///< @throws Error (U022) where there is none
  operator double() const;               ///< NOLINT @throws Error (U022) where axes are left

 private:
  friend class Tensor;
  explicit Row(const Tensor& tensor) : tensor_(&tensor) {}
  const Tensor* tensor_;
  std::size_t axes_ = 0;    // that a number was given for
  std::int64_t first_ = 0;  // element, in steps of what the axes that are left hold
};

/// "[[1, 2], [3, 4]]"; of more than 1,000 elements the first ones of each axis.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

std::string dims_text(std::span<const std::int64_t> dims);  ///< "[2,3]"

/// Tensors by name, sorted by name.
using Tensors = std::map<std::string, Tensor>;

}  // namespace taugrad
