// The folder of a training: what it keeps, whom it lets in, what it reads and what it leaves alone.
#include "taugrad/train/run_folder.h"

#include <catch2/catch.hpp>
#include <set>

#include "support_cli.h"

using namespace support;
using taugrad::load_model;
using taugrad::load_resume_state;

namespace {

const std::string kTrain =
    "train char_lm --data text.txt --size m=2 --epochs 2 --batch 2 --lr 0.01 -q ";

Outcome run(const Folder& f, const std::string& line) { return support::taugrad(f, line); }

void make_text(const Folder& f) { spill(f / "text.txt", "abba\ncab\nabc\ncaca\n"); }

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

/// Every file below a folder, by name.
std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      all[entry.path().lexically_relative(folder).string()] = slurp(entry.path());
  return all;
}

std::string changes_of(const Folder& f, const std::string& run) {
  return nlohmann::json::parse(slurp(f / (newest(f, run) + "/state.json")))["changes"].dump();
}

/// A training in the background.
class Background {
 public:
  Background(const Folder& f, const std::string& line) {
    child_ = ::fork();
    if (child_ != 0) return;
    if (::chdir(f.path.c_str()) != 0 || !std::freopen("background.txt", "w", stderr)) ::_exit(99);
    ::setenv("TAUGRAD_GRAPHS", TAUGRAD_SOURCE_DIR "/graphs", 1);
    ::execl("/bin/sh", "sh", "-c", ("exec '" TAUGRAD_EXECUTABLE "' " + line).c_str(), nullptr);
    ::_exit(99);
  }
  ~Background() { end(SIGKILL); }
  void signal(int number) const { ::kill(child_, number); }
  int status() {
    int result = 0;
    ::waitpid(child_, &result, 0);
    child_ = 0;
    return WIFEXITED(result) ? WEXITSTATUS(result) : 1000 + WTERMSIG(result);
  }
  int end(int number) {
    if (child_ == 0) return 0;
    signal(number);
    return status();
  }

 private:
  pid_t child_ = 0;
};

void wait_for(const std::string& file) {
  for (int tries = 0; tries < 1000 && !fs::exists(file); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(fs::exists(file));
}

const std::string kEndless = "train char_lm --data text.txt --size m=2 --epochs 1000000 ";

}  // namespace

TEST_CASE("a second trainer in the folder of one at work is refused", "[run]") {
  const Folder f;
  make_text(f);
  Background first(f, kEndless + "-o m --save-every 0");
  wait_for(f / "m/latest");
  for (const std::string& line : {std::string("train --resume m"), kTrain + "-o m --overwrite"}) {
    const Outcome o = run(f, line);
    INFO(line << "\n" << o.err);
    CHECK(o.status == 4);
    CHECK(has(o.err, "error[I006]: m is in use"));
  }
  CHECK(first.end(SIGINT) == 130);
  CHECK(run(f, "train --resume m --seconds 0.01 -q").status == 0);
}

TEST_CASE("readers of a training at work always find a whole state", "[run]") {
  const Folder f;
  make_text(f);
  Background trainer(f, kEndless + "-o m --save-every 0 --keep 1");
  wait_for(f / "m/latest");
  std::int64_t before = 0;
  int moved = 0;
  const char* more = std::getenv("TAUGRAD_LOADS");  // tools/readers
  const int all = more != nullptr ? std::atoi(more) : 500;
  for (int loads = 0; loads < all; ++loads) {
    const taugrad::TrainedModel m = load_model(f / "m");
    REQUIRE(m.warnings.empty());
    const std::string name = m.folder.substr(m.folder.rfind('-') + 1);
    moved += std::stoll(name) > before;
    REQUIRE(std::stoll(name) >= before);
    before = std::stoll(name);
  }
  CHECK(moved > 5);
  for (int k = 0; k < 5; ++k) {
    CHECK(run(f, "eval m --data text.txt --json").err.empty());
    CHECK(run(f, "sample m").err.empty());
  }
  CHECK(trainer.end(SIGTERM) == 143);
}

