// The command line as a stranger meets it: exit status, what goes to which stream, what errors say.
#include <catch2/catch.hpp>

#include "support_cli.h"

using namespace support;

TEST_CASE("help and version go to standard output", "[cli]") {
  const Folder f;
  const Outcome version = taugrad(f, "--version");
  CHECK(version.status == 0);
  CHECK(version.out.starts_with("taugrad "));
  CHECK(nlohmann::json::parse(taugrad(f, "--version --json").out)["name"] == "taugrad");
  for (const char* all : {"-h", "--help", "help"}) {
    const Outcome o = taugrad(f, all);
    CHECK(o.status == 0);
    CHECK(o.err.empty());
    for (const char* c : kCommands) CHECK(has(o.out, c));
  }
  const Outcome nothing = taugrad(f, "");
  CHECK(nothing.status == 2);
  CHECK(nothing.out.empty());
  CHECK(has(nothing.err, "Usage"));
}

TEST_CASE("every command has a screen of help with two or three examples", "[cli]") {
  const Folder f;
  for (const std::string c : kCommands) {
    const Outcome brief = taugrad(f, c + " -h"), full = taugrad(f, c + " --help");
    INFO(c);
    CHECK(brief.status == 0);
    CHECK(std::count(brief.out.begin(), brief.out.end(), '\n') <= 36);
    CHECK(full.out.size() >= brief.out.size());
    CHECK(has(full.out, "Exit status"));
    std::istringstream lines(full.out);
    int examples = 0;
    for (std::string line; std::getline(lines, line);) examples += line.starts_with("  taugrad ");
    CHECK((examples == 2 || examples == 3));
    CHECK(taugrad(f, "help " + c).out == full.out);
  }
}

TEST_CASE("the graphical model and the gradient flow answer by their status", "[cli]") {
  const Folder f;
  const std::string model = "show output_recurrent --view model --steps 3 ";
  CHECK(taugrad(f, model + "--independent 'y[1];y[3]|y[2]' -o m.svg").status == 0);
  CHECK(taugrad(f, model + "--independent 'y[1];y[3]'").status == 1);
  CHECK(has(taugrad(f, model + "--independent 'y[1];y[4]'").err, "has no node y[4]"));
  CHECK(taugrad(f, model + "--independent 'y[1]'").status == 2);
  CHECK(taugrad(f, model + "--confirm --states").status == 0);
  CHECK(taugrad(f, "show gru --view model").status == 3);
  const Outcome flow = taugrad(f, "flow elman --steps 4 --json");
  CHECK(nlohmann::json::parse(flow.out)["variables"][0]["name"] == "h");
  CHECK(taugrad(f, "flow elman --steps 4 --rtrl --json").status == 0);
  CHECK(taugrad(f, "flow elman --of q").status == 2);
  CHECK(taugrad(f, "flow product").status == 3);
  const Outcome influence = taugrad(f, "flow bidirectional --of o --from x --steps 5 --json");
  CHECK(nlohmann::json::parse(influence.out)["profile"].size() == 9);
  CHECK(taugrad(f, "flow bidirectional --of o --from x --steps 5 -o i.svg -q").status == 0);
  CHECK(has(slurp(f / "i.svg"), "</svg>"));
  CHECK(nlohmann::json::parse(taugrad(f, "flow elman --memory --lags 9 --json").out)["by_lag"]
            .size() == 9);
  for (const char* line : {"flow elman --from x", "flow elman --from x --rtrl --of o",
                           "flow elman --memory --rtrl", "flow elman --memory --inputs x.json",
                           "flow elman --memory -o m.svg", "flow elman --memory --steps t=9",
                           "flow elman --of o --from q", "flow elman --memory --lags 0"}) {
    CAPTURE(line);
    CHECK(taugrad(f, line).status == 2);
  }
}

