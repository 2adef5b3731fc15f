// Data as people have them: characters, bytes and words, labels, tables, targets that are not
// given.
#include <catch2/catch.hpp>

#include "support_cli.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/model_folder.h"
#include "taugrad/train/trainer.h"
#include "train/data/raw_items.h"
#include "train/data/tables.h"

using namespace taugrad;
using support::Folder;
using support::has;
using support::Outcome;
using support::slurp;
using support::spill;

namespace {

namespace fs = std::filesystem;

Outcome run(const Folder& f, const std::string& line) { return support::taugrad(f, line); }

Definition tagger() {
  return parse_definition(
      R"json({"name": "tagger", "index": {"t": "tau"}, "sizes": {"n": 2, "m": 3, "k": 3},
    "inputs": {"x[t]": ["n"]},
    "weights": {"U": ["m", "n"], "W": {"shape": ["m", "m"], "init": "identity"}, "V": ["k", "m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + U @ x[t])", "y[t] ~ categorical(logits = V @ h[t])"]})json",
      "tagger.json");
}

/// Items of which none has a problem; those that are there are thrown.
std::vector<RawItem> readable(std::vector<RawItem> items) {
  std::vector<Diagnostic> problems;
  for (const RawItem& item : items)
    problems.insert(problems.end(), item.problems.begin(), item.problems.end());
  if (!problems.empty()) throw Error(Status::bad_input, std::move(problems));
  return items;
}

std::vector<std::string> tokens_of(std::string_view text, Tokens tokens) {
  std::vector<std::string> all;
  while (!text.empty()) {
    const std::size_t n = token_length(text, tokens);
    all.emplace_back(text.substr(0, n));
    text.remove_prefix(n);
  }
  return all;
}

std::string code_of(const std::function<void()>& f, std::string* message = nullptr) {
  try {
    f();
  } catch (const Error& e) {
    if (message != nullptr) *message = e.what();
    return e.diagnostics().front().code;
  }
  return "";
}

}  // namespace

TEST_CASE("tokens: characters, bytes and words put together are the text", "[data]") {
  CHECK(tokens_of("a \xC3\xA4!", Tokens::chars) ==
        std::vector<std::string>{"a", " ", "\xC3\xA4", "!"});
  CHECK(tokens_of("\xC3\xA4", Tokens::bytes).size() == 2);
  CHECK(tokens_of("the cat_1, don't  go\n", Tokens::words) ==
        std::vector<std::string>{"the", " cat_1", ",", " don", "'", "t", " ", " go", "\n"});
  CHECK(tokens_of("   ", Tokens::words).size() == 3);
  const std::string text = "A b,c  d.\xE2\x82\xAC x";
  for (const Tokens t : {Tokens::chars, Tokens::bytes, Tokens::words}) {
    std::string again;
    for (const std::string& token : tokens_of(text, t)) again += token;
    CHECK(again == text);
  }
}

TEST_CASE("a vocabulary of words, rare ones unknown, there and back", "[data]") {
  Corpus corpus;
  add_text(corpus, "a b a\na c a\n", "t", Split::line, Tokens::words);
  const Vocabulary v(corpus.items, {Tokens::words, true, true, 2});
  CHECK(v.symbols() == std::vector<std::string>{"", "", " a", "a"});
  CHECK(v.unknown() == 1);
  const auto numbers = v.encode({"a b a zz", "t", 1});
  CHECK(numbers == std::vector<std::int64_t>{3, 1, 2, 1});
  CHECK(v.decode(numbers) == "a\xEF\xBF\xBD a\xEF\xBF\xBD");
  const Vocabulary again = parse_vocabulary(to_json(v), "v");
  CHECK(again.symbols() == v.symbols());
  CHECK(again.encode({"a b", "t", 1}) == v.encode({"a b", "t", 1}));
  const Vocabulary bytes(corpus.items, {Tokens::bytes, true});
  CHECK(bytes.size() == 257);
  const Vocabulary read = parse_vocabulary(to_json(bytes), "v");
  CHECK(read.decode(read.encode({"\xFF\x01z", "t", 1})) == "\xFF\x01z");
  for (const char* bad :
       {R"({"format": 1, "end": false, "tokens": "words", "symbols": ["a b"]})",
        R"({"format": 1, "end": true, "unknown": true, "symbols": ["", "a"]})",
        R"({"format": 1, "end": false, "symbols": ["ab"]})",
        R"({"format": 1, "end": false, "tokens": "words", "symbols": ["a", "a"]})"})
    CHECK(code_of([&] { parse_vocabulary(bad, "v"); }) == "D004");
}

