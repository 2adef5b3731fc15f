// Data as they come: words for an end, numbers among words, files of other systems, options that
// would do nothing.
#include <catch2/catch.hpp>

#include "support_cli.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/train/model_folder.h"

using support::Folder;
using support::has;
using support::Outcome;
using support::slurp;
using support::spill;

namespace {

Outcome run(const Folder& f, const std::string& line) { return support::taugrad(f, line); }

std::string labels_of(const Folder& f, const std::string& folder) {
  return slurp(f / (support::newest(f, folder) + "/labels.json"));
}

const std::string kSymbols = "train end_symbol --epochs 1 -q ";
const std::string kTagger = "train elman --epochs 1 -q ";

}  // namespace

TEST_CASE("words of a variable that ends a sequence leave symbol 0 to the end", "[data]") {
  const Folder f;
  spill(f / "w.jsonl",
        "{\"y\": [\"b\", \"a\", \"b\"]}\n{\"y\": [\"a\"]}\n{\"y\": [\"b\", \"\"]}\n");
  REQUIRE(run(f, kSymbols + "--data w.jsonl -o m").status == 0);
  CHECK(labels_of(f, "m") == "{\"format\": 1, \"labels\": {\"y\": [\"\", \"a\", \"b\"]}}\n");
  // the end is a target of each item, once
  const Outcome e = run(f, "eval m --data w.jsonl");
  REQUIRE(e.status == 0);
  CHECK(has(e.err, "3 items, 8 steps"));
  const Outcome sampled = run(f, "sample m --count 20 --seed 3");
  REQUIRE(sampled.status == 0);
  spill(f / "again.jsonl", sampled.out);
  for (const auto& item : sampled.lines())
    for (std::size_t t = 0; t < item["y"].size(); ++t)
      CHECK((item["y"][t] == "") == (t + 1 == item["y"].size() && item["y"].size() < 500));
  const auto steps = [&](const std::string& file) {
    const Outcome o = run(f, "eval m --data " + file);
    return o.err.substr(0, o.err.find(" symbols"));
  };
  std::size_t all = 0;
  for (const auto& item : sampled.lines()) all += item["y"].size();
  CHECK(has(steps("again.jsonl"), "20 items, " + std::to_string(all) + " steps"));
}

TEST_CASE("a forecast goes on before the end symbol, and stops at it", "[data]") {
  const Folder f;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "abcabc\n";
  spill(f / "t.txt", text);
  REQUIRE(run(f, "train char_lm --size m=12 --data t.txt --epochs 25 --batch 6 --lr 0.03 -o m -q")
              .status == 0);
  spill(f / "begin.txt", "abc\nabcab\n");
  const Outcome o = run(f, "predict m --data begin.txt --steps 20");
  INFO(o.err);
  CHECK(o.out == "{\"y\": \"abc\"}\n{\"y\": \"c\"}\n");
  // of items that are numbers too
  spill(f / "n.jsonl", "{\"y\": [1, 2, 3, 0]}\n");
  REQUIRE(run(f, kSymbols + "--data n.jsonl -o n").status == 0);
  const Outcome drawn = run(f, "predict n --data n.jsonl --steps 200 --draw --seed 5");
  REQUIRE(drawn.status == 0);
  const auto y = drawn.lines().at(0)["y"];
  CHECK(y.size() < 200);
  for (std::size_t t = 0; t < y.size(); ++t) CHECK((y[t] == 0) == (t + 1 == y.size()));
}

