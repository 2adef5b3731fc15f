// Training on trees level by level (docs/plan.md), beside `run` step by step.
#include "support_trees.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;
using namespace taugrad::test;

TEST_CASE("levels: training adds up the same loss and gradient, evaluation measures it") {
  const std::string body =
      pairs("", "", R"j("h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[right[t]])")j",
            R"j("sum(h[last] * h[last])")j");
  const Definition d = define(body);
  const Tensors inputs = trees(kSeveral, 3, 9);
  const auto items = static_cast<std::int64_t>(kSeveral.size());
  Dataset data;
  for (std::int64_t i = 0; i < items; ++i) {
    const auto steps = static_cast<std::int64_t>(inputs.at("lengths").at(i));
    Example e;
    e.lengths["tau"] = steps;
    for (const char* name : {"x", "left", "right"}) {
      const std::int64_t size = name[0] == 'x' ? 3 : 1;
      Tensor own(size == 3 ? Dims{steps, 3} : Dims{steps}, size == 3 ? Dtype::f32 : Dtype::i64);
      for (std::int64_t t = 0; t < steps; ++t)
        for (std::int64_t k = 0; k < size; ++k)
          own.set(t * size + k, inputs.at(name).at((t * items + i) * size + k));
      e.values[name] = own;
    }
    data.examples.push_back(std::move(e));
  }
  TrainOptions options;
  options.batch = items;
  options.clip = 0;
  Trainer trainer(d, data, options);
  const Tensors weights = trainer.weights();
  const Update update = trainer.step();
  const Tensors got = evaluate(d, inputs, weights, {"loss", "grad:U", "grad:V"}, by_steps());
  double loss = 0, norm = 0;
  for (const double v : values_of(got.at("loss"))) loss += v / static_cast<double>(items);
  for (const char* name : {"grad:U", "grad:V"})
    for (const double v : values_of(got.at(name)))
      norm += v * v / static_cast<double>(items * items);
  CHECK(update.loss == Approx(loss).epsilon(1e-5));
  CHECK(update.norm == Approx(std::sqrt(norm)).epsilon(1e-5));
  CHECK(trainer.step().loss < update.loss);
  const auto scores = taugrad::evaluate(d, weights, data).items;
  for (std::size_t i = 0; i < scores.size(); ++i)
    CHECK(scores[i].loss ==
          Approx(got.at("loss").at(static_cast<std::int64_t>(i))).epsilon(1e-5).margin(1e-6));
}
