// What plans run for the ops of a chunk with a gate for each number, beside their rules.
#include "taugrad/ops/gated.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "plan/lower/row_ops.h"
#include "support_numbers.h"

using namespace taugrad;
using support::numbers;

namespace {

constexpr std::int64_t kItems = 2, kHeads = 2;

/// An op on lines of some length, and the numbers that it is given.
template <class S>
struct Case {
  Case(const Op& of, std::int64_t steps, std::int64_t width, const Attrs& given)
      : attrs(given), lines{kHeads, steps, width}, weights{kHeads, steps, steps} {
    const bool of_weights = &of != &kGatedScores;
    out = of_weights ? lines : weights;
    for (int i = 0; i < of.arity; ++i) {
      const Shape& shape = of_weights && i == 0 ? weights : lines;
      data.push_back(numbers<S>(kItems * shape.size(), static_cast<unsigned>(i) + 5));
      shapes.push_back(&shape);
    }
  }
  std::vector<S> run(Forward<S> forward) const {
    std::vector<Operand<S>> in;
    for (std::size_t i = 0; i < data.size(); ++i)
      in.push_back({data[i].data(), shapes[i], shapes[i]->size(), kEveryItem, kItems});
    std::vector<S> y(static_cast<std::size_t>(kItems * out.size()), S(9));
    forward({.in = in,
             .out = y.data(),
             .shape = &out,
             .items = kItems,
             .extent = kEveryItem,
             .attrs = &attrs});
    return y;
  }

  Attrs attrs;
  Shape lines, weights, out;
  std::vector<std::vector<S>> data;
  std::vector<const Shape*> shapes;
};

template <class S>
Forward<S> rule(const Op& op) {
  if constexpr (sizeof(S) == sizeof(float))
    return op.forward.f32;
  else
    return op.forward.f64;
}

template <class S>
void compare(const Op& op, const Attrs& attrs, double most) {
  for (const std::int64_t steps : {1, 2, 9})
    for (const std::int64_t width : {1, 3, 8, 16, 17, 33, 64, 70, 131}) {
      CAPTURE(op.name, steps, width, sizeof(S), attrs.has("reverse"));
      const Case<S> c(op, steps, width, attrs);
      const std::vector<S> fast = c.run(plan::forward_of<S>(op, attrs));
      const std::vector<S> plain = c.run(rule<S>(op));
      REQUIRE(fast.size() == plain.size());
      double worst = 0;
      for (std::size_t i = 0; i < fast.size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(fast[i] - plain[i])));
      CHECK(worst <= most);
    }
}

const Attrs kReverse{{"reverse", std::int64_t{1}}};

}  // namespace

TEST_CASE("gated: kernels give what the rules do, at any width", "[gated]") {
  for (const Op* op : {&kGatedScores, &kGatedSums, &kGatedSlopes}) {
    compare<float>(*op, {}, 2e-5);
    compare<double>(*op, {}, 2e-14);
  }
  compare<float>(kGatedSums, kReverse, 2e-5);
  compare<double>(kGatedSums, kReverse, 2e-14);
}

TEST_CASE("gated: the gate of the first step has no part", "[gated]") {
  for (const auto& [op, attrs] :
       {std::pair(&kGatedScores, Attrs{}), std::pair(&kGatedSums, Attrs{}),
        std::pair(&kGatedSums, kReverse), std::pair(&kGatedSlopes, Attrs{})})
    for (const Forward<double> forward :
         {rule<double>(*op), plan::forward_of<double>(*op, attrs)}) {
      CAPTURE(op->name);
      Case<double> c(*op, 3, 17, attrs);
      std::fill_n(c.data.back().begin(), 17, std::numeric_limits<double>::quiet_NaN());
      const std::vector<double> y = c.run(forward);
      // of the first head of the first item
      CHECK(std::all_of(y.begin(), y.begin() + c.out.size() / kHeads,
                        [](double v) { return std::isfinite(v); }));
    }
}