TEST_CASE("signals: the first saves, the second ends at once, a hangup is one", "[run]") {
  const Folder f;
  make_text(f);
  for (const auto& [number, status] : {std::pair{SIGHUP, 129}, {SIGINT, 130}, {SIGTERM, 143}}) {
    fs::remove_all(f.path / "m");
    Background trainer(f, kEndless + "-o m");
    wait_for(f / "m/latest");  // the first save, after a second
    const auto lines = lines_of(slurp(f / "m/metrics.jsonl")).size();
    CHECK(trainer.end(number) == status);
    const std::int64_t at = load_resume_state(load_model(f / "m"))->updates;
    CHECK(at >= static_cast<std::int64_t>(lines));
    CHECK(lines_of(slurp(f / "m/metrics.jsonl")).size() == static_cast<std::size_t>(at));
  }
  for (int k = 0; k < 10; ++k) {
    Background trainer(f, "train --resume m --epochs 1000000 -q --save-every 0");
    std::this_thread::sleep_for(std::chrono::milliseconds(60 + 7 * k));
    trainer.signal(SIGINT);
    std::this_thread::sleep_for(std::chrono::microseconds(500 * k));
    const int status = trainer.end(SIGINT);
    CHECK((status == 130 || status == 1000 + SIGINT));  // before it listens, the latter
    CHECK(load_model(f / "m").warnings.empty());
  }
  CHECK(run(f, "train --resume m --seconds 0.01 -q").status == 0);
}

TEST_CASE("what a dead trainer was writing goes, what is another's stays", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o m").status == 0);
  const std::string torn = ".taugrad-run-0123456789abcdef.tmp",
                    file = ".taugrad-run-00000000000000ff.tmp";
  const std::vector<std::string> others = {".taugrad-0123456789abcdef.tmp",
                                           ".taugrad-run-1.tmp",
                                           "notes",
                                           "step-x",
                                           "step-07",
                                           "step-3"};
  fs::create_directory(f.path / "m" / torn);
  spill(f / ("m/" + torn + "/model.safetensors"), "half");
  spill(f / ("m/" + file), "half");
  for (const std::string& name : others) spill(f / ("m/" + name), "mine");
  const Outcome o = run(f, "train --resume m --epochs 3");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(has(o.err, "2 unfinished saves of an earlier run are removed"));
  CHECK_FALSE(fs::exists(f.path / "m" / torn));
  CHECK_FALSE(fs::exists(f.path / "m" / file));
  for (const std::string& name : others) CHECK(slurp(f / ("m/" + name)) == "mine");
  // a step with something of the user's in it is not removed
  spill(f / (newest(f, "m") + "/notes"), "mine");
  const std::string held = newest(f, "m");
  REQUIRE(run(f, "train --resume m --epochs 9 --save-every 0 -q").status == 0);
  CHECK(slurp(f / (held + "/notes")) == "mine");
}

TEST_CASE("as many steps are kept as asked for", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o m --save-every 0 --keep 3").status == 0);
  CHECK(names_in(f / "m") == std::set<std::string>{"config.json", "curves.svg", "latest",
                                                   "metrics.jsonl", "step-2", "step-3", "step-4"});
  const auto config = nlohmann::json::parse(slurp(f / "m/config.json"));
  CHECK(config["definition"]["name"] == "char_lm");
  CHECK(config["options"]["lr"] == 0.01);
  CHECK(config["vocabulary"]["symbols"].size() == 4);
  REQUIRE(run(f, "train --resume m --epochs 3 -q --keep 1").status == 0);
  CHECK(names_in(f / "m").size() == 5);
  CHECK(slurp(f / "m/latest") == "step-6\n");
}

