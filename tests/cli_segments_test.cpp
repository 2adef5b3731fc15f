// Segments, windows, predictions and forecasts from the command line.
#include <algorithm>
#include <catch2/catch.hpp>
#include <span>
#include <vector>

#include "support_cli.h"
#include "taugrad/io/tensors.h"
#include "taugrad/train/model_folder.h"
#include "taugrad/train/predict.h"
#include "taugrad/train/sample.h"

using namespace support;
namespace tg = ::taugrad;

namespace {

void make_text(const Folder& f, int times) {
  std::string text;
  for (int i = 0; i < times; ++i)
    text += i % 3 == 0 ? "the cat sat on the mat\n" : i % 3 == 1 ? "a dog ran\n" : "the dog sat\n";
  spill(f / "text.txt", text);
}

}  // namespace

TEST_CASE("run goes on from the state of the segment before", "[cli]") {
  const Folder f;
  const std::string x = R"j({"x": [[[1, 2]], [[3, 4]], [[5, 6]], [[7, 8]]]})j";
  spill(f / "x.json", x);
  spill(f / "a.json", R"j({"x": [[[1, 2]], [[3, 4]], [[5, 6]]]})j");
  spill(f / "b.json", R"j({"x": [[[7, 8]]]})j");
  REQUIRE(
      support::taugrad(f, "run elman --seed 3 --steps 1 --fetch U,W,b -o w.safetensors").status ==
      0);
  const auto fetched = [&](const std::string& more) {
    const Outcome o =
        support::taugrad(f, "run elman --weights w.safetensors --fetch h --json " + more);
    INFO(o.err);
    REQUIRE(o.status == 0);
    return nlohmann::json::parse(o.out)["h"];
  };
  const auto whole = fetched("--inputs x.json");
  const auto first = fetched("--inputs a.json --state-out s.safetensors");
  const auto last = fetched("--inputs b.json --state-in s.safetensors --state-out t.json");
  for (int t = 0; t < 3; ++t) CHECK(first[t] == whole[t]);
  CHECK(last[0] == whole[3]);
  CHECK(nlohmann::json::parse(slurp(f / "t.json"))["steps"] == nlohmann::json::array({4}));
  const Outcome ahead = support::taugrad(
      f, "run bidirectional --inputs a.json --weights w.safetensors --fetch o --state-out z.json");
  CHECK(ahead.status == 3);
  CHECK(has(ahead.err, "G040"));
  CHECK_FALSE(fs::exists(f.path / "z.json"));
  CHECK(has(support::taugrad(
                f, "run elman --state-in s.safetensors --state-out s.safetensors --inputs a.json")
                .err,
            "U004"));
  spill(f / "bad.json", R"j({"h[t]": [[0, 0, 0]], "steps": [2147483647]})j");
  const Outcome bad = support::taugrad(
      f, "run elman --inputs b.json --weights w.safetensors --fetch h --state-in bad.json");
  CHECK(bad.status == 3);
  CHECK(has(bad.err, "D014"));
  CHECK(has(bad.err, "bad.json"));  // the file of the state, not that of the inputs
}

TEST_CASE("a long text is trained in windows, resumed with the same bits", "[cli]") {
  const Folder f;
  make_text(f, 120);
  const std::string how =
      " --size m=12 --data text.txt --split none --bptt 32 --batch 4 --epochs 2 --lr 0.01 "
      "--schedule 'warmup(5) cosine(0.1)' --seed 4 ";
  REQUIRE(support::taugrad(f, "train char_lm" + how + "-o whole -q").status == 0);
  const auto metrics = lines_of(slurp(f / "whole/metrics.jsonl"));
  REQUIRE(metrics.size() > 20);
  CHECK(metrics.back()["lr"] == Approx(0.001));
  REQUIRE(support::taugrad(f, "train char_lm" + how + "--seconds 0.000001 -o parts -q").status ==
          0);
  CHECK(lines_of(slurp(f / "parts/metrics.jsonl")).size() == 1);
  REQUIRE(support::taugrad(f, "train --resume parts -q").status == 0);
  CHECK(slurp(f / (newest(f, "parts") + "/model.safetensors")) ==
        slurp(f / (newest(f, "whole") + "/model.safetensors")));
  const Outcome eval = support::taugrad(f, "eval whole --data text.txt --json");
  CHECK(eval.status == 0);
  const Outcome bad = support::taugrad(f, "train char_lm --data text.txt --bptt 8,9 -o bad");
  CHECK(bad.status == 2);
  CHECK(has(support::taugrad(f, "train char_lm --data text.txt --schedule 'cosin(1)' -o bad").err,
            "cosine"));
}

