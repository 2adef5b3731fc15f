// Data that stay in their files: what is read of them is what would be held, and little is held.
#include <catch2/catch.hpp>
#include <fstream>

#include "support_cli.h"
#include "taugrad/language/definition.h"
#include "taugrad/train/evaluate.h"
#include "taugrad/train/trainer.h"
#include "train/data/raw_items.h"
#include "train/data/stored_lines.h"
#include "train/text/stored_text.h"

using support::Folder;
using support::has;
using support::Outcome;
using support::slurp;
using support::spill;
using taugrad::Definition;
using taugrad::Digest;
using taugrad::Error;
using taugrad::Split;
using taugrad::StoredItems;
using taugrad::Tensors;
using taugrad::TextIndex;
using taugrad::TextSource;
using taugrad::Tokens;
using taugrad::Vocabulary;

namespace {

Definition model(bool ends, std::int64_t symbols) {
  Definition d = taugrad::load_definition(ends ? "char_lm" : "sequence_model");
  taugrad::set_symbols(d, taugrad::text_variable(d), symbols);
  return d;
}

// pseudo-random, of letters, blanks, ends of lines and characters of several bytes
std::string odd_text(std::size_t pieces, const std::string& end_of_line, std::uint32_t seed) {
  static const std::vector<std::string> kParts = {"a",        "bc",           " ", "d_1", "  ", ".",
                                                  "\xC3\xA4", "\xE2\x82\xAC", "%", "x"};
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) {
    seed = seed * 1664525U + 1013904223U;
    const std::uint32_t r = seed >> 16;
    if (r % 11 == 0) text += end_of_line;
    if (r % 37 == 0) text += end_of_line + "%" + end_of_line;
    if (r % 41 == 0) text += end_of_line + " " + end_of_line;
    text += kParts[r % kParts.size()];
  }
  return text;
}

std::vector<std::int64_t> symbols_of(const taugrad::Example& e) {
  const auto values = e.values.begin()->second.values<std::int64_t>();
  return {values.begin(), values.end()};
}

struct Read {
  std::shared_ptr<const TextIndex> index;
  taugrad::Dataset held, stored;
  Definition definition;
};

/// A file as it is held, by the reader of whole texts, and as it is read where it stands.
Read read_both(const std::string& file, Split split, Tokens tokens, bool ends = true) {
  Read r;
  taugrad::Corpus corpus;
  add_text(corpus, slurp(file), file, split, tokens);
  const Vocabulary v(corpus.items, {tokens, ends});
  r.definition = model(ends, v.size());
  r.held = text_dataset(r.definition, corpus, v);
  std::vector<TextSource> sources;
  sources.emplace_back(file, 0);  // never held
  r.index = std::make_shared<const TextIndex>(index_of(std::move(sources), split, tokens));
  std::map<std::string, std::int64_t> counts;
  for (const auto& [token, of] : r.index->counts) counts[token] = of.count;
  CHECK(Vocabulary(counts, {tokens, ends}).symbols() == v.symbols());
  r.stored.stored = stored_text(r.definition, r.index, v);
  return r;
}

void check_same_items(const Read& r) {
  const StoredItems& stored = *r.stored.stored;
  REQUIRE(stored.size == r.held.examples.size());
  for (std::size_t i = 0; i < stored.size; ++i) {
    const taugrad::Example& whole = r.held.examples[i];
    const std::vector<std::int64_t> all = symbols_of(whole);
    const auto steps = static_cast<std::int64_t>(all.size());
    REQUIRE(stored.targets(i) == steps);
    taugrad::Diagnostic place;
    stored.tell_place(i, place);
    CHECK(place.line == whole.line);
    REQUIRE(symbols_of(stored.read(i, 0, steps).example) == all);
    for (const std::int64_t from : {std::int64_t{0}, steps / 3, steps - 1, steps, steps + 5})
      for (const std::int64_t count : {std::int64_t{1}, steps / 2, steps}) {
        const std::int64_t first = std::min(from, steps), last = std::min(from + count, steps);
        REQUIRE(symbols_of(stored.read(i, from, from + count).example) ==
                std::vector<std::int64_t>(all.begin() + first, all.begin() + last));
      }
  }
}

}  // namespace

TEST_CASE("items that are read where they stand are those of the whole text", "[data][stored]") {
  const Folder f;
  for (const char* end : {"\n", "\r\n", "\r"})
    for (const bool mark : {false, true}) {
      spill(f / "t.txt", (mark ? "\xEF\xBB\xBF" : "") + odd_text(900, end, 7) + (mark ? end : ""));
      for (const Split split : {Split::line, Split::blank, Split::percent, Split::none})
        for (const Tokens tokens : {Tokens::chars, Tokens::bytes, Tokens::words}) {
          CAPTURE(std::string(end), mark, static_cast<int>(split), static_cast<int>(tokens));
          check_same_items(read_both(f / "t.txt", split, tokens));
        }
    }
}

