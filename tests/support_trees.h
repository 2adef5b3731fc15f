#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "language_support.h"

/// Definitions of trees, and trees, for the tests of levels.
namespace taugrad::test {

inline std::string pairs(const std::string& inputs, const std::string& weights,
                         const std::string& equations, const std::string& loss) {
  return R"j("index": {"t": "tau"}, "sizes": {"m": 3},
    "inputs": {"x[t]": ["m"], "left[t]": "position(t)", "right[t]": "position(t)")j" +
         inputs + R"j(}, "weights": {"U": ["m", "m"], "V": ["m", "m"])j" + weights +
         R"j(}, "equations": [)j" + equations + R"j(], "loss": [)j" + loss + "]";
}
inline const std::string kPlain = pairs(
    "", "", R"j("h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[right[t]])")j", R"j("sum(h[last])")j");

/// Trees of some leaves each, 0 of them an empty item: neighbours are joined at random.
inline Tensors trees(const std::vector<std::int64_t>& leaves, std::int64_t size, unsigned seed) {
  std::mt19937 random(seed);
  const auto items = static_cast<std::int64_t>(leaves.size());
  const auto nodes = [](std::int64_t n) { return n == 0 ? 0 : 2 * n - 1; };
  std::int64_t steps = 0;
  for (const std::int64_t n : leaves) steps = std::max(steps, nodes(n));
  Tensor left({steps, items}, Dtype::i64), right = left, lengths({items}, Dtype::i64),
                                           x({steps, items, size}, Dtype::f64);
  for (std::int64_t i = 0; i < items; ++i) {
    std::vector<std::int64_t> open(static_cast<std::size_t>(leaves[static_cast<std::size_t>(i)]));
    std::iota(open.begin(), open.end(), 1);
    lengths.set(i, static_cast<double>(nodes(leaves[static_cast<std::size_t>(i)])));
    for (std::int64_t t = leaves[static_cast<std::size_t>(i)] + 1; open.size() > 1; ++t) {
      const std::size_t at = random() % (open.size() - 1);
      left.set((t - 1) * items + i, static_cast<double>(open[at]));
      right.set((t - 1) * items + i, static_cast<double>(open[at + 1]));
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
      open[at] = t;
    }
  }
  for (std::int64_t k = 0; k < x.size(); ++k)
    x.set(k, std::sin(1.7 * static_cast<double>(k + seed)));
  return {{"x", x}, {"left", left}, {"right", right}, {"lengths", lengths}};
}

inline Tensors drawn_weights(const Definition& d) {
  Tensors weights = initial_weights(d, {.seed = 5});
  for (auto& [name, w] : weights)
    for (std::int64_t i = 0; i < w.size(); ++i)
      w.set(i, w.at(i) + 0.3 * std::cos(static_cast<double>(i)));
  return weights;
}

inline RunOptions by_steps() {
  RunOptions options;
  options.engine.without = {"levels"};
  return options;
}

inline const std::vector<std::int64_t> kSeveral{9, 1, 6, 0, 12, 2, 9};

}  // namespace taugrad::test