TEST_CASE("a step that is damaged anywhere is passed over and named", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o m --save-every 0").status == 0);
  const auto older = load_model(f / "m/step-3").weights, newer = load_model(f / "m").weights;
  const std::string step = f / "m/step-4";
  for (const std::string& name : names_in(step)) {
    const std::string path = step + "/" + name, whole = slurp(path);
    INFO(name);
    const auto check_older = [&](const std::string& says) {
      const taugrad::TrainedModel m = load_model(f / "m");
      REQUIRE(m.warnings.size() == 1);
      REQUIRE(m.weights == older);
      REQUIRE(has(m.warnings[0].message, says));
      REQUIRE(has(m.warnings[0].message, "m/step-3 is used"));
    };
    for (std::size_t i = 0; i < whole.size(); i += name == "manifest.json" ? 1 : 5) {
      std::string torn = whole;
      torn[i] = static_cast<char>(torn[i] ^ (1 << (i % 8)));
      spill(path, torn);
      INFO("byte " << i);
      // behind the manifest's digest there is nothing to damage
      if (name == "manifest.json" && i + 4 > whole.size() && load_model(f / "m").weights == newer)
        continue;
      check_older("damaged");
    }
    for (std::size_t i = 0; i < whole.size() - (name == "manifest.json" ? 3 : 0); i += 31) {
      spill(path, whole.substr(0, i));
      check_older("damaged");
    }
    fs::remove(path);
    check_older(name == "manifest.json" ? "has no manifest.json" : "it is missing");
    fs::create_directory(path);
    check_older("m/step-4");
    fs::remove(path);
    ::mkfifo(path.c_str(), 0600);
    check_older("m/step-4");
    fs::remove(path);
    spill(path, whole);
  }
  CHECK(load_model(f / "m").weights == newer);
  for (const char* name : {"step-3", "step-4"})
    spill(f / ("m/" + std::string(name) + "/model.safetensors"), "");
  for (const char* line : {"eval m --data text.txt", "sample m", "train --resume m"}) {
    const Outcome o = run(f, line);
    CHECK(o.status == 3);
    CHECK(has(o.err, "error[C002]: m/step-4/model.safetensors is damaged"));
    CHECK(has(o.err, "error[C002]: m/step-3/model.safetensors is damaged"));
  }
}

TEST_CASE("latest is a hint: steps are found without it", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o m --save-every 0").status == 0);
  const auto weights = load_model(f / "m").weights;
  for (const char* text : {"", "step-3\n", "step-99", "../m/step-3", "\xFF\n", "step-04"}) {
    spill(f / "m/latest", text);
    CHECK(load_model(f / "m").weights == weights);
  }
  fs::remove(f / "m/latest");
  CHECK(load_model(f / "m").weights == weights);
  REQUIRE(run(f, "train --resume m -q").status == 0);
  CHECK(slurp(f / "m/latest") == "step-4\n");
}

TEST_CASE("a training that fails at its first update leaves everything as it was", "[run]") {
  const Folder f;
  make_text(f);
  spill(f / "exp.json",
        R"json({"name": "exp", "inputs": {"x": []}, "weights": {"w": {"shape": [], "init": 3}},
    "equations": ["e = exp(w * x)"], "loss": "e"})json");
  spill(f / "big.jsonl", "{\"x\": 100}\n");
  const std::string fails = "train exp.json --data big.jsonl -q ";
  CHECK(run(f, fails + "-o none").status == 5);
  CHECK_FALSE(fs::exists(f.path / "none"));
  fs::create_directory(f.path / "empty");
  CHECK(run(f, fails + "-o empty").status == 5);
  CHECK(names_in(f / "empty").empty());
  fs::create_directory(f.path / "mine");
  spill(f / "mine/metrics.jsonl", "mine");
  spill(f / "mine/definition.json", "mine");
  const auto mine = contents(f / "mine");
  CHECK(run(f, fails + "-o mine").status == 2);
  CHECK(run(f, fails + "-o mine --overwrite").status == 5);
  CHECK(contents(f / "mine") == mine);
  REQUIRE(run(f, kTrain + "-o m").status == 0);
  const auto before = contents(f / "m");
  CHECK(run(f, fails + "-o m --overwrite").status == 5);
  CHECK(contents(f / "m") == before);
  CHECK(run(f, kTrain + "-o m --overwrite --mode z=sampled").status == 2);
  CHECK(contents(f / "m") == before);
}

