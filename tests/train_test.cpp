#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <set>

#include "support_errors.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/model_folder.h"
#include "taugrad/train/optimizer.h"
#include "taugrad/train/sample.h"
#include "taugrad/train/text.h"
#include "taugrad/train/trainer.h"
#include "train/loop/schedule.h"

using namespace taugrad;

namespace {

using support::code_of;

Tensors one(double value) { return {{"w", Tensor::of({1}, std::vector<double>{value})}}; }
double value(const Tensors& t) { return t.at("w").at(0); }

Corpus corpus_of(std::string_view text, Split split = Split::line) {
  Corpus c;
  add_text(c, text, "text", split);
  return c;
}

std::vector<std::string> texts(const Corpus& c) {
  std::vector<std::string> out;
  for (const TextItem& i : c.items) out.push_back(i.text);
  return out;
}

// a model of symbols small enough to learn in a second
constexpr const char* kWriter =
    R"json({"name": "writer", "index": {"t": "tau"}, "sizes": {"v": 9, "m": 24},
  "weights": {"E": {"shape": ["v", "m"], "init": "uniform(0.5)"}, "W": ["m", "m"], "b": ["m"], "V": ["v", "m"], "c": ["v"]},
  "equations": ["h[t] = tanh(b + W @ h[t-1] + embed(E, y[t-1]))", "y[t] ~ categorical(logits = c + V @ h[t])"],
  "ends": {"t": "y[t] == 0"}})json";

struct Task {
  Definition definition = parse_definition(kWriter, "writer.json");
  Corpus corpus = corpus_of("abab\nabababab\ncdc\nab\ncdcdcdc\nabab\ncdcd\nabababababab\n");
  Vocabulary vocabulary{corpus.items, true};
  Task() { set_symbols(definition, text_variable(definition), vocabulary.size()); }
  Dataset data() const { return text_dataset(definition, corpus, vocabulary); }
};

TrainOptions quick(OptimizerKind kind = OptimizerKind::adam) {
  TrainOptions o;
  o.optimizer = usual_options(kind);
  o.optimizer.lr = kind == OptimizerKind::sgd       ? 0.2
                   : kind == OptimizerKind::adagrad ? 0.1
                   : kind == OptimizerKind::lion    ? 0.003
                                                    : 0.01;
  o.optimizer.momentum = kind == OptimizerKind::sgd ? 0.9 : 0;
  o.batch = 3;
  o.epochs = 60;
  return o;
}

}  // namespace

TEST_CASE("sgd with momentum and decay follows its equations", "[train]") {
  Optimizer o({.kind = OptimizerKind::sgd, .lr = 0.1, .momentum = 0.5, .weight_decay = 0.2});
  Tensors w = one(1);
  o.update(w, one(2));  // v = 2; w = 0.98 * 1 - 0.1 * 2
  CHECK(value(w) == Approx(0.78).epsilon(1e-14));
  o.update(w, one(-1));  // v = 1 - 1 = 0; w = 0.98 * 0.78
  CHECK(value(w) == Approx(0.7644).epsilon(1e-14));
  CHECK(o.updates() == 2);
}

TEST_CASE("adam follows its equations", "[train]") {
  Optimizer o({.lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8});
  Tensors w = one(1);
  o.update(w, one(2));  // mean 0.2 / 0.1 = 2, square 0.04 / 0.01 = 4: a step of lr
  CHECK(value(w) == Approx(1 - 0.1 * 2 / (2 + 1e-8)).epsilon(1e-13));
  o.update(w, one(1));  // mean (0.18 + 0.1) / 0.19, square (0.0396 + 0.01) / 0.0199
  const double second = 0.1 * (0.28 / 0.19) / (std::sqrt(0.0496 / 0.0199) + 1e-8);
  CHECK(value(w) == Approx(0.9 - second).epsilon(1e-8));
  o.update(w, one(1), 0.0);  // a schedule that has come to nothing
  CHECK(value(w) == Approx(0.9 - second).epsilon(1e-8));
}

