#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "language_support.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/runtime/executor.h"

// Means and variances of numbers that are equal, or large beside what tells them apart.
namespace {

using namespace taugrad;

/// The values of nodes for a vector x, by the reference interpreter or by the plan.
template <class S>
std::vector<std::vector<S>> values(const Graph& g, Var x, const std::vector<Var>& of,
                                   const std::vector<S>& at, bool planned) {
  std::vector<NodeId> ids;
  for (const Var& v : of) ids.push_back(v.id);
  std::vector<std::vector<S>> found;
  if (planned) {
    Executor<S> run(g.tape(), ids);
    run.set_batch({}, 1);
    run.bind(x.id, at);
    run.run();
    for (std::size_t i = 0; i < ids.size(); ++i)
      found.emplace_back(run.value(i).begin(), run.value(i).end());
    return found;
  }
  Interpreter<S> run(g.tape(), ids);
  run.set_batch({}, 1);
  std::copy(at.begin(), at.end(), run.leaf(x.id).begin());
  run.run();
  for (const NodeId id : ids) found.emplace_back(run.value(id).begin(), run.value(id).end());
  return found;
}

template <class S>
void check_equal_numbers(std::int64_t n, double number, bool planned) {
  INFO(n << " times " << number << " in " << 8 * sizeof(S) << " bits, planned: " << planned);
  Graph g;
  const Var x = g.weight("x", {n}), y = normalize(x);
  const Var slope = gradient(sum(slice(y, 0, 1)), {x}).of(x);
  const auto at = static_cast<S>(number);
  const auto found = values<S>(g, x, {mean(x), centre(x), y, slope},
                               std::vector<S>(static_cast<std::size_t>(n), at), planned);
  CHECK(found[0][0] == at);
  for (const S c : found[1]) CHECK(c == 0);
  for (const S c : found[2]) CHECK(c == 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    CHECK(found[3][i] ==
          Approx(((i == 0 ? 1 : 0) - 1 / static_cast<double>(n)) / std::sqrt(1e-5)).margin(1e-3));
}

template <class S>
void check_shifted(std::vector<double> numbers, double by, bool planned) {
  INFO("shifted by " << by << " in " << 8 * sizeof(S) << " bits, planned: " << planned);
  Graph g;
  const auto n = static_cast<std::int64_t>(numbers.size());
  const Var x = g.weight("x", {n});
  const std::vector<Var> wanted{centre(x), normalize(x)};
  std::vector<S> near(numbers.begin(), numbers.end()), far = near;
  for (S& v : far) v += static_cast<S>(by);
  const auto want = values<S>(g, x, wanted, near, planned);
  const auto got = values<S>(g, x, wanted, far, planned);
  for (std::size_t v = 0; v < wanted.size(); ++v)
    for (std::size_t i = 0; i < numbers.size(); ++i)
      CHECK(got[v][i] == Approx(want[v][i]).margin(1e-5));
}

TEST_CASE("equal numbers have themselves as mean and no variance", "[means]") {
  for (const bool planned : {false, true})
    for (const std::int64_t n : {1, 2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 100, 1000})
      for (const double number : {123456.7, -123456.7, 0.1, 1e-30, 1e15 / 3, 1e30}) {
        check_equal_numbers<float>(n, number, planned);
        check_equal_numbers<double>(n, number, planned);
      }
}

template <class S>
void check_overflow(S number, bool planned) {
  Graph g;
  const Var x = g.weight("x", {3});
  const auto got = values<S>(g, x, {normalize(x)}, {number, -number, 0}, planned);
  const double want = std::sqrt(1.5);
  CHECK(got[0][0] == Approx(want));
  CHECK(got[0][1] == Approx(-want));
  CHECK(got[0][2] == 0);
}

TEST_CASE("a variance that overflows is one of smaller numbers", "[means]") {
  for (const bool planned : {false, true}) {
    for (const float x : {1e18f, 1.8e19f, 1e20f, 1e37f}) check_overflow<float>(x, planned);
    for (const double x : {1e153, 1e155, 1e300}) check_overflow<double>(x, planned);
  }
}

TEST_CASE("what is added to all numbers changes no deviation", "[means]") {
  for (const bool planned : {false, true}) {
    check_shifted<float>({0, 1, 2, 4, 7}, 131072, planned);  // a multiple of what floats tell apart
    check_shifted<double>({0, 1, 2, 4, 7}, 1e14, planned);
    check_shifted<double>({0, 0.5, -0.25, 1, 3, 3, 3}, -0x1p40, planned);
  }
}

template <class S>
void check_many_ones(std::int64_t n) {
  Graph g;
  const std::vector<NodeId> ids{mean(g.constant(1, {n})).id};
  Interpreter<S> reference(g.tape(), ids);
  reference.set_batch({}, 1);
  reference.run();
  CHECK(reference.value(ids[0])[0] == 1);
  Executor<S> planned(g.tape(), ids);
  planned.set_batch({}, 1);
  planned.run();
  CHECK(planned.value(0)[0] == 1);
}

TEST_CASE("a count is not a float: the mean of 2^24 + 1 ones is 1", "[means]") {
  check_many_ones<float>((1 << 24) + 1);
  check_many_ones<double>((1 << 24) + 1);
  check_many_ones<double>((1 << 24) + 3);
}

TEST_CASE("floats are not asked for more symbols than they tell apart", "[means]") {
  Graph g;
  const std::vector<NodeId> ids{
      equal(g.category("y", (1 << 24) + 1), g.category("z", (1 << 24) + 1)).id};
  CHECK_NOTHROW(Executor<double>(g.tape(), ids));
  CHECK_THROWS_WITH(Executor<float>(g.tape(), ids),
                    Catch::Contains("more than f32 can tell apart"));
}

TEST_CASE("means of what is not finite are what sums give", "[means]") {
  const double inf = std::numeric_limits<double>::infinity();
  const double large = std::numeric_limits<double>::max() / 2;
  for (const bool planned : {false, true}) {
    Graph g;
    const Var x = g.weight("x", {3});
    const auto of = [&](std::vector<double> at) {
      return values<double>(g, x, {mean(x)}, at, planned)[0][0];
    };
    CHECK(of({-inf, 1, 2}) == -inf);
    CHECK(of({1, inf, 2}) == inf);
    CHECK(std::isnan(of({1, inf, -inf})));
    CHECK(std::abs(of({large, -large, 3})) <= 1);
  }
}

/// The means over t of items with so many equal numbers each, and what is left of the numbers when
/// their deviation from it is divided by the standard deviation, written out.
template <class S>
void check_mean_over_steps(double number, const std::vector<std::int64_t>& lengths,
                           const RunOptions& how) {
  INFO(number << " in " << 8 * sizeof(S) << " bits, checkpoint: " << how.checkpoint);
  const Definition d = test::define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [3]}, "weights": {"w": [3]}, "equations": [
    "m = mean[t](x[t])", "c[t] = x[t] - m", "y[t] = c[t] / sqrt(mean[t](c[t] * c[t]) + 0.00001)", "p = mean[t](w * x[t])"],
    "loss": "sum(p)")j");
  const auto batch = static_cast<std::int64_t>(lengths.size());
  const std::int64_t steps = *std::ranges::max_element(lengths);
  Tensor x({steps, batch, 3}, Dtype::f64);
  for (std::int64_t i = 0; i < x.size(); ++i) x.set(i, i % 3 == 1 ? -number : number);
  RunOptions options = how;
  options.fetch = {"m", "y", "grad:x"};
  options.dtype = sizeof(S) == 4 ? Dtype::f32 : Dtype::f64;
  const Tensors got = run(d, {{"x", x}, {"lengths", test::symbols({batch}, lengths)}},
                          {{"w", test::numbers({3}, {1, 2, 3})}}, options)
                          .values;
  const auto as_read = static_cast<double>(static_cast<S>(number));
  for (std::int64_t i = 0; i < 3 * batch; ++i)
    CHECK(got.at("m").at(i) == (lengths[static_cast<std::size_t>(i / 3)] == 0 ? 0
                                : i % 3 == 1                                  ? -as_read
                                                                              : as_read));
  double most = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(got.at("y").at(i)));
  CHECK(most == 0);
  for (std::int64_t i = 0; i < 3 * batch; ++i)
    if (const std::int64_t n = lengths[static_cast<std::size_t>(i / 3)]; n > 0)
      CHECK(got.at("grad:x").at(i) ==
            Approx(static_cast<double>(i % 3 + 1) / static_cast<double>(n)).epsilon(1e-6));
}

