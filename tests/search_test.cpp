// Drawing of the likeliest share, beams, sequences of models with inputs.
#include <catch2/catch.hpp>
#include <cmath>

#include "support_cli.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/sample.h"

using namespace taugrad;
using support::Folder;
using support::has;
using support::Outcome;
using support::spill;

namespace {

Outcome run(const Folder& f, const std::string& line) { return support::taugrad(f, line); }

// a chain of three symbols and an end, whose probabilities are written out
Definition chain() {
  return parse_definition(R"json({"name": "chain", "index": {"t": "tau"}, "sizes": {"k": 4},
    "weights": {"W": ["k", "k"], "b": ["k"]},
    "equations": ["y[t] ~ categorical(logits = b + W @ one_hot(y[t-1], k))"],
    "ends": {"t": "y[t] == 0"}})json",
                          "chain.json");
}

Tensors chain_weights() {
  return {{"W", Tensor::of({4, 4}, std::vector<double>{0, 0.3, 2.1, -1, 0, 1, -0.7, 0.4,  //
                                                       0, -2, 0.5, 1.7, 0, 0.9, 0.2, -0.6})},
          {"b", Tensor::of({4}, std::vector<double>{-2, 0.1, 0.3, 0})}};
}

/// Every sequence of at most `steps` symbols that ends, or is as long: log p by enumeration.
std::vector<Found> all_sequences(const Tensors& w, std::int64_t steps) {
  std::vector<Found> open = {{{}, 0}}, done;
  for (std::int64_t t = 0; t < steps; ++t) {
    std::vector<Found> next;
    for (const Found& f : open) {
      double logits[4], total = 0;
      for (int s = 0; s < 4; ++s) {
        logits[s] =
            w.at("b").at(s) + (f.symbols.empty() ? 0 : w.at("W").at(s * 4 + f.symbols.back()));
        total += std::exp(logits[s]);
      }
      for (int s = 0; s < 4; ++s) {
        Found longer = f;
        longer.symbols.push_back(s);
        longer.log_p += logits[s] - std::log(total);
        (s == 0 || t + 1 == steps ? done : next).push_back(longer);
      }
    }
    open = std::move(next);
  }
  std::stable_sort(done.begin(), done.end(),
                   [](const Found& a, const Found& b) { return a.log_p > b.log_p; });
  return done;
}

}  // namespace

TEST_CASE("a wide beam finds the likeliest sequences, a narrow one is greedy", "[search]") {
  const Definition d = chain();
  const Tensors w = chain_weights();
  for (const std::int64_t steps : {1, 2, 5}) {
    const std::vector<Found> truth = all_sequences(w, steps);
    const std::int64_t count = std::min<std::int64_t>(6, static_cast<std::int64_t>(truth.size()));
    const auto found = beam_search(d, w, {.beam = 2000, .count = count, .steps = steps});
    REQUIRE(found.size() == static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].log_p == Approx(truth[i].log_p).epsilon(1e-5));
      CHECK(found[i].symbols == truth[i].symbols);
    }
  }
  const auto greedy = beam_search(d, w, {.beam = 1, .steps = 12});
  const auto likeliest = sample(d, w, {.steps = 12, .temperature = 0});
  const auto symbols = likeliest[0].at("y").values<std::int64_t>();
  CHECK(greedy[0].symbols == std::vector<std::int64_t>(symbols.begin(), symbols.end()));
  // the log p told is that of the data
  Example e;
  e.values.emplace(
      "y", Tensor::of({static_cast<std::int64_t>(greedy[0].symbols.size())}, greedy[0].symbols));
  e.lengths["tau"] = static_cast<std::int64_t>(greedy[0].symbols.size());
  CHECK(-evaluate(d, w, {{e}}).loss == Approx(greedy[0].log_p).epsilon(1e-5));
  const auto after = beam_search(d, w, {.beam = 50, .count = 2, .steps = 4, .prompt = {3, 1}});
  for (const Found& f : after) {
    CHECK(f.symbols[0] == 3);
    CHECK(f.symbols[1] == 1);
  }
  // a penalty on length makes what is longer comparable
  const auto penalised =
      beam_search(d, w, {.beam = 50, .count = 1, .steps = 6, .length_penalty = 2});
  CHECK(penalised[0].symbols.size() >=
        beam_search(d, w, {.beam = 50, .steps = 6})[0].symbols.size());
  CHECK_THROWS_AS(beam_search(d, w, {.beam = 2, .count = 3}), Error);
  CHECK_THROWS_AS(beam_search(d, w, {.beam = 2, .steps = 1, .prompt = {1}}), Error);
}

