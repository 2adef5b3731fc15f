// What is wrong with data is told all at once: bad lines of every kind, in their order, with their
// places in the file; and data that hold nothing to learn.
#include <catch2/catch.hpp>

#include "support_cli.h"
#include "taugrad/language/definition.h"
#include "train/data/raw_items.h"
#include "train/data/stored_lines.h"

using namespace taugrad;
using support::Folder;
using support::has;
using support::Outcome;
using support::spill;

namespace {

Outcome run(const Folder& f, const std::string& line) { return support::taugrad(f, line); }

const std::string kTagger = "train elman --size m=3 --epochs 1 -q ";

/// Of elman: x[t] of two numbers, y[t] of three symbols.
const std::string kBad =
    "{\"x\": [[1, 0]], \"y\": [1]}\n"
    "{\"x\": [[1, 0]], \"y\": [7]}\n"  // 2: no symbol
    "{\"x\": [[1, 0]], \"y\": [1}\n"   // 3: no JSON
    "\n"
    "{\"x\": [[1, 0]]}\n"                        // 5: no y
    "{\"x\": [[1, 0], [1]], \"y\": [1, 1]}\n"    // 6: ragged
    "{\"x\": [[1, 0]], \"y\": [1], \"z\": 1}\n"  // 7: no such name
    "{\"x\": [[1, 0]], \"y\": [01]}\n";          // 8: no JSON

std::vector<int> lines_of(const std::vector<Diagnostic>& problems) {
  std::vector<int> lines;
  for (const Diagnostic& d : problems) lines.push_back(d.line);
  return lines;
}

template <class F>
std::vector<Diagnostic> problems_of(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.diagnostics();
  }
  return {};
}

}  // namespace

TEST_CASE("bad lines of every kind are told together, in the order of the file", "[data]") {
  const Folder f;
  spill(f / "bad.jsonl", kBad);
  const Definition d = load_definition("elman");
  const std::vector<int> all = {2, 3, 5, 6, 7, 8};
  const auto held = problems_of([&] { json_lines_dataset(d, kBad, "bad.jsonl"); });
  CHECK(lines_of(held) == all);
  const auto stored = problems_of([&] {
    Definition own = d;
    std::vector<TextSource> sources;
    sources.emplace_back(f / "bad.jsonl", 0);
    stored_lines(own, std::move(sources), false, nullptr);
  });
  CHECK(lines_of(stored) == all);
  for (std::size_t i = 0; i < std::min(held.size(), stored.size()); ++i) {
    CHECK(held[i].code == stored[i].code);
    CHECK(held[i].message == stored[i].message);
  }
  spill(f / "more.jsonl", "{\"x\": [[1, 0]], \"y\": [1]}\n{\"x\": [[1, 0]], \"y\": [8]}\nnone\n");
  const Outcome o = run(f, kTagger + "--data bad.jsonl --data more.jsonl -o m");
  CHECK(o.status == 3);
  std::size_t from = 0;
  for (const char* place : {"bad.jsonl:2", "bad.jsonl:3", "bad.jsonl:5", "bad.jsonl:6",
                            "bad.jsonl:7", "bad.jsonl:8", "more.jsonl:2", "more.jsonl:3"}) {
    INFO(place);
    const std::size_t at = o.err.find(place, from);
    REQUIRE(at != std::string::npos);
    from = at;
  }
}

TEST_CASE("a bad line's message tells its place in the file", "[data]") {
  const auto told =
      problems_of([] { json_lines_dataset(load_definition("elman"), kBad, "bad.jsonl"); });
  REQUIRE(told.size() == 6);
  CHECK(has(told[1].message, "at 3:24"));
  CHECK(told[1].column == 24);
  CHECK(has(told[5].message, "at 8:23"));
  for (const Diagnostic& d : told) CHECK_FALSE(has(d.message, " 1:"));
}

TEST_CASE("bad rows of a table are told with bad items of others", "[data]") {
  const Folder f;
  spill(f / "t.csv", "a,b,y\n1,0,1\n\n1,up,1\n1,0\n\n1,0,9\n\n1,0\n");
  spill(f / "u.jsonl", "{\"x\": [[1, 0]], \"y\": [\n");
  const Outcome o = run(f, kTagger + "--data t.csv --column x=a,b --data u.jsonl -o m");
  INFO(o.err);
  CHECK(o.status == 3);
  std::size_t from = 0;
  for (const char* what : {"t.csv:4", "t.csv:5", "t.csv:7", "t.csv:9", "u.jsonl:1"}) {
    INFO(what);
    const std::size_t at = o.err.find(what, from);
    REQUIRE(at != std::string::npos);
    from = at;
  }
}

