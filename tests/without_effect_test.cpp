// Options of a training that would do nothing beside the others: refused in C++ and on the command
// line by one rule, with what would mend them; and states that were saved with them go on.
#include "train/loop/without_effect.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "json/json.h"
#include "json/json_writer.h"
#include "support_cli.h"
#include "taugrad/train/trainer.h"
#include "train/state/options_json.h"

using namespace taugrad;
using support::Folder;
using support::has;
using support::Outcome;
using support::spill;

namespace {

using Kind = OptimizerKind;

Definition line() {
  return parse_definition(R"json({"name": "line", "inputs": {"x": [2], "z": []},
    "weights": {"w": {"shape": [2], "init": 0.5}, "b": {"shape": [], "init": 0.1},
                "k": {"shape": [], "init": 1, "trainable": false}},
    "equations": ["e = k * (w @ x) + b - z"], "loss": "e * e"})json",
                          "line");
}

/// What a trainer, and with it the command line, says of options.
Diagnostic told(const TrainOptions& o, const Definition& d = line()) {
  try {
    Trainer(d, json_lines_dataset(d, "{\"x\": [1, 2], \"z\": 3}\n", "points"), o);
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

TrainOptions with(const OptimizerOptions& o) { return {.optimizer = o}; }

}  // namespace

TEST_CASE("options of an optimizer without effect say what would mend them", "[train]") {
  struct Row {
    OptimizerOptions options;
    const char *flag, *name;
  };
  const std::vector<Row> rows = {
      {{.momentum = 0.5}, "--momentum", "momentum"},
      {{.kind = Kind::sgd, .beta1 = 0.5}, "--beta1", "beta1"},
      {{.kind = Kind::adagrad, .beta2 = 0.5}, "--beta2", "beta2"},
      {{.momentum = 0, .nesterov = true}, "--nesterov", "nesterov"},
      {{.kind = Kind::sgd, .nesterov = true}, "--nesterov", "nesterov"},
      {{.coupled = true}, "--coupled-decay", "coupled"},
      {{.kind = Kind::adamw, .weight_decay = 0.1, .coupled = true}, "--coupled-decay", "coupled"},
      {{.decayed = "w"}, "--decay-of", "decayed"}};
  for (const auto& [o, flag, name] : rows) {
    INFO(name);
    const Diagnostic d = told(with(o));
    CHECK(d.code == "U007");
    CHECK(has(d.message, fmt::format("{} (\"{}\" of the optimizer) has no effect", flag, name)));
    CHECK_FALSE(d.help.empty());
    const OptimizerOptions left = without_idle_options(o);
    CHECK(told(with(left)).code.empty());
    CHECK(left.kind == o.kind);
  }
  for (const Kind kind :
       {Kind::sgd, Kind::adam, Kind::adamw, Kind::rmsprop, Kind::adagrad, Kind::lion})
    CHECK(told(with(usual_options(kind))).code.empty());
  CHECK(told(with({.kind = Kind::sgd, .momentum = 0.9, .nesterov = true})).code.empty());
  CHECK(told(with({.weight_decay = 0.1, .coupled = true, .decayed = "w"})).code.empty());
}

TEST_CASE("names of weights on which an option has no effect", "[train]") {
  const auto frozen = [](const char* names) { return told({.frozen = names}); };
  CHECK(frozen("w").code.empty());
  CHECK(frozen("k*,w").code == "U007");  // k is not trained anyway
  CHECK(has(frozen("k").message, "k is not trained anyway"));
  for (const char* all : {"*", "w,b", "b,w*"}) {
    CHECK(frozen(all).code == "U007");
    CHECK(has(frozen(all).message, "leaves no weight to train, of b, k, w"));
  }
  const auto decayed = [](const char* names, const char* fixed) {
    return told({.optimizer = {.weight_decay = 0.1, .decayed = names}, .frozen = fixed});
  };
  CHECK(decayed("w", "").code.empty());
  CHECK(decayed("w", "w").code == "U007");
  CHECK(has(decayed("k", "").message, "k is not trained"));
  CHECK(decayed("Q", "").code == "U002");
  const Definition none = parse_definition(
      R"json({"name": "none", "inputs": {"x": [2], "z": []},
    "weights": {"w": {"shape": [2], "init": 0.5, "trainable": false}},
    "equations": ["e = w @ x - z"], "loss": "e * e"})json",
      "none");
  CHECK(told({}, none).code == "G029");
}

TEST_CASE("a state that was saved with options without effect goes on without them", "[train]") {
  TrainOptions o;
  o.optimizer = {.kind = Kind::sgd, .nesterov = true, .coupled = true, .decayed = "w"};
  json::Writer w;
  w.begin_object();
  write_options(w, o);
  w.end_object();
  const json::Document document(w.text(), "state.json");
  const json::Fields fields(document.root_object(), "state", {"options"});
  const TrainOptions read = read_options(fields.at("options"));
  CHECK_FALSE(read.optimizer.nesterov);
  CHECK_FALSE(read.optimizer.coupled);
  CHECK(read.optimizer.decayed.empty());
  CHECK(told(read).code.empty());
}