TEST_CASE("pieces of a large text are cut anywhere", "[data][stored]") {
  const Folder f;
  // 2.5 MiB: a character, a CRLF and a word lie across the pieces of 1 MiB that are read
  std::string text = odd_text(600000, "\r\n", 3);
  text.replace((1U << 20) - 1, 3, "\xE2\x82\xAC");
  for (std::size_t i = (1U << 20) - 4; (static_cast<unsigned char>(text[i]) & 0x80U) != 0; --i)
    text[i] = '-';
  for (std::size_t i = (1U << 20) + 2; (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80; ++i)
    text[i] = '-';
  text += "\r\n" + std::string(3U << 20, 'w') + "\r\n" + odd_text(5000, "\r\n", 4);
  spill(f / "t.txt", text);
  for (const Tokens tokens : {Tokens::chars, Tokens::words}) {
    const Read r = read_both(f / "t.txt", Split::none, tokens);
    REQUIRE(r.held.examples.size() == 1);
    const std::vector<std::int64_t> all = symbols_of(r.held.examples[0]);
    const auto steps = static_cast<std::int64_t>(all.size());
    REQUIRE(r.stored.stored->targets(0) == steps);
    for (std::int64_t from = 0; from < steps; from += 99991)
      for (const std::int64_t count : {std::int64_t{1}, std::int64_t{300}, std::int64_t{9000}})
        REQUIRE(symbols_of(r.stored.stored->read(0, from, from + count).example) ==
                std::vector<std::int64_t>(all.begin() + from,
                                          all.begin() + std::min(from + count, steps)));
    // in parts, one after another
    const auto parts = r.stored.stored->in_parts(7, 100);
    REQUIRE(parts->size == 7);
    std::vector<std::int64_t> together;
    for (std::size_t p = 0; p < 7; ++p)
      for (const std::int64_t s : symbols_of(parts->read(p, 0, parts->targets(p)).example))
        together.push_back(s);
    CHECK(together == all);
  }
}

TEST_CASE("a training and an evaluation have the bits of the text held", "[data][stored]") {
  const Folder f;
  spill(f / "t.txt", odd_text(3000, "\n", 11));
  for (const bool windows : {false, true}) {
    const Read r = read_both(f / "t.txt", windows ? Split::blank : Split::line, Tokens::chars);
    taugrad::TrainOptions o;
    o.batch = 5;
    o.epochs = 2;
    if (windows) o.truncation = {24, 16};
    taugrad::Trainer held(r.definition, r.held, o), stored(r.definition, r.stored, o);
    while (!held.done()) CHECK(held.step().loss == stored.step().loss);
    CHECK(stored.done());
    CHECK(held.weights() == stored.weights());
    const auto a = evaluate(r.definition, held.weights(), r.held, {.batch = 3});
    const auto b = evaluate(r.definition, held.weights(), r.stored, {.batch = 7});
    CHECK(a.loss == b.loss);
    CHECK(a.targets == b.targets);
    REQUIRE(a.variables[0].steps.size() == b.variables[0].steps.size());
    for (std::size_t t = 0; t < a.variables[0].steps.size(); ++t)
      CHECK(a.variables[0].steps[t].nats == b.variables[0].steps[t].nats);
  }
}

TEST_CASE("a file that changes while it is read is told", "[data][stored]") {
  const Folder f;
  spill(f / "t.txt", "abab\nbaba\n");
  const Read r = read_both(f / "t.txt", Split::line, Tokens::chars);
  std::fstream(f / "t.txt", std::ios::in | std::ios::out | std::ios::binary) << "zz";
  try {
    r.stored.stored->read(0, 0, 4);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.diagnostics().front().code == "C004");
  }
  support::fs::resize_file(f / "t.txt", 3);
  CHECK_THROWS_AS(r.stored.stored->read(1, 0, 4), Error);
}

TEST_CASE("tokens that a vocabulary has not are told by their first place", "[data][stored]") {
  const Folder f;
  spill(f / "t.txt", "ab\r\nba\xC3\xA4z\r\nz");
  const Read r = read_both(f / "t.txt", Split::line, Tokens::chars);
  const Vocabulary small({"a", "b"}, false, "v");
  try {
    unknown_tokens(*r.index, small);
    FAIL("no error");
  } catch (const Error& e) {
    const taugrad::Diagnostic& d = e.diagnostics().front();
    CHECK(d.code == "D004");
    CHECK(has(d.message, "\xC3\xA4"));
    CHECK(d.line == 2);
    CHECK(d.column == 3);
  }
  const Vocabulary open({"", "a", "b"}, {.unknown = true}, "v");
  CHECK(unknown_tokens(*r.index, open) == 3);
}

