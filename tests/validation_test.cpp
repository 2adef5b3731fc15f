// Data that a training does not see: measured now and then, the best step kept, patience.
#include <catch2/catch.hpp>
#include <vector>

#include "support_cli.h"

using namespace support;

namespace {

const std::string kTrain =
    "train char_lm --data text.txt --size m=8 --batch 4 --lr 0.03 --seed 3 --valid other.txt ";

void make_texts(const Folder& f) {
  std::string text;
  for (int i = 0; i < 24; ++i) text += i % 2 == 0 ? "the cat sat on the mat\n" : "a dog ran\n";
  spill(f / "text.txt", text);
  spill(f / "other.txt", "the dog sat\na cat ran on the mat\nthe mat ran\n");
}

std::vector<std::pair<int, double>> measures_of(const Folder& f, const std::string& run) {
  std::vector<std::pair<int, double>> all;
  for (const auto& line : lines_of(slurp(f / (run + "/metrics.jsonl"))))
    if (line.contains("valid")) all.emplace_back(line["update"], line["valid"]);
  return all;
}

}  // namespace

TEST_CASE("validation: an epoch each, the best step kept and read", "[valid]") {
  const Folder f;
  make_texts(f);
  const Outcome o = taugrad(f, kTrain + "--epochs 40 -o m --keep 1");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const auto all = measures_of(f, "m");
  REQUIRE(all.size() == 40);
  CHECK(all[2].first == 18);
  const auto best = *std::ranges::min_element(all, {}, [](const auto& m) { return m.second; });
  REQUIRE(best.first < 240);  // it has learned the text by heart
  CHECK(has(o.err, "bits/char after update " + std::to_string(best.first)));
  CHECK(slurp(f / "m/best") == "step-" + std::to_string(best.first) + "\n");
  const auto loss = [&](const std::string& how) {
    return taugrad(f, "eval m --data other.txt --json " + how)
        .lines()[0]["loss_per_target"]
        .get<double>();
  };
  CHECK(loss("--best") == best.second);
  CHECK(loss("") == all.back().second);
  CHECK(taugrad(f, "sample m --best").out != taugrad(f, "sample m").out);

  REQUIRE(taugrad(f, kTrain + "--epochs 40 -o patient -q --patience 3").status == 0);
  const auto some = measures_of(f, "patient");
  CHECK(some.size() < 40);
  CHECK(some.back().first >= best.first);
  for (std::size_t i = 0; i < some.size(); ++i) CHECK(some[i] == all[i]);
  const Outcome again = taugrad(f, "train --resume patient");
  CHECK(again.status == 0);
  CHECK(has(again.err, "nothing to do"));
  REQUIRE(taugrad(f, "train --resume patient --patience 100 -q").status == 0);
  CHECK(measures_of(f, "patient") == all);
  CHECK(slurp(f / "patient/best") == slurp(f / "m/best"));
}

TEST_CASE("validation: stopped and resumed, the same", "[valid]") {
  const Folder f;
  make_texts(f);
  const std::string train = kTrain + "--epochs 6 --valid-every 5 ";
  REQUIRE(taugrad(f, train + "-o whole -q").status == 0);
  REQUIRE(taugrad(f, train + "-o part -q --save-every 0 --seconds 0.001").status == 0);
  for (int tries = 0; tries < 100 && newest(f, "part") != "part/step-36"; ++tries)
    REQUIRE(taugrad(f, "train --resume part -q --seconds 0.003").status == 0);
  for (const char* file : {"/model.safetensors", "/state.json", "/../metrics.jsonl", "/../best"})
    CHECK(without_times(slurp(f / (newest(f, "part") + file))) ==
          without_times(slurp(f / (newest(f, "whole") + file))));
  CHECK(measures_of(f, "whole").size() == 8);  // 5, .., 35 and the last
}

TEST_CASE("validation: a share of the items, other data, and what does not go", "[valid]") {
  const Folder f;
  make_texts(f);
  const std::string share =
      "train char_lm --data text.txt --size m=4 --batch 4 --epochs 2 --valid 0.25 ";
  const Outcome o = taugrad(f, share + "-o m");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(has(o.err, "of the items are held out"));
  CHECK(measures_of(f, "m").size() == 2);
  CHECK(taugrad(f, share + "-o n -q").status == 0);
  CHECK(without_times(slurp(f / "n/metrics.jsonl")) == without_times(slurp(f / "m/metrics.jsonl")));
  CHECK(has(taugrad(f, "train char_lm --data text.txt --epochs 1 -o same --valid text.txt").err,
            "D101"));
  struct Row {
    const char* line;
    int status;
    const char* says;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"train char_lm --data text.txt -o x --valid 1.5", 2, "in (0, 1)"},
           {"train char_lm --data text.txt -o x --valid 0.5 other.txt", 2, "not both"},
           {"train char_lm --data text.txt -o x --patience 2", 2, "without --valid"},
           {"train char_lm --data text.txt -o x --valid none.txt", 4, "none.txt"},
           {"train char_lm --data other.txt -o x --valid text.txt", 0, ""},
           {"train --resume m --valid 0.5", 2, "it has seen these items"},
           {"train --resume m --valid other.txt", 2, "holds out items"},
           {"sample x2 --best", 4, "no best step"},
       }) {
    const Outcome bad = taugrad(f, row.line);
    INFO(row.line << "\n" << bad.err);
    CHECK(bad.status == row.status);
    CHECK(has(bad.err, row.says));
  }
}
