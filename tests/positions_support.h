// What the tests of positions share: codes of what is refused, numbers of the tests' own,
// differences.
#pragma once
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "language_support.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::test {

inline std::vector<std::string> codes_of(const std::string& body) {
  std::vector<std::string> codes;
  for (const Diagnostic& d : problems_of([&] { unfold(define(body), {.steps = 4}); }))
    codes.push_back(d.code);
  return codes;
}
inline std::string code_of_run(const std::string& body, const Tensors& inputs,
                               const RunOptions& options = {}) {
  return problems_of([&] { evaluate(define(body), inputs, {}, {"h"}, options); }).front().code;
}

inline void check_proven(const std::string& body) {
  DefinitionCheckOptions options;
  options.order = 2;
  options.steps = 5;
  CHECK(check(define(body), options).ok());
}

/// Central differences of f in every element.
inline std::vector<double> slopes(std::vector<double> x,
                                  const std::function<double(const std::vector<double>&)>& f) {
  std::vector<double> g;
  for (double& e : x) {
    const double before = e, h = 1e-5;
    e = before + h;
    const double up = f(x);
    e = before - h;
    g.push_back((up - f(x)) / (2 * h));
    e = before;
  }
  return g;
}

inline std::vector<double> waves(std::size_t count, double step) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(std::sin(step * static_cast<double>(i + 1)));
  return values;
}

inline double at(const std::vector<double>& x, int position) {  // R4: zero outside
  return position < 1 || position > static_cast<int>(x.size())
             ? 0
             : x[static_cast<std::size_t>(position) - 1];
}

}  // namespace taugrad::test