TEST_CASE("nesterov, coupled decay, adamw, rmsprop, adagrad, lion follow their equations",
          "[train]") {
  const auto after = [](const OptimizerOptions& options, double g1, double g2) {
    Optimizer o(options);
    Tensors w = one(1);
    o.update(w, one(g1));
    o.update(w, one(g2));
    return value(w);
  };
  using Kind = OptimizerKind;
  // v = 2, then 0; w = 1 - 0.1 (2 + 0.5 * 2), then - 0.1 (-1 + 0)
  CHECK(after({.kind = Kind::sgd, .lr = 0.1, .momentum = 0.5, .nesterov = true}, 2, -1) ==
        Approx(0.8).epsilon(1e-14));
  // g = 2 + 0.2 * 1: w = 0.78; g = -1 + 0.2 * 0.78
  CHECK(after({.kind = Kind::sgd, .lr = 0.1, .weight_decay = 0.2, .coupled = true}, 2, -1) ==
        Approx(0.78 + 0.1 * (1 - 0.156)).epsilon(1e-14));
  CHECK(after({.kind = Kind::adamw, .lr = 0.1, .weight_decay = 0.2}, 2, 1) ==
        after({.kind = Kind::adam, .lr = 0.1, .weight_decay = 0.2}, 2, 1));
  const double s1 = std::sqrt(0.01 * 4), s2 = std::sqrt(0.99 * 0.04 + 0.01);
  CHECK(after({.kind = Kind::rmsprop, .lr = 0.1, .beta2 = 0.99}, 2, 1) ==
        Approx(1 - 0.1 * 2 / s1 - 0.1 / s2).epsilon(1e-6));
  CHECK(after({.kind = Kind::rmsprop, .lr = 0.1, .momentum = 0.5, .beta2 = 0.99}, 2, 1) ==
        Approx(1 - 0.1 * 2 / s1 - 0.1 * (0.5 * 2 / s1 + 1 / s2)).epsilon(1e-6));
  CHECK(after({.kind = Kind::adagrad, .lr = 0.1}, 2, 1) ==
        Approx(1 - 0.1 * 2 / 2 - 0.1 / std::sqrt(5)).epsilon(1e-6));
  // m = 0.02: the sign of 0.9 * 0.02 - 0.1 * 0.1 is +; with -1, -
  CHECK(after({.kind = Kind::lion, .lr = 0.1, .beta2 = 0.99}, 2, -0.1) ==
        Approx(0.8).epsilon(1e-14));
  CHECK(after({.kind = Kind::lion, .lr = 0.1, .beta2 = 0.99}, 2, -1) == Approx(1).epsilon(1e-14));
  CHECK(code_of([] { Optimizer o({.nesterov = true}); }) == "U007");
  CHECK(code_of([] { Optimizer o({.kind = Kind::adamw, .weight_decay = 0.1, .coupled = true}); }) ==
        "U007");
}

TEST_CASE("gradients are clipped by their common norm", "[train]") {
  Tensors g = {{"a", Tensor::of({1}, std::vector<double>{3})},
               {"b", Tensor::of({1}, std::vector<double>{4})}};
  CHECK(clip_by_norm(g, 10) == Approx(5));
  CHECK(g.at("a").at(0) == 3);
  CHECK(clip_by_norm(g, 1) == Approx(5));
  CHECK(g.at("a").at(0) == Approx(0.6));
  CHECK(g.at("b").at(0) == Approx(0.8));
}

TEST_CASE("options outside their range are refused", "[train]") {
  CHECK(code_of([] { Optimizer o({.lr = -1}); }) == "U002");
  CHECK(code_of([] { Optimizer o({.lr = std::nan("")}); }) == "U002");
  CHECK(code_of([] { Optimizer o({.momentum = 1}); }) == "U002");
  const Task task;
  TrainOptions o = quick();
  o.batch = 0;
  CHECK(code_of([&] { Trainer t(task.definition, task.data(), o); }) == "U002");
  CHECK(code_of([&] { Trainer t(task.definition, Dataset{}, quick()); }) == "D002");
}

TEST_CASE("a text splits into items", "[train]") {
  CHECK(texts(corpus_of("a\n\nb\r\nc")) == std::vector<std::string>{"a", "b", "c"});
  CHECK(texts(corpus_of("a\nb\n \n\nc\n", Split::blank)) == std::vector<std::string>{"a\nb", "c"});
  CHECK(texts(corpus_of("a\n  -- b\n%\n%\nc %\n%\n", Split::percent)) ==
        std::vector<std::string>{"a\n  -- b", "c %"});
  CHECK(texts(corpus_of("a\nb\n", Split::none)) == std::vector<std::string>{"a\nb"});
  const Corpus lines = corpus_of("x\n%\n\ny\n%\nz", Split::percent);
  CHECK(lines.items[0].line == 1);
  CHECK(lines.items[1].line == 3);
  CHECK(lines.items[2].line == 6);
  CHECK(corpus_of(std::string("a\0b\r\nc", 6)).warnings.size() == 2);
}