TEST_CASE("one that fails later keeps what it had, and of one it overwrites the steps", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o m").status == 0);
  spill(f / "m/notes", "mine");
  const auto model = contents(f / "m/step-4");
  spill(f / "exp.json",
        R"json({"name": "exp", "inputs": {"x": []}, "weights": {"w": {"shape": [], "init": 3}},
    "equations": ["e = exp(w * x)"], "loss": "e"})json");
  spill(f / "items.jsonl", "{\"x\": 1}\n\n{\"x\": -1}\n");
  const std::string line =
      "train exp.json --data items.jsonl --batch 1 --lr 1000 --epochs 9 --seed ";
  spill(f / "good.jsonl", "{\"x\": 0.001}\n");
  std::set<int> failed;  // lines; the items come in an order of the seed's
  for (int seed = 1; seed < 20 && failed.size() < 2; ++seed) {
    fs::remove_all(f.path / "n");
    fs::copy(f.path / "m", f.path / "n", fs::copy_options::recursive);
    const Outcome o = run(f, line + std::to_string(seed) + " -o n --overwrite");
    INFO(o.err);
    CHECK(o.status == 5);
    CHECK(has(o.err, "error[N001]"));
    if (!has(o.err, "the state after update")) continue;
    const int line_of_item = has(o.err, "items.jsonl:3") ? 3 : 1;
    failed.insert(line_of_item);
    CHECK(has(o.err, std::string("not finite at e, item ") + (line_of_item == 3 ? "1" : "0") +
                         ": exp gives inf, and so the loss"));
    CHECK(has(o.err, "items.jsonl:" + std::to_string(line_of_item)));
    const taugrad::TrainedModel n = load_model(f / "n");
    CHECK(n.definition.name == "exp");
    CHECK(n.warnings.empty());
    const auto at = static_cast<std::size_t>(load_resume_state(n)->updates);
    CHECK(lines_of(slurp(f / "n/metrics.jsonl")).size() == at);
    CHECK(contents(f / "n/step-4") == model);  // still there
    CHECK(slurp(f / "n/notes") == "mine");
    const Outcome further = run(f, "train --resume n --lr 0.001 --epochs 20 --data good.jsonl -q");
    CHECK(further.status == 0);
    CHECK_FALSE(fs::exists(f.path / "n/step-4"));  // it has come to its end
    CHECK(slurp(f / "n/notes") == "mine");
    CHECK(names_in(f / "n").count("metrics.before.jsonl") == 0);
  }
  CHECK(failed.size() == 2);
}

TEST_CASE("numbers in the data that are none are told as such", "[run]") {
  const Folder f;
  spill(f / "net.json", R"json({"name": "net", "index": {"t": "tau"}, "inputs": {"x[t]": []},
    "weights": {"w": []}, "equations": ["e[t] = w * x[t] - 1"], "loss": "sum(e[t] * e[t])"})json");
  spill(f / "items.jsonl", "{\"x\": [1, 2]}\n{\"x\": [3, 1e39]}\n");
  const Outcome o = run(f, "train net.json --data items.jsonl -o m");
  INFO(o.err);
  CHECK(o.status == 5);
  CHECK(has(o.err, "error[N001]: update 1: "));
  CHECK(has(o.err, "the data hold inf in x[2], item 1"));
  CHECK(has(o.err, "items.jsonl:2"));
  CHECK_FALSE(fs::exists(f.path / "m"));
}

TEST_CASE("an update that makes weights infinite is undone", "[run]") {
  const taugrad::Definition d = taugrad::parse_definition(
      R"json({"name": "line", "inputs": {"x": []}, "weights": {"w": {"shape": [], "init": 1}},
      "equations": ["e = w * x"], "loss": "e"})json",
      "d");
  for (const auto kind : {taugrad::OptimizerKind::sgd, taugrad::OptimizerKind::adam}) {
    const bool adam = kind == taugrad::OptimizerKind::adam;
    // of adam the second moment overflows before a weight does
    const std::string text = adam ? "{\"x\": 1e25}\n" : "{\"x\": 1e30}\n";
    taugrad::Trainer trainer(
        d, taugrad::json_lines_dataset(d, text, "f"),
        {.optimizer = {.kind = kind, .lr = adam ? 0.1 : 1e10}, .epochs = 3, .clip = 0});
    try {
      trainer.step();
      FAIL("no error");
    } catch (const taugrad::Error& e) {
      CHECK(e.status() == taugrad::Status::numerical);
      CHECK(has(e.what(), adam ? "the optimizer's square.w becomes inf" : "w becomes -inf"));
    }
    CHECK(trainer.updates() == 0);
    CHECK(trainer.weights().at("w").at(0) == 1);
    CHECK(trainer.state().optimizer.empty());
  }
}

