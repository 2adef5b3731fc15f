#include "taugrad/base/shape.h"

#include <algorithm>
#include <ostream>

#include "base/fail.h"
#include "base/shape_format.h"

namespace taugrad {

Shape::Shape(std::initializer_list<std::int64_t> dims)
    : Shape(std::span<const std::int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const std::int64_t> dims) {
  const auto refuse = [](std::string why) {
    fail(Status::bad_input, "G021", "{}", std::move(why));
  };
  if (dims.size() > kMaxRank)
    refuse(fmt::format("a shape has at most {} axes, not {}", kMaxRank, dims.size()));
  std::int64_t elements = 1;
  bool empty = false;
  for (const std::int64_t d : dims) {
    if (d < 0 || d > kMaxDim)
      refuse(fmt::format("an axis has 0 to {} entries, not {}", kMaxDim, d));
    empty = empty || d == 0;
    // an empty axis makes the product 0, so only the others can overflow
    if (d != 0 && __builtin_mul_overflow(elements, d, &elements)) elements = kMaxElements + 1;
    if (elements > kMaxElements) elements = kMaxElements + 1;
  }
  if (!empty && elements > kMaxElements) refuse("a shape has more than 2^40 elements");
  std::copy(dims.begin(), dims.end(), dims_.begin());
  rank_ = static_cast<int>(dims.size());
}

void Shape::refuse_axis(int axis) const {
  fail(Status::usage, "U022", "a shape {} has no axis {}", to_string(*this), axis);
}

std::int64_t Shape::size() const {
  std::int64_t n = 1;
  for (int axis = 0; axis < rank_; ++axis) n *= (*this)[axis];
  return n;
}

std::string to_string(const Shape& s) { return fmt::format("[{}]", fmt::join(s.dims(), ",")); }

std::ostream& operator<<(std::ostream& out, const Shape& s) { return out << to_string(s); }

Shape broadcast(const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<std::int64_t, kMaxRank> dims{};
  for (int axis = 0; axis < rank; ++axis) {
    // axes are aligned at the right; a missing one counts as 1
    const int in_a = axis - (rank - a.rank()), in_b = axis - (rank - b.rank());
    const std::int64_t p = in_a < 0 ? 1 : a[in_a], q = in_b < 0 ? 1 : b[in_b];
    require(p == q || p == 1 || q == 1, "shapes do not broadcast: {} and {} ({} != {})", a, b, p,
            q);
    dims[static_cast<std::size_t>(axis)] = p == 1 ? q : p;
  }
  return Shape(std::span<const std::int64_t>(dims.data(), static_cast<std::size_t>(rank)));
}

}  // namespace taugrad