TEST_CASE("the mean over an index of equal numbers is that number", "[means]") {
  RunOptions checkpointed, without;
  checkpointed.checkpoint = true;
  without.engine.without = {"fuse", "alike", "period"};
  for (const double number : {123456.7, 1e8 + 1, 0.1, 1e-30, 1e15 / 3}) {
    for (const auto& lengths :
         std::vector<std::vector<std::int64_t>>{{3}, {7, 3, 1, 0, 49}, {1000, 77}}) {
      check_mean_over_steps<float>(number, lengths, {});
      check_mean_over_steps<double>(number, lengths, {});
    }
    check_mean_over_steps<float>(number, {41, 40, 7}, checkpointed);
    check_mean_over_steps<double>(number, {41, 40, 7}, checkpointed);
    check_mean_over_steps<float>(number, {41, 40, 7}, without);
  }
}

TEST_CASE("the mean of values is right to rounding, and what is not finite stays so", "[means]") {
  const double inf = std::numeric_limits<double>::infinity(), large = 1e16;
  for (const bool planned : {false, true}) {
    Graph g;
    const Var x = g.weight("x", {4});
    Vars terms;
    for (int i = 0; i < 4; ++i) terms.push_back(slice(x, i, i + 1));
    const Var y = mean_n(g.constant(4, {}), terms);
    const auto of = [&](std::vector<double> at) {
      return values<double>(g, x, {y}, at, planned)[0][0];
    };
    CHECK(of({large, 1, -large, 1}) == 0.5);  // 1 is lost beside 1e16 in a plain sum
    CHECK(of({0.1, 0.2, 0.3, 0.4}) == 0.25);
    CHECK(of({1, inf, 2, 3}) == inf);
    CHECK(of({1, -inf, 2, 3}) == -inf);
    CHECK(std::isnan(of({inf, -inf, 2, 3})));
    CHECK(std::isnan(of({1, std::nan(""), 2, 3})));
  }
  Graph g;
  CHECK_THROWS_WITH(taugrad::apply(kMeanN, Vars{g.constant(1, {})}),
                    Catch::Contains("the mean of no values"));
}

}  // namespace
