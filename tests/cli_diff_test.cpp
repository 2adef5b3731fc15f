// `taugrad diff` as a shell sees it.
#include <catch2/catch.hpp>

#include "support_cli.h"

using namespace support;

TEST_CASE("diff answers by its status, and in JSON", "[cli][diff]") {
  const Folder f;
  CHECK(taugrad(f, "diff elman elman").status == 0);
  const Outcome o = taugrad(f, "diff elman bidirectional");
  CHECK(o.status == 1);
  CHECK(has(o.out, "- equation o[t] = c + V @ h[t]\n+ equation o[t] = c + V @ h[t] + P @ g[t]\n"));
  CHECK(has(o.out, "+ weight Z: [\"m\",\"m\"]\n"));
  const auto j = nlohmann::json::parse(taugrad(f, "diff elman bidirectional --json").out);
  CHECK(j["format"] == "taugrad-diff");
  CHECK(j["kind"] == "definition");
  CHECK(j["same"] == false);
  taugrad(f, "show elman --steps 3 --format json -o a.json");
  taugrad(f, "show elman --steps 4 --format json -o b.json");
  CHECK(taugrad(f, "diff a.json a.json").status == 0);
  CHECK(taugrad(f, "diff a.json b.json").status == 1);
  CHECK(taugrad(f, "run elman --steps 3 --seed 1 --dtype f64 -o a.safetensors").status == 0);
  CHECK(taugrad(f, "run elman --steps 3 --seed 1 --dtype f32 -o b.safetensors").status == 0);
  CHECK(taugrad(f, "diff a.safetensors b.safetensors").status == 1);
  const Outcome near = taugrad(f, "diff a.safetensors b.safetensors --tolerance 1e-5");
  CHECK(near.status == 0);
  CHECK(has(near.err, "within the tolerance"));
  // what cannot be compared
  CHECK(taugrad(f, "diff elman a.json").status == 2);
  CHECK(taugrad(f, "diff elman").status == 2);
  CHECK(taugrad(f, "diff elman elman --tolerance -1").status == 2);
  CHECK(taugrad(f, "diff a.json missing.json").status == 4);
  spill(f / "bad.json", "{\"equations\": [\"h[t] = q\"]}");
  CHECK(taugrad(f, "diff elman bad.json").status == 3);
  spill(f / "bad.safetensors", "12");
  CHECK(taugrad(f, "diff a.safetensors bad.safetensors").status == 3);
}

TEST_CASE("diff of two models: definition, vocabulary, weights", "[cli][diff]") {
  const Folder f;
  spill(f / "a.txt", "abab\nba\nabba\n");
  spill(f / "b.txt", "acac\nca\nacca\n");
  const std::string common = " --epochs 1 -q --size m=4 ";
  REQUIRE(taugrad(f, "train char_lm --data a.txt -o one" + common).status == 0);
  REQUIRE(taugrad(f, "train char_lm --data a.txt -o again" + common).status == 0);
  REQUIRE(taugrad(f, "train char_lm --data b.txt -o two --seed 2" + common).status == 0);
  CHECK(taugrad(f, "diff one again").status == 0);
  const Outcome o = taugrad(f, "diff one two");
  CHECK(o.status == 1);
  CHECK(has(o.out, "vocabulary"));
  CHECK(has(o.out, "elements differ, by up to"));
}
