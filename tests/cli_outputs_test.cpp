// Where -o goes: no input is written over, and a name tells the truth about what the file holds.
#include <catch2/catch.hpp>
#include <map>

#include "support_cli.h"

using namespace support;

namespace {

/// Every file of a folder by its name, with what it holds and what it is.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().lexically_relative(folder).string();
    if (name == "out.txt" || name == "err.txt") continue;
    all[name] = entry.is_symlink()        ? "-> " + fs::read_symlink(entry.path()).string()
                : entry.is_regular_file() ? slurp(entry.path())
                                          : "";
  }
  return all;
}

/// The line is refused with a code, and nothing in the folder has changed.
void check_refused(const Folder& f, const std::string& line, const std::string& code) {
  const auto before = contents(f.path);
  const Outcome o = taugrad(f, line);
  INFO(line << "\n" << o.err);
  CHECK(o.status == 2);
  CHECK(o.out.empty());
  CHECK((has(o.err, "error[" + code + "]") || has(o.err, "\"code\": \"" + code + "\"")));
  CHECK(contents(f.path) == before);
}

void make_files(const Folder& f) {
  const std::string graphs = TAUGRAD_SOURCE_DIR "/graphs/";
  spill(f / "net.json", slurp(graphs + "stacked_bidirectional_lstm.json"));
  spill(f / "lstm.json", slurp(graphs + "lstm.json"));  // what net.json imports
  spill(f / "elman.json", slurp(graphs + "elman.json"));
  spill(f / "machine.json", slurp(graphs + "machines/busy_beaver_2.json"));
  std::string text;
  for (int i = 0; i < 8; ++i) text += "a line of text\n";
  spill(f / "text.txt", text);
  REQUIRE(taugrad(f, "run elman --steps 2 --fetch U,W,b,V,c -o w.safetensors").status == 0);
  REQUIRE(taugrad(f, "run elman --steps 2 --fetch x,y -o x.json").status == 0);
  REQUIRE(taugrad(f, "train char_lm --size m=4 --data text.txt --epochs 1 -o R -q").status == 0);
  copy_model(f, "R", "M");
  fs::create_directory(f.path / "sub");
  fs::create_hard_link(f.path / "net.json", f.path / "hard.json");
  fs::create_symlink("net.json", f.path / "soft.json");
  fs::create_symlink(".", f.path / "here");
}

}  // namespace

TEST_CASE("no command writes over what it reads, by whatever name", "[cli][files]") {
  const Folder f;
  make_files(f);
  for (const char* line : {
           "show net.json -o net.json",
           "show net.json --steps 2 -o ./sub/../net.json",
           "show net.json -o hard.json",
           "show net.json -o soft.json",
           "show soft.json -o net.json",
           "show net.json -o here/here/net.json",
           "show - -o net.json < net.json",
           "show net.json --json -o net.json",
           "show net.json --plan -o net.json",
           "show net.json --format json -o lstm.json",  // imported
           "show elman.json --view model -o elman.json",
           "run elman.json -o elman.json",
           "run elman --steps 2 --weights w.safetensors -o w.safetensors",
           "run elman --inputs x.json -o x.json",
           "run elman --inputs - -o x.json < x.json",
           "flow elman --weights w.safetensors -o w.safetensors",
           "flow elman.json -o elman.json",
           "sample M -o M/model.safetensors",
           "sample M -o M/vocab.json",
           "sample R -o R/config.json",
           "sample R -o R/latest",
           "sample R -o R/step-1/model.safetensors",
           "eval M --data text.txt -o text.txt",
           "eval M --data text.txt -o M/state.json",
           "eval M --data text.txt -o M/definition.json",
           "turing machine.json -o machine.json",
           "turing machine.json --definition machine.json",
       }) {
    const bool other_format = has(line, "flow elman --weights");
    check_refused(f, line, other_format ? "U002" : "U004");
  }
  // without a suffix that would be refused first
  fs::copy_file(f.path / "w.safetensors", f.path / "weights");
  fs::rename(f.path / "M/model.safetensors", f.path / "M/kept");
  fs::create_symlink("kept", f.path / "M/model.safetensors");
  check_refused(f, "flow elman --weights w.safetensors -o weights/../w.safetensors", "U002");
  check_refused(f, "sample M -o M/kept", "U004");
  check_refused(f, "turing machine.json --view folded --definition both -o ./both", "U004");
  CHECK(taugrad(f, "show elman -o net.json").status == 0);  // another file is written over
  CHECK(taugrad(f, "sample M -o M/own.txt").status == 0);
  CHECK(taugrad(f, "sample M -o M/own.txt").status == 0);
}