TEST_CASE("a number among words is the word it is written as, in every kind of file", "[data]") {
  const Folder f;
  spill(f / "t.csv", "x0,x1,y\n1,0,1\n0,1,two\n1,1,3\n");
  spill(f / "t.jsonl",
        "{\"x\": [[1, 0]], \"y\": [1]}\n{\"x\": [[0, 1]], \"y\": [\"two\"]}\n"
        "{\"x\": [[1, 1]], \"y\": [3]}\n");
  REQUIRE(run(f, kTagger + "--data t.csv --column x=x0,x1 -o table").status == 0);
  REQUIRE(run(f, kTagger + "--data t.jsonl -o lines").status == 0);
  CHECK(labels_of(f, "table") == labels_of(f, "lines"));
  CHECK(has(labels_of(f, "lines"), "[\"1\", \"3\", \"two\"]"));
  spill(f / "other.jsonl", "{\"x\": [[1, 0]], \"y\": [2]}\n");
  spill(f / "other.csv", "x0,x1,y\n1,0,2\n");
  for (const char* data : {"other.jsonl", "other.csv --column x=x0,x1"}) {
    const Outcome o = run(f, std::string("eval lines --data ") + data);
    CHECK(o.status == 3);
    CHECK(has(o.err, "D004"));
    CHECK(has(o.err, "\"2\" is no symbol of \"y\""));
  }
  // whole numbers in any spelling are numbers, where no word stands beside them
  spill(f / "zeros.csv", "x0,x1,y\n1,0,0.0\n0,1,1e0\n1,1,2\n");
  REQUIRE(run(f, kTagger + "--data zeros.csv --column x=x0,x1 -o zeros").status == 0);
  CHECK(!support::fs::exists(f / (support::newest(f, "zeros") + "/labels.json")));
  spill(f / "half.csv", "x0,x1,y\n1,0,0\n0,1,0.5\n");
  const Outcome half = run(f, kTagger + "--data half.csv --column x=x0,x1 -o half");
  CHECK(half.status == 3);
  CHECK(has(half.err, "half.csv:3"));
  CHECK(has(half.err, "no whole number"));
}

TEST_CASE("nan and inf are words or numbers by what the variable is", "[data]") {
  const Folder f;
  for (const char* order : {"[\"nan\", \"inf\", \"b\"]", "[\"b\", \"nan\", \"inf\"]"}) {
    spill(f / "w.jsonl", "{\"x\": [[1, 0], [0, 1], [1, 1]], \"y\": " + std::string(order) +
                             "}\n{\"x\": [[1, 0]], \"y\": [\"nan\"]}\n");
    REQUIRE(run(f, kTagger + "--data w.jsonl -o m --overwrite").status == 0);
    CHECK(has(labels_of(f, "m"), "[\"b\", \"inf\", \"nan\"]"));
  }
  for (const char* x : {"[[1, \"nan\"]]", "[[\"nan\", 1]]", "[[\"nan\", \"inf\"]]"}) {
    spill(f / "n.jsonl", "{\"x\": " + std::string(x) + ", \"y\": [1]}\n");
    const Outcome o = run(f, kTagger + "--data n.jsonl -o n");
    CHECK(o.status == 5);
    CHECK(has(o.err, "the data hold"));
  }
  spill(f / "bad.jsonl", "{\"x\": [[0.5, \"up\"]], \"y\": [1]}\n");
  const Outcome o = run(f, kTagger + "--data bad.jsonl -o bad");
  CHECK(o.status == 3);
  CHECK(has(o.err, "a word where numbers stood before"));
}

TEST_CASE("files of other systems are read alike, whatever they hold", "[data]") {
  const Folder f;
  const auto with_ends = [](std::string text, const std::string& end) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += end.size())
      text.replace(at, 1, end);
    return text;
  };
  struct Kind {
    std::string name, text, train;
  };
  const std::vector<Kind> kinds = {
      {"t.txt", "abc\nba\n", "train char_lm --size m=4 --epochs 1 --data t.txt"},
      {"t.jsonl", "{\"y\": [1, 2]}\n{\"y\": [0]}\n",
       "train sequence_model --epochs 1 --data t.jsonl"},
      {"t.csv", "y\n1\n\n2\n1\n", "train sequence_model --epochs 1 --data t.csv"},
      {"t.TSV", "y\n1\n\n2\n1\n", "train sequence_model --epochs 1 --data t.TSV"}};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    spill(f / kind.name, kind.text);
    const Outcome plain = run(f, kind.train + " -o " + kind.name + "_0");
    INFO(plain.err);
    REQUIRE(plain.status == 0);
    CHECK(!has(plain.err, "D102"));
    const std::string metrics = support::without_times(slurp(f / (kind.name + "_0/metrics.jsonl")));
    const std::vector<std::pair<std::string, std::string>> odd = {
        {"CRLF", with_ends(kind.text, "\r\n")},
        {"lines end in CR;", with_ends(kind.text, "\r")},
        {"byte-order mark", "\xEF\xBB\xBF" + kind.text}};
    for (std::size_t k = 0; k < odd.size(); ++k) {
      CAPTURE(odd[k].first);
      spill(f / kind.name, odd[k].second);
      const std::string folder = kind.name + "_" + std::to_string(k + 1);
      const Outcome o = run(f, kind.train + " -o " + folder);
      INFO(o.err);
      REQUIRE(o.status == 0);
      CHECK(has(o.err, "warning[D102]"));
      CHECK(has(o.err, odd[k].first));
      CHECK(support::without_times(slurp(f / (folder + "/metrics.jsonl"))) == metrics);
    }
    std::string wide = "\xFF\xFE";
    for (const char c : kind.text) wide += std::string{c, '\0'};
    spill(f / kind.name, wide);
    const Outcome o = run(f, kind.train + " -o wide");
    CHECK(o.status == 3);
    CHECK(has(o.err, "error[D003]"));
    CHECK(has(o.err, kind.name + " is UTF-16"));
    spill(f / kind.name, wide.substr(2));  // without its mark
    CHECK(has(run(f, kind.train + " -o wide").err, kind.name + " is UTF-16LE"));
    std::string wider("\xFF\xFE\0\0", 4);
    for (const char c : kind.text) wider += std::string{c, '\0', '\0', '\0'};
    spill(f / kind.name, wider);
    CHECK(has(run(f, kind.train + " -o wide").err, kind.name + " is UTF-32"));
    spill(f / kind.name, wider.substr(4));
    CHECK(has(run(f, kind.train + " -o wide").err, kind.name + " is UTF-32LE"));
    spill(f / kind.name, std::string(3, '\0') + wider.substr(4, wider.size() - 7));
    CHECK(has(run(f, kind.train + " -o wide").err, kind.name + " is UTF-32BE"));
  }
}