TEST_CASE("ends of lines, marks and other encodings are told or read", "[data]") {
  Corpus c;
  add_text(c, "\xEF\xBB\xBFone\rtwo\r", "mac", Split::line);
  REQUIRE(c.items.size() == 2);
  CHECK(c.items[0].text == "one");
  CHECK(c.items[1].line == 2);
  CHECK(c.warnings.size() == 2);
  std::string message;
  CHECK(code_of(
            [&] {
              add_text(c,
                       std::string("\xFF\xFE"
                                   "a\0",
                                   4),
                       "utf16", Split::line);
            },
            &message) == "D003");
  CHECK(has(message, "UTF-16"));
  CHECK(code_of([&] { add_text(c, "a\xFF", "bad", Split::line); }) == "D003");
  add_text(c, "a\xFF", "bytes", Split::line, Tokens::bytes);
  CHECK(c.items.back().text == "a\xFF");
}

TEST_CASE("words of symbols get numbers, in the order of their bytes", "[data]") {
  Definition d = tagger();
  const std::string text =
      "{\"x\": [[1, 0], [0, 1]], \"y\": [\"verb\", \"noun\"]}\n"
      "{\"x\": [[1, 1], [0, 1]], \"y\": [null, \"adj\"]}\n";
  auto raw = items_of_lines(d, text, "f", false);
  const Labels labels = labels_in(d, raw);
  CHECK(labels.at("y") == std::vector<std::string>{"adj", "noun", "verb"});
  set_label_sizes(d, labels);
  const Dataset data = dataset_of(d, std::move(raw), labels, MayLack::nothing).data;
  CHECK(data.examples[0].values.at("y") == Tensor::of({2}, std::vector<std::int64_t>{2, 1}));
  CHECK(data.examples[1].values.at("y") == Tensor::of({2}, std::vector<std::int64_t>{-1, 0}));
  CHECK(data.examples[1].missing.at("y") == std::vector<std::int64_t>{0});
  CHECK(parse_labels(to_json(labels), "l") == labels);
  std::string message;
  CHECK(code_of(
            [&] {
              dataset_of(d, items_of_lines(d, "{\"x\": [[1, 0]], \"y\": [\"nuon\"]}", "f", false),
                         labels, MayLack::nothing);
            },
            &message) == "D004");
  CHECK(has(message, "noun"));
}

TEST_CASE("every bad line is told, and unknown fields are passed over on request", "[data]") {
  const Definition d = tagger();
  const std::string bad = "{\"x\": [[1, 0]], \"y\": [0], \"id\": {\"a\": [true]}}\n";
  std::string text;
  for (int i = 0; i < 30; ++i) text += bad;
  try {
    dataset_of(d, items_of_lines(d, text, "f.jsonl", false), {}, MayLack::nothing);
    FAIL("read");
  } catch (const Error& e) {
    CHECK(e.diagnostics().size() == 30);
    CHECK(e.diagnostics()[4].line == 5);
  }
  CHECK(items_of_lines(d, text, "f.jsonl", true).size() == 30);
  const Folder f;
  spill(f / "f.jsonl", text);
  const Outcome told = run(f, "train elman --data f.jsonl -o m");
  CHECK(told.status == 3);
  CHECK(has(told.err, "f.jsonl:20"));
  CHECK_FALSE(has(told.err, "f.jsonl:21"));
  CHECK(has(told.err, "and 10 more"));
  CHECK(run(f, "train elman --data f.jsonl -o m --ignore-unknown --epochs 1 -q").status == 0);
  CHECK(run(f, "train --resume m --epochs 2 -q").status == 0);  // the state knows
}

