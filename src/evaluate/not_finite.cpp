#include "evaluate/not_finite.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace taugrad {
namespace {

constexpr std::int64_t kMostValues = std::int64_t{1} << 27;

template <class S>
std::int64_t first_in(std::span<const S> values) {
  const auto bad = std::ranges::find_if(values, [](S x) { return !std::isfinite(x); });
  return bad == values.end() ? -1 : bad - values.begin();
}

}  // namespace

std::int64_t first_not_finite(const Tensor& t) {
  if (t.dtype() == Dtype::f32) return first_in(t.values<float>());
  if (t.dtype() == Dtype::f64) return first_in(t.values<double>());
  return -1;
}

ResultPlace place_in(const Dims& dims, std::size_t axes, bool per_example, std::int64_t flat) {
  std::vector<std::int64_t> at(dims.size());
  for (std::size_t a = dims.size(); a-- > 0; flat /= dims[a]) at[a] = flat % dims[a];
  ResultPlace place;
  for (std::size_t a = 0; a < at.size(); ++a) {
    if (a < axes)
      place.position.push_back(at[a] + 1);
    else if (a == axes && per_example)
      place.item = at[a];
    else
      place.element.push_back(at[a]);
  }
  return place;
}

Diagnostic told(const std::string& output, double value, const ResultPlace& place,
                const std::optional<NotFinite>& source) {
  Diagnostic d;
  d.code = "N004";
  d.message = fmt::format("\"{}\" is not finite: {}", output,
                          std::isnan(value) ? "NaN"
                          : value > 0       ? "inf"
                                            : "-inf");
  if (!place.position.empty())
    d.message += fmt::format(", first at position {}", fmt::join(place.position, ","));
  if (place.item >= 0) d.message += fmt::format(", item {}", place.item);
  if (!place.element.empty())
    d.message += fmt::format(", element [{}]", fmt::join(place.element, ","));
  if (source) d.message += "; first " + source->text();
  return d;
}

bool fits_interpreter(const Tape& tape) {
  std::int64_t values = 0;
  for (NodeId id = 0; id < tape.size() && values <= kMostValues; ++id)
    values += tape.shape(id).size();
  return values <= kMostValues;
}

}  // namespace taugrad