// Its upper bytes are control characters, and all of it is UTF-8 too.
TEST_CASE("UTF-16 of other alphabets is told without its mark", "[data]") {
  const Folder f;
  const std::u16string text = u"\u0414\u0430, \u043c\u0438\u0440\n\u0445\u043e\u0434\u0430\n";
  std::string low_first, high_first;
  for (const char16_t c : text) {
    const std::string bytes = {static_cast<char>(c & 0xFF), static_cast<char>(c >> 8)};
    low_first += bytes;
    high_first += {bytes[1], bytes[0]};
  }
  const std::string train = "train char_lm --size m=4 --epochs 1 --data t.txt -q -o m";
  spill(f / "t.txt", low_first);
  CHECK(has(run(f, train).err, "t.txt is UTF-16LE"));
  spill(f / "t.txt", high_first);
  CHECK(has(run(f, train).err, "t.txt is UTF-16BE"));
  spill(f / "t.txt", std::string("a\x01 b\x02\n"));  // a few of them make no UTF-16
  CHECK(run(f, train).status == 0);
}

TEST_CASE("fields of JSON lines that are no variables say how they are passed over", "[data]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0]], \"y\": [1], \"name\": [2]}\n");
  const Outcome o = run(f, "train elman --epochs 1 --data t.jsonl -q -o m");
  CHECK(o.status == 3);
  CHECK(has(o.err, "error[D016]"));
  CHECK(has(o.err, "--ignore-unknown"));
  REQUIRE(run(f, "train elman --epochs 1 --data t.jsonl --ignore-unknown -q -o m").status == 0);
  const Outcome eval = run(f, "eval m --data t.jsonl");  // as in training
  CHECK(eval.status == 0);
  CHECK(has(eval.err, "read as in training: --ignore-unknown"));
  CHECK(run(f, "eval m --data t.jsonl --ignore-unknown").status == 0);
}

TEST_CASE("tables without rows, or with other separators, are told as such", "[data]") {
  const Folder f;
  const std::string train = "train elman --epochs 1 --data t.csv --column x=x1,x2 -o m";
  spill(f / "t.csv", "x1,x2,y\n");
  const Outcome rows = run(f, train);
  CHECK(rows.status == 3);
  CHECK(has(rows.err, "t.csv has a line of names and no row"));
  spill(f / "t.csv", "x1;x2;y\n1;0;1\n");
  const Outcome fields = run(f, train);
  CHECK(fields.status == 3);
  CHECK(has(fields.err, "fields are apart by commas"));
}