TEST_CASE("usage errors have status 2, a code and a suggestion", "[cli]") {
  const Folder f;
  struct Row {
    const char* line;
    const char* code;
    const char* says;
  };
  const Row rows[] = {
      {"shwo elman", "U001", "did you mean \"show\""},
      {"--frobnicate", "U001", "unknown option"},
      {"check elman --step 3", "U001", "did you mean \"--steps\""},
      {"check elman --stpes=3", "U001", "did you mean \"--steps\""},
      {"ops tnah", "U001", "did you mean \"tanh\""},
      {"check elman extra", "U001", "unexpected argument extra"},
      {"check elman --steps", "U006", "--steps needs a value"},
      {"check", "U006", "a definition is needed"},
      {"check elman -e 'h[t] = h[t-1]'", "U006", "not both"},
      {"inspect", "U006", "FILE"},
      {"train char_lm --data x", "U006", "-o DIR"},
      {"train char_lm -o m", "U006", "--data"},
      {"train char_lm --lr -1", "U002", "--lr must be a finite number > 0, got -1"},
      {"train char_lm --lr nan", "U002", "got nan"},
      {"train char_lm --lr inf", "U002", "got inf"},
      {"train char_lm --lr 1e999", "U002", "--lr"},
      {"train char_lm --lr 0,1", "U002", "--lr"},
      {"train char_lm --batch 0", "U002", "--batch"},
      {"train char_lm --split words", "U002", "--split must be one of"},
      {"check elman --steps 99999999999999999999", "U002", "--steps"},
      {"check elman --steps -1", "U002", "--steps"},
      {"check elman --steps 3.7", "U002", "--steps"},
      {"check elman --steps t=", "U002", "NAME=VALUE"},
      {"check elman --method complx", "U002", "did you mean \"complex\""},
      {"check elman --size m=0", "U002", "--size m"},
      {"check elman --size q=3", "U002", "has no size \"q\""},
      {"check elman --set p=0.3", "U002", "has no constant \"p\""},
      {"define lstm --dropout 1.5", "U002", "--dropout must be a finite number in [0, 1), got 1.5"},
      {"define lsmt", "U002", "must be one of"},
      {"define", "U006", "needs a cell"},
      {"sample m --temperature 1e-30", "U002", "--temperature"},
      {"sample m --temperature inf", "U002", "--temperature"},
      {"run elman --mode y=guessed", "U002", "\"guessed\" is no mode"},
      {"run output_recurrent --mode y=greedy --divergence", "U006", "--inputs FILE"},
      {"run output_recurrent --inputs x.json --divergence", "U006", "--mode"},
      {"run elman --mode sampled", "U002", "--mode takes NAME=MODE"},
      {"run elman --mode y=greedy --mode y=sampled", "U002", "two modes"},
      {"run elman --mode 'y=mixed(2)'", "U002", "in 0..1, not \"2\""},
      {"run elman --mode 'y=mixed(sigmoid(5))'", "U002", "follows the updates of a training"},
      {"check gaussian_output --mode y=sampled", "U002", "y=sampled(pathwise)"},
      {"turing", "U006", "MACHINE"},
      {"turing binary_increment --tape 12", "U002", "not a symbol of binary_increment"},
      {"turing busy_beaver_2 --dtype f16", "U002", "--dtype must be one of exact f64 f32"},
      {"run elman --fetch nothing", "U020", "nothing"},
      {"run elman --fetch 'h['", "U020", "did you mean \"h\""},
      {"run elman --fetch 'grad:W[foo]'", "U020", "cannot read the position [foo]"},
      {"run elman --mode h=sampled", "U002", "\"h\" is not a random variable"},
      {"show elman --view folded --mode y=sampled", "U002", "the same in every mode"},
      {"show elman --steps 3 --mode z=sampled", "U002", "no random variable \"z\""},
      {"run elman --max-memory 10Q", "U002", "--max-memory"},
      {"run elman --max-memory 0K", "U002", "--max-memory"},
      {"check elman --steps t=2,s=3", "U002", "no index or length \"s\""},
  };
  for (const Row& row : rows) {
    const Outcome o = taugrad(f, row.line);
    INFO(row.line << "\n" << o.err);
    CHECK(o.status == 2);
    CHECK(o.out.empty());
    CHECK(o.err.starts_with("error[" + std::string(row.code) + "]: "));
    CHECK(has(o.err, row.says));
    const Outcome as_json = taugrad(f, "--json " + std::string(row.line));
    CHECK(as_json.status == 2);
    CHECK(as_json.out.empty());
    for (const auto& line : lines_of(as_json.err)) {
      CHECK(line["level"] == "error");
      CHECK(line["code"] == row.code);
    }
  }
}

