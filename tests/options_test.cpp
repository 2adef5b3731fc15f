#include <catch2/catch.hpp>
#include <cmath>

#include "support_cli.h"

// Nothing that a command takes does nothing: an option has its effect, or is refused (U007). And
// the words of a definition's parts, "loss" and "ends", are what they say in equations too.
namespace {

using namespace support;

const std::string kElman = "-e 'h[t] = tanh(W @ h[t-1] + U @ x[t])'";

nlohmann::json values(const Outcome& run, const std::string& name) {
  INFO(run.err);
  REQUIRE(run.status == 0);
  return nlohmann::json::parse(run.out)[name];
}

}  // namespace

TEST_CASE("a line \"loss = ..\" is the loss, and so is --loss", "[cli]") {
  const Folder f;
  const auto line = taugrad(f, "define " + kElman + " -e 'loss = sum(h[last])'");
  const auto option = taugrad(f, "define " + kElman + " --loss 'sum(h[last])'");
  CHECK(line.status == 0);
  CHECK(line.out == option.out);
  CHECK(has(line.out, "\"loss\": \"sum(h[last])\""));
  CHECK_FALSE(has(line.out, "loss ="));
  CHECK(has(line.err, "the loss: sum(h[last])"));
  const auto several = taugrad(
      f, "define " + kElman + " -e 'loss = sum(h[t] * h[t])' -e 'loss = 0.5 * sum(W * W)' -q");
  CHECK(nlohmann::json::parse(several.out)["loss"] ==
        nlohmann::json({"sum(h[t] * h[t])", "0.5 * sum(W * W)"}));
  CHECK(several.out == taugrad(f, "define " + kElman +
                                      " -e 'loss = sum(h[t] * h[t])' --loss "
                                      "'0.5 * sum(W * W)' -q")
                           .out);
  // only the last step's state moves it: nothing flows to what it does not read
  const std::string check = "check " + kElman + " -e 'z[t] = V @ x[t]' -e 'loss = sum(h[last])' ";
  const auto proof = taugrad(f, check + "--json --allow-unused");
  CHECK(proof.status == 0);
  const auto report = nlohmann::json::parse(proof.out);
  for (const auto& v : report["variables"])
    if (v["name"].get<std::string>().starts_with("V")) CHECK(v["worst"]["numeric"] == 0);
  const std::string run = "run " + kElman + " --steps 3 --dtype f64 -o - --fetch loss,h ";
  const auto sum = taugrad(f, run + "-e 'loss = sum(h[last])'");
  double last = 0;
  const auto states = values(sum, "h");
  for (const double x : states[2][0]) last += x;
  CHECK(values(sum, "loss")[0].get<double>() == Approx(last));
  CHECK(taugrad(f, run + "--loss 'sum(h[last])'").out == sum.out);
  // in place of a file's own, and without any equation
  const auto other = taugrad(f, "run elman --loss 'sum(h[last])' --steps 3 --fetch loss,h -o -");
  double own = 0;
  const auto of_elman = values(other, "h");
  for (const double x : of_elman[2][0]) own += x;
  CHECK(values(other, "loss")[0].get<double>() == Approx(own));
  const auto alone = taugrad(f, "check -e 'loss = sum((W @ x[t] - y[t]) * (W @ x[t] - y[t]))' -q");
  CHECK(alone.status == 0);
  CHECK(has(alone.out, "every gradient agrees"));
  CHECK(has(taugrad(f, "show " + kElman + " -e 'loss = sum(h[last])' --json").out, "\"loss\""));
  CHECK(has(taugrad(f, "define lstm --loss 'sum(out[last])'").out, "\"loss\": \"sum(out[last])\""));
}

