#include "draw/values/facts.h"

#include <algorithm>
#include <cmath>

namespace taugrad::draw {

TensorFacts facts_of(std::span<const double> values, const Shape& shape) {
  TensorFacts f{.shape = shape};
  std::int64_t finite = 0;
  double sum = 0, squares = 0;
  for (const double v : values) {
    if (!std::isfinite(v)) {
      ++f.not_finite;
      continue;
    }
    f.least = finite == 0 ? v : std::min(f.least, v);
    f.largest = finite == 0 ? v : std::max(f.largest, v);
    sum += v;
    squares += v * v;
    ++finite;
  }
  f.mean = finite > 0 ? sum / static_cast<double>(finite) : 0;
  f.norm = std::sqrt(squares);
  if (finite > 1 && f.largest > f.least) {
    f.histogram.assign(kBins, 0);
    const double scale = static_cast<double>(kBins) / (f.largest - f.least);
    for (const double v : values)
      if (std::isfinite(v))
        ++f.histogram[std::min(kBins - 1, static_cast<std::size_t>((v - f.least) * scale))];
  }
  if (values.size() <= kMostElements) f.elements.assign(values.begin(), values.end());
  return f;
}

}  // namespace taugrad::draw