TEST_CASE("a log that fails does not end a training", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o whole --epochs 60").status == 0);
  const auto weights = load_model(f / "whole").weights;
  const std::string json = "'" TAUGRAD_EXECUTABLE "' " + kTrain + "--epochs 60 --json ";
  CHECK(run_in(f, "sh -c \"" + json + "-o head; echo \\$? > status\" | head -1").out.size() > 10);
  CHECK(slurp(f / "status") == "0\n");
  CHECK(load_model(f / "head").weights == weights);
  const Outcome full = run_in(f, "sh -c \"" + json + "-o full > /dev/full\"");
  CHECK(full.status == 4);
  CHECK(has(full.err, "standard output"));
  CHECK(load_model(f / "full").weights == weights);
  CHECK(without_times(slurp(f / "full/metrics.jsonl")) ==
        without_times(slurp(f / "whole/metrics.jsonl")));

  // lines that were removed are gone; the rest goes on, each once
  Background trainer(f, kEndless + "-o m -q --save-every 0");
  wait_for(f / "m/metrics.jsonl");
  fs::remove(f.path / "m/metrics.jsonl");
  wait_for(f / "m/metrics.jsonl");
  CHECK(trainer.end(SIGINT) == 130);
  const auto lines = lines_of(slurp(f / "m/metrics.jsonl"));
  CHECK(lines.back()["update"] == load_resume_state(load_model(f / "m"))->updates);
  for (std::size_t i = 1; i < lines.size(); ++i)
    REQUIRE(lines[i]["update"].get<int>() == lines[i - 1]["update"].get<int>() + 1);

  // a folder in its place: told, status 4, and all is saved
  fs::remove(f.path / "whole/metrics.jsonl");
  fs::create_directory(f.path / "whole/metrics.jsonl");
  const Outcome none = run(f, "train --resume whole --epochs 61 -q");
  INFO(none.err);
  CHECK(none.status == 4);
  CHECK(has(none.err, "whole/metrics.jsonl cannot be written"));
  CHECK(load_resume_state(load_model(f / "whole"))->updates == 122);
}

TEST_CASE("metrics: a torn line and lines behind the saved state go", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o whole --epochs 4").status == 0);
  REQUIRE(run(f, kTrain + "-o m").status == 0);
  const std::string whole = slurp(f / "whole/metrics.jsonl"), part = slurp(f / "m/metrics.jsonl");
  fs::copy(f.path / "m", f.path / "kept", fs::copy_options::recursive);
  for (std::size_t size = part.size(); size <= whole.size(); size += 7) {
    fs::remove_all(f.path / "m");
    fs::copy(f.path / "kept", f.path / "m", fs::copy_options::recursive);
    spill(f / "m/metrics.jsonl", whole.substr(0, size));
    REQUIRE(run(f, "train --resume m --epochs 4 -q").status == 0);
    REQUIRE(without_times(slurp(f / "m/metrics.jsonl")) == without_times(whole));
  }
}