namespace {

/// In folder m, of a text.
tg::TrainedModel trained(const Folder& f) {
  make_text(f, 60);
  REQUIRE(
      support::taugrad(f, "train char_lm --size m=12 --data text.txt --epochs 3 --lr 0.01 -o m -q")
          .status == 0);
  return tg::load_model(f / "m");
}

}  // namespace

TEST_CASE("sequences of any length are drawn, and a prompt may be long", "[cli]") {
  const Folder f;
  const tg::TrainedModel m = trained(f);
  tg::Definition d = m.definition;
  d.ends.clear();
  for (const double temperature : {1.0, 0.0}) {
    tg::SampleOptions o{.count = 2, .steps = 512, .seed = 7, .temperature = temperature};
    const auto whole = tg::sample(d, m.weights, o);
    o.steps = 700;
    const auto longer = tg::sample(d, m.weights, o);
    for (std::size_t i = 0; i < 2; ++i) {
      REQUIRE(longer[i].at("y").dims() == tg::Dims{700});
      for (std::int64_t t = 0; t < 512; ++t)
        REQUIRE(longer[i].at("y").at(t) == whole[i].at("y").at(t));
    }
    // what was drawn, as a prompt
    for (const std::int64_t given : {300, 511}) {
      o.prompt.clear();
      for (std::int64_t t = 0; t < given; ++t)
        o.prompt.push_back(static_cast<std::int64_t>(longer[0].at("y").at(t)));
      tg::SampleOptions one = o;
      one.count = 1;
      CHECK(tg::sample(d, m.weights, one)[0].at("y") == longer[0].at("y"));
    }
  }
  tg::SampleOptions ended{.count = 3, .steps = 500, .seed = 3};
  const auto shorter = tg::sample(m.definition, m.weights, ended);
  ended.steps = 5000;
  CHECK(tg::sample(m.definition, m.weights, ended) == shorter);
}

TEST_CASE("a sequence of symbols is told as it is drawn", "[cli]") {
  const Folder f;
  const tg::TrainedModel m = trained(f);
  tg::Definition d = m.definition;
  d.ends.clear();
  for (const std::int64_t steps : {40, 3000}) {
    tg::SampleOptions o{.steps = steps, .seed = 7, .prompt = {3, 1, 4}};
    const auto whole = tg::sample(d, m.weights, o);
    std::vector<std::int64_t> told;
    std::size_t most = 0;
    o.tell = [&](std::span<const std::int64_t> symbols) {
      told.insert(told.end(), symbols.begin(), symbols.end());
      most = std::max(most, symbols.size());
    };
    CHECK(tg::sample(d, m.weights, o).empty());
    CHECK(tg::Tensor::of({steps}, told) == whole[0].at("y"));
    CHECK(most <= 600);  // of many, none that was told is held
    o.count = 2;
    CHECK_THROWS_WITH(tg::sample(d, m.weights, o), Catch::Contains("one sequence"));
  }
  // printed as it is drawn, delivered whole: the same
  const std::string line = "sample m --steps 2000 --seed 5 --prompt the -q";
  CHECK(support::taugrad(f, line).out.starts_with("the"));
  REQUIRE(support::taugrad(f, line + " -o out.txt").status == 0);
  CHECK(slurp(f / "out.txt") == support::taugrad(f, line).out);
}