namespace {

const char* const kTagger = R"json({"name": "tagger", "index": {"t": "tau"},
  "sizes": {"n": 2, "m": 3, "k": 3}, "inputs": {"x[t]": ["n"]},
  "weights": {"U": ["m", "n"], "W": {"shape": ["m", "m"], "init": "identity"}, "V": ["k", "m"]},
  "equations": ["h[t] = tanh(W @ h[t-1] + U @ x[t])", "y[t] ~ categorical(logits = V @ h[t])"]})json";

// items of 1..9 steps with words, numbers among them, and targets that are not given
std::string tag_lines(int items) {
  std::string text;
  for (int i = 0; i < items; ++i) {
    std::string x, y;
    for (int t = 0; t <= i % 9; ++t) {
      x += std::string(t > 0 ? ", " : "") + "[0." + std::to_string((i * 7 + t * 3) % 10) + ", " +
           std::to_string((i + t) % 2) + "]";
      y += std::string(t > 0 ? ", " : "") + ((i + t) % 5 == 0   ? "null"
                                             : (i + t) % 2 == 0 ? "\"noun\""
                                                                : "\"verb\"");
    }
    text += "{\"x\": [" + x + "], \"y\": [" + y + "]}\r\n";
    if (i % 10 == 0) text += " \r\n";
  }
  return text;
}

}  // namespace

TEST_CASE("JSON lines in their files have the bits of those held", "[data][stored]") {
  const Folder f;
  spill(f / "t.jsonl", tag_lines(40) + "{\"x\": [[1, 1]], \"y\": [7]}\n");
  Definition held_by = taugrad::parse_definition(kTagger, "tagger"), read_by = held_by;
  auto raw = items_of_lines(held_by, slurp(f / "t.jsonl"), "t.jsonl", false);
  const taugrad::Labels labels = labels_in(held_by, raw);
  set_label_sizes(held_by, labels);
  const taugrad::Dataset held =
      dataset_of(held_by, std::move(raw), labels, taugrad::MayLack::nothing).data;
  std::vector<TextSource> sources;
  sources.emplace_back(f / "t.jsonl", 0);
  const taugrad::StoredLines lines = stored_lines(read_by, std::move(sources), false, nullptr);
  CHECK(lines.labels == labels);
  CHECK(lines.labels.at("y") == std::vector<std::string>{"7", "noun", "verb"});
  CHECK(lines.warnings.size() == 1);
  CHECK(lines.items->partly == std::set<std::string>{"y"});
  REQUIRE(lines.items->size == held.examples.size());
  taugrad::Dataset stored;
  stored.stored = lines.items;
  for (const std::int64_t back : {std::int64_t{0}, std::int64_t{3}}) {
    taugrad::TrainOptions o;
    o.batch = 4;
    o.epochs = 2;
    o.truncation = {back};
    taugrad::Trainer a(held_by, held, o), b(read_by, stored, o);
    CHECK(a.total_updates() == b.total_updates());
    while (!a.done()) {
      const taugrad::Update ua = a.step(), ub = b.step();
      CHECK(ua.loss == ub.loss);
      CHECK(ua.targets == ub.targets);
    }
    CHECK(a.weights() == b.weights());
    const auto ea = evaluate(held_by, a.weights(), held, {}),
               eb = evaluate(read_by, a.weights(), stored, {});
    CHECK(ea.loss == eb.loss);
    CHECK(ea.targets == eb.targets);
    CHECK(ea.variables[0].all.right == eb.variables[0].all.right);
  }
  // every bad line is told
  spill(f / "bad.jsonl", "{\"x\": [[1, 1]], \"y\": [\"a\"]}\n{\"x\": 1\n{\"z\": 1}\n");
  std::vector<TextSource> bad;
  bad.emplace_back(f / "bad.jsonl", 0);
  try {
    stored_lines(read_by, std::move(bad), false, &labels);
    FAIL("no error");
  } catch (const Error& e) {
    REQUIRE(e.diagnostics().size() == 3);  // "a" is no label of those given
    for (int line = 1; line <= 3; ++line)
      CHECK(e.diagnostics()[static_cast<std::size_t>(line - 1)].line == line);
  }
}