TEST_CASE("bad text is refused with its place", "[train]") {
  CHECK(code_of([] { corpus_of(""); }) == "D001");
  CHECK(code_of([] { corpus_of("%\n%\n", Split::percent); }) == "D001");
  CHECK(code_of([] { split_from("word"); }) == "U002");
  try {
    corpus_of("good\nb\xFF");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.diagnostics()[0].code == "D003");
    CHECK(e.diagnostics()[0].line == 2);
    CHECK(e.diagnostics()[0].column == 2);
  }
}

TEST_CASE("a vocabulary numbers characters and knows its end", "[train]") {
  const Corpus c = corpus_of("bä\na€\n");
  const Vocabulary v(c.items, true);
  CHECK(v.symbols() == std::vector<std::string>{"", "a", "b", "ä", "€"});
  CHECK(v.encode(c.items[0]) == std::vector<std::int64_t>{2, 3});
  CHECK(v.decode({2, 3, 0}) == "bä");
  const Vocabulary back = parse_vocabulary(to_json(v), "vocab.json");
  CHECK(back.symbols() == v.symbols());
  CHECK(back.with_end());
  CHECK(code_of([&] { v.encode({"ab\nß", "f", 1}); }) == "D004");
  CHECK(code_of([] {
          parse_vocabulary(R"({"format": 1, "end": false, "symbols": ["a", "a"]})", "v");
        }) == "D004");
  CHECK(code_of([] {
          parse_vocabulary(R"({"format": 1, "end": false, "symbols": ["ab"]})", "v");
        }) == "D004");
  CHECK(code_of([] { parse_vocabulary(R"({"format": 1, "end": true, "symbols": ["a"]})", "v"); }) ==
        "D004");
  CHECK(code_of([] { parse_vocabulary(R"({"format": 9, "end": true, "symbols": [""]})", "v"); }) ==
        "G008");
}

TEST_CASE("an epoch holds every item once, in an order of its own", "[train]") {
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < 1000; ++i) sizes.push_back(i * 7919 % 101);
  Schedule s(sizes, 16, 5);
  REQUIRE(s.batches() == 63);
  std::vector<std::size_t> first, second;
  std::int64_t padding = 0;
  for (std::int64_t k = 0; k < s.batches(); ++k) {
    const auto items = s.batch(0, k);
    std::int64_t longest = 0;
    for (const auto i : items) longest = std::max(longest, sizes[i]);
    for (const auto i : items) padding += longest - sizes[i];
    first.insert(first.end(), items.begin(), items.end());
  }
  for (std::int64_t k = 0; k < s.batches(); ++k)
    for (const auto i : s.batch(1, k)) second.push_back(i);
  CHECK(std::set<std::size_t>(first.begin(), first.end()).size() == 1000);
  CHECK(std::set<std::size_t>(second.begin(), second.end()).size() == 1000);
  CHECK(first != second);
  CHECK(padding < 5000);  // of 50,000 steps: items of like length are together
  CHECK(Schedule(sizes, 16, 5).batch(1, 3) == s.batch(1, 3));
  CHECK(Schedule(sizes, 16, 6).batch(1, 3) != s.batch(1, 3));
}

TEST_CASE("text goes to the variable of symbols, whose size becomes the vocabulary's", "[train]") {
  const Task task;
  CHECK(task.vocabulary.size() == 5);
  CHECK(task.definition.sizes[0].value == 5);
  const TextVariable y = text_variable(task.definition);
  CHECK(y.name == "y");
  CHECK(y.ends);
  const Dataset data = task.data();
  CHECK(data.examples[2].lengths.at("tau") == 4);
  CHECK(data.examples[2].values.at("y") == Tensor::of({4}, std::vector<std::int64_t>{3, 4, 3, 0}));
  CHECK(code_of([] { text_variable(load_definition("elman")); }) == "D006");
}

TEST_CASE("JSON lines are items by variable name", "[train]") {
  const Definition d = load_definition("elman");
  const Dataset data = json_lines_dataset(
      d, "{\"x\": [[1, 2], [3, 4]], \"y\": [0, 2]}\n\n{\"x\": [[5, 6]], \"y\": [1]}\n", "f");
  REQUIRE(data.examples.size() == 2);
  CHECK(data.examples[0].lengths.at("tau") == 2);
  CHECK(data.examples[1].values.at("x").dims() == Dims{1, 2});
  CHECK(code_of([&] { json_lines_dataset(d, "", "f"); }) == "D001");
  for (const char* bad :
       {"{\"x\": [[1, 2]], \"y\": [0, 1]}", "{\"x\": [[1, 2]]}", "{\"x\": [[1, 2]], \"y\": [3]}",
        "{\"x\": [[1, 2]], \"y\": [0], \"z\": 1}", "[]", "{"})
    CHECK_FALSE(code_of([&] { json_lines_dataset(d, bad, "f"); }).empty());
}

