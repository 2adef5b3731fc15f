// What plans run for systems of equations of which each one has what those before it found.
#include "taugrad/ops/triangular.h"

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

constexpr std::int64_t kItems = 2, kStack = 3;

template <class S>
struct Systems {
  Systems(std::int64_t size, std::int64_t columns, bool transposed)
      : left{kStack, size, size},
        right{kStack, size, columns},
        a(numbers<S>(kItems * left.size(), 3)),
        b(numbers<S>(kItems * right.size(), 4)) {
    if (transposed) attrs = {{"transposed", std::int64_t{1}}};
    for (S& x : a) x /= static_cast<S>(size);  // else the numbers grow with the rows
  }
  std::vector<S> run(Forward<S> forward) const {
    const Operand<S> in[] = {{a.data(), &left, left.size(), kEveryItem, kItems},
                             {b.data(), &right, right.size(), kEveryItem, kItems}};
    std::vector<S> x(static_cast<std::size_t>(kItems * right.size()), S(9));
    forward({.in = in,
             .out = x.data(),
             .shape = &right,
             .items = kItems,
             .extent = kEveryItem,
             .attrs = &attrs});
    return x;
  }
  std::vector<S> by_plan() const { return run(plan::forward_of<S>(kSolveUnitLower, attrs)); }

  Attrs attrs;
  Shape left, right;
  std::vector<S> a, b;
};

template <class S>
void compare(Forward<S> rule, double most) {
  for (const bool transposed : {false, true})
    for (const std::int64_t size : {1, 2, 3, 4, 5, 11, 64})
      for (const std::int64_t columns : {1, 3, 8, 16, 17, 33, 64, 70}) {
        CAPTURE(size, columns, transposed, sizeof(S));
        const Systems<S> systems(size, columns, transposed);
        const std::vector<S> fast = systems.by_plan(), plain = systems.run(rule);
        double worst = 0;
        for (std::size_t i = 0; i < fast.size(); ++i)
          worst = std::max(worst, std::abs(static_cast<double>(fast[i] - plain[i])));
        CHECK(worst <= most);
      }
}

}  // namespace

TEST_CASE("triangular: the kernel gives what the rule does, at any size", "[triangular]") {
  compare<float>(kSolveUnitLower.forward.f32, 1e-5);
  compare<double>(kSolveUnitLower.forward.f64, 1e-14);
}

TEST_CASE("triangular: a column has the same bits beside any others", "[triangular]") {
  for (const bool transposed : {false, true})
    for (const std::int64_t columns : {8, 17, 40}) {
      CAPTURE(transposed, columns);
      const Systems<float> systems(13, columns, transposed);
      const std::vector<float> all = systems.by_plan();
      for (std::int64_t c = 0; c < columns; ++c) {
        Systems<float> one(13, 1, transposed);
        one.a = systems.a;
        for (std::size_t i = 0; i < one.b.size(); ++i)
          one.b[i] = systems.b[i * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)];
        const std::vector<float> x = one.by_plan();
        bool same = true;
        for (std::size_t i = 0; i < x.size(); ++i)
          same = same &&
                 x[i] == all[i * static_cast<std::size_t>(columns) + static_cast<std::size_t>(c)];
        CHECK(same);
      }
    }
}

TEST_CASE("triangular: what is not below the diagonal has no part", "[triangular]") {
  for (const bool transposed : {false, true}) {
    Systems<double> systems(6, 17, transposed);
    const std::vector<double> x = systems.by_plan(),
                              by_rule = systems.run(kSolveUnitLower.forward.f64);
    for (std::size_t at = 0; at < systems.a.size(); ++at)
      if (at % 6 >= at / 6 % 6) systems.a[at] = std::numeric_limits<double>::quiet_NaN();
    CHECK(systems.by_plan() == x);
    CHECK(systems.run(kSolveUnitLower.forward.f64) == by_rule);
  }
}