TEST_CASE("options that would do nothing are refused on the command line", "[cli]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0], [0, 1]], \"y\": [1, 0]}\n");
  spill(f / "t.txt", "ab\nba\n");
  spill(f / "s.jsonl", "{\"x\": [0.5, 1, 0.25]}\n");
  spill(f / "x.json", R"({"x": [[[0.5, 0]], [[0, 0.25]]], "y": [[1], [0]]})");
  spill(f / "series.json",
        R"j({"name": "s", "index": {"t": "tau"}, "weights": {"a": {"shape": [], "init": 0.5}},
    "equations": ["x[t] ~ normal(mean = a * x[t-1], std = 1)"]
})j");
  const std::string train = "train elman --size m=3 --epochs 1 --data t.jsonl -q -o m ";
  const std::string go_on = "train --resume given --epochs 2 ";
  REQUIRE(
      support::taugrad(f, "train elman --size m=3 --epochs 1 --data t.jsonl -q -o given").status ==
      0);
  REQUIRE(
      support::taugrad(f, "train char_lm --size m=3 --epochs 1 --data t.txt -q -o text").status ==
      0);
  REQUIRE(support::taugrad(f, "train series.json --epochs 1 --data s.jsonl -q -o series").status ==
          0);
  REQUIRE(support::taugrad(f, "show elman --size m=3 --steps 2 --format json -o g.json").status ==
          0);
  REQUIRE(
      support::taugrad(f, "run elman --size m=3 --steps 2 --fetch U,W,b,V,c -o w.json").status ==
      0);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {train + "--coupled-decay", "--weight-decay 0.01"},
      {train + "--decay-of W*", "--decay-of (\"decayed\" of the optimizer) has no effect"},
      {train + "--optimizer sgd --nesterov", "--momentum 0.9"},
      {train + "--freeze '*'", "--freeze some of them"},
      {train + "--init given --map 'Q=W'", "--map \"Q=W\" has no effect"},
      {go_on + "--coupled-decay", "--weight-decay 0.01"},
      {go_on + "--decay-of W*", "--weight-decay 0.01"},
      {"sample text --temperature 0 --seed 3", "at temperature 0"},
      {"sample text --top-k 1 --seed 3", "beside --top-k 1"},
      {"sample text --top-k 1 --temperature 0.5", "beside --top-k 1"},
      {"run elman --size m=3 --inputs x.json --weights w.json --seed 3",
       "where tensors are given and nothing is drawn"},
      {"run given --inputs x.json --seed 3", "where tensors are given and nothing is drawn"},
      {"run given --inputs x.json --seed 3 --state-out s.json",
       "where tensors are given and nothing is drawn"},
      {"run g.json --inputs x.json --weights w.json --seed 3",
       "where tensors are given and nothing is drawn"},
      {"predict given --data t.jsonl --seed 3", "where nothing is drawn"},
      {"predict series --data s.jsonl --steps 2 --batch 3", "beside --steps"},
      {"predict series --data s.jsonl --steps 2 --draw --top-k 3", "draws no symbols"},
      {"predict series --data s.jsonl --steps 2 --draw --top-p 0.5", "draws no symbols"}};
  for (const auto& [words, what] : rows) {
    const Outcome o = support::taugrad(f, words);
    CAPTURE(words, o.err);
    CHECK(o.status == 2);
    CHECK(has(o.err, "error[U007]"));
    CHECK(has(o.err, what));
  }
  const Outcome o = support::taugrad(
      f, "train elman --size m=3 --epochs 1 --data t.jsonl -o m --bptt 8 --flow-every 9");
  CHECK(o.status == 0);
  CHECK(has(o.err, "--bptt 8 cuts nothing"));
  CHECK(has(o.err, "--flow-every 9 tells nothing"));
  CHECK(support::taugrad(f, go_on + "--weight-decay 0.01 --coupled-decay --decay-of W -q").status ==
        0);
  CHECK(support::taugrad(f, "train --resume given --epochs 3 --weight-decay 0 -q").status == 0);
}

TEST_CASE("beside --resume an option that says what the training has is no change", "[cli]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0], [0, 1], [1, 1]], \"y\": [1, 0, 1]}\n");
  REQUIRE(support::taugrad(f, "train elman --size m=3 --epochs 2 --bptt 2 --data t.jsonl -q -o c")
              .status == 0);
  for (const char* option : {"--bptt 2", "--bptt 2,2"}) {
    const Outcome o = support::taugrad(f, std::string("train --resume c --epochs 2 ") + option);
    INFO(o.err);
    CHECK(o.status == 0);
    CHECK_FALSE(has(o.err, "--bptt"));
  }
  const Outcome o = support::taugrad(f, "train --resume c --epochs 3 --bptt 2,1");
  CHECK(has(o.err, "--bptt 2,2 -> 2,1"));
  const std::string valid = "train --resume c --valid t.jsonl --epochs ";
  CHECK(has(support::taugrad(f, valid + "4").err, "--valid [] -> [/"));
  CHECK_FALSE(has(support::taugrad(f, valid + "5").err, "--valid"));
}

