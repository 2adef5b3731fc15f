// Evaluation of a model on data, and training in modes.                       (rows S40-S42)
#include "taugrad/train/evaluate.h"

#include "language_support.h"
#include "support_picture.h"
#include "taugrad/train/model_folder.h"
#include "taugrad/train/trainer.h"
#include "train/loop/batch_plan.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

constexpr const char* kText = "abab\nabababab\ncdc\nab\ncdcdcdc\nabab\ncdcd\nabababababab\n";

struct Task {
  Definition definition = load_definition("char_lm");
  Vocabulary vocabulary;
  Dataset data;

  Task() {
    Corpus corpus;
    add_text(corpus, kText, "text", Split::line);
    const TextVariable v = text_variable(definition);
    vocabulary = Vocabulary(corpus.items, v.ends);
    set_symbols(definition, v, vocabulary.size());
    definition.sizes[1].value = 12;
    data = text_dataset(definition, corpus, vocabulary);
  }
  TrainOptions quick(const std::string& mode = "observed") const {
    TrainOptions o;
    o.batch = 3;
    o.epochs = 4;
    o.optimizer.lr = 0.01;
    if (mode != "observed") o.modes["y"] = mode_from(mode);
    return o;
  }
};

Dataset lines(const Definition& d, const std::string& text) {
  return json_lines_dataset(d, text, "data.jsonl");
}

/// The one item of a batch, without what `run` derives: stop variables follow from the lengths.
Example example_of(const ResolvedModel& model, const Tensors& batch, std::int64_t steps) {
  Example e;
  for (std::size_t l = 0; l < model.lengths.size(); ++l)
    e.lengths[model.lengths[l]] = model.fixed_lengths[l] >= 0 ? model.fixed_lengths[l] : steps;
  for (const auto& [name, t] : batch) {
    const int number = model.find(name);
    if (number < 0) continue;
    Dims dims = t.dims();
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(
                                  model.symbols[static_cast<std::size_t>(number)].axes.size()));
    Tensor one(dims, t.dtype());
    for (std::int64_t i = 0; i < t.size(); ++i) one.set(i, t.at(i));
    e.values.emplace(name, one);
  }
  if (model.find("s") >= 0 && !e.values.contains("s") &&
      model.symbols[static_cast<std::size_t>(model.find("s"))].random()) {
    Tensor stop({steps}, Dtype::f64);
    if (steps > 0) stop.set(steps - 1, 1);
    e.values.emplace("s", stop);
  }
  return e;
}

}  // namespace

TEST_CASE("evaluate: the likelihoods are those of run, item by item", "[eval]") {
  const Task task;
  const Tensors weights = initial_weights(task.definition, {.seed = 3});
  const Evaluation e = evaluate(task.definition, weights, task.data);
  REQUIRE(e.items.size() == task.data.examples.size());
  REQUIRE(e.variables.size() == 1);
  double total = 0;
  std::int64_t right = 0, targets = 0;
  for (std::size_t i = 0; i < e.items.size(); ++i) {
    const Tensor& y = task.data.examples[i].values.at("y");
    const std::int64_t steps = y.dims()[0];
    Tensor batch({steps, 1}, Dtype::i64);
    for (std::int64_t t = 0; t < steps; ++t) batch.set(t, y.at(t));
    const Tensors v = evaluate(task.definition, {{"y", batch}}, weights, {"loss", "l"});
    CHECK(e.items[i].loss == Approx(v.at("loss").at(0)).epsilon(1e-5));
    CHECK(e.items[i].steps == steps);
    total += e.items[i].loss;
    const std::int64_t k = task.vocabulary.size();
    for (std::int64_t t = 0; t < steps; ++t) {
      std::int64_t best = 0;
      for (std::int64_t c = 1; c < k; ++c)
        if (v.at("l").at(t * k + c) > v.at("l").at(t * k + best)) best = c;
      right += best == static_cast<std::int64_t>(y.at(t)) ? 1 : 0;
    }
    targets += steps;
  }
  CHECK(e.loss == total);
  CHECK(e.targets == targets);
  CHECK(e.variables[0].all.targets == targets);
  CHECK(e.variables[0].all.judged == targets);
  CHECK(e.variables[0].all.right == right);
  CHECK(e.variables[0].all.apart == 0);
}