TEST_CASE("null: at any depth, of targets alone", "[data]") {
  const Definition normal = parse_definition(
      R"json({"name": "n", "index": {"t": "tau"}, "sizes": {"n": 2}, "weights": {"V": ["n", "n"]},
          "inputs": {"x[t]": ["n"]},
          "equations": ["y[t] ~ normal(mean = V @ x[t], std = ones(n))"]})json",
      "n.json");
  const auto one = [&](const std::string& y) {
    return dataset_of(
               normal,
               items_of_lines(normal, "{\"x\": [[1,2],[3,4],[5,6]], \"y\": " + y + "}", "f", false),
               {}, MayLack::nothing)
        .data.examples[0];
  };
  const Example e = one("[null, [1, 2], [null, null]]");
  CHECK(e.missing.at("y") == std::vector<std::int64_t>{0, 2});
  CHECK(e.values.at("y") ==
        Tensor::of({3, 2}, std::vector<double>{0, 0, 1, 2, 0, 0}).to(e.values.at("y").dtype()));
  CHECK(one("[null, null, null]").missing.at("y").size() == 3);
  CHECK(code_of([&] { one("[[1, null], [1, 2], [1, 2]]"); }) == "D021");
  CHECK(code_of([&] {
          json_lines_dataset(normal, "{\"x\": [[1, null]], \"y\": [[1, 2]]}", "f");
        }) == "D021");
  Definition own = normal;
  own.loss =
      parse_definition(
          R"json({"name": "n", "index": {"t": "tau"}, "sizes": {"n": 2}, "weights": {"V": ["n", "n"]},
          "inputs": {"x[t]": ["n"]}, "loss": "nll(y[t])",
          "equations": ["y[t] ~ normal(mean = V @ x[t], std = ones(n))"]})json",
          "n.json")
          .loss;
  CHECK(code_of([&] { json_lines_dataset(own, "{\"x\": [[1, 2]], \"y\": [null]}", "f"); }) ==
        "D021");
}

TEST_CASE("a target that is not given counts nowhere", "[data]") {
  Definition d = tagger();
  // whatever would stand in its place: of a net that does not read y the rest is as without it
  const std::string head = "{\"x\": [[1, 0], [0, 1], [1, 1], [0.5, 2]], \"y\": [0, ";
  Dataset holes = json_lines_dataset(d, head + "null, 2, 1]}\n" + head + "1, null, null]}", "f");
  Dataset whole = json_lines_dataset(d, head + "1, 2, 1]}\n" + head + "1, 2, 0]}", "f");
  TrainOptions o;
  o.batch = 2;
  o.epochs = 2;
  o.clip = 0;
  o.optimizer.kind = OptimizerKind::sgd;
  o.optimizer.lr = 0.1;
  for (const std::int64_t back : {0, 2}) {
    o.truncation.back = back;
    Trainer trainer(d, holes, o);
    const Tensors weights = trainer.weights();
    const Evaluation scored = evaluate(d, weights, holes, {.batch = 2});
    const Evaluation all = evaluate(d, weights, whole, {.batch = 2});
    CHECK(scored.targets == 5);
    CHECK(scored.variables[0].all.targets == 5);
    CHECK(scored.variables[0].all.judged == 5);
    double nats = 0;
    for (std::size_t t = 0; t < 4; ++t)
      for (std::size_t i = 0; i < 2; ++i) {
        const bool given = i == 0 ? t != 1 : t < 2;
        Example single = whole.examples[i];
        if (!given) continue;
        for (std::int64_t s = 0; s < 4; ++s)
          if (s != static_cast<std::int64_t>(t)) single.missing["y"].push_back(s);
        nats += evaluate(d, weights, {{single}}).loss;
      }
    CHECK(scored.loss == Approx(nats).epsilon(1e-6));
    CHECK(all.loss > scored.loss);
    const Update u = trainer.step();
    CHECK(u.targets == (back == 0 ? 5 : 3));
    if (back > 0) continue;
    CHECK(u.loss == Approx(scored.loss / 5).epsilon(1e-6));
    // the step is the mean of those of the targets one by one
    Tensors sum;
    for (const auto& [name, w] : weights) sum.emplace(name, Tensor(w.dims(), Dtype::f32));
    for (std::size_t i = 0; i < 2; ++i)
      for (std::int64_t t = 0; t < 4; ++t) {
        if (!(i == 0 ? t != 1 : t < 2)) continue;
        Example single = whole.examples[i];
        for (std::int64_t s = 0; s < 4; ++s)
          if (s != t) single.missing["y"].push_back(s);
        Trainer alone(d, {{single}}, o);
        alone.set_weights(weights);
        alone.step();
        for (const auto& [name, w] : alone.weights())
          for (std::int64_t k = 0; k < w.size(); ++k)
            sum.at(name).set(k, sum.at(name).at(k) + (w.at(k) - weights.at(name).at(k)) / 5);
      }
    for (const auto& [name, w] : trainer.weights())
      for (std::int64_t k = 0; k < w.size(); ++k)
        CHECK(w.at(k) - weights.at(name).at(k) == Approx(sum.at(name).at(k)).margin(1e-6));
  }
}