TEST_CASE("training learns, and its loss is per target", "[train]") {
  const auto kind = GENERATE(OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::sgd,
                             OptimizerKind::rmsprop, OptimizerKind::adagrad, OptimizerKind::lion);
  const Task task;
  Trainer trainer(task.definition, task.data(), quick(kind));
  const Update first = trainer.step();
  CHECK(first.loss == Approx(std::log(5.0)).margin(0.25));  // weights are small: nearly uniform
  double last = 0;
  while (!trainer.done()) last = trainer.step().loss;
  CHECK(trainer.updates() == 180);
  CHECK(last < 0.45);
  CHECK(trainer.parameters() == 5 * 24 + 24 * 24 + 24 + 5 * 24 + 5);

  const auto samples = sample(task.definition, trainer.weights(), {.count = 20, .steps = 30});
  for (const Tensors& s : samples) {
    const auto y = s.at("y").values<std::int64_t>();
    const std::string text = task.vocabulary.decode({y.begin(), y.end()});
    const bool ab = text.find_first_of("cd") == std::string::npos,
               cd = text.find_first_of("ab") == std::string::npos;
    CHECK((ab || cd));
  }
}

TEST_CASE("training goes on with the same bits", "[train]") {
  const auto kind = GENERATE(OptimizerKind::adam, OptimizerKind::adamw, OptimizerKind::sgd,
                             OptimizerKind::rmsprop, OptimizerKind::adagrad, OptimizerKind::lion);
  const Task task;
  Trainer whole(task.definition, task.data(), quick(kind));
  std::vector<TrainState> states = {whole.state()};
  std::vector<double> losses;
  for (int k = 0; k < 12; ++k) {
    losses.push_back(whole.step().loss);
    states.push_back(whole.state());
  }
  for (std::size_t stop = 0; stop < 12; ++stop) {
    Trainer resumed(task.definition, task.data(), quick(kind));
    resumed.restore(states[stop]);
    for (std::size_t k = stop; k < 12; ++k) CHECK(resumed.step().loss == losses[k]);
    CHECK(resumed.weights() == states[12].weights);
  }
  Trainer other(task.definition, task.data(), [&] {
    auto o = quick(kind);
    o.seed = 2;
    return o;
  }());
  other.step();
  CHECK_FALSE(other.weights() == states[1].weights);
}

TEST_CASE("a model folder holds the model, its imports and the state", "[train]") {
  const std::string folder = std::filesystem::temp_directory_path() / "taugrad_model_folder_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const Task task;
  Trainer trainer(task.definition, task.data(), quick());
  for (int k = 0; k < 5; ++k) trainer.step();
  const TrainState state = trainer.state();
  ResumeState r;
  r.options = quick();
  r.options.seed = 0xFFFFFFFFFFFFFFFFULL;
  r.files = {"a.txt"};
  r.reading.split = "line";
  r.digest = digest_of("abc");
  r.updates = state.updates;
  r.optimizer = state.optimizer;
  save_model_description(folder, {task.definition, {}, task.vocabulary});
  save_training(folder, state.weights, r);

  const TrainedModel m = load_model(folder);
  CHECK(m.weights == state.weights);
  CHECK(m.vocabulary->symbols() == task.vocabulary.symbols());
  CHECK(to_json(m.definition) == to_json(task.definition));
  const ResumeState back = load_resume_state(m).value();
  CHECK(back.updates == 5);
  CHECK(back.optimizer == state.optimizer);
  CHECK(back.options.seed == r.options.seed);
  CHECK(back.options.optimizer.lr == r.options.optimizer.lr);
  CHECK(back.digest == r.digest);

  save_safetensors(folder + "/model.safetensors",
                   trainer.state().weights);  // the same: still whole
  CHECK(load_resume_state(load_model(folder))->updates == 5);
  trainer.step();
  save_safetensors(folder + "/model.safetensors",
                   trainer.weights());  // as if killed before the rest was saved
  CHECK(code_of([&] { load_resume_state(load_model(folder)); }) == "C006");

  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  save_model_description(folder, {load_definition("stacked_bidirectional_lstm"), {}, {}});
  CHECK(std::filesystem::exists(folder + "/lstm.json"));
  std::filesystem::remove_all(folder);
  CHECK(code_of([&] { load_model(folder); }) == "I001");
}