TEST_CASE("bad files have status 3, missing ones 4", "[cli]") {
  const Folder f;
  spill(f / "cycle.json",
        R"json({"name": "c", "index": {"t": "tau"}, "sizes": {"m": 2}, "inputs": {"x[t]": ["m"]},
 "equations": ["a[t] = h[t] + x[t]", "h[t] = tanh(a[t])"]})json");
  spill(f / "empty.json", "");
  spill(f / "short.safetensors", "12345");
  for (const char* line :
       {"show cycle.json", "check cycle.json", "run cycle.json", "show empty.json",
        "inspect empty.json", "run elman --weights short.safetensors",
        "train char_lm --data empty.json -o m"}) {
    const Outcome o = taugrad(f, line);
    INFO(line << "\n" << o.err);
    CHECK(o.status == 3);
    CHECK(o.out.empty());
    CHECK(o.err.starts_with("error["));
    CHECK_FALSE(has(o.err, "std::"));
  }
  CHECK(has(taugrad(f, "show cycle.json").err, "cycle.json:2:"));
  CHECK_FALSE(fs::exists(f / "m"));  // nothing is left half made
  for (const char* line :
       {"show nothing.json", "check nothing", "run elman --weights none.safetensors",
        "inspect none", "sample none", "train char_lm --data none.txt -o m",
        "define lstm -o none/there.json"}) {
    const Outcome o = taugrad(f, line);
    INFO(line << "\n" << o.err);
    CHECK(o.status == 4);
    CHECK(o.err.starts_with("error[I"));
  }
  CHECK(has(taugrad(f, "show elmann").err, "did you mean \"elman\""));
  fs::create_directory(f / "elman");  // a model's folder does not hide the definition of its name
  CHECK(taugrad(f, "inspect elman").status == 0);
}

TEST_CASE("an error in a tensor names its file, and nothing is written", "[cli]") {
  const Folder f;
  spill(f / "x.json", R"({"x": [[[1, 2]], [[3, 4]]]})");
  spill(f / "wide.json", R"({"x": [[[1, 2, 3]]]})");
  spill(f / "w.json", R"({"U": [[1, 2]], "W": [[1]], "b": [0]})");
  const Outcome weight =
      taugrad(f, "run elman --inputs x.json --weights w.json --fetch h -o out.safetensors");
  CHECK(weight.status == 3);
  CHECK(weight.err.starts_with("error[D011]"));
  CHECK(has(weight.err, "--> w.json"));
  const Outcome input =
      taugrad(f, "run elman --inputs wide.json --weights w.json --fetch h -o out.safetensors");
  CHECK(input.status == 3);
  CHECK(has(input.err, "--> wide.json"));
  CHECK_FALSE(fs::exists(f / "out.safetensors"));
}

TEST_CASE("over a limit is status 6", "[cli]") {
  const Folder f;
  const Outcome o =
      taugrad(f, "run elman --size m=4000 --steps 2000 --batch 1000 --max-memory 10 --fetch loss");
  INFO(o.err);
  CHECK(o.status == 6);
  CHECK(has(o.err, "R001"));
  spill(f / "t.txt", "one\ntwo\n");
  CHECK(taugrad(f, "train char_lm --data t.txt -o m --max-memory 1K").status == 6);
  CHECK_FALSE(fs::exists(f / "m"));
}

TEST_CASE("results for people and for programs", "[cli]") {
  const Folder f;
  CHECK(taugrad(f, "define gru --layers 2 --size n=4 --size m=5 -o gru.json").status == 0);
  CHECK(nlohmann::json::parse(slurp(f / "gru.json"))["sizes"]["m"] == 5);

  const Outcome check = taugrad(f, "check gru.json --steps 3");
  CHECK(check.status == 0);
  CHECK(has(check.out, "every gradient agrees"));
  CHECK(nlohmann::json::parse(taugrad(f, "check gru.json --steps 3 --json").out)["ok"] == true);
  CHECK(taugrad(f, "check elman --method central --order 2 -q").status == 0);

  const Outcome run = taugrad(f, "run elman --steps 3 --fetch 'h,grad:W[2]' --dtype f64");
  CHECK(run.status == 0);
  CHECK(has(run.out, "h [3,1,3] f64"));
  CHECK(nlohmann::json::parse(taugrad(f, "run elman --steps 3 --fetch h --json").out)["h"].size() ==
        3);
  CHECK(taugrad(f, "run elman --steps 3 -o all.safetensors").status == 0);
  CHECK(has(taugrad(f, "inspect all.safetensors").out, "loss"));
  CHECK(taugrad(f, "run elman --steps 3 --fetch h -o - | head -c 3 | cat").status == 0);

  const Outcome ops = taugrad(f, "ops");
  CHECK(has(ops.out, "matmul"));
  CHECK(nlohmann::json::parse(taugrad(f, "ops --json").out)["ops"].size() ==
        static_cast<std::size_t>(std::count(ops.out.begin(), ops.out.end(), '\n')));
  CHECK(has(taugrad(f, "ops cumsum").out, "attribute reverse: flag"));
  const nlohmann::json slice = nlohmann::json::parse(taugrad(f, "ops slice --json").out)["ops"][0];
  CHECK(slice["attributes"] == nlohmann::json({{"from", "integer"}, {"to", "integer"}}));
  CHECK(has(taugrad(f, "inspect gru.json").out, "weight_ih_l1"));
  CHECK(nlohmann::json::parse(taugrad(f, "inspect gru.json --json").out).is_object());
}