TEST_CASE("targets that are not given, in sequences of any length and batches of any lengths",
          "[data]") {
  const Definition d = tagger();
  std::string text;
  for (int i = 0; i < 7; ++i) {
    std::string x, y;
    for (int t = 0; t < 45 + 17 * i; ++t) {
      x += (t == 0 ? "[" : ", [") + std::to_string((t * 7 + i) % 5) + ", " + std::to_string(t % 3) +
           "]";
      y += (t == 0 ? "" : ", ") + ((t + i) % 3 == 0 ? "null" : std::to_string((t * t + i) % 3));
    }
    text += "{\"x\": [" + x + "], \"y\": [" + y + "]}\n";
  }
  const Dataset data = json_lines_dataset(d, text, "f");
  TrainOptions o;
  o.batch = 7;
  o.epochs = 1;
  for (const int threads : {1, 2})
    for (const bool checkpoint : {false, true}) {
      o.engine.threads = threads;
      o.checkpoint = checkpoint;
      Trainer trainer(d, data, o);
      const Evaluation e = evaluate(d, trainer.weights(), data, {.batch = 3});
      const Update u = trainer.step();
      CHECK(u.targets == e.targets);
      CHECK(u.loss == Approx(e.loss / static_cast<double>(e.targets)).epsilon(1e-5));
      o.truncation = {16};
      double loss = 0, targets = 0;
      TrainOptions still = o;
      still.optimizer.lr = 1e-12;
      Trainer all(d, data, still);
      while (!all.done()) {
        const Update w = all.step();
        loss += w.loss * static_cast<double>(w.targets);
        targets += static_cast<double>(w.targets);
      }
      CHECK(targets == static_cast<double>(e.targets));
      CHECK(loss == Approx(e.loss).epsilon(1e-5));
      o.truncation = {};
    }
}

TEST_CASE("tables: columns by name and number, items, words, what is empty or wrong", "[data]") {
  const Definition d = tagger();
  const auto items = [&](const std::string& text, const std::vector<std::string>& columns,
                         const std::string& name = "t.csv") {
    return readable(items_of_table(d, text, name, columns_from(columns), {}));
  };
  const std::string text =
      "id,a,b,label\r\n1,0.5,1,noun\r\n1,1e-3,-2,\"a, \"\"b\"\"\"\r\n2,+3,4,\r\n";
  auto read = items(text, {"x=a,b", "y=label", "item=id"});
  REQUIRE(read.size() == 2);
  CHECK(read[0].fields.values.at("x") == Tensor::of({2, 2}, std::vector<double>{0.5, 1, 1e-3, -2}));
  CHECK(read[0].fields.words.at("y") == std::vector<std::string>{"noun", "a, \"b\""});
  CHECK(read[1].fields.nulls.at("y") == std::vector<std::int64_t>{0});
  CHECK(read[1].line == 4);
  CHECK(items("1\t2\t0\n3\t4\t1\n\n5\t6\t2\n", {"x=1,2", "y=3"}, "t.tsv").size() == 2);
  std::string message;
  CHECK(code_of([&] { items("a,b,y\n1,two,0\n3,4\n", {"x=a,b", "y=y"}); }, &message) == "D020");
  CHECK(has(message, "the row has 2 fields"));
  CHECK(code_of([&] { items("a,b,y\n1,two,0\n", {"x=a,b", "y=y"}); }, &message) == "D020");
  CHECK(has(message, "\"two\" of \"x\" is no number"));
  CHECK(code_of([&] { items("a,b,y\n1,2,0\n", {"x=a,c", "y=y"}); }) == "D020");
  CHECK(code_of([&] { items("1,2,0\n", {"x=1,7", "y=3"}); }) == "D020");
  CHECK(code_of([&] { items("1,2,0\n", {}); }) == "D020");
  CHECK(code_of([&] { items("", {"y=1"}); }) == "D001");
  CHECK(code_of([&] { columns_from({"x"}); }) == "U002");
  CHECK(code_of([&] { items("1,2,0\n", {"z=1"}); }) == "U002");
}