TEST_CASE("\"ends = ..\" says where a sequence ends; other uses of both words are errors",
          "[cli]") {
  const Folder f;
  const std::string text =
      "-e 'o[t] = b + V @ one_hot(y[t-1], k)' -e 'y[t] ~ categorical(logits = "
      "o[t])' ";
  CHECK(has(taugrad(f, "define " + text + "-e 'ends = y[t] == 0'").out,
            "\"ends\": {\"t\": \"y[t] == 0\"}"));
  for (const std::string wrong :
       {"-e 'loss[t] = sum(h[t])'", "-e 'loss ~ normal(mean = 0, std = 1)'", "-e 'ends[t] = t'",
        "-e 'z[t] = loss * 2'", "-e 'z[t] = ends * h[t]'"}) {
    INFO(wrong);
    const auto refused = taugrad(f, "check " + kElman + " " + wrong);
    CHECK(refused.status == 3);
    CHECK(has(refused.err, "E004"));
  }
  CHECK(has(taugrad(f, "check " + kElman + " -e 'ends = 1 == 0'").err, "E013"));
  CHECK(has(taugrad(f, "check " + kElman + " --loss 'sum(h[last]'").err, "E001"));
  CHECK(has(taugrad(f, "check elman --loss 'sum(q[last])'").err, "\"q\" is not defined"));
  spill(f / "file.json",
        R"~({"name": "f", "index": {"t": "tau"}, "sizes": {}, "inputs": {"x[t]": []},
 "weights": {}, "equations": ["h[t] = x[t]", "loss = sum[t](h[t])"]})~");
  const auto file = taugrad(f, "check file.json");
  CHECK(file.status == 3);
  CHECK(has(file.err, "\"loss\" names a part of a definition"));
}

TEST_CASE("temperature moves every draw; at 0 it is the likeliest value", "[cli]") {
  const Folder f;
  spill(f / "d.json", R"~({"name": "d", "index": {"t": "tau"}, "sizes": {}, "inputs": {},
 "weights": {"a": [], "m": []}, "equations": ["s[t] ~ bernoulli(logits = a)",
 "p[t] ~ bernoulli(p = sigmoid(a))", "z[t] ~ normal(mean = m, std = 2)"]})~");
  spill(f / "data.jsonl", "{\"s\": [1, 1, 1, 0], \"p\": [1, 1, 1, 0], \"z\": [5, 5.5, 4.5, 5]}\n");
  REQUIRE(taugrad(f, "train d.json --data data.jsonl -o M --lr 0.05 --epochs 200 -q").status == 0);
  const auto zero = taugrad(f, "sample M --temperature 0 --steps 6 --count 3");
  REQUIRE(zero.status == 0);
  const auto items = zero.lines();
  for (const auto& item : items) {
    CHECK(item["s"] == nlohmann::json({1, 1, 1, 1, 1, 1}));
    CHECK(item["p"] == item["s"]);
    for (const double z : item["z"]) CHECK(z == Approx(item["z"][0].get<double>()));
  }
  // the deviation of a normal goes with the root: the same noise, half as far at 1/4
  const auto one = taugrad(f, "sample M --steps 50").lines().at(0);
  const auto quarter = taugrad(f, "sample M --steps 50 --temperature 0.25").lines().at(0);
  const double mean = zero.lines().at(0)["z"][0];
  for (std::size_t i = 0; i < 50; ++i)
    CHECK(quarter["z"][i].get<double>() - mean ==
          Approx((one["z"][i].get<double>() - mean) / 2).margin(1e-4));
  int ones = 0, more = 0, other = 0;
  const auto cold = taugrad(f, "sample M --steps 2000 --temperature 0.3").lines().at(0);
  const auto warm = taugrad(f, "sample M --steps 2000").lines().at(0);
  for (std::size_t i = 0; i < 2000; ++i)
    ones += warm["s"][i].get<int>(), more += cold["s"][i].get<int>(),
        other += cold["p"][i].get<int>();
  CHECK(more > ones + 100);
  CHECK(std::abs(more - other) < 100);
  CHECK(has(taugrad(f, "sample M --top-k 2").err, "U007"));
}