TEST_CASE("the folder of a training holds none of its inputs", "[cli][files]") {
  const Folder f;
  make_files(f);
  fs::create_directory(f.path / "M/data");
  fs::copy_file(f.path / "text.txt", f.path / "M/text.txt");
  fs::copy_file(f.path / "text.txt", f.path / "M/data/text.txt");
  fs::create_directory(f.path / "linked");
  fs::create_symlink("../text.txt", f.path / "linked/metrics.jsonl");
  fs::create_directory(f.path / "hard");
  fs::create_hard_link(f.path / "text.txt", f.path / "hard/vocab.json");
  const std::string train = "train char_lm --size m=4 --epochs 1 -q ";
  for (const char* line : {
           "--data M/text.txt -o M",
           "--data M/text.txt -o M --overwrite",
           "--data M/data/text.txt -o M --overwrite",
           "--data M/vocab.json -o M --overwrite",
           "--data M/text.txt -o here/M/../M --overwrite",
           "--data text.txt -o . --overwrite",
           "--data text.txt -o linked --overwrite",
           "--data text.txt -o hard --overwrite",
           "--data - -o hard --overwrite < text.txt",
           "--data text.txt -o text.txt --overwrite",
       })
    check_refused(f, train + line, "U004");
  check_refused(f, "train M/definition.json --data text.txt --epochs 1 -o M --overwrite", "U004");
  // its own files are brought up to date
  CHECK(taugrad(f, "train --resume M --data M/text.txt --epochs 2 -q").status == 0);
  CHECK(taugrad(f, train + "--data text.txt -o M --overwrite").status == 0);
  CHECK(fs::exists(f.path / "M/data/text.txt"));
}

TEST_CASE("a suffix that is none of the formats is refused, in every command", "[cli][files]") {
  const Folder f;
  make_files(f);
  const std::string kDrawn = "dot graphml html json mmd model-explorer.json svg sync.json tex";
  const std::map<std::string, std::string> commands = {
      {"show elman", kDrawn},
      {"show elman --steps 3 --view gradient", kDrawn},
      {"show elman --view model", kDrawn},
      {"show elman --plan", "json txt"},
      {"run elman --steps 2", "safetensors json"},
      {"run elman --inputs x.json --weights w.safetensors --mode y=greedy --divergence",
       "json txt"},
      {"flow elman --steps 3", "json txt svg"},
      {"flow elman --steps 3 --from x --of h", "json txt svg"},
      {"flow elman --steps 3 --rtrl", "json txt"},
      {"flow elman --memory --size n=1 --lags 3", "json txt"},
      {"define lstm", "json"},
      {"define -e 'h[t] = tanh(W @ h[t-1])'", "json"},
      {"sample M", "txt jsonl ndjson"},
      {"eval M --data text.txt", "json txt"},
      {"turing busy_beaver_2", "json txt"},
      {"turing busy_beaver_2 --view folded", "dot svg"},
  };
  for (const auto& [line, formats] : commands) {
    for (const char* suffix : {"png", "pdf", "SVG", "csv", "Json", "svg.gz", "safetensor"}) {
      const Outcome o = taugrad(f, line + " -o out." + suffix);
      INFO(line << " " << suffix << "\n" << o.err);
      CHECK(o.status == 2);
      CHECK(has(o.err, "error[U002]"));
      std::istringstream all(formats);
      for (std::string format; all >> format;) CHECK(has(o.err, "." + format));
      CHECK((has(o.err, "| dot -Tpng") || has(o.err, "lower case")) ==
            (has(formats, "dot") || has(o.err, "lower case")));
      CHECK_FALSE(fs::exists(f.path / (std::string("out.") + suffix)));
    }
    std::istringstream all(formats);
    for (std::string format; all >> format;) {
      const std::string name = "out." + format;
      const Outcome o = taugrad(f, line + " -q -o " + name);
      INFO(line << " " << format << "\n" << o.err);
      CHECK(o.status < 2);
      const std::string text = slurp(f / name);
      CHECK(nlohmann::json::accept(text) == (format.find("json") != std::string::npos));
      CHECK(text.starts_with("<!DOCTYPE html>") == (format == "html"));
      CHECK(has(text, "</svg>") == (format == "svg"));
      CHECK(text.starts_with("digraph") == (format == "dot"));
      if (format == "jsonl") CHECK(lines_of(text).size() == 1);
    }
    CHECK(taugrad(f, line + " -q -o with.dots/.. ").status == 4);  // a folder, and no suffix
    CHECK(taugrad(f, line + " -q -o plain").status < 2);
    CHECK(fs::exists(f.path / "plain"));
  }
  CHECK(taugrad(f, "turing busy_beaver_2 --definition net.svg").status == 2);
  CHECK(taugrad(f, "show elman --format svg -o x.dot").status == 2);
  CHECK(taugrad(f, "show elman --json -q -o x.svg").status == 0);
  CHECK(has(slurp(f / "x.svg"), "</svg>"));
}
