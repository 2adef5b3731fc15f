#include "analysis/matrix_norm.h"

#include <cmath>

#include "runtime/stream.h"

namespace taugrad::analysis {
namespace {

constexpr int kMostIterations = 1000;
constexpr double kPrecision = 1e-12;  // of one iteration; what is left is smaller by the gap

double length_of(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

double spectral(const std::vector<double>& a, std::size_t rows, double scale) {
  Stream stream(1, "spectral");
  const std::size_t n = a.size() / rows;
  std::vector<double> v(n), u(rows);
  for (double& x : v) x = stream.normal();
  double before = 0, sigma = 0;
  for (int i = 0; i < kMostIterations; ++i) {
    const double size = length_of(v);
    if (size == 0) return 0;
    for (double& x : v) x /= size;
    for (std::size_t r = 0; r < rows; ++r) {
      u[r] = 0;
      for (std::size_t c = 0; c < n; ++c) u[r] += a[r * n + c] / scale * v[c];
    }
    sigma = length_of(u);
    if (std::abs(sigma - before) <= kPrecision * sigma) break;
    before = sigma;
    for (double& x : v) x = 0;
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < n; ++c) v[c] += a[r * n + c] / scale * u[r];
  }
  return sigma * scale;
}

}  // namespace

double norm_of(const std::vector<double>& matrix, std::int64_t rows, MatrixNorm norm) {
  double scale = 0;  // squares of tiny and huge entries stay finite
  for (const double x : matrix) {
    if (!std::isfinite(x)) return std::abs(x);
    scale = std::max(scale, std::abs(x));
  }
  if (scale == 0) return 0;
  if (norm == MatrixNorm::spectral) return spectral(matrix, static_cast<std::size_t>(rows), scale);
  double sum = 0;
  for (const double x : matrix) sum += x / scale * (x / scale);
  return std::sqrt(sum) * scale;
}

}  // namespace taugrad::analysis
