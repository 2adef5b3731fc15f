// Training and sampling from the command line.
#include <catch2/catch.hpp>

#include "support_cli.h"

using namespace support;

namespace {

const std::string kTrain =
    "train char_lm --data text.txt --size m=16 --batch 4 --epochs 8 --seed 3 ";

void make_text(const Folder& f) {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += i % 3 == 0 ? "the cat sat on the mat\n" : i % 3 == 1 ? "a dog ran\n" : "the dog sat\n";
  spill(f / "text.txt", text);
}

}  // namespace

TEST_CASE("train makes a folder, sample writes from it", "[cli]") {
  const Folder f;
  make_text(f);
  const Outcome train = taugrad(f, kTrain + "-o model");
  INFO(train.err);
  REQUIRE(train.status == 0);
  CHECK(train.out.empty());
  CHECK(has(train.err, "bits/char"));
  for (const char* file : {"definition.json", "model.safetensors", "vocab.json", "state.json",
                           "optimizer.safetensors", "manifest.json"})
    CHECK(fs::exists(f.path / newest(f, "model") / file));
  for (const char* file : {"config.json", "latest", "metrics.jsonl"})
    CHECK(fs::exists(f.path / "model" / file));
  CHECK(newest(f, "model") == "model/step-120");
  const auto metrics = lines_of(slurp(f / "model/metrics.jsonl"));
  REQUIRE(metrics.size() == 120);
  CHECK(metrics.back()["update"] == 120);
  CHECK(metrics.back()["loss"] < metrics.front()["loss"]);

  const Outcome again = taugrad(f, kTrain + "-o model");
  CHECK(again.status == 2);
  CHECK(has(again.err, "U003"));
  const std::string before = slurp(f / (newest(f, "model") + "/model.safetensors"));
  CHECK(taugrad(f, kTrain + "-o model --overwrite -q").err.empty());
  CHECK(slurp(f / (newest(f, "model") + "/model.safetensors")) ==
        before);  // the same seed, the same bits

  const Outcome texts = taugrad(f, "sample model --count 3 --steps 40");
  CHECK(texts.status == 0);
  CHECK(texts.out == taugrad(f, "sample model --count 3 --steps 40").out);
  CHECK(texts.out != taugrad(f, "sample model --count 3 --steps 40 --seed 9").out);
  CHECK(taugrad(f, "sample model --prompt 'the c' --steps 40").out.starts_with("the c"));
  CHECK(lines_of(taugrad(f, "sample model --count 2 --json").out).size() == 2);
  const Outcome prompt = taugrad(f, "sample model --prompt 'Q'");
  CHECK(prompt.status == 3);
  CHECK(has(prompt.err, "D004"));
}

TEST_CASE("training that is stopped goes on with the same bits", "[cli]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain + "-o whole -q").status == 0);
  REQUIRE(taugrad(f, kTrain + "-o part -q --save-every 0 --seconds 0.02").status == 0);
  for (int tries = 0; tries < 200 && lines_of(slurp(f / "part/metrics.jsonl")).size() < 120;
       ++tries)
    REQUIRE(taugrad(f, "train --resume part -q --seconds 0.02").status == 0);
  for (const char* file : {"/model.safetensors", "/optimizer.safetensors", "/state.json"})
    CHECK(slurp(f / (newest(f, "part") + file)) == slurp(f / (newest(f, "whole") + file)));
  CHECK(without_times(slurp(f / "part/metrics.jsonl")) ==
        without_times(slurp(f / "whole/metrics.jsonl")));

  spill(f / "text.txt", slurp(f / "text.txt") + "more\n");
  const Outcome other = taugrad(f, "train --resume part");
  CHECK(other.status == 3);
  CHECK(has(other.err, "error["));
}

TEST_CASE("the gradient flow goes into the metrics, and changes nothing else", "[cli]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain + "-o plain -q").status == 0);
  REQUIRE(taugrad(f, kTrain + "-o watched -q --flow-every 7").status == 0);
  CHECK(slurp(f / (newest(f, "watched") + "/model.safetensors")) ==
        slurp(f / (newest(f, "plain") + "/model.safetensors")));
  const auto metrics = lines_of(slurp(f / "watched/metrics.jsonl"));
  REQUIRE(metrics.size() == 120);
  for (std::size_t i = 0; i < metrics.size(); ++i)
    CHECK(metrics[i].contains("flow") == (i % 7 == 6));
  const auto& h = metrics[6]["flow"]["h"];
  CHECK(h["first"] > 0);
  CHECK(h["ratio"].get<double>() ==
        Approx(h["first"].get<double>() / h["last"].get<double>()).epsilon(1e-12));
  CHECK(h["rate"] > 0);
  CHECK(h["verdict"] == "vanishing");
  // going on needs no word of it
  REQUIRE(taugrad(f, kTrain + "-o part -q --flow-every 7 --seconds 0.001").status == 0);
  REQUIRE(lines_of(slurp(f / "part/metrics.jsonl")).size() < 120);
  REQUIRE(taugrad(f, "train --resume part -q").status == 0);
  CHECK(without_times(slurp(f / "part/metrics.jsonl")) ==
        without_times(slurp(f / "watched/metrics.jsonl")));
  // a definition without a state says so before anything is written
  spill(f / "items.jsonl", "{\"x\": [[1, 0]], \"y\": [1]}\n");
  const Outcome none = taugrad(f, "train time_delay --data items.jsonl --flow-every 1 -o none");
  CHECK(none.status == 3);
  CHECK(has(none.err, "G028"));
  CHECK_FALSE(fs::exists(f.path / "none"));
}

TEST_CASE("the first Ctrl-C saves and ends with 130", "[cli]") {
  const Folder f;
  make_text(f);
  for (const auto& [signal, status] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (::chdir(f.path.c_str()) != 0 || !std::freopen("err.txt", "w", stderr)) ::_exit(99);
      ::execl(TAUGRAD_EXECUTABLE, "taugrad", "train", TAUGRAD_SOURCE_DIR "/graphs/char_lm.json",
              "--data", "text.txt", "--epochs", "1000000", "-o", "stopped", "--overwrite",
              static_cast<char*>(nullptr));
      ::_exit(99);
    }
    while (!has(slurp(f / "err.txt"), "parameters"))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    ::kill(child, signal);
    int result = 0;
    ::waitpid(child, &result, 0);
    CHECK(WIFEXITED(result));
    CHECK(WEXITSTATUS(result) == status);
    CHECK(has(slurp(f / "err.txt"), "--resume"));
    CHECK(taugrad(f, "sample stopped").status == 0);
  }
}

TEST_CASE("items that are not text come as JSON lines", "[cli]") {
  const Folder f;
  std::string lines;
  for (int i = 0; i < 40; ++i)
    lines +=
        i % 2 ? "{\"x\": [[1, 0], [0, 1]], \"y\": [0, 1]}\n" : "{\"x\": [[0, 1]], \"y\": [1]}\n";
  spill(f / "items.jsonl", lines);
  const Outcome o = taugrad(f, "train elman --data items.jsonl -o model --lr 0.05");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK_FALSE(fs::exists(f.path / newest(f, "model") / "vocab.json"));
  CHECK(lines_of(slurp(f / "model/metrics.jsonl")).back()["loss"] < 0.2);
  spill(f / "bad.jsonl", "{\"x\": [[1, 0]], \"y\": [0]}\n{\"x\": [[1, 0]], \"y\": [7]}\n");
  const Outcome bad = taugrad(f, "train elman --data bad.jsonl -o other");
  CHECK(bad.status == 3);
  CHECK(has(bad.err, "bad.jsonl:2"));
}
