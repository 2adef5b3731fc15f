// What decides an update beside the optimizer: schedules, clipping, averages, frozen weights.
#include <catch2/catch.hpp>
#include <cmath>

#include "taugrad/base/error.h"
#include "taugrad/train/lr_schedule.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;

namespace {

Definition line() {
  return parse_definition(R"json({"name": "line", "inputs": {"x": [2], "z": []},
    "weights": {"w": {"shape": [2], "init": 0.5}, "b": {"shape": [], "init": 0.1}},
    "equations": ["e = w @ x + b - z"], "loss": "e * e"})json",
                          "line");
}

Dataset points(const Definition& d) {
  return json_lines_dataset(d,
                            "{\"x\": [1, 2], \"z\": 3}\n{\"x\": [0, 1], \"z\": -1}\n"
                            "{\"x\": [2, -1], \"z\": 0}\n{\"x\": [1, 1], \"z\": 2}\n",
                            "points");
}

TrainOptions plain() {
  TrainOptions o{.batch = 4, .epochs = 6, .clip = 0, .seed = 3};
  o.optimizer = {.kind = OptimizerKind::sgd, .lr = 0.05};
  return o;
}

std::string code_of(const TrainOptions& o) {
  const Definition d = line();
  try {
    Trainer(d, points(d), o);
  } catch (const Error& e) {
    return e.diagnostics()[0].code;
  }
  return "none";
}

}  // namespace