TEST_CASE("evaluate: scores do not depend on the batch or the threads", "[eval]") {
  const Task task;
  const Tensors weights = initial_weights(task.definition, {.seed = 3});
  for (const char* mode : {"observed", "sampled", "mixed(0.5)", "greedy"}) {
    const auto scores = [&](std::int64_t batch, int threads) {
      EvaluateOptions o;
      o.modes = {{"y", mode_from(mode)}};
      o.batch = batch;
      o.engine.threads = threads;
      std::int64_t told = 0;
      o.progress = [&](std::int64_t items) { told = items; };
      const Evaluation e = evaluate(task.definition, weights, task.data, o);
      CHECK(told == static_cast<std::int64_t>(task.data.examples.size()));
      std::vector<double> all{e.loss, static_cast<double>(e.variables[0].all.right)};
      for (const ItemScores& i : e.items) all.push_back(i.loss);
      for (const Score& s : e.variables[0].steps) all.insert(all.end(), {s.nats, s.apart});
      return all;
    };
    CAPTURE(mode);
    const std::vector<double> want = scores(32, 1);
    for (const std::int64_t batch : {1, 2, 5}) CHECK(scores(batch, 2) == want);
  }
}

TEST_CASE("S40: how far the open loop is from teacher forcing, step by step", "[eval][rows]") {
  // the network repeats what it reads and starts with 1: greedy it writes 1 1 1 1
  const Definition d =
      parse_definition(R"j({"name": "echo", "index": {"t": "tau"}, "weights": {"b": [3]},
    "equations": ["o[t] = 2 * one_hot(y[t-1], 3) + b", "y[t] ~ categorical(logits = o[t])"]})j",
                       "echo.json");
  const Tensors weights{{"b", numbers({3}, {0, 1, 0})}};
  const Dataset data = lines(d, "{\"y\": [1, 1, 2, 2]}\n{\"y\": [1, 0]}\n");
  const Evaluation forced = evaluate(d, weights, data);
  EvaluateOptions o;
  o.modes = {{"y", Mode::greedy}};
  const Evaluation open = evaluate(d, weights, data, o);
  const std::vector<Score>&a = open.variables[0].steps, &b = forced.variables[0].steps;
  REQUIRE(a.size() == 4);
  CHECK(std::vector<std::int64_t>{a[0].targets, a[1].targets, a[2].targets, a[3].targets} ==
        std::vector<std::int64_t>{2, 2, 1, 1});
  CHECK(std::vector<double>{a[0].apart, a[1].apart, a[2].apart, a[3].apart} ==
        std::vector<double>{0, 1, 1, 1});
  for (const std::size_t t : {0, 1, 2})
    CHECK(a[t].nats == b[t].nats);     // until a wrong value is read
  const double z = 2 + std::exp(3.0);  // reads 1 where the truth is 2: logits 0 3 0
  CHECK(a[3].nats == Approx(std::log(z)).epsilon(1e-6));
  CHECK(b[3].nats == Approx(std::log(1 + std::exp(1.0) + std::exp(2.0)) - 2).epsilon(1e-6));
}