TEST_CASE("options beside --resume hold from then on and are noted", "[run]") {
  const Folder f;
  make_text(f);
  spill(f / "percent.txt", "abba\n%\ncab\n%\nabc\n");
  spill(f / "more.txt", "abba\ncab\nabc\ncaca\nbaba\ncc\n");
  REQUIRE(run(f, kTrain + "-o m").status == 0);
  struct Row {
    std::string options, note;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"--lr 0.5", "--lr 0.01 -> 0.5"},
           {"--clip 0.01", "--clip 1 -> 0.01"},
           {"--batch 1", "--batch 2 -> 1"},
           {"--final-lr 0.5", "--final-lr 1 -> 0.5"},
           {"--weight-decay 0.5", "--weight-decay 0 -> 0.5"},
           {"--beta1 0.5", "--beta1 0.9 -> 0.5"},
           {"--beta2 0.5", "--beta2 0.999 -> 0.5"},
           {"--precision bf16", "--precision full -> bf16"},
           {"--max-length 5 --data text.txt", "--max-length 0 -> 5"},
           {"--split % --data percent.txt", "--split line -> %"},
           {"--flow-every 1", "--flow-every 0 -> 1"},
           {"--data more.txt", "--data other data"},
       }) {
    fs::remove_all(f.path / "n");
    fs::copy(f.path / "m", f.path / "n", fs::copy_options::recursive);
    const Outcome plain = run(f, "train --resume n --epochs 6 -q");
    REQUIRE(plain.status == 0);
    const std::string without = slurp(f / (newest(f, "n") + "/model.safetensors"));
    fs::remove_all(f.path / "n");
    fs::copy(f.path / "m", f.path / "n", fs::copy_options::recursive);
    const Outcome o = run(f, "train --resume n --epochs 6 " + row.options);
    INFO(row.options << "\n" << o.err);
    CHECK(o.status == 0);
    CHECK(has(o.err, "after update 4: " + row.note));
    CHECK(has(changes_of(f, "n"), row.note));
    CHECK(has(changes_of(f, "n"), "after update 4: --epochs 2 -> 6"));
    const bool same = slurp(f / (newest(f, "n") + "/model.safetensors")) == without;
    CHECK(same == (row.options.starts_with("--flow") || row.options.starts_with("--max-length")));
  }
  // a batch of another size: as far into the data as before
  CHECK(has(run(f, "train --resume m --epochs 3 --batch 1").err, "goes on after update 4 of 8"));
  const auto lines = lines_of(slurp(f / "m/metrics.jsonl"));
  CHECK(lines[4]["epoch"] == 2);
}

TEST_CASE("a folder of the first format is read, and trained on", "[run]") {
  const Folder f;
  make_text(f);
  fs::copy(TAUGRAD_SOURCE_DIR "/tests/fixtures/model_format_1", f / "old",
           fs::copy_options::recursive);
  const auto before = contents(f / "old");
  const auto weights = load_model(f / "old").weights;
  CHECK(run(f, "eval old --data text.txt").status == 0);
  CHECK(run(f, "sample old").status == 0);
  const Outcome o = run(f, "train --resume old --data text.txt --epochs 4");
  INFO(o.err);
  CHECK(o.status == 0);
  CHECK(has(o.err, "goes on after update 4 of 8"));
  CHECK(lines_of(slurp(f / "old/metrics.jsonl")).size() == 8);
  CHECK(load_model(f / "old").folder == f / "old/step-8");
  for (const auto& [name, text] : before)
    if (name != "metrics.jsonl") CHECK(slurp(f / ("old/" + name)) == text);
  // the whole state beside the step still serves where that is damaged
  fs::remove(f / "old/step-8/state.json");
  const taugrad::TrainedModel m = load_model(f / "old");
  CHECK(m.warnings.size() == 1);
  CHECK(m.weights == weights);
}

TEST_CASE("a training that another program or processor saved is told", "[run]") {
  const Folder f;
  make_text(f);
  REQUIRE(run(f, kTrain + "-o m").status == 0);
  CHECK_FALSE(has(run(f, "train --resume m --epochs 3 --require-identical").err, "C101"));
  copy_model(f, "m", "alone");
  std::string state = slurp(f / "alone/state.json");
  const std::regex made_by(R"("made_by": "[^"]*")"), digest(R"(,\s*"digest": "[^"]*")");
  state =
      std::regex_replace(state, made_by, R"("made_by": "taugrad 0.0.1, another compiler, avx2")");
  spill(f / "alone/state.json", std::regex_replace(state, digest, ""));
  const Outcome refused = run(f, "train --resume alone --epochs 4 --require-identical");
  CHECK(refused.status == 3);
  CHECK(has(refused.err, "error[C101]"));
  const Outcome told = run(f, "train --resume alone --epochs 4");
  CHECK(told.status == 0);
  CHECK(has(told.err, "warning[C101]"));
  CHECK(has(told.err, "another compiler"));
}