TEST_CASE("schedules reach what they say exactly at the last update") {
  const auto at = [](const char* text, std::int64_t u, std::int64_t total) {
    return LrSchedule(text).factor(u, total);
  };
  CHECK(at("", 7, 10) == 1);
  CHECK(at("cosine(0.1)", 0, 101) == 1);
  CHECK(at("cosine(0.1)", 50, 101) == Approx(0.55));
  CHECK(at("cosine(0.1)", 100, 101) == 0.1);
  CHECK(at("linear(0)", 9, 10) == 0);
  CHECK(at("linear(0.5)", 0, 10) == 1);
  CHECK(at("exponential(0.01)", 5, 11) == Approx(0.1));
  CHECK(at("warmup(4) cosine(0.1)", 0, 104) == 0.25);
  CHECK(at("warmup(4) cosine(0.1)", 3, 104) == 1);
  CHECK(at("warmup(4) cosine(0.1)", 4, 104) == 1);
  CHECK(at("warmup(4) cosine(0.1)", 103, 104) == 0.1);
  CHECK(at("warmup(10) inverse_sqrt(10)", 10, 100) == 1);
  CHECK(at("warmup(10) inverse_sqrt(10)", 40, 100) == Approx(0.5));
  CHECK(at("step(0.5, 10)", 9, 100) == 1);
  CHECK(at("step(0.5, 10)", 29, 100) == 0.25);
  CHECK(at("warmup(500) cosine(0.1)", 10, 20) == Approx(11.0 / 500));
  for (const char* bad : {"cosin(0.1)", "cosine", "cosine(2)", "warmup(0)", "warmup(1.5)",
                          "step(0.5)", "cosine(0.1", "cosine(x)", "warmup(1) warmup(2)"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(LrSchedule(bad), Error);
  }
}

TEST_CASE("a plateau lowers the step size after measures without a better one") {
  const LrSchedule s("plateau(0.5, 2)");
  PlateauState p;
  for (const double loss : {3.0, 2.0, 2.5, 1.0}) s.measured(loss, p);
  CHECK(s.factor(5, 10, p) == 1);
  s.measured(1.0, p);
  s.measured(1.5, p);
  CHECK(s.factor(5, 10, p) == 0.5);
  s.measured(2, p);
  s.measured(2, p);
  CHECK(s.factor(5, 10, p) == 0.25);
}

TEST_CASE("the step size of every update is told") {
  const Definition d = line();
  TrainOptions o = plain();
  o.schedule = "warmup(2) linear(0.1)";
  Trainer trainer(d, points(d), o);
  std::vector<double> lr;
  while (!trainer.done()) lr.push_back(trainer.step().lr);
  REQUIRE(lr.size() == 6);
  CHECK(lr[0] == 0.025);
  CHECK(lr[1] == 0.05);
  CHECK(lr[2] == 0.05);
  CHECK(lr[5] == 0.05 * 0.1);
  o.final_lr = 0.5;
  CHECK(code_of(o) == "U002");
}

TEST_CASE("minibatches that are accumulated are one minibatch") {
  const Definition d = line();
  TrainOptions one = plain(), many = plain();
  many.batch = 1;
  many.accumulate = 4;
  Trainer a(d, points(d), one), b(d, points(d), many);
  CHECK(b.total_updates() == 6);
  CHECK(b.updates_of_epoch() == 1);
  while (!a.done()) {
    const Update u = a.step(), v = b.step();
    CHECK(u.loss == Approx(v.loss));
    CHECK(u.targets == v.targets);
    for (std::int64_t i = 0; i < 2; ++i)
      CHECK(a.weights().at("w").at(i) == Approx(b.weights().at("w").at(i)));
  }
  CHECK(b.done());
  many.accumulate = 3;  // 24 minibatches: the last update has what is left
  Trainer c(d, points(d), many);
  CHECK(c.total_updates() == 8);
}

TEST_CASE("an average of the weights is the model, and goes on") {
  const Definition d = line();
  TrainOptions o = plain();
  o.average = 0.9;
  Trainer trainer(d, points(d), o), other(d, points(d), plain());
  double average = trainer.weights().at("b").at(0);
  for (int k = 1; k <= 4; ++k) {
    trainer.step();
    other.step();
    const double keep = std::min(0.9, (1.0 + k) / (10.0 + k));
    average = keep * average + (1 - keep) * other.weights().at("b").at(0);
    CHECK(trainer.weights().at("b").at(0) == Approx(average));
  }
  Trainer again(d, points(d), o);
  again.restore(trainer.state());
  again.step();
  trainer.step();
  CHECK(again.weights() == trainer.weights());
  CHECK(again.state().optimizer == trainer.state().optimizer);
}

TEST_CASE("frozen weights stay, and others decay, by name") {
  const Definition d = line();
  TrainOptions o = plain();
  o.frozen = "w*";
  Trainer frozen(d, points(d), o);
  const Tensors before = frozen.weights();
  frozen.step();
  CHECK(frozen.weights().at("w") == before.at("w"));
  CHECK_FALSE(frozen.weights().at("b") == before.at("b"));
  o.frozen = "v";
  CHECK(code_of(o) == "U002");
  TrainOptions all = plain(), some = plain(), none = plain();
  all.optimizer.weight_decay = some.optimizer.weight_decay = 0.3;
  some.optimizer.decayed = "b";
  Trainer a(d, points(d), all), s(d, points(d), some), n(d, points(d), none);
  a.step(), s.step(), n.step();
  CHECK(s.weights().at("w") == n.weights().at("w"));
  CHECK(s.weights().at("b") == a.weights().at("b"));
  CHECK_FALSE(a.weights().at("w") == n.weights().at("w"));
}

TEST_CASE("gradients are clipped element by element") {
  const Definition d = line();
  TrainOptions o = plain();
  o.clip_value = 0.01;
  Trainer trainer(d, points(d), o);
  const Tensors before = trainer.weights();
  const Update u = trainer.step();
  CHECK(u.norm <= 0.01 * std::sqrt(3) * 1.001);
  for (std::int64_t i = 0; i < 2; ++i)
    CHECK(std::abs(trainer.weights().at("w").at(i) - before.at("w").at(i)) <= 0.05 * 0.01 * 1.001);
}

TEST_CASE("weights that get no gradient are named") {
  const Definition d = parse_definition(R"json({"name": "idle", "inputs": {"x": [], "z": []},
    "weights": {"a": {"shape": [], "init": 0}, "b": {"shape": [], "init": 0}, "c": {"shape": [], "init": 1}},
    "equations": ["e = a * b * x + c - z"], "loss": "e * e"})json",
                                        "idle");
  const Dataset data = json_lines_dataset(d, "{\"x\": 1, \"z\": 2}\n", "data");
  Trainer trainer(d, data, plain());
  CHECK(trainer.idle().empty());
  for (int k = 0; k < 3; ++k) trainer.step();
  CHECK(trainer.idle() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("training begins with weights that are given") {
  const Definition d = line();
  Trainer trainer(d, points(d), plain());
  trainer.set_weights({{"w", Tensor::of({2}, std::vector<double>{3, 4})}});
  CHECK(trainer.weights().at("w").at(1) == 4);
  CHECK(trainer.weights().at("b").at(0) == Approx(0.1));
  CHECK_THROWS_AS(trainer.set_weights({{"v", Tensor::of(1.0)}}), Error);
  CHECK_THROWS_AS(trainer.set_weights({{"w", Tensor::of(1.0)}}), Error);
  trainer.step();
  CHECK(std::isfinite(trainer.weights().at("w").at(0)));
}