TEST_CASE("evaluate: bernoullis element by element, normals without accuracy, own losses",
          "[eval]") {
  const Definition d =
      parse_definition(R"j({"name": "pair", "index": {"t": "tau"}, "inputs": {"x[t]": [2]},
    "weights": {"w": []}, "equations": ["s[t] ~ bernoulli(logits = w * x[t])",
    "v[t] ~ normal(mean = sum(x[t]), std = 2)"]})j",
                       "pair.json");
  const Tensors weights{{"w", numbers({}, {1})}};
  const Dataset data = lines(d,
                             "{\"x\": [[1, 1], [-1, 1]], \"s\": [[1, 1], [1, 0]], \"v\": [4, 0]}\n"
                             "{\"x\": [[2, 0.5]], \"s\": [[1, 1]], \"v\": [2.5]}\n");
  const Evaluation e = evaluate(d, weights, data);
  REQUIRE(e.variables.size() == 2);
  CHECK(e.variables[0].discrete);
  CHECK_FALSE(e.variables[1].discrete);
  CHECK(e.variables[0].all.judged == 6);
  CHECK(e.variables[0].all.right == 4);
  CHECK(e.variables[1].all.judged == 0);
  const double density = std::log(2 * std::sqrt(2 * 3.14159265358979323846));
  CHECK(e.variables[1].all.nats == Approx(3 * density + 0.5).epsilon(1e-6));
  CHECK(e.targets == 6);
  CHECK_FALSE(e.own_loss);

  const Definition own = parse_definition(
      R"j({"name": "own", "index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
      "equations": ["h[t] = w * x[t]"], "loss": "h[t] * h[t]"})j",
      "own.json");
  const Evaluation sum = evaluate(own, weights, lines(own, "{\"x\": [1, 2]}\n{\"x\": [3]}\n"));
  CHECK(sum.own_loss);
  CHECK(sum.loss == 14);
  CHECK(sum.items[1].loss == 9);
  CHECK(sum.targets == 2);  // items
}

TEST_CASE("evaluate: every shipped definition is scored as run scores it, in every mode",
          "[eval]") {
  int compared = 0;
  for (const std::string& name : shipped_names()) {
    const Definition d = load_definition(name);
    const auto model = resolve(d);
    const bool indexed_weight = std::any_of(d.weights.begin(), d.weights.end(), [](const auto& w) {
      return w.name.text.find('[') != std::string::npos;
    });
    if (indexed_weight ||
        (d.loss.empty() && std::none_of(model->symbols.begin(), model->symbols.end(),
                                        [](const Symbol& s) { return s.random(); })))
      continue;  // untied weights have a length of their own
    const Tensors weights = initial_weights(d, {.steps = 5, .seed = 2});
    std::vector<Tensors> batches;
    Dataset data;
    for (const std::int64_t steps : {5, 2, 4}) {
      batches.push_back(random_inputs(d, {.steps = steps, .batch = 1, .seed = 7}));
      data.examples.push_back(example_of(*model, batches.back(), steps));
    }
    for (const char* mode : {"observed", "sampled", "greedy", "mixed(0.5)"}) {
      CAPTURE(name, mode);
      Modes modes;
      for (const Symbol& s : model->symbols)
        if (s.random() && s.length < 0) modes[s.name] = mode_from(mode);
      EvaluateOptions o;
      o.modes = modes;
      const Evaluation e = evaluate(d, weights, data, o);
      for (std::size_t i = 0; i < 3; ++i) {
        Tensors inputs = batches[i];
        inputs["item"] = symbols({1}, {static_cast<std::int64_t>(i)});
        RunOptions r;
        r.seed = o.seed;
        r.modes = modes;
        r.fetch = {"loss"};
        for (const auto& [name_of_length, steps] : data.examples[i].lengths) r.steps = steps;
        const double loss = run(d, inputs, weights, r).values.at("loss").at(0);
        CHECK(e.items[i].loss == Approx(loss).epsilon(1e-5));
        ++compared;
      }
    }
  }
  CHECK(compared > 200);
}

TEST_CASE("evaluate: an item of no step, weights that do not fit, no data", "[eval]") {
  const Definition d = load_definition("untied");
  const Tensors weights = initial_weights(d, {.steps = 4, .seed = 1});
  const auto of_length = [&](std::int64_t steps) {
    return example_of(*resolve(d), random_inputs(d, {.steps = steps, .batch = 1, .seed = 1}),
                      steps);
  };
  CHECK(evaluate(d, weights, {{of_length(4), of_length(0), of_length(3)}}).items[1].loss == 0);
  CHECK(problems_of([&] { evaluate(d, weights, {{of_length(5)}}); })[0].code == "S013");
  CHECK(problems_of([&] { evaluate(d, {}, {{of_length(2)}}); })[0].code == "S013");
  CHECK(problems_of([&] { evaluate(d, weights, Dataset{}); })[0].code == "D002");
  Tensors torn = weights;
  torn.begin()->second = numbers({1}, {0});
  CHECK(problems_of([&] { evaluate(d, torn, {{of_length(2)}}); })[0].code == "S013");
}