TEST_CASE("predict tells likeliest values and probabilities, and goes on after the data", "[cli]") {
  const Folder f;
  std::string lines;
  for (int i = 0; i < 40; ++i) {
    std::string x, y;
    for (int t = 0; t < 3 + i % 3; ++t) {
      const int bit = (i * 7 + t * 3) % 5 < 2;
      x += std::string(t > 0 ? ", " : "") + "[" + std::to_string(bit) + "]";
      y += std::string(t > 0 ? ", " : "") + std::to_string(bit);
    }
    lines += "{\"x\": [" + x + "], \"y\": [" + y + "]}\n";
  }
  spill(f / "train.jsonl", lines);
  spill(f / "net.json", R"j({"name": "net", "index": {"t": "tau"}, "inputs": {"x[t]": [1]},
    "weights": {"U": [4, 1], "V": [2, 4]}, "equations": ["h[t] = tanh(U @ x[t])", "y[t] ~ categorical(logits = V @ h[t])"]})j");
  REQUIRE(support::taugrad(f, "train net.json --data train.jsonl --epochs 30 --lr 0.05 -o m -q")
              .status == 0);
  spill(f / "new.jsonl", "{\"x\": [[1], [0]]}\n{\"x\": [[0], [0], [1]]}\n");
  const Outcome o = support::taugrad(f, "predict m --data new.jsonl");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const auto out = o.lines();
  REQUIRE(out.size() == 2);
  CHECK(out[0]["y"].size() == 2);
  CHECK(out[1]["p:y"].size() == 3);
  CHECK(out[1]["p:y"][0].size() == 2);
  CHECK(double(out[1]["p:y"][2][0]) + double(out[1]["p:y"][2][1]) == Approx(1));
  CHECK(out[0]["y"][0] == (double(out[0]["p:y"][0][1]) > double(out[0]["p:y"][0][0]) ? 1 : 0));
  CHECK(support::taugrad(f, "predict m --data new.jsonl --batch 1").out == o.out);
  const auto fetched = support::taugrad(f, "predict m --data train.jsonl --fetch h,nll:y").lines();
  REQUIRE(fetched.size() == 40);
  CHECK(fetched[1]["h"].size() == 4);
  CHECK(fetched[1]["nll:y"].size() == 4);
  CHECK(has(support::taugrad(f, "predict m --data new.jsonl --fetch g").err, "U020"));
  CHECK(has(support::taugrad(f, "predict m --data new.jsonl --steps 2").err, "D005"));
  CHECK(has(support::taugrad(f, "predict m --data train.jsonl --steps 2").err, "U010"));

  std::string series;
  for (int i = 0; i < 30; ++i) {
    std::string y;
    for (int t = 0; t < 6 + i % 4; ++t)
      y += std::string(t > 0 ? ", " : "") + std::to_string((i + t) % 3);
    series += "{\"y\": [" + y + "]}\n";
  }
  spill(f / "series.jsonl", series);
  spill(f / "cycle.json", R"j({"name": "cycle", "index": {"t": "tau"}, "sizes": {"k": 3, "m": 8},
    "weights": {"W": ["m", "m"], "E": ["k", "m"], "V": ["k", "m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + embed(E, y[t-1]))", "y[t] ~ categorical(logits = V @ h[t])"]})j");
  REQUIRE(support::taugrad(f, "train cycle.json --data series.jsonl --epochs 60 --lr 0.03 -o c -q")
              .status == 0);
  const Outcome forecast = support::taugrad(f, "predict c --data series.jsonl --steps 5");
  INFO(forecast.err);
  REQUIRE(forecast.status == 0);
  const auto items = forecast.lines();
  REQUIRE(items.size() == 30);
  int right = 0;
  for (int i = 0; i < 30; ++i)
    for (int t = 0; t < 5; ++t)
      right += items[static_cast<std::size_t>(i)]["y"][static_cast<std::size_t>(t)] ==
               (i + 6 + i % 4 + t) % 3;
  CHECK(right > 140);  // each item goes on from its own end
  const Outcome drawn =
      support::taugrad(f, "predict c --data series.jsonl --steps 5 --draw --seed 4");
  CHECK(drawn.status == 0);
  CHECK(drawn.out ==
        support::taugrad(f, "predict c --data series.jsonl --steps 5 --draw --seed 4").out);
}

TEST_CASE("training begins with weights of others, frozen by name", "[cli]") {
  const Folder f;
  make_text(f, 30);
  const std::string how = "train char_lm --size m=8 --data text.txt --epochs 1 --batch 8 ";
  REQUIRE(support::taugrad(f, how + "-o a -q").status == 0);
  const Outcome b = support::taugrad(f, how + "--init a --freeze E --seed 9 -o b");
  INFO(b.err);
  REQUIRE(b.status == 0);
  CHECK(has(b.err, "weights from a"));
  const tg::TrainedModel a = tg::load_model(f / "a"), own = tg::load_model(f / "b");
  CHECK(a.weights.at("E") == own.weights.at("E"));
  CHECK_FALSE(a.weights == own.weights);
  tg::Tensors renamed;
  for (const auto& [name, w] : a.weights) renamed.emplace("module.net." + name, w);
  tg::save_tensors(f / "w.safetensors", renamed);
  CHECK(support::taugrad(f, how + "--init w.safetensors --map module.net.= -o c -q").status == 0);
  const Outcome none = support::taugrad(f, how + "--init w.safetensors -o d");
  CHECK(none.status == 3);
  CHECK(has(none.err, "S013"));
  CHECK_FALSE(fs::exists(f.path / "d"));
  CHECK(has(support::taugrad(f, how + "--map a=b -o d").err, "U007"));
  CHECK(has(support::taugrad(f, how + "--freeze Q -o d").err, "U002"));
}

TEST_CASE("a net that cannot learn is told", "[cli]") {
  const Folder f;
  spill(f / "d.jsonl", "{\"x\": 1, \"z\": 2}\n{\"x\": 2, \"z\": 3}\n");
  spill(f / "net.json",
        R"j({"name": "net", "inputs": {"x": [], "z": []}, "weights": {"v": [3], "w": [3]},
    "equations": ["e = sum(w * v) * x - z"], "loss": "e * e"})j");
  const Outcome o = support::taugrad(f, "train net.json --data d.jsonl --epochs 5 -o m");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(has(o.err, "D104"));
  CHECK(has(o.err, "v, w"));
}
