#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/language/definition.h"

/// What tests of the language share: definitions from a few lines, `run` in float64, comparisons.
namespace taugrad::test {

/// A definition from the inside of its JSON object: `"index": {..}, "equations": [..]`.
inline Definition define(std::string_view body) {
  return parse_definition("{\"name\": \"test\", " + std::string(body) + "}", "test.json");
}

inline Tensor numbers(Dims dims, std::vector<double> values) {
  return Tensor::of(std::move(dims), std::move(values));
}
inline Tensor symbols(Dims dims, std::vector<std::int64_t> values) {
  return Tensor::of(std::move(dims), std::move(values));
}
/// [steps, 1] numbers: one item with a number at each step.
inline Tensor series(std::vector<double> values) {
  const auto steps = static_cast<std::int64_t>(values.size());
  return Tensor::of({steps, 1}, std::move(values));
}

/// `run` in float64.
inline Tensors evaluate(const Definition& d, const Tensors& inputs, const Tensors& weights,
                        std::vector<std::string> fetch, RunOptions options = {}) {
  options.dtype = Dtype::f64;
  options.fetch = std::move(fetch);
  return run(d, inputs, weights, options).values;
}
inline Tensor evaluate_one(const Definition& d, const Tensors& inputs, const Tensors& weights,
                           const std::string& fetch, const RunOptions& options = {}) {
  return evaluate(d, inputs, weights, {fetch}, options).at(fetch);
}

inline std::vector<double> values_of(const Tensor& t) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < t.size(); ++i) values.push_back(t.at(i));
  return values;
}

/// Largest absolute difference; infinite where axes differ.
inline double distance(const Tensor& a, const Tensor& b) {
  if (a.dims() != b.dims()) return INFINITY;
  double worst = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(a.at(i) - b.at(i));
    worst = std::isnan(d) ? INFINITY : std::max(worst, d);
  }
  return worst;
}

inline void check_values(const Tensor& got, const Dims& dims, const std::vector<double>& want,
                         double tolerance = 1e-14) {
  CHECK(got.dims() == dims);
  REQUIRE(got.size() == static_cast<std::int64_t>(want.size()));
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO("element " << i);
    CHECK(got.at(static_cast<std::int64_t>(i)) == Approx(want[i]).margin(tolerance).epsilon(0));
  }
}
inline void check_near(const Tensor& got, const Tensor& want, double tolerance) {
  CHECK(got.dims() == want.dims());
  CHECK(distance(got, want) <= tolerance);
}
/// The same bits.
inline void check_same(const Tensor& got, const Tensor& want) {
  CHECK(got.dims() == want.dims());
  CHECK(got == want);
}

/// What a call throws; fails the test where it throws nothing.
template <class F>
std::vector<Diagnostic> problems_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics();
  }
  FAIL("nothing was thrown");
  return {};
}

inline double norm(const Tensor& t) {
  double sum = 0;
  for (std::int64_t i = 0; i < t.size(); ++i) sum += t.at(i) * t.at(i);
  return std::sqrt(sum);
}

inline Tensor plus(Tensor a, const Tensor& b) {
  REQUIRE(a.dims() == b.dims());
  for (std::int64_t i = 0; i < a.size(); ++i) a.set(i, a.at(i) + b.at(i));
  return a;
}

/// The elements [from, to) along one axis.
inline Tensor part(const Tensor& t, std::size_t axis, std::int64_t from, std::int64_t to) {
  Dims dims = t.dims();
  std::int64_t outer = 1, inner = 1;
  for (std::size_t a = 0; a < axis; ++a) outer *= dims[a];
  for (std::size_t a = axis + 1; a < dims.size(); ++a) inner *= dims[a];
  const std::int64_t size = dims[axis];
  dims[axis] = to - from;
  Tensor result(dims, t.dtype());
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = from; k < to; ++k)
      for (std::int64_t i = 0; i < inner; ++i)
        result.set((o * (to - from) + k - from) * inner + i, t.at((o * size + k) * inner + i));
  return result;
}

}  // namespace taugrad::test