TEST_CASE("S42: one plan serves every probability of a schedule", "[rows]") {
  const Task task;
  const auto model = resolve(task.definition);
  Tensors weights;
  for (const auto& [name, w] : initial_weights(task.definition)) weights[name] = w.to(Dtype::f32);
  const std::vector<std::size_t> items{0, 1, 2};
  const auto planned = [&](const Mode& mode) {
    const Unfolded u = unfold(model, unfold_options(*model, {9}, true, {{"y", mode}}));
    const NodeId loss = u.loss().id;
    auto plan = std::make_unique<BatchPlan>(u, std::span(&loss, 1), ExecutorOptions{});
    plan->bind(weights);
    return plan;
  };
  const auto mixed = planned(Mode::mixed(0.3));
  const auto losses = [&](BatchPlan& plan, double p) {
    plan.run(Items(task.data), items, {.seed = 5, .mixes = {{"y", p}}});
    const auto values = plan.executor().value(0);
    return std::vector<float>(values.begin(), values.end());
  };
  const auto forced = losses(*planned(Mode::observed), 0),
             free = losses(*planned(Mode::sampled), 0);
  CHECK(losses(*mixed, 1) == forced);
  CHECK(losses(*mixed, 0) == free);
  CHECK(losses(*mixed, 0.5) != forced);
  CHECK(losses(*mixed, 0.5) != free);
  CHECK(losses(*mixed, 1) == forced);
}

TEST_CASE("S42: training by a schedule", "[rows][train]") {
  const Task task;
  const auto trained = [&](const std::string& mode, int threads = 0, bool checkpoint = false) {
    TrainOptions o = task.quick(mode);
    o.engine.threads = threads;
    o.checkpoint = checkpoint;
    Trainer t(task.definition, task.data, o);
    std::vector<double> mixes;
    while (!t.done()) {
      const Update u = t.step();
      mixes.push_back(u.mixes.contains("y") ? u.mixes.at("y") : -1);
    }
    return std::pair(t.weights(), mixes);
  };
  const auto [plain, none] = trained("observed");
  CHECK(none == std::vector<double>(12, -1));
  CHECK(trained("mixed(1)").first == plain);
  const auto [scheduled, mixes] = trained("mixed(linear(1,0,8))");
  CHECK_FALSE(scheduled == plain);
  for (std::size_t u = 0; u < 12; ++u)
    CHECK(mixes[u] == Approx(std::max(1 - static_cast<double>(u) / 8, 0.0)).margin(1e-15));
  CHECK(trained("mixed(linear(1,0,8))", 1).first == scheduled);
  CHECK(trained("mixed(linear(1,0,8))", 2).first == scheduled);
  CHECK(trained("mixed(linear(1,0,8))", 0, true).first == scheduled);  // draws made again
  CHECK_FALSE(trained("sampled").first == plain);
  CHECK(trained("mixed(0)").first == trained("sampled").first);
  CHECK(problems_of([&] { trained("sampled(pathwise)"); })[0].code == "U002");

  Trainer first(task.definition, task.data, task.quick("mixed(linear(1,0,8))"));
  for (int k = 0; k < 5; ++k) first.step();
  Trainer second(task.definition, task.data, task.quick("mixed(linear(1,0,8))"));
  second.restore(first.state());
  while (!second.done()) second.step();
  CHECK(second.weights() == scheduled);
}

TEST_CASE("S41: a net trained by its own symbols alone still learns", "[rows][train]") {
  const Task task;
  TrainOptions o = task.quick("mixed(exponential(0.98))");
  o.epochs = 60;
  Trainer t(task.definition, task.data, o);
  while (!t.done()) t.step();
  const double before = evaluate(task.definition, initial_weights(task.definition), task.data).loss;
  CHECK(evaluate(task.definition, t.weights(), task.data).loss < 0.5 * before);
}
