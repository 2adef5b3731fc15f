// Evaluation, and training in modes, from the command line.
#include <catch2/catch.hpp>
#include <cmath>

#include "support_cli.h"

using namespace support;

namespace {

const std::string kTrain =
    "train char_lm --data text.txt --size m=16 --batch 4 --epochs 4 --seed 3 ";

void make_text(const Folder& f) {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += i % 3 == 0 ? "the cat sat on the mat\n" : i % 3 == 1 ? "a dog ran\n" : "the dog sat\n";
  spill(f / "text.txt", text);
}

}  // namespace

TEST_CASE("eval measures what train made", "[cli][eval]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain + "-o model -q").status == 0);
  const Outcome table = taugrad(f, "eval model --data text.txt");
  INFO(table.err);
  REQUIRE(table.status == 0);
  CHECK(has(table.out, "bits per character"));
  CHECK(has(table.out, "60 items, "));
  const auto json = lines_of(taugrad(f, "eval model --data text.txt --json --per-item").out)[0];
  CHECK(json["items"] == 60);
  const double nats = json["loss_per_target"];
  CHECK(json["bits_per_symbol"].get<double>() == Approx(nats / std::log(2)).epsilon(1e-12));
  CHECK(json["perplexity"].get<double>() == Approx(std::exp(nats)).epsilon(1e-12));
  CHECK((json["accuracy"] > 0 && json["accuracy"] < 1));
  double sum = 0;
  for (const auto& item : json["per_item"]) sum -= item["log_likelihood"].get<double>();
  CHECK(sum == Approx(json["loss"].get<double>()).epsilon(1e-12));
  REQUIRE(taugrad(f, "eval model --data text.txt --json -o out.json").out.empty());
  CHECK(lines_of(slurp(f / "out.json"))[0]["loss"] == json["loss"]);

  const Outcome open = taugrad(f, "eval model --data text.txt --mode y=greedy --divergence --json");
  const auto steps = lines_of(open.out)[0]["divergence"];
  REQUIRE(steps.size() == 23);
  CHECK(steps[0]["nats"] == steps[0]["forced_nats"]);
  CHECK(steps[4]["apart"] > 0);
  CHECK(lines_of(open.out)[0]["loss"] > json["loss"]);
  CHECK(taugrad(f,
                "eval model --data text.txt --mode y=greedy --divergence --json --batch 7 "
                "--threads 1")
            .out == open.out);
  CHECK(lines_of(taugrad(f, "eval model --data text.txt --max-length 10 --json").out)[0]["items"] ==
        20);
}

TEST_CASE("eval of what is no model, no data, no text of it", "[cli][eval]") {
  const Folder f;
  make_text(f);
  REQUIRE(taugrad(f, kTrain + "-o model -q").status == 0);
  spill(f / "other.txt", "the dog\nat zebra\n");
  spill(f / "empty.txt", "");
  fs::create_directories(f.path / "empty");
  struct Row {
    const char* line;
    int status;
    const char *code, *says;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"eval model", 2, "U006", "--data FILE"},
           {"eval", 2, "U006", "DIR"},
           {"eval nowhere --data text.txt", 4, "I001", "not the folder of a model"},
           {"eval empty --data text.txt", 4, "I001", "not the folder of a model"},
           {"eval model --data nowhere.txt", 4, "I001", "nowhere.txt"},
           {"eval model --data empty.txt", 3, "D001", "empty.txt"},
           {"eval model --data other.txt", 3, "D004", "other.txt:2:4"},
           {"eval model --data text.txt --mode z=sampled", 2, "U002", "not a random variable"},
           {"eval model --data text.txt --mode zz=sampled", 2, "U002", "no random variable"},
           {"eval model --data text.txt --mode h=sampled", 2, "U002", "not a random variable"},
           {"eval model --data text.txt --mode 'y=mixed(2)'", 2, "U002", "in 0..1"},
           {"eval model --data text.txt --mode 'y=mixed(linear(1,0))'", 2, "U002", "takes 3"},
           {"eval model --data text.txt --mode 'y=mixed(sigmoid(9))'", 2, "U002", "training"},
           {"eval model --data text.txt --divergence", 2, "U006", "--mode"},
           {"eval model --data text.txt --max-length 2", 3, "D002", "nothing is left"},
           {"eval model --data text.txt -o text.txt", 2, "U004", "text.txt"},
       }) {
    const Outcome o = taugrad(f, row.line);
    INFO(row.line << "\n" << o.err);
    CHECK(o.status == row.status);
    CHECK(o.out.empty());
    CHECK(has(o.err, std::string("error[") + row.code + "]"));
    CHECK(has(o.err, row.says));
  }
  copy_model(f, "model", "bare");
  fs::remove(f.path / "bare/model.safetensors");
  CHECK(taugrad(f, "eval bare --data text.txt").status == 4);
}