TEST_CASE("a beam of a model with a hidden state", "[search]") {
  const Definition d = load_definition(TAUGRAD_SOURCE_DIR "/graphs/char_lm.json");
  const Tensors w = initial_weights(d, {.seed = 4});
  Tensors large;
  for (const auto& [name, t] : w) {
    large.emplace(name, t);
    for (std::int64_t i = 0; i < t.size(); ++i) large.at(name).set(i, t.at(i) * 3);
  }
  const auto found = beam_search(d, large, {.beam = 8, .count = 3, .steps = 20, .prompt = {1}});
  REQUIRE(found.size() == 3);
  CHECK(found[0].log_p >= found[1].log_p);
  for (const Found& f : found) {
    Example whole, prompt;
    whole.values.emplace("y", Tensor::of({static_cast<std::int64_t>(f.symbols.size())}, f.symbols));
    whole.lengths["tau"] = static_cast<std::int64_t>(f.symbols.size());
    prompt.values.emplace("y", Tensor::of({1}, std::vector<std::int64_t>{1}));
    prompt.lengths["tau"] = 1;
    const double log_p = evaluate(d, large, {{prompt}}).loss - evaluate(d, large, {{whole}}).loss;
    CHECK(f.log_p == Approx(log_p).epsilon(1e-4));
  }
}

namespace {

/// log p of every sequence of symbols 0..k-1 for an item, likeliest first: `steps` long, or with
/// `ends` any up to there that end with their first 0.
std::vector<Found> every_sequence(const Definition& d, const Tensors& w, const Example& item,
                                  std::int64_t k, std::int64_t steps, bool ends) {
  std::vector<Found> open = {{{}, 0}}, done;
  for (std::int64_t t = 0; t < steps; ++t) {
    std::vector<Found> next;
    for (const Found& f : open)
      for (std::int64_t s = 0; s < k; ++s) {
        Found longer = f;
        longer.symbols.push_back(s);
        (t + 1 == steps || (ends && s == 0) ? done : next).push_back(longer);
      }
    open = std::move(next);
  }
  for (Found& f : done) {
    Example e = item;
    const auto length = static_cast<std::int64_t>(f.symbols.size());
    e.values.emplace("y", Tensor::of({length}, f.symbols));
    e.lengths["tau"] = length;
    f.log_p = -evaluate(d, w, {{e}}).loss;
  }
  std::stable_sort(done.begin(), done.end(),
                   [](const Found& a, const Found& b) { return a.log_p > b.log_p; });
  return done;
}

Tensors times(const Tensors& weights, double factor) {
  Tensors out = weights;
  for (auto& [name, t] : out)
    for (std::int64_t i = 0; i < t.size(); ++i) t.set(i, t.at(i) * factor);
  return out;
}

}  // namespace