TEST_CASE("beside --resume what is refused is not told as a change", "[cli]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0], [0, 1]], \"y\": [1, 0]}\n");
  REQUIRE(support::taugrad(f, "train elman --epochs 1 --data t.jsonl -q -o c").status == 0);
  for (const char* options :
       {"--nesterov", "--lr 0.5 --coupled-decay", "--freeze Q", "--weight-decay 0.1 --decay-of Q",
        "--lr 0.5 --schedule 'plateau(0.5, 2)'", "--lr 0.5 --data none.jsonl"}) {
    const Outcome o = support::taugrad(f, std::string("train --resume c --epochs 3 ") + options);
    CAPTURE(options, o.err);
    CHECK(o.status != 0);
    CHECK(has(o.err, "error["));
    CHECK_FALSE(has(o.err, "after update"));
  }
  const Outcome o =
      support::taugrad(f, "train --resume c --epochs 3 --weight-decay 0.1 --decay-of 'W*'");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(has(o.err, "after update 1: --decay-of all -> W*"));
  CHECK(o.err.find("after update 1: --epochs 1 -> 3") < o.err.find("goes on after update 1"));
}

TEST_CASE("lists of names and schedules that say nothing are refused", "[cli]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0], [0, 1]], \"y\": [1, 0]}\n");
  const std::string train = "train elman --epochs 1 --data t.jsonl -q -o ";
  REQUIRE(support::taugrad(f, train + "c --freeze U").status == 0);
  const std::string name = "no weight is called \"\"", schedule = "cannot read the schedule";
  for (const auto& [words, why] : std::vector<std::pair<std::string, std::string>>{
           {train + "m --weight-decay 0.1 --decay-of ''", name},
           {train + "m --weight-decay 0.1 --decay-of 'W,'", name},
           {train + "m --freeze ''", name},
           {train + "m --freeze 'U,'", name},
           {train + "m --freeze 'U,,W'", name},
           {train + "m --schedule ''", schedule},
           {train + "m --schedule ' '", schedule},
           {"train --resume c --epochs 2 --weight-decay 0.1 --decay-of ''", name},
           {"train --resume c --epochs 2 --schedule ''", schedule}}) {
    const Outcome o = support::taugrad(f, words);
    CAPTURE(words, o.err);
    CHECK(o.status == 2);
    CHECK(has(o.err, "error[U002]"));
    CHECK(has(o.err, why));
  }
  CHECK_FALSE(support::fs::exists(f / "m"));
  CHECK(has(support::taugrad(f, "train --resume c --epochs 2 --freeze ''").err,
            "--freeze U -> none"));
}

TEST_CASE("a column twice in one variable is refused", "[cli]") {
  const Folder f;
  spill(f / "t.csv", "a,b,y\n1,0,1\n");
  const std::string train = "train elman --epochs 1 --data t.csv -q -o m --column ";
  for (const char* columns : {"x=1,1", "x=a,b,a"}) {
    const Outcome o = support::taugrad(f, train + columns);
    CAPTURE(columns, o.err);
    CHECK(o.status == 2);
    CHECK(has(o.err, "error[U002]"));
    CHECK(has(o.err, "is there twice"));
  }
  CHECK(support::taugrad(f, train + "x=a,b").status == 0);
}

TEST_CASE("train and eval say that a chunk changes nothing", "[cli]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0], [0, 1], [1, 1]], \"y\": [1, 0, 1]}\n");
  const std::string none = "a chunk of 2 changes nothing";
  const Outcome trained =
      support::taugrad(f, "train elman --epochs 3 --chunk 2 --data t.jsonl -o m");
  INFO(trained.err);
  CHECK(trained.status == 0);
  const std::size_t first = trained.err.find(none);
  REQUIRE(first != std::string::npos);
  CHECK(trained.err.find(none, first + 1) == std::string::npos);  // once
  CHECK(has(support::taugrad(f, "eval m --data t.jsonl --chunk 2").err, none));
  spill(f / "linear.json",
        R"j({"name": "linear", "index": {"t": "tau"}, "inputs": {"x[t]": [2], "y[t]": []},
    "weights": {"a": {"shape": [], "init": 0.5}, "w": {"shape": [2, 2], "init": 0.5}},
    "equations": ["S[t] = a * S[t-1] + outer(x[t], x[t])", "e[t] = sum(w @ (S[t] @ x[t])) - y[t]"],
    "loss": "sum(e[t] * e[t])"})j");
  const Outcome chunked =
      support::taugrad(f, "train linear.json --epochs 2 --chunk 2 --data t.jsonl -o l");
  INFO(chunked.err);
  CHECK(chunked.status == 0);
  CHECK_FALSE(has(chunked.err, none));
  CHECK_FALSE(has(support::taugrad(f, "eval l --data t.jsonl --chunk 2").err, none));
}