TEST_CASE("scheduled sampling: the probability in the metrics, resumed with the same bits",
          "[cli][eval]") {
  const Folder f;
  make_text(f);
  const std::string train = kTrain + "--mode 'y=mixed(linear(1,0.25,30))' ";
  REQUIRE(taugrad(f, train + "-o whole -q").status == 0);
  const auto metrics = lines_of(slurp(f / "whole/metrics.jsonl"));
  REQUIRE(metrics.size() == 60);
  CHECK(metrics[0]["mixed"]["y"] == 1);
  CHECK(metrics[10]["mixed"]["y"].get<double>() == Approx(0.75));
  CHECK(metrics[45]["mixed"]["y"] == 0.25);
  REQUIRE(taugrad(f, train + "-o part -q --save-every 0 --seconds 0.02").status == 0);
  for (int tries = 0; tries < 200 && lines_of(slurp(f / "part/metrics.jsonl")).size() < 60; ++tries)
    REQUIRE(taugrad(f, "train --resume part -q --seconds 0.02").status == 0);
  for (const char* file : {"/model.safetensors", "/optimizer.safetensors", "/../metrics.jsonl"})
    CHECK(without_times(slurp(f / (newest(f, "part") + file))) ==
          without_times(slurp(f / (newest(f, "whole") + file))));

  copy_model(f, "part", "bare");
  std::string state = slurp(f / "bare/state.json");
  state.replace(state.find("linear(1,0.25,30)"), 17, "linear(1,0.25)");
  spill(f / "bare/state.json", state);
  const Outcome torn = taugrad(f, "train --resume bare");
  CHECK(torn.status == 3);
  CHECK(has(torn.err, "linear takes 3 numbers"));
  const Outcome other = taugrad(f, "train --resume whole --mode y=sampled");
  CHECK(other.status == 2);
  CHECK(has(other.err, "the modes that it began with"));
  const Outcome none = taugrad(f, kTrain + "--mode z=sampled -o none");
  CHECK(none.status == 2);
  CHECK_FALSE(fs::exists(f.path / "none"));
}

TEST_CASE("S40: run tells how far the open loop is from teacher forcing, to the bit again",
          "[cli][rows]") {
  const Folder f;
  spill(f / "data.json", R"({"x": [[[1, 0]], [[0, 1]], [[1, 0]]], "y": [[0], [2], [1]]})");
  spill(f / "w.json", R"({"U": [[0, 0], [0, 0]], "W": [[1, 0, 0], [0, 1, 0]], "b": [0, 0],
    "V": [[0, 0], [0, 0], [0, 0]], "c": [0, 1, 0]})");
  const std::string line =
      "run output_recurrent --size m=2 --inputs data.json --weights w.json --dtype f64 --mode "
      "y=greedy --fetch h,y,nll:y,loss --divergence --json";
  const Outcome o = taugrad(f, line);
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(o.out == taugrad(f, line + " --threads 1").out);
  const auto json = lines_of(o.out)[0];
  // greedy it reads 1, 1, 1: h[2] = tanh(0,1) for tanh(1,0), h[3] = tanh(0,1) for 0
  CHECK(json["y"] == nlohmann::json({1, 1, 0}));
  const double one = std::tanh(1.0);
  CHECK(json["h"][0] == 0);
  CHECK(json["h"][1].get<double>() == Approx(std::sqrt(2) * one).epsilon(1e-14));
  CHECK(json["h"][2].get<double>() == Approx(one).epsilon(1e-14));
  CHECK(json["nll:y"] == nlohmann::json({0, 0, 0}));
  CHECK(json["loss"] == nlohmann::json::array({0}));
  CHECK(has(taugrad(f, line.substr(0, line.size() - 7)).out, "step "));
  CHECK(taugrad(f, line + " -o data.json").status == 2);
}