TEST_CASE("--steps goes on past the data, each item from the end of its own", "[cli]") {
  const Folder f;
  // the likeliest symbol after 0, 1, 2 is 1, 2, 0
  const std::string net =
      "run -e 'o[t] = V @ one_hot(y[t-1], k)' -e 'y[t] ~ categorical(logits = "
      "o[t])' --weights w.json --inputs x.json -q --dtype f64 ";
  spill(f / "w.json", R"~({"V": [[0, 0, 1], [1, 0, 0], [0, 1, 0]]})~");
  spill(f / "x.json", R"~({"y": [[1, 2], [1, 7], [2, -3]], "lengths": [3, 1]})~");
  const nlohmann::json rows = {{1, 2}, {1, 0}, {2, 1}, {0, 2}, {1, 0}, {2, 1}};
  for (const std::string mode : {"forced(3,3,greedy)", "forced(9,1,greedy)", "mixed(1,greedy)"}) {
    INFO(mode);
    const std::string line = net + "--mode 'y=" + mode + "' --fetch y,nll:y -o - ";
    const auto run = taugrad(f, line + "--steps 6");
    CHECK(values(run, "y") == rows);
    CHECK(values(run, "nll:y").size() == 6);
    CHECK(values(taugrad(f, line + "--steps t=6"), "y") == rows);
    CHECK(values(taugrad(f, line + "--steps 3"), "y").size() == 3);
  }
  const auto greedy = taugrad(f, net + "--mode y=greedy --steps 6 --fetch y,nll:y -o -");
  CHECK(values(greedy, "y") == nlohmann::json({{0, 0}, {1, 1}, {2, 2}, {0, 0}, {1, 1}, {2, 2}}));
  // data are scored where there are some, else the value: 0 after 0 has e against 1 and 1
  CHECK(values(greedy, "nll:y")[1][0].get<double>() == Approx(std::log(std::exp(1) + 2) - 1));
  CHECK(values(greedy, "nll:y")[2][0].get<double>() == Approx(std::log(std::exp(1) + 2) - 1));
  CHECK(values(greedy, "nll:y")[0][0].get<double>() == Approx(std::log(3)));
  // an item alone is what it is in a batch, draws too
  spill(f / "one.json", R"~({"y": [[2]], "item": [1]})~");
  const std::string drawn = "--mode 'y=forced(3,3)' --fetch y -o - --steps 6 --seed 5 ";
  const auto together = values(taugrad(f, net + drawn), "y");
  const auto alone = values(taugrad(f, net + drawn + "--inputs one.json"), "y");
  for (std::size_t t = 0; t < 6; ++t) CHECK(together[t][1] == alone[t][0]);
  // observed data end where they end, and so do inputs
  CHECK(has(taugrad(f, net + "--steps 6").err, "U007"));
  spill(f / "u.json", R"~({"y": [[1], [1]], "x": [[[1, 2]], [[3, 4]]]})~");
  CHECK(has(taugrad(f,
                    "run output_recurrent --weights w.json --inputs u.json --steps 4 "
                    "--mode 'y=forced(2,2)'")
                .err,
            "U007"));
}

TEST_CASE("the cotangent of what all items share has no batch axis", "[cli]") {
  const Folder f;
  spill(f / "net.json", R"~({"name": "net", "index": {"t": "tau"}, "inputs": {"x[t]": [2]},
 "weights": {"W": [2, 2], "a": [2]}, "equations": ["y = W @ a", "h[t] = tanh(y + x[t])"]})~");
  const std::string net = " net.json ";
  spill(f / "w.json", R"~({"W": [[1, 2], [3, 4]], "a": [5, 6]})~");
  spill(f / "x.json", R"~({"x": [[[0, 0], [0, 0]], [[0, 0], [0, 0]]], "cotangent:y": [1, 10]})~");
  const auto shared = taugrad(f, "run" + net +
                                     "--weights w.json --inputs x.json --dtype f64 "
                                     "--fetch grad:W,grad:y,y -o - -q");
  CHECK(values(shared, "grad:W") == nlohmann::json({{5, 6}, {50, 60}}));
  CHECK(values(shared, "grad:y") == nlohmann::json({1, 10}));
  spill(f / "b.json", R"~({"x": [[[0, 0], [0, 0]]], "cotangent:y": [[1, 10], [0, 0]]})~");
  const auto batch = taugrad(f, "run" + net + "--weights w.json --inputs b.json --fetch grad:W");
  CHECK(batch.status == 3);
  CHECK(has(batch.err, "want [2]"));
}