TEST_CASE("a diverging training says so and keeps its weights", "[train]") {
  const Definition d =
      parse_definition(R"json({"name": "square", "inputs": {"x": ["n"]}, "sizes": {"n": 1},
    "weights": {"w": {"shape": ["n"], "init": 3}}, "equations": ["e = exp(w * x)"], "loss": "sum(e)"})json",
                       "d");
  const Dataset data = json_lines_dataset(d, "{\"x\": [100.5]}\n", "f");
  Trainer trainer(d, data, {});
  CHECK(code_of([&] { trainer.step(); }) == "N001");
  CHECK(trainer.updates() == 0);
  CHECK(trainer.weights().at("w").at(0) == 3);
}

TEST_CASE("weights that are not trainable stay", "[train]") {
  const Definition d = parse_definition(R"json({"name": "line", "inputs": {"x": [1], "r": [1]},
    "weights": {"w": {"shape": [1], "init": 1}, "k": {"shape": [1], "init": 2, "trainable": false}},
    "equations": ["e = w * x + k - r"], "loss": "sum(e * e)"})json",
                                        "d");
  Trainer trainer(d, json_lines_dataset(d, "{\"x\": [1], \"r\": [7]}\n", "f"),
                  {.optimizer = {.lr = 0.1}, .epochs = 300});
  while (!trainer.done()) trainer.step();
  CHECK(trainer.weights().at("k").at(0) == 2);
  CHECK(trainer.weights().at("w").at(0) == Approx(5).margin(0.05));
}

TEST_CASE("samples of a definition that draws its length have that length", "[train]") {
  const Definition d = load_definition("predicted_length");
  Tensors weights = initial_weights(d, {.seed = 3});
  weights["l"] = Tensor::of({9}, std::vector<double>{0, 0, 3, 0, 0, 0, 0, -9, -9});
  const auto samples = sample(d, weights, {.count = 60, .steps = 30, .seed = 2});
  std::vector<int> lengths(9, 0);
  for (const Tensors& s : samples) {
    REQUIRE(s.at("y").dims().size() == 1);
    ++lengths[static_cast<std::size_t>(s.at("y").dims()[0])];
    for (std::int64_t t = 0; t < s.at("y").size(); ++t)
      CHECK((s.at("y").at(t) >= 0 && s.at("y").at(t) < 4));
  }
  CHECK(lengths[2] > 30);
  CHECK(lengths[7] + lengths[8] == 0);
  CHECK(sample(d, weights, {.count = 2, .seed = 2})[1] == samples[1]);
  CHECK_THROWS_AS(sample(d, weights, {.prompt = {1}}), Error);
}

TEST_CASE("samples depend on seed and number alone, follow a prompt, and end", "[train]") {
  const Task task;
  Trainer trainer(task.definition, task.data(), quick());
  while (!trainer.done()) trainer.step();
  const auto draw = [&](SampleOptions o) { return sample(task.definition, trainer.weights(), o); };
  const auto three = draw({.count = 3, .steps = 30}), one_of = draw({.count = 1, .steps = 30});
  CHECK(three[0] == one_of[0]);
  CHECK_FALSE(draw({.count = 1, .steps = 30, .seed = 2})[0].at("y").dims() == Dims{});
  for (const Tensors& s : draw({.count = 10, .steps = 30, .prompt = {3}})) {
    const auto y = s.at("y").values<std::int64_t>();
    REQUIRE(y.size() >= 2);
    CHECK(y[0] == 3);
    CHECK(std::count(y.begin(), y.end(), 1) == 0);  // c is never followed by a
    for (std::size_t i = 0; i + 1 < y.size(); ++i) CHECK(y[i] != 0);
  }
  const auto coldest = draw({.count = 2, .steps = 30, .temperature = 0, .prompt = {3}});
  CHECK(coldest[0] == coldest[1]);
  CHECK(code_of([&] { draw({.temperature = 1e-30}); }) == "U002");
  CHECK(code_of([&] { draw({.temperature = INFINITY}); }) == "U002");
  CHECK(code_of([&] { sample(load_definition("elman"), {}, {}); }) == "U010");
  CHECK(code_of([&] { sample(task.definition, {}, {}); }) == "S013");
}