TEST_CASE("eval of JSON lines: every random variable", "[cli][eval]") {
  const Folder f;
  std::string lines;
  for (int i = 0; i < 20; ++i)
    lines +=
        i % 2 ? "{\"x\": [[1, 0], [0, 1]], \"y\": [0, 1]}\n" : "{\"x\": [[0, 1]], \"y\": [1]}\n";
  spill(f / "data.jsonl", lines);
  REQUIRE(taugrad(f, "train elman --data data.jsonl --epochs 30 --lr 0.05 --batch 4 -o model -q")
              .status == 0);
  const auto json = lines_of(taugrad(f, "eval model --data data.jsonl --json").out)[0];
  CHECK(json["targets"] == 30);
  CHECK(json["accuracy"] == 1);
  CHECK(json["variables"][0]["name"] == "y");
  CHECK(has(taugrad(f, "eval model --data data.jsonl").out, "30 "));
}

// Who trained with options for the data need not repeat them, and what is given goes before them.
TEST_CASE("eval, predict and sample read data as the training did", "[cli][eval]") {
  const Folder f;
  spill(f / "t.csv", "day,a,b,label,c\n1,0.5,1,0,9\n1,1,0,1,9\n1,1,1,1,9\n2,1,0,1,9\n2,0,1,0,9\n");
  const std::string columns = "--column x=a,b y=label item=day";
  REQUIRE(taugrad(f, "train elman --data t.csv " + columns +
                         " --epochs 20 --lr 0.05 --max-length 2 -o m -q")
              .status == 0);
  const std::string told = "read as in training: --column x=a,b --column y=label --column item=day";
  const Outcome eval = taugrad(f, "eval m --data t.csv");
  INFO(eval.err);
  REQUIRE(eval.status == 0);
  CHECK(has(eval.err, told + " --max-length 2\n"));
  CHECK(has(eval.out, "1 items, loss"));
  CHECK(eval.out == taugrad(f, "eval m --data t.csv --max-length 2 " + columns).out);
  CHECK(has(taugrad(f, "eval m --data t.csv --max-length 3").out, "2 items, loss"));
  const Outcome other = taugrad(f, "eval m --data t.csv --column x=c,c2");
  CHECK(has(other.err, "there is no column \"c2\""));
  // of items none is left out, and targets need not be there
  const Outcome predict = taugrad(f, "predict m --data t.csv");
  CHECK(has(predict.err, told + "\n"));
  CHECK(lines_of(predict.out).size() == 2);
  spill(f / "new.csv", "day,a,b\n1,0.5,1\n1,1,0\n");
  const Outcome fresh = taugrad(f, "predict m --data new.csv -q");
  CHECK(fresh.err.empty());
  CHECK(lines_of(fresh.out)[0]["y"].size() == 2);
  CHECK(taugrad(f, "predict m --data new.csv " + columns).status == 3);  // asked for, and not there
  CHECK(taugrad(f, "sample m --data new.csv -q").status == 0);
  spill(f / "new.jsonl", "{\"x\": [[0.5, 1], [1, 0]]}\n");  // no table: nothing of it says anything
  const Outcome lines = taugrad(f, "predict m --data new.jsonl");
  CHECK(lines.err.empty());
  CHECK(lines.out == fresh.out);
}