TEST_CASE("an option without effect is refused", "[cli]") {
  const Folder f;
  spill(f / "d.json", R"~({"name": "d", "index": {"t": "tau"}, "sizes": {}, "inputs": {"x[t]": []},
 "weights": {"a": []}, "equations": ["h[t] = a * x[t]"], "loss": "sum(h[t]*h[t])"})~");
  spill(f / "data.jsonl", "{\"x\": [1, 2]}\n");
  spill(f / "x.json", R"~({"x": [[1], [2], [3]]})~");
  spill(f / "w.json", R"~({"a": 2})~");
  REQUIRE(taugrad(f, "train d.json --data data.jsonl -o M --epochs 1 -q").status == 0);
  const std::string kTrain = "train d.json --data data.jsonl -o N ", kRun =
                                                                         "run d.json --inputs "
                                                                         "x.json --weights w.json ";
  const std::string lines[]{kTrain + "--optimizer sgd --beta1 0.5",
                            kTrain + "--optimizer sgd --beta2 0.5",
                            kTrain + "--momentum 0.5",
                            kTrain + "--nesterov",
                            kTrain + "--optimizer adamw --coupled-decay",
                            kTrain + "--optimizer adagrad --beta1 0.5",
                            kTrain + "--optimizer lion --momentum 0.5",
                            kTrain + "--split blank",
                            "train --resume M --seed 2",
                            "train --resume M --optimizer sgd",
                            "train --resume M --momentum 0.5",
                            "train --resume M -o N",
                            "train --resume M --overwrite",
                            "train --resume M --allow-unused",
                            "train --resume M --loss 1",
                            "train --resume M --size n=2",
                            "train d.json --resume M",
                            "eval M --data data.jsonl --split line",
                            kRun + "--steps 5",
                            kRun + "--steps 2",
                            kRun + "--steps t=5",
                            kRun + "--batch 4",
                            kRun + "--temperature 0.5",
                            kRun + "--top-k 2",
                            "run gaussian_output --steps 3 --mode y=sampled --top-k 2",
                            "run char_lm --steps 3 --mode y=greedy --temperature 2",
                            "define lstm --dropout 0.5",
                            "define lstm --nonlinearity tanh",
                            "define -e 'h[t] = x[t]' --layers 2",
                            "show elman --plan --view gradient",
                            "show elman --checkpoint sqrt",
                            "show elman --chunk 4",
                            kRun + "--chunk 4 --state-out s.safetensors",
                            kTrain + "--bptt 2 --chunk 4",
                            "show elman --confirm",
                            "show elman --steps 2 --format json --detail values",
                            "show elman --view model --no-copies",
                            "flow elman --lags 3",
                            "flow elman --rtrl --norm frobenius",
                            "diff elman lstm --tolerance 1e-3",
                            "turing busy_beaver_4 --definition n.json -o o.txt"};
  for (const std::string& line : lines) {
    INFO(line);
    const auto refused = taugrad(f, line);
    CHECK(refused.status == 2);
    CHECK((has(refused.err, "U007") || has(refused.err, "U002") || has(refused.err, "U006")));
    CHECK(refused.out.empty());
  }
  CHECK(taugrad(f, kRun + "--steps 3 --batch 1").status == 0);
}
