// The options of the engine are the same of every command that runs a graph.
#include <catch2/catch.hpp>
#include <string>

#include "support_cli.h"

namespace {

using support::Folder;
using support::Outcome;
using support::taugrad;

void make_model(const Folder& f) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "the cat sat on the mat number " + std::to_string(i) + "\n";
  support::spill(f / "text.txt", text);
  REQUIRE(taugrad(f, "train char_lm --data text.txt --size m=24 --epochs 2 -o m -q").status == 0);
}

}  // namespace

TEST_CASE("threads change no bit, whatever the command") {
  const Folder f;
  make_model(f);
  for (const std::string command :
       {"eval m --data text.txt --json", "predict m --data text.txt",
        "sample m --count 3 --steps 20", "sample m --beam 3 --steps 8",
        "flow elman --steps 6 --json", "flow elman --steps 4 --rtrl --json",
        "flow elman --size n=1 --memory --lags 4 --json",
        "flow bidirectional --of o --from x --steps 4 --json", "run elman --steps 4 --json"}) {
    INFO(command);
    const Outcome one = taugrad(f, command + " --threads 1"),
                  two = taugrad(f, command + " --threads 2");
    REQUIRE(one.status == 0);
    CHECK(two.out == one.out);
    CHECK(!one.out.empty());
    CHECK(taugrad(f, command + " --threads 0").status == 2);
    const Outcome unknown = taugrad(f, command + " --without fuze");
    CHECK(unknown.status == 2);
    CHECK(unknown.err.find("fuse") != std::string::npos);
  }
}

TEST_CASE("precision and passes reach what runs") {
  const Folder f;
  make_model(f);
  const auto score = [&](const std::string& how) {
    const Outcome o = taugrad(f, "eval m --data text.txt --json" + how);
    REQUIRE(o.status == 0);
    return o.out;
  };
  const std::string full = score("");
  CHECK(score(" --precision bf16") != full);
  CHECK(score(" --precision full") == full);
  CHECK(taugrad(f, "predict m --data text.txt --fetch p:y").out !=
        taugrad(f, "predict m --data text.txt --fetch p:y --precision bf16").out);
  CHECK(taugrad(f, "sample m --count 2 --steps 9 --without fuse").out ==
        taugrad(f, "sample m --count 2 --steps 9").out);
  // flow is measured in f64, whose sums bf16 does not have
  const Outcome refused = taugrad(f, "flow elman --precision bf16");
  CHECK(refused.status == 2);
  CHECK(refused.err.find("U006") != std::string::npos);
}

TEST_CASE("a training keeps the passes that it leaves out") {
  const Folder f;
  make_model(f);
  const std::string train =
      "train char_lm --data text.txt --size m=8 --epochs 2 -q --without alike ";
  REQUIRE(taugrad(f, train + "-o whole").status == 0);
  REQUIRE(taugrad(f, train + "-o parts --seconds 0.000001").status == 0);
  const Outcome on = taugrad(f, "train --resume parts -q");
  REQUIRE(on.status == 0);
  CHECK(taugrad(f, "diff whole parts").status == 0);
  const Outcome other = taugrad(f, "train --resume parts --epochs 3 --without fuse");
  REQUIRE(other.status == 0);
  CHECK(other.err.find("--without [alike] -> [fuse]") != std::string::npos);
}