TEST_CASE("train, eval, predict and sample on tables, words and tensors", "[data]") {
  const Folder f;
  std::string table = "who,a,b,tag\n";
  for (int i = 0; i < 40; ++i)
    table += std::to_string(i / 4) + (i % 3 == 0   ? ",1,0,no\n"
                                      : i % 3 == 1 ? ",0,1,yes\n"
                                                   : ",1,1,\n");
  spill(f / "t.csv", table);
  const std::string columns = " --column x=a,b y=tag item=who ";
  const Outcome train =
      run(f, "train elman --data t.csv" + columns + "--epochs 60 --lr 0.05 --seed 2 -o m");
  INFO(train.err);
  REQUIRE(train.status == 0);
  CHECK(has(train.err, "10 items, 40 steps"));
  CHECK(load_model(f / "m").labels.at("y") == std::vector<std::string>{"no", "yes"});
  const Outcome eval = run(f, "eval m --data t.csv" + columns + "-q");
  INFO(eval.err);
  CHECK(has(eval.out, "27"));  // of 40 targets 13 are empty
  spill(f / "x.csv", "a,b\n1,0\n0,1\n");
  const Outcome told = run(f, "predict m --data x.csv --column x=a,b --fetch y");
  INFO(told.err);
  CHECK(told.out == "{\"y\": [\"no\", \"yes\"]}\n");
  const Outcome drawn = run(f, "sample m --data x.csv --column x=a,b --temperature 0 --count 2");
  INFO(drawn.err);
  CHECK(drawn.out == "{\"y\": [\"no\", \"yes\"]}\n{\"y\": [\"no\", \"yes\"]}\n");
  REQUIRE(run(f, "train --resume m --epochs 61 -q").status == 0);  // the state knows the columns

  // the same items as tensors
  save_safetensors(f / "d.safetensors",
                   {{"x", Tensor::of({2, 2, 2}, std::vector<double>{1, 0, 0, 1, 0, 1, 9, 9})},
                    {"y", Tensor::of({2, 2}, std::vector<std::int64_t>{0, 1, 1, 0})},
                    {"lengths", Tensor::of({2}, std::vector<std::int64_t>{2, 1})}});
  spill(f / "d.jsonl",
        "{\"x\": [[1, 0], [0, 1]], \"y\": [\"no\", \"yes\"]}\n"
        "{\"x\": [[0, 1]], \"y\": [\"yes\"]}\n");
  const Outcome a = run(f, "eval m --data d.safetensors -q --json"),
                b = run(f, "eval m --data d.jsonl -q --json");
  INFO(a.err);
  CHECK(a.status == 0);
  CHECK(a.out == b.out);
  CHECK(run(f, "train elman --data d.jsonl --column x=1 -o n").status == 2);
  CHECK(run(f, "train elman --data d.jsonl --tokens words -o n").status == 2);
  CHECK(run(f, "train elman --data t.csv --column x=a,b y=no -o n").status == 3);
}