TEST_CASE("a beam for inputs that items give finds the likeliest of all sequences", "[search]") {
  // inputs at each step, which tell the length; those of a sequence of its own; one for all steps
  const std::vector<std::pair<const char*, bool>> models = {
      {R"json({"name": "beside", "index": {"t": "tau"}, "sizes": {"k": 3}, "inputs": {"x[t]": [2]},
        "weights": {"U": [4, 2], "W": [4, 4], "S": [4, 3], "V": [3, 4]},
        "equations": ["h[t] = tanh(U @ x[t] + W @ h[t-1] + S @ one_hot(y[t-1], k) + U @ x[t-1])",
                      "y[t] ~ categorical(logits = V @ h[t])"]})json",
       false},
      {R"json({"name": "translated", "index": {"s": "n", "t": "tau"}, "sizes": {"k": 3},
        "inputs": {"x[s]": [2]},
        "weights": {"U": [4, 2], "Z": [4, 4], "W": [4, 4], "S": [4, 3], "V": [3, 4]},
        "equations": ["e[s] = tanh(U @ x[s] + Z @ e[s-1])", "h[0] = e[last]",
                      "h[t] = tanh(W @ h[t-1] + S @ one_hot(y[t-1], k))",
                      "y[t] ~ categorical(logits = V @ h[t] + sum[s](sum(e[s] * h[t])))"],
        "ends": {"t": "y[t] == 0"}})json",
       true},
      {R"json({"name": "around", "index": {"t": "tau"}, "sizes": {"k": 3}, "inputs": {"x": [2]},
        "weights": {"U": [4, 2], "W": [4, 4], "S": [4, 3], "V": [3, 4]},
        "equations": ["h[t] = tanh(U @ x + W @ h[t-1] + S @ one_hot(y[t-1], k))",
                      "y[t] ~ categorical(logits = V @ h[t])"],
        "ends": {"t": "y[t] == 0"}})json",
       true}};
  for (const auto& [text, ends] : models) {
    const Definition d = parse_definition(text, "model.json");
    const Tensors w = times(initial_weights(d, {.seed = 7}), 2.5);
    const bool one = d.name == "around", own = d.name == "translated";
    Dataset items;
    for (const std::int64_t n : {3, 4, 1, 3}) {  // of the inputs
      Example e;
      Tensor x(one ? Dims{2} : Dims{n, 2}, Dtype::f64);
      const auto item = static_cast<double>(items.examples.size());
      for (std::int64_t i = 0; i < x.size(); ++i)
        x.set(i, std::sin(2.3 * item + 1.7 * static_cast<double>(i)));
      e.values.emplace("x", x);
      if (!one) e.lengths[own ? "n" : "tau"] = n;
      items.examples.push_back(std::move(e));
    }
    Dataset asked = items;  // what they have of y is not read
    asked.examples[0].values.emplace("y", Tensor::of({3}, std::vector<std::int64_t>{1, 1, 1}));
    const auto found = beam_search(d, w, asked, {.beam = 200, .count = 3, .steps = 4});
    REQUIRE(found.size() == items.examples.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(d.name, i);
      const Example& item = items.examples[i];
      const std::int64_t steps = ends ? 4 : item.lengths.at("tau");
      const auto truth = every_sequence(d, w, item, 3, steps, ends);
      REQUIRE(found[i].size() == 3);
      for (std::size_t f = 0; f < 3; ++f) {
        CHECK(found[i][f].symbols == truth[f].symbols);
        CHECK(found[i][f].log_p == Approx(truth[f].log_p).epsilon(1e-4));
      }
    }
    const auto narrow = beam_search(d, w, items, {.beam = 1, .steps = 4});
    const auto greedy = sample(d, w, items, {.steps = 4, .temperature = 0});
    for (std::size_t i = 0; i < narrow.size(); ++i) {
      std::vector<std::int64_t> symbols = narrow[i][0].symbols;
      const auto whole = greedy[i].at("y").values<std::int64_t>();
      REQUIRE(symbols.size() <= whole.size());
      CHECK(std::equal(symbols.begin(), symbols.end(), whole.begin()));
    }
    CHECK_THROWS_AS(beam_search(d, w, {.beam = 2}), Error);
    CHECK_THROWS_AS(beam_search(d, w, Dataset{}, {.beam = 2}), Error);
    CHECK_THROWS_AS(beam_search(d, w, items, {.beam = 2, .prompt = {1}}), Error);
  }
}

TEST_CASE("of the likeliest share: the fewest that have it, in their proportions", "[search]") {
  Graph g;
  const Var z = g.input("z", {4});
  const double p[] = {0.1, 0.4, 0.2, 0.3};
  for (const auto& [share, wanted] :
       std::map<double, std::vector<double>>{{0.3, {0, 1, 0, 0}},
                                             {0.5, {0, 4. / 7, 0, 3. / 7}},
                                             {0.85, {0, 4. / 9, 2. / 9, 3. / 9}},
                                             {1.0, {0.1, 0.4, 0.2, 0.3}}}) {
    const Var y = draw_categorical(z, "y", 0, share);
    Interpreter<double> run(g.tape(), {&y.id, 1});
    constexpr std::int64_t kDraws = 20000;
    BatchContext context;
    context.seed = 3;
    for (std::int64_t i = 0; i < kDraws; ++i) context.item.push_back(i);
    run.set_batch(context, kDraws);
    const auto to = run.leaf(z.id);
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = std::log(p[i % 4]);
    run.run();
    std::vector<double> count(4);
    for (const double s : run.value(y.id)) count[static_cast<std::size_t>(s)] += 1.0 / kDraws;
    for (std::size_t s = 0; s < 4; ++s) {
      CHECK(count[s] == Approx(wanted[s]).margin(0.015));
      if (wanted[s] == 0) CHECK(count[s] == 0);
    }
  }
  CHECK_THROWS_AS(draw_categorical(z, "y", 0, 0.0), Error);
  CHECK_THROWS_AS(draw_categorical(z, "y", 0, 1.5), Error);
  // a share that one symbol has: as at temperature 0
  const auto all = [](double top_p, double temperature) {
    return sample(chain(), chain_weights(),
                  {.count = 3, .steps = 30, .temperature = temperature, .top_p = top_p});
  };
  CHECK(all(1e-6, 1) == all(1, 0));
  CHECK(all(0.999, 1) != all(1e-6, 1));
  CHECK_THROWS_AS(all(0, 1), Error);
}

