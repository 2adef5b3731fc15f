#include <fmt/core.h>

#include "language_support.h"

// Masks of dropout: one for each mention, position, item and place of a reduction.
namespace {

using namespace taugrad;
using namespace taugrad::test;

constexpr std::int64_t kSize = 64;

RunOptions training() {
  RunOptions o;
  o.train = true;
  o.seed = 3;
  return o;
}

Tensors ones(std::int64_t steps, std::int64_t items) {
  const auto fill = [&](std::int64_t n, double value) {
    return std::vector<double>(static_cast<std::size_t>(steps * items * n), value);
  };
  return {{"u", numbers({steps, items, kSize}, fill(kSize, 1))},
          {"x", numbers({steps, items, kSize}, fill(kSize, 0))}};
}

std::string reads(int count) {
  std::string sum;
  for (int i = 0; i < count; ++i) sum += fmt::format("x[t-{}] + ", i + 1);
  return sum;
}

TEST_CASE("two mentions of dropout have two masks, however much is read before them", "[dropout]") {
  for (int before = 58; before <= 70; ++before) {
    INFO(before << " reads before");
    const Definition d = define(fmt::format(
        R"j("index": {{"t": "tau"}}, "inputs": {{"u[t]": [{0}], "x[t]": [{0}]}},
           "equations": ["a[t] = {1}dropout(u[t], 0.5)", "b[t] = dropout(u[t], 0.5)",
                         "c[t] = dropout(u[t], 0.5) + 0 * dropout(x[t], 0.5)"])j",
        kSize, reads(before)));
    const Tensors values = evaluate(d, ones(2, 1), {}, {"a", "b", "c"}, training());
    CHECK_FALSE(values.at("a") == values.at("b"));
    CHECK_FALSE(values.at("a") == values.at("c"));
    CHECK_FALSE(values.at("b") == values.at("c"));
  }
}

TEST_CASE("a dropout inside a reduction has a mask at each of its positions", "[dropout]") {
  const std::int64_t steps = 6;
  const Definition d = define(fmt::format(
      R"j("index": {{"s": "tau", "t": "tau"}}, "inputs": {{"u[t]": [{0}], "x[t]": [{0}]}},
         "equations": ["p = sum[s](dropout(u[s], 0.5))", "q[t] = sum[s](dropout(u[s], 0.5)) + x[t]",
                       "r = mean[s](sum[t](dropout(u[s] + u[t], 0.5)))"])j",
      kSize));
  const Tensors values = evaluate(d, ones(steps, 2), {}, {"p", "q", "r"}, training());
  for (const char* name : {"p", "q", "r"}) {
    INFO(name);
    const std::vector<double> v = values_of(values.at(name));
    const auto [low, high] = std::minmax_element(v.begin(), v.end());
    const double all = name[0] == 'r' ? 4 * steps : 2 * steps;
    // one mask for all positions would leave all of them or none
    CHECK(std::any_of(v.begin(), v.end(), [&](double x) { return x > 0 && x < all; }));
    CHECK(*low >= 0);
    CHECK(*high <= all);
  }
}

TEST_CASE("a sequence without an index has one mask, and each item its own", "[dropout]") {
  const Definition d = define(fmt::format(
      R"j("index": {{"t": "tau"}}, "inputs": {{"u[t]": [{0}]}}, "weights": {{"w": [{0}]}},
         "equations": ["m = dropout(w, 0.5)", "a[t] = m * u[t]"])j",
      kSize));
  Tensors inputs = ones(3, 2);
  inputs.erase("x");
  const Tensor w = numbers({kSize}, std::vector<double>(kSize, 1));
  const Tensor a = evaluate_one(d, inputs, {{"w", w}}, "a", training());
  CHECK(part(a, 0, 0, 1) == part(a, 0, 2, 3));
  CHECK_FALSE(part(a, 1, 0, 1) == part(a, 1, 1, 2));
}

}  // namespace