TEST_CASE("bad rows of one item of a table are each told at their line", "[data]") {
  const Folder f;
  struct Row {
    std::string table;
    std::vector<std::string> told;
  };
  const std::string head = "x1,x2,y\n1,0,a\n", null = "error[D021]: \"x\" holds null";
  const std::string word = "error[D020]: \"q\" of \"x\" is no number";
  for (const Row& row : std::initializer_list<Row>{
           {head + ",1,b\n0,q,a\n", {null, "t.csv:3", word, "t.csv:4"}},
           {head + "q,1,b\n0,,a\n", {word, "t.csv:3", null, "t.csv:4"}},
           {head + ",1,b\n0,,a\n", {null, "t.csv:3", null, "t.csv:4"}},
           {head + ",,b\n0,1,a\n\n1,,a\n", {null, "t.csv:3", null, "t.csv:6"}},
           {head + ",q,b\n", {null, "t.csv:3", word, "t.csv:3"}}}) {
    spill(f / "t.csv", row.table);
    const Outcome o = run(f, kTagger + "--data t.csv --column x=x1,x2 -o m");
    CAPTURE(row.table, o.err);
    CHECK(o.status == 3);
    std::size_t from = 0, errors = 0;
    for (const std::string& what : row.told) {
      const std::size_t at = o.err.find(what, from);
      REQUIRE(at != std::string::npos);
      from = at + what.size();
    }
    for (std::size_t at = 0; (at = o.err.find("error[", at)) != std::string::npos; ++at) ++errors;
    CHECK(errors == row.told.size() / 2);
    CHECK_FALSE(has(o.err, "t.csv:2"));
  }
  // targets may be left out, whole
  spill(f / "t.csv", head + "0,1,\n");
  CHECK(run(f, kTagger + "--data t.csv --column x=x1,x2 -o m").status == 0);
}

TEST_CASE("all that a text has beyond the vocabulary is told at once", "[data]") {
  const Folder f;
  spill(f / "t.txt", "abba\nbaab\n");
  REQUIRE(run(f, "train char_lm --size m=4 --data t.txt --epochs 1 -q -o m").status == 0);
  spill(f / "new.txt", "ab\nazb\nxay\nz\n");
  const Outcome o = run(f, "eval m --data new.txt");
  CHECK(o.status == 3);
  CHECK(has(o.err, "character \"z\" is not in the vocabulary, nor are 2 others: \"x\", \"y\""));
  CHECK(has(o.err, "new.txt:2:2"));
  spill(f / "one.txt", "ab\nazb\n");
  CHECK(has(run(f, "eval m --data one.txt").err, "\"z\" is not in the vocabulary\n"));
}

TEST_CASE("data without a step, or without a target, are refused", "[data]") {
  const Folder f;
  const std::string empty = "{\"x\": [], \"y\": []}\n";
  spill(f / "one.jsonl", empty);
  spill(f / "two.jsonl", empty + empty);
  spill(f / "null.jsonl", "{\"x\": [[1, 0]], \"y\": [null]}\n");
  spill(f / "some.jsonl", empty + "{\"x\": [[1, 0]], \"y\": [2]}\n");
  for (const auto& [file, why] :
       {std::pair{"one.jsonl", "the one item has no step: nothing can be learned"},
        std::pair{"two.jsonl", "none of the 2 items has a step: nothing can be learned"},
        std::pair{"null.jsonl", "no target of the data is given: nothing can be learned"}}) {
    const Outcome o = run(f, kTagger + "--data " + file + " -o m");
    CHECK(o.status == 3);
    CHECK(has(o.err, "error[D002]: " + std::string(why)));
    CHECK(has(o.err, std::string(file) + ":1"));
    CHECK_FALSE(support::fs::exists(f / "m"));
  }
  // a loss of the definition's own counts items, and has no step to learn from either
  spill(f / "d.json", R"j({"name": "d", "index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights":
    {"w": []}, "equations": ["h[t] = w * x[t]"], "loss": "sum(h[t] * h[t])"
})j");
  spill(f / "x.jsonl", "{\"x\": []}\n");
  CHECK(has(run(f, "train d.json --data x.jsonl -o m").err, "error[D002]"));
  // beside others they are items of no target, and say so
  REQUIRE(run(f, kTagger + "--data some.jsonl --batch 1 -o m").status == 0);
  const std::string metrics = support::slurp(f / "m/metrics.jsonl");
  CHECK(has(metrics, "\"targets\": 0"));
  CHECK(has(metrics, "\"targets\": 1"));
  for (const char* file : {"one.jsonl", "null.jsonl"}) {
    const Outcome o = run(f, std::string("eval m --data ") + file);
    CHECK(o.status == 3);
    CHECK(has(o.err, "nothing can be measured"));
  }
}