TEST_CASE("check does not pretend a proof where nothing depends on anything", "[cli]") {
  const Folder f;
  const Outcome none = taugrad(f, "check elman --steps 0");
  CHECK(none.status == 0);
  CHECK(has(none.out, "nothing is proven"));
  CHECK_FALSE(has(none.out, "every gradient agrees"));
  CHECK(nlohmann::json::parse(taugrad(f, "check elman --steps 0 --json").out)["vacuous"] == true);
  CHECK(has(taugrad(f, "check elman --steps 1").out, "every gradient agrees"));
  CHECK_FALSE(
      nlohmann::json::parse(taugrad(f, "check elman --steps 1 --json").out).contains("vacuous"));
}

TEST_CASE("drawings: data on standard output, counts on standard error", "[cli]") {
  const Folder f;
  const Outcome o = taugrad(f, "show elman --steps 3");
  CHECK(o.status == 0);
  CHECK(o.out.starts_with("digraph"));
  CHECK(has(o.err, "nodes"));
  CHECK(taugrad(f, "show elman --steps 3 -q").err.empty());
  CHECK(taugrad(f, "show elman --steps 3 -o a.svg").out.empty());
  CHECK(has(slurp(f / "a.svg"), "<svg"));
  CHECK(nlohmann::json::parse(taugrad(f, "show elman --steps 3 --format json").out).is_object());
  CHECK(taugrad(f, "show - --steps 3 -q < '" TAUGRAD_SOURCE_DIR "/graphs/elman.json'").out ==
        o.out);
  const Outcome equations = taugrad(f, "show -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])' --steps 2");
  CHECK(equations.status == 0);
  CHECK(equations.out.starts_with("digraph"));
  CHECK(
      nlohmann::json::parse(taugrad(f, "show -e 'h[t] = tanh(W @ h[t-1])' --json").out)["equations"]
          .size() == 1);
  CHECK(nlohmann::json::parse(taugrad(f, "show elman --json").out).contains("nodes"));
}

TEST_CASE("equations on the command line become a definition", "[cli]") {
  const Folder f;
  const Outcome o = taugrad(f, "define -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])' --size m=7");
  INFO(o.err);
  const Outcome plain = taugrad(f, "define -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])'");
  REQUIRE(plain.status == 0);
  CHECK(nlohmann::json::parse(plain.out)["equations"].size() == 1);
  spill(f / "own.json", plain.out);
  CHECK(taugrad(f, "check own.json").status == 0);
  const Outcome wrong = taugrad(f, "check -e 'h[t] = tnah(W @ h[t-1])'");
  CHECK(wrong.status == 3);
  CHECK(has(wrong.err, "^"));
  CHECK(has(wrong.err, "tanh"));
}

TEST_CASE("a reader that leaves early is no error", "[cli]") {
  const Folder f;
  const Outcome closed = taugrad(f, "ops | head -n 1 > first.txt; true");
  CHECK(closed.status == 0);
  CHECK(taugrad(f, "show lstm --steps 60 --all-steps 2>e.txt | true").status == 0);
  CHECK_FALSE(has(slurp(f / "e.txt"), "error"));
  // standard output that is full is one
  if (fs::exists("/dev/full")) {
    const std::string command =
        "'" TAUGRAD_EXECUTABLE "' ops >/dev/full 2>'" + (f / "full.txt") + "'";
    CHECK(WEXITSTATUS(std::system(command.c_str())) == 4);
    CHECK(has(slurp(f / "full.txt"), "I002"));
  }
}

TEST_CASE("an output that is the input is refused", "[cli]") {
  const Folder f;
  CHECK(taugrad(f, "run elman --steps 2 --fetch h -o w.safetensors").status == 0);
  const Outcome o = taugrad(f, "run elman --weights w.safetensors --fetch h -o ./w.safetensors");
  CHECK(o.status == 2);
  CHECK(has(o.err, "U004"));
}

TEST_CASE("colour is asked for, or a terminal", "[cli]") {
  const Folder f;
  CHECK_FALSE(has(taugrad(f, "shwo").err, "\x1b["));
  CHECK(has(taugrad(f, "shwo", "FORCE_COLOR=1").err, "\x1b["));
  CHECK_FALSE(has(taugrad(f, "shwo", "FORCE_COLOR=1 NO_COLOR=1").err, "\x1b["));
  CHECK(has(taugrad(f, "shwo", "FORCE_COLOR=1 NO_COLOR=").err, "\x1b["));
}