TEST_CASE("what is wrong with tensors names their file", "[data]") {
  const Folder f;
  taugrad::save_safetensors(f / "bad.safetensors",
                            {{"x", taugrad::Tensor({2, 1, 5}, taugrad::Dtype::f32)},
                             {"y", taugrad::Tensor({2, 1}, taugrad::Dtype::i64)}});
  const Outcome o = run(f, kTagger + "--data bad.safetensors -o m");
  CHECK(o.status == 3);
  CHECK(has(o.err, "error[D011]"));
  CHECK(has(o.err, "bad.safetensors"));
  // what all of its items lack is told once, what some hold by their numbers
  taugrad::save_safetensors(f / "less.safetensors",
                            {{"x", taugrad::Tensor({2, 3, 2}, taugrad::Dtype::f32)}});
  const Outcome less = run(f, "train elman --epochs 1 -o m --data less.safetensors");
  CHECK(has(less.err, "the item has no \"y\""));
  CHECK(!has(less.err, "item 0"));  // none has
  CHECK(!has(less.err, "item 1"));
  taugrad::save_safetensors(
      f / "range.safetensors",
      {{"x", taugrad::Tensor({1, 3, 2}, taugrad::Dtype::f32)},
       {"y", taugrad::Tensor::of({1, 3}, std::vector<std::int64_t>{0, 7, 1})}});
  CHECK(has(run(f, "train elman --epochs 1 -o m --data range.safetensors").err, "item 1"));
}

TEST_CASE("of few items one at least is held out, and one is left", "[data]") {
  const Folder f;
  spill(f / "t.txt", "ab\nba\n");
  for (const char* share : {"0.01", "0.5", "0.99"})
    for (const char* seed : {"1", "2", "3", "4"}) {
      const Outcome o =
          run(f, std::string("train char_lm --size m=2 --data t.txt --epochs 1 -o m ") +
                     "--overwrite --valid " + share + " --seed " + seed);
      INFO(o.err);
      CHECK(o.status == 0);
      CHECK(has(o.err, "1 of the items are held out"));
    }
  spill(f / "one.txt", "ab\n");
  const Outcome o = run(f, "train char_lm --data one.txt --epochs 1 -o one --valid 0.5");
  CHECK(o.status == 3);
  CHECK(has(o.err, "D002"));
}

TEST_CASE("options that would do nothing are refused by name", "[data]") {
  const Folder f;
  spill(f / "t.txt", "ab\nba\n");
  spill(f / "t.csv", "y\n1\n2\n");
  spill(f / "y.jsonl", "{\"y\": [1, 0]}\n");
  spill(f / "words.txt", "ab\nba\n");
  REQUIRE(run(f, "train char_lm --data t.txt --epochs 1 -q -o given").status == 0);
  const std::string vocabulary = support::newest(f, "given") + "/vocab.json";
  const std::string text = "train char_lm --data t.txt --epochs 1 -q -o m ";
  const std::vector<std::pair<std::string, std::string>> rows = {
      {text + "--vocabulary " + vocabulary + " --tokens words", "--tokens"},
      {text + "--vocabulary " + vocabulary + " --unknown", "--unknown"},
      {text + "--vocabulary words.txt --tokens words --min-count 2", "--min-count"},
      {text + "--tokens bytes --unknown", "--unknown"},
      {text + "--tokens bytes --min-count 3", "--min-count"},
      {text + "--schedule 'plateau(0.5, 2)'", "plateau(..) of --schedule"},
      {text + "--require-identical", "--require-identical"},
      {"train --resume given --schedule 'warmup(2) plateau(0.5, 2)'", "plateau(..) of --schedule"},
      {"train sequence_model --data t.csv --epochs 1 -o c --ignore-unknown", "--ignore-unknown"}};
  for (const auto& [line, what] : rows) {
    const Outcome o = run(f, line);
    CAPTURE(line, o.err);
    CHECK(o.status == 2);
    CHECK(has(o.err, "error[U007]: " + what + " has no effect"));
  }
  CHECK(run(f, text + "--vocabulary words.txt --tokens words --unknown").status == 0);
}

TEST_CASE("a beam of a model with inputs needs them", "[data]") {
  const Folder f;
  spill(f / "t.jsonl", "{\"x\": [[1, 0], [0, 1]], \"y\": [1, 0]}\n");
  REQUIRE(run(f, kTagger + "--data t.jsonl -o m").status == 0);
  const Outcome o = run(f, "sample m --beam 3");
  CHECK(o.status == 2);
  CHECK(has(o.err, "error[U010]"));
  CHECK(has(o.err, "it has the input x"));
  CHECK(has(o.err, "--data FILE"));
  CHECK(run(f, "sample m --beam 3 --data t.jsonl").status == 0);
}