TEST_CASE("sequences for inputs that items give", "[search]") {
  const Folder f;
  // the length of the inputs is that of the sequence
  spill(f / "d.jsonl",
        "{\"x\": [[1, 0], [0, 1], [1, 1]], \"y\": [0, 1, 2]}\n{\"x\": [[0, 1], [1, 0]], \"y\": [1, "
        "0]}\n{\"x\": [[1, 1]], \"y\": [2]}\n");
  REQUIRE(run(f, "train elman --size m=8 --data d.jsonl --epochs 300 --lr 0.05 -o m -q").status ==
          0);
  const Outcome likeliest = run(f, "sample m --data d.jsonl --temperature 0");
  INFO(likeliest.err);
  CHECK(likeliest.out == "{  \"y\": [0, 1, 2]}\n{  \"y\": [1, 0]}\n{  \"y\": [2]}\n");
  const Outcome drawn = run(f, "sample m --data d.jsonl --count 3 --seed 5 --temperature 3");
  CHECK(support::lines_of(drawn.out).size() == 9);
  CHECK(drawn.out == run(f, "sample m --data d.jsonl --count 3 --seed 5 --temperature 3").out);
  CHECK(drawn.out != run(f, "sample m --data d.jsonl --count 3 --seed 6 --temperature 3").out);
  // each alone as with the others
  spill(f / "first.jsonl", "{\"x\": [[1, 0], [0, 1], [1, 1]]}\n");
  CHECK(drawn.out.starts_with(
      run(f, "sample m --data first.jsonl --count 3 --seed 5 --temperature 3").out));
  CHECK(run(f, "sample m").status == 2);
  spill(f / "none.jsonl", "{\"y\": [1]}\n");
  CHECK(run(f, "sample m --data none.jsonl").status == 3);

  // a length that no input tells: --steps, or where the sequence ends
  spill(f / "v.jsonl", "{\"x\": [1, 0], \"y\": [1, 1, 0]}\n{\"x\": [0, 1], \"y\": [2, 2, 2, 0]}\n");
  spill(f / "v.json",
        R"json({"name": "v", "index": {"t": "tau"}, "sizes": {"n": 2, "m": 12, "k": 3},
    "inputs": {"x": ["n"]},
    "weights": {"U": ["m", "n"], "W": ["m", "m"], "S": ["m", "k"], "V": ["k", "m"]},
    "equations": ["h[t] = tanh(U @ x + W @ h[t-1] + S @ one_hot(y[t-1], k))",
                  "y[t] ~ categorical(logits = V @ h[t])"],
    "ends": {"t": "y[t] == 0"}})json");
  REQUIRE(run(f, "train v.json --data v.jsonl --epochs 400 --lr 0.03 -o v -q").status == 0);
  spill(f / "x.jsonl", "{\"x\": [0, 1]}\n{\"x\": [1, 0]}\n");
  const Outcome open = run(f, "sample v --data x.jsonl --temperature 0");
  INFO(open.err);
  CHECK(open.out == "{  \"y\": [2, 2, 2, 0]}\n{  \"y\": [1, 1, 0]}\n");
  const Outcome beam = run(f, "sample v --data x.jsonl --beam 4");
  INFO(beam.err);
  CHECK(beam.out == open.out);
  CHECK(has(beam.err, "log p -0."));
  CHECK(support::lines_of(run(f, "sample v --data x.jsonl --beam 4 --count 2").out).size() == 4);
  CHECK(run(f, "sample m --data d.jsonl --beam 3").out == likeliest.out);
  CHECK(has(run(f, "sample v --beam 4").err, "error[U010]"));
  CHECK(run(f, "sample v --data x.jsonl --temperature 0 --steps 2").out ==
        "{  \"y\": [2, 2]}\n{  \"y\": [1, 1]}\n");
}

TEST_CASE("beams and shares on the command line", "[search]") {
  const Folder f;
  spill(f / "t.txt", "to be\nto be\nto do\n");
  REQUIRE(run(f, "train char_lm --size m=12 --data t.txt --epochs 120 --lr 0.03 -o m -q").status ==
          0);
  const Outcome best = run(f, "sample m --beam 5");
  INFO(best.err);
  CHECK(best.out == "to be\n");
  CHECK(has(best.err, "log p -0."));
  CHECK(run(f, "sample m --beam 5 --count 2").out == "to be\n%\nto do\n%\n");
  CHECK(run(f, "sample m --beam 2 --count 3").status == 2);
  CHECK(run(f, "sample m --beam 2 --top-k 3").status == 2);
  CHECK(run(f, "sample m --length-penalty 1").status == 2);
  CHECK(run(f, "sample m --top-p 0").status == 2);
  CHECK(run(f, "sample m --top-p 0.000001 --seed 3").out == "to be\n");
}