TEST_CASE("a model of words, its unknown, a vocabulary that is given", "[data]") {
  const Folder f;
  spill(f / "t.txt", "the cat sat\nthe dog sat\nthe cat ran\n");
  REQUIRE(run(f,
              "train char_lm --size m=8 --tokens words --unknown --data t.txt --epochs 40 --lr "
              "0.05 -o w -q")
              .status == 0);
  const Outcome drawn = run(f, "sample w --temperature 0");
  CHECK((drawn.out == "the cat sat\n" || drawn.out == "the cat ran\n" ||
         drawn.out == "the dog sat\n"));
  spill(f / "o.txt", "the cow sat\n");
  const Outcome eval = run(f, "eval w --data o.txt");
  INFO(eval.err);
  CHECK(eval.status == 0);
  CHECK(has(eval.err, "1 of 4 words are not in the vocabulary"));
  CHECK(has(eval.out, "bits per word"));
  REQUIRE(run(f, "train char_lm --size m=8 --tokens words --vocabulary " + support::newest(f, "w") +
                     "/vocab.json --data o.txt --epochs 1 -o v -q")
              .status == 0);
  CHECK(load_model(f / "v").vocabulary->symbols() == load_model(f / "w").vocabulary->symbols());
  spill(f / "list", "a\nb\n");
  spill(f / "ab.txt", "abba\n");
  REQUIRE(run(f, "train char_lm --vocabulary list --data ab.txt --epochs 1 -o l -q").status == 0);
  CHECK(run(f, "train char_lm --vocabulary list --data t.txt --epochs 1 -o x -q").status == 3);
  spill(f / "latin", "caf\xE9\n");
  CHECK(run(f, "train char_lm --data latin --epochs 1 -o x -q").status == 3);
  CHECK(run(f, "train char_lm --data latin --tokens bytes --epochs 1 -o x -q").status == 0);
}

TEST_CASE("tables and words that say less than they seem to are refused", "[data]") {
  const Definition d = tagger();
  const auto items = [&](const char* text, const std::vector<std::string>& columns = {}) {
    return readable(items_of_table(d, text, "a.csv", columns_from(columns), {}));
  };
  std::string message;
  CHECK(code_of([&] { items("a,b,y\n1,2,up\n1,1,\"down\n2,2,up\n", {"x=a,b"}); }, &message) ==
        "D020");
  CHECK(has(message, "a.csv:3"));
  CHECK(code_of([&] { items("a,b,y\n1,2,\"down\"x\n", {"x=a,b"}); }) == "D020");
  CHECK(items("a,b,y\n1,2,\"down\" \n", {"x=a,b"}).size() == 1);
  CHECK(code_of([&] { items("a,a,y\n1,2,0\n", {"x=a,2"}); }) == "D020");
  CHECK(items("a,a,y\n1,2,0\n", {"x=1,2"}).size() == 1);
  CHECK(code_of([&] { items("a,b,y\n1,2,0\n", {"x=a,1"}); }) == "U002");
  CHECK(code_of([] { columns_from({"x=a,b", "x=b,a"}); }) == "U002");
  CHECK(code_of([] { columns_from({"item=1", "item=2"}); }) == "U002");

  const auto told = [&](const char* line) {
    std::vector<RawItem> raw = items_of_lines(d, line, "a.jsonl", false);
    Definition sized = d;
    const Labels labels = labels_in(d, raw);
    set_label_sizes(sized, labels);
    return dataset_of(sized, std::move(raw), labels, MayLack::nothing).data.examples.size();
  };
  CHECK(told(R"({"x": [[1, 0], [0, 1]], "y": [null, "a"]})") == 1);
  CHECK(code_of([&] { told(R"({"x": [[1, 0], [0, 1]], "y": ["", "a"]})"); }) == "D004");

  const Folder f;
  spill(f / "t.csv", "a,b,y\n1,2,0\n3,4,1\n");
  spill(f / "none.csv", "a,b,y\n1,2,\n3,4,\n");
  const std::string train =
      "train elman --data t.csv --column x=a,b --size k=2 --epochs 1 -o m0 -q";
  REQUIRE(run(f, train).status == 0);
  CHECK(run(f, "eval m0 --data none.csv --column x=a,b").status == 3);
  spill(f / "text.txt", "one\ntwo\n");
  spill(f / "items.jsonl", "{\"y\": [1, 2, 0]}\n");
  const Outcome mixed = run(f, "train char_lm --data text.txt items.jsonl --epochs 1 -o m");
  CHECK(mixed.status == 2);
  CHECK(has(mixed.err, "items.jsonl holds items"));
}
