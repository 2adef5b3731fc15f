// No answer in silence where there is none: numbers that are not finite, options without effect.
#include <catch2/catch.hpp>

#include "support_cli.h"

using namespace support;

namespace {

// h[2] overflows in f64, and so do all gradients
void make_overflow(const Folder& f) {
  spill(f / "product.json", R"({"name": "product", "index": {"t": "tau"}, "inputs": {"x[t]": []},
 "weights": {"w": []}, "equations": ["h[t] = w * x[t] * h[t-1] + 1"], "loss": "h[last]"})");
  spill(f / "sum.json", R"({"name": "sum", "index": {"t": "tau"}, "inputs": {"x[t]": []},
 "weights": {"w": []}, "equations": ["h[t] = w * x[t] + h[t-1]"], "loss": "h[last]"})");
  spill(f / "large.json", R"({"w": 1e200})");
  spill(f / "inf.json", R"({"w": "inf"})");
  spill(f / "one.json", R"({"w": 1})");
  spill(f / "x.json", R"({"x": [[1e200], [3], [2]]})");
  spill(f / "plain.json", R"({"x": [[1], [3], [2]]})");
  spill(f / "nan.json", R"({"x": [[1, 2], [3, "nan"]], "lengths": [2, 1]})");
}

}  // namespace

TEST_CASE("flow tells what is not finite, and proves nothing by it", "[cli][flow]") {
  const Folder f;
  make_overflow(f);
  const std::string line = "flow product.json --weights large.json --inputs x.json ";
  for (const std::string strict : {"", " --strict"}) {
    const Outcome rtrl = taugrad(f, line + "--rtrl" + strict);
    CHECK(rtrl.status == 5);
    CHECK(has(rtrl.err, "N004"));
    CHECK_FALSE(has(rtrl.out, "equal"));
  }
  CHECK(taugrad(f, "flow sum.json --weights one.json --inputs plain.json --rtrl").status == 0);
  const Outcome table = taugrad(f, line);
  CHECK(table.status == 0);
  CHECK(has(table.err, "N004"));
  CHECK(taugrad(f, line + "--strict").status == 5);
  CHECK(taugrad(f, line + "--of h --from x --strict").status == 5);
  CHECK(taugrad(f, "flow elman --steps 4 --strict -q").status == 0);
  CHECK(taugrad(f, "flow lstm --rtrl --of zzz").status == 2);
}

TEST_CASE("--strict sees numbers of JSON", "[cli]") {
  const Folder f;
  make_overflow(f);
  const std::string line = "run sum.json --weights inf.json --inputs plain.json";
  CHECK(has(taugrad(f, line).err, "S101"));
  CHECK(taugrad(f, line).status == 0);
  CHECK(taugrad(f, line + " --strict").status == 3);
  const Outcome data = taugrad(f, "run sum.json --weights one.json --inputs nan.json --strict");
  CHECK(data.status == 3);
  CHECK(has(data.err, "S101"));
}

TEST_CASE("eval tells a loss that is no number", "[cli][eval]") {
  const Folder f;
  spill(f / "mean.json", R"~({"name": "mean", "index": {"t": "tau"}, "inputs": {"x[t]": []},
 "weights": {"w": {"shape": [], "init": 1}},
 "equations": ["y[t] ~ normal(mean = w * x[t], std = 1)"]})~");
  spill(f / "d.jsonl", "{\"x\": [1, 2], \"y\": [1, 2]}\n");
  spill(f / "far.jsonl", "{\"x\": [1], \"y\": [1]}\n{\"x\": [1, 2], \"y\": [1e30, 2]}\n");
  REQUIRE(taugrad(f, "train mean.json --data d.jsonl -o model -q").status == 0);
  const Outcome told = taugrad(f, "eval model --data far.jsonl");
  CHECK(told.status == 0);
  CHECK(has(told.err, "N004"));
  CHECK(has(told.err, "far.jsonl:2"));
  CHECK(taugrad(f, "eval model --data far.jsonl --strict").status == 5);
  CHECK(taugrad(f, "eval model --data d.jsonl --strict").status == 0);
  CHECK(taugrad(f, "eval model --data d.jsonl --seed 3").status == 2);
  CHECK(taugrad(f, "eval model --data d.jsonl --seed 3 --mode y=sampled").status == 0);
}

TEST_CASE("options that do nothing are refused", "[cli]") {
  const Folder f;
  spill(f / "text.txt", "abab\ncdcd\n");
  const Outcome size = taugrad(f, "train char_lm --size v=50 --data text.txt -o m -q");
  CHECK(size.status == 2);
  CHECK(has(size.err, "U007"));
  CHECK_FALSE(fs::exists(f / "m"));
  CHECK(taugrad(f, "turing busy_beaver_2 --view folded --tape 1").status == 2);
  CHECK(taugrad(f, "check elman --mode 'y=mixed(linear(1,0,10))'").status == 2);
  CHECK(taugrad(f, "define -e 'h[t] = x[t]' -e 'ends = h[t] > 1' -e 'ends = h[t] > 2'").status !=
        0);
}

TEST_CASE("a name that is a suffix alone says the format", "[cli]") {
  const Folder f;
  REQUIRE(taugrad(f, "show elman -o .svg -q").status == 0);
  CHECK(has(slurp(f / ".svg"), "<svg"));
  REQUIRE(taugrad(f, "run elman --steps 2 -o .json -q").status == 0);
  CHECK(slurp(f / ".json").starts_with("{\n"));
  spill(f / "c.json", R"({"x": [[[1, 2]]], "cotangent:W": [[1]]})");
  const Outcome of_weight = taugrad(f, "run elman --inputs c.json --weights c.json --fetch h");
  CHECK(has(of_weight.err, "\"W\" is a weight"));
}
