// A training that is stopped anywhere and goes on has the bits of one that was not.
#include <catch2/catch.hpp>
#include <filesystem>

#include "support_cli.h"
#include "taugrad/train/run_folder.h"
#include "taugrad/train/trainer.h"

using namespace taugrad;

namespace {

constexpr int kUpdates = 50;

/// A layer with dropout over items of uneven lengths: 3 minibatches an epoch.
Definition network() {
  return parse_definition(R"json({"name": "net", "index": {"t": "tau"}, "sizes": {"v": 4, "m": 5},
    "weights": {"E": ["v", "m"], "W": ["m", "m"], "V": ["v", "m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + embed(E, y[t-1]))",
                  "y[t] ~ categorical(logits = V @ dropout(h[t], 0.3))"]})json",
                          "net");
}

Dataset items(const Definition& d) {
  return json_lines_dataset(
      d,
      "{\"y\": [1, 2, 3]}\n{\"y\": [0]}\n{\"y\": [3, 3, 1, 0, 2, 1]}\n"
      "{\"y\": [2, 2]}\n{\"y\": [1, 0, 1, 0]}\n{\"y\": [0, 3]}\n{\"y\": [2]}\n",
      "items");
}

struct Way {
  const char* name;
  TrainOptions options;
};

TrainOptions with(const std::function<void(TrainOptions&)>& change) {
  TrainOptions o{.batch = 3, .epochs = 17, .final_lr = 0.1, .seed = 5};
  change(o);
  return o;
}

std::vector<Way> ways() {
  return {
      {"adam", with([](TrainOptions&) {})},
      {"sgd", with([](TrainOptions& o) { o.optimizer.kind = OptimizerKind::sgd; })},
      {"momentum, decay", with([](TrainOptions& o) {
         o.optimizer = {
             .kind = OptimizerKind::sgd, .lr = 0.05, .momentum = 0.9, .weight_decay = 0.01};
       })},
      {"nesterov, coupled", with([](TrainOptions& o) {
         o.optimizer = {.kind = OptimizerKind::sgd,
                        .lr = 0.05,
                        .momentum = 0.9,
                        .weight_decay = 0.01,
                        .nesterov = true,
                        .coupled = true};
       })},
      {"adamw", with([](TrainOptions& o) { o.optimizer = usual_options(OptimizerKind::adamw); })},
      {"rmsprop", with([](TrainOptions& o) {
         o.optimizer = usual_options(OptimizerKind::rmsprop);
         o.optimizer.momentum = 0.5;
       })},
      {"adagrad",
       with([](TrainOptions& o) { o.optimizer = usual_options(OptimizerKind::adagrad); })},
      {"lion", with([](TrainOptions& o) { o.optimizer = usual_options(OptimizerKind::lion); })},
      {"scheduled sampling", with([](TrainOptions& o) {
         o.modes = {{"y", mode_from("mixed(linear(1,0.2,40))")}};
       })},
      {"bf16, checkpoints", with([](TrainOptions& o) {
         o.engine.precision = Precision::bf16;
         o.checkpoint = true;
       })},
      {"schedule, clipped values", with([](TrainOptions& o) {
         o.final_lr = 1;
         o.schedule = "warmup(7) cosine(0.05)";
         o.clip_value = 0.1;
       })},
      {"accumulated", with([](TrainOptions& o) {
         o.accumulate = 2;
         o.epochs = 34;
       })},
      {"average, frozen, some decay", with([](TrainOptions& o) {
         o.average = 0.95;
         o.frozen = "E";
         o.optimizer = {
             .kind = OptimizerKind::adamw, .lr = 0.01, .weight_decay = 0.1, .decayed = "V"};
       })},
      {"windows", with([](TrainOptions& o) { o.truncation = {2}; })},
      {"windows that look back, accumulated", with([](TrainOptions& o) {
         o.truncation = {3, 1};
         o.accumulate = 2;
         o.average = 0.9;
       })},
  };
}

}  // namespace

TEST_CASE("stopped after any of fifty updates, saved and read, training has the same bits",
          "[resume]") {
  const Definition d = network();
  const ModelDescription description = describe_model({d, {}, {}});
  for (const Way& way : ways()) {
    INFO(way.name);
    const support::Folder f;
    RunFolder run(f / "run", RunFolder::Use::begin);
    Trainer whole(d, items(d), way.options);
    std::vector<Update> log;
    for (int k = 0; k < kUpdates; ++k) {
      const TrainState s = whole.state();
      ResumeState saved;
      saved.options = way.options;
      saved.updates = s.updates;
      saved.place = s.place;
      saved.optimizer = s.optimizer;
      saved.description = description.digests;
      run.save(description, s.weights, saved, kUpdates);
      log.push_back(whole.step());
    }
    REQUIRE(whole.total_updates() >= 51);
    const bool plain = way.options.accumulate == 1 && way.options.truncation.back == 0;
    REQUIRE((!plain || whole.total_updates() == 51));
    for (int stop = 0; stop < kUpdates; ++stop) {
      const TrainedModel m = load_model(f / ("run/step-" + std::to_string(stop)));
      ResumeState s = load_resume_state(m).value();
      s.options.checkpoint = way.options.checkpoint;  // not of the state: the same bits either way
      Trainer again(m.definition, items(m.definition), s.options);
      again.restore({s.updates, m.weights, s.optimizer, s.place});
      for (int k = stop; k < kUpdates; ++k) {
        const Update u = again.step();
        REQUIRE(u.update == log[static_cast<std::size_t>(k)].update);
        REQUIRE(u.loss == log[static_cast<std::size_t>(k)].loss);
        REQUIRE(u.norm == log[static_cast<std::size_t>(k)].norm);
        REQUIRE((!plain || u.epoch == k / 3));
      }
      REQUIRE(again.weights() == whole.weights());
      REQUIRE(again.state().optimizer == whole.state().optimizer);
    }
  }
}

TEST_CASE("minibatches of another size: as far into the epoch as before", "[resume]") {
  const Definition d = network();
  Trainer by_three(d, items(d), with([](TrainOptions&) {}));
  for (int k = 0; k < 5; ++k) by_three.step();  // 1 epoch and 2 of 3 minibatches
  const TrainState s = by_three.state();
  CHECK(s.place.batches == 3);
  Trainer alone(d, items(d), with([](TrainOptions& o) { o.batch = 1; }));
  alone.restore(s);
  CHECK(alone.updates() == 5);
  CHECK(alone.total_updates() - alone.updates() == 17 * 7 - (7 + 4));
  CHECK(alone.step().epoch == 1);
  Trainer back(d, items(d), with([](TrainOptions&) {}));
  back.restore(alone.state());
  CHECK(back.total_updates() - back.updates() == 17 * 3 - (3 + 2));
  while (!back.done()) back.step();
  CHECK(back.updates() == back.total_updates());
}
