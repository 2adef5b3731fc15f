#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "evaluate/evaluation.h"
#include "evaluate/leaves/batch_data.h"
#include "evaluate/planner.h"
#include "taugrad/autodiff/gradient.h"
#include "thread_clock.h"

// Milliseconds of a training step - the loss at the roots and the gradients of all weights, batch
// placed and inputs copied, plans made before - of a tree LSTM on random binary trees, in f32 on
// one thread, by its own clock: the batch level by level, step by step, and the same trees one
// after the other, each level by level and step by step. The least of several samples, taken in
// turn. One JSON line.
//   bench_trees [LEAVES] [BATCH] [SIZE]   (30 64 128)
namespace {

using namespace taugrad;

Definition tree_lstm(std::int64_t size) {
  const std::string text = fmt::format(
      R"j({{"name": "trees", "index": {{"t": "tau"}}, "sizes": {{"m": {}}},
      "inputs": {{"x[t]": ["m"], "left[t]": "position(t)", "right[t]": "position(t)"}},
      "weights": {{"W": ["5*m", "m"], "L": ["5*m", "m"], "R": ["5*m", "m"], "b": ["5*m"]}},
      "functions": ["part(a, j) = slice(a, j*m, (j+1)*m)"],
      "equations": [
        "z[t] = b + W @ x[t] + L @ h[left[t]] + R @ h[right[t]]",
        "i[t] = sigmoid(part(z[t], 0))", "f[t] = sigmoid(part(z[t], 1))",
        "g[t] = sigmoid(part(z[t], 2))", "o[t] = sigmoid(part(z[t], 3))",
        "c[t] = i[t] * tanh(part(z[t], 4)) + f[t] * c[left[t]] + g[t] * c[right[t]]",
        "h[t] = o[t] * tanh(c[t])"],
      "loss": "sum(h[last] * h[last])"}})j",
      size);
  return parse_definition(text, "trees.json");
}

/// Trees that join two neighbours at random until one is left; leaves first, the root last.
Tensors random_trees(std::int64_t leaves, std::int64_t items, std::int64_t size) {
  std::mt19937 random(7);
  const std::int64_t nodes = 2 * leaves - 1;
  Tensor left({nodes, items}, Dtype::i64), right({nodes, items}, Dtype::i64),
      x({nodes, items, size}, Dtype::f32);
  for (std::int64_t item = 0; item < items; ++item) {
    std::vector<std::int64_t> open(static_cast<std::size_t>(leaves));
    std::iota(open.begin(), open.end(), 1);
    for (std::int64_t t = leaves + 1; t <= nodes; ++t) {
      const auto at = static_cast<std::ptrdiff_t>(random() % (open.size() - 1));
      left.set((t - 1) * items + item, static_cast<double>(open[static_cast<std::size_t>(at)]));
      right.set((t - 1) * items + item,
                static_cast<double>(open[static_cast<std::size_t>(at) + 1]));
      open.erase(open.begin() + at);
      open[static_cast<std::size_t>(at)] = t;
    }
  }
  std::normal_distribution<float> normal;
  for (float& e : x.values<float>()) e = normal(random);
  return {{"x", x}, {"left", left}, {"right", right}};
}

runtime::Asked step_of(const Unfolded& u) {
  runtime::Asked asked{{u.loss().id}, {plan::Table(1)}, u.graph().size() - 1};
  Vars weights;
  for (const char* name : {"W", "L", "R", "b"}) weights.push_back(u.weight(name));
  for (const Var& g : gradient(u.loss(), weights).values()) asked.outputs.push_back(g.id);
  asked.lists[0].cells.assign(asked.outputs.size(), 0);
  return asked;
}

/// Training steps on some of the items at a time, planned beforehand.
class Steps {
 public:
  Steps(const Definition& d, const BatchData& data, const Tensors& weights,
        const std::vector<std::vector<std::int32_t>>& groups, bool by_levels)
      : groups_(groups), by_levels_(by_levels), evaluation_(resolve(d), data, weights, options_) {
    options_.engine.threads = 1;
    runtime::Planner<float> planner(resolve(d), step_of, {.engine = {.threads = 1}}, false);
    circle_ = *planner.circle();
    std::int64_t most = 0;
    for (const auto& items : groups_) most = std::max(most, rows(items).levels());
    planned_ = std::make_unique<runtime::Planned<float>>(
        planner.plan(evaluation_.unfolding(groups_[0]), most));
  }

  double milliseconds() {
    const double begun = thread_ms();
    for (const auto& items : groups_)
      evaluation_.run(planned_->executor, planned_->sources, items, rows(items));
    return thread_ms() - begun;
  }
  std::size_t plan_steps() const { return planned_->executor.steps(); }

 private:
  runtime::LevelRows rows(const std::vector<std::int32_t>& items) const {
    return by_levels_ ? evaluation_.level_rows(circle_, items) : runtime::LevelRows();
  }

  std::vector<std::vector<std::int32_t>> groups_;
  bool by_levels_;
  RunOptions options_;
  LevelCircle circle_;
  Evaluation<float> evaluation_;
  std::unique_ptr<runtime::Planned<float>> planned_;
};

void measure(std::int64_t leaves, std::int64_t items, std::int64_t size) {
  const Definition d = tree_lstm(size);
  const BatchData data = read_batch(*resolve(d), random_trees(leaves, items, size), {});
  const Tensors weights = initial_weights(d, {.seed = 1});
  std::vector<std::int32_t> all(static_cast<std::size_t>(items));
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::vector<std::int32_t>> single;
  for (const std::int32_t i : all) single.push_back({i});
  Steps ways[] = {{d, data, weights, {all}, true},
                  {d, data, weights, {all}, false},
                  {d, data, weights, single, true},
                  {d, data, weights, single, false}};
  double best[4] = {1e300, 1e300, 1e300, 1e300};
  for (int sample = 0; sample < 9; ++sample)
    for (int w = 0; w < 4; ++w) best[w] = std::min(best[w], ways[w].milliseconds());
  fmt::print(
      "{{\"leaves\": {}, \"batch\": {}, \"size\": {}, \"by_level_ms\": {:.2f}, \"by_step_ms\": "
      "{:.2f}, \"one_by_one_by_level_ms\": {:.2f}, \"one_by_one_by_step_ms\": {:.2f}, "
      "\"plan_steps\": [{}, {}], \"ratio\": {:.2f}, \"ratio_by_step\": {:.2f}}}\n",
      leaves, items, size, best[0], best[1], best[2], best[3], ways[0].plan_steps(),
      ways[1].plan_steps(), best[2] / best[0], best[3] / best[0]);
}

}  // namespace

int main(int count, char** words) {
  const auto word = [&](int i, std::int64_t otherwise) {
    return count > i ? std::atoll(words[i]) : otherwise;
  };
  measure(word(1, 30), word(2, 64), word(3, 128));
}
