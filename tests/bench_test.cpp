// `taugrad bench`: the form of its lines, its workloads, and what its profile adds up to.
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/profile.h"
#include "support_cli.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using support::Folder;
using support::Outcome;
using support::run_in;
using support::slurp;
namespace fs = support::fs;

namespace {

// the shortest time that is measured at all: these tests ask what is said, not how fast it is
Outcome bench(const std::string& line) {
  return run_in(Folder(), "'" TAUGRAD_EXECUTABLE "' bench --ms 1 " + line);
}

const std::vector<std::string> kFields = {
    "peer",         "workload",    "threads",    "fwd_ms",         "fwd_bwd_ms", "peak_rss_mb",
    "tokens_per_s", "base_rss_mb", "fwd_min_ms", "fwd_bwd_min_ms", "reps"};

std::vector<fs::path> workload_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(TAUGRAD_SOURCE_DIR "/workloads"))
    if (entry.path().filename() != "workloads.json") files.push_back(entry.path());
  return files;
}

}  // namespace

TEST_CASE("bench: a line of JSON in the form of other programs", "[bench]") {
  const Outcome o = bench("W3 lstm-infer --threads 1");
  REQUIRE(o.status == 0);
  const auto lines = o.lines();
  REQUIRE(lines.size() == 2);
  std::size_t at = 0;  // the common fields come first, in their order
  for (const std::string& f : kFields) {
    const std::size_t found = o.out.find("\"" + f + "\":", at);
    CAPTURE(f);
    CHECK(found == (at == 0 ? 1 : o.out.find(',', at) + 1));
    at = found;
  }
  CHECK(lines[0]["peer"] == "taugrad");
  CHECK(lines[0]["workload"] == "elman-tiny");
  CHECK(lines[0]["threads"] == 1);
  CHECK(lines[0]["fwd_bwd_ms"] > 0);
  CHECK(lines[0]["us_per_step"].get<double>() ==
        Approx(lines[0]["fwd_bwd_ms"].get<double>() * 1e3 / 32).margin(2e-3));
  CHECK(lines[0]["plan_ms"] > 0);
  CHECK(lines[0]["first_run_ms"] > 0);
  CHECK(lines[0]["prepare_ms"] > lines[0]["first_run_ms"]);
  CHECK(lines[0]["plan_ns_per_node"].get<double>() ==
        Approx(lines[0]["plan_ms"].get<double>() * 1e6 / lines[0]["nodes"].get<double>())
            .epsilon(0.01));
  CHECK(lines[0]["peak_rss_mb"] >= lines[0]["base_rss_mb"]);
  CHECK(lines[0]["gflop"].get<double>() == Approx(0.0014).margin(1e-4));
  CHECK(lines[1]["workload"] == "lstm-infer");
  CHECK(lines[1]["fwd_bwd_ms"].is_null());
  CHECK(lines[1]["gflop_fwd"].get<double>() == Approx(0.0042).margin(1e-4));
  CHECK(o.err.find("elman-tiny") != std::string::npos);
  CHECK(bench("W3 --json").err.empty());
}

TEST_CASE("bench: definitions and equations of one's own", "[bench]") {
  const Outcome o = bench("gru elman --size m=7 --lengths 5,2,9 --dtype f64 --threads 2");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const auto lines = o.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["peer"] == "taugrad-f64");
  CHECK(lines[1]["workload"] == "elman");
  CHECK(lines[1]["threads"] == 2);
  CHECK(lines[1]["fwd_bwd_ms"] > 0);
  // 16 steps of items: U x, V h and what goes back through them; W from the second steps on
  CHECK(lines[1]["gflop"].get<double>() * 1e9 ==
        Approx(2 * (16 * (2 * 14 + 3 * 21) + 16 * 3 * 49)).margin(1e5));
  const Outcome typed = bench("-e 'h[t] = tanh(W @ h[t-1] + U @ x[t])' --steps 4 --batch 2 --json");
  REQUIRE(typed.status == 0);
  CHECK(typed.lines().at(0)["fwd_bwd_ms"].is_null());
}

TEST_CASE("bench: the limit runs the products and nothing else", "[bench]") {
  const auto limit = bench("W3 --limit --threads 1").lines();
  REQUIRE(limit.size() == 1);
  CHECK(limit[0]["peer"] == "taugrad-limit");
  CHECK(limit[0]["gflop"] == bench("W3 --threads 1").lines().at(0)["gflop"]);
}

TEST_CASE("bench: bfloat16 says how far it is from f32; less memory is the same work again",
          "[bench]") {
  const auto rounded = bench("W3 --precision bf16 --threads 1").lines();
  REQUIRE(rounded.size() == 1);
  CHECK(rounded[0]["peer"] == "taugrad-bf16");
  CHECK(rounded[0]["loss_error"] > 0);
  CHECK(rounded[0]["loss_error"] < 1e-3);
  CHECK(rounded[0]["gradient_error"] > 1e-5);
  CHECK(rounded[0]["gradient_error"] < 5e-2);
  const auto all = bench("W3 --threads 1").lines(),
             few = bench("W3 --checkpoint sqrt --threads 1").lines();
  CHECK_FALSE(all.at(0).contains("gradient_error"));
  CHECK(few.at(0)["gflop"] > all.at(0)["gflop"]);
  CHECK(few.at(0)["gflop"].get<double>() < 1.5 * all.at(0)["gflop"].get<double>());
}

TEST_CASE("bench: bad arguments", "[bench]") {
  struct Row {
    const char* line;
    const char* says;
    int status;
  };
  const Row rows[] = {{"lsmt", "lstm", 4},
                      {"W9", "W9", 4},
                      {"W3 --without nothing", "no pass is called", 2},
                      {"W3 --threads 0", "--threads", 2},
                      {"W3 --ms 0", "--ms", 2},
                      {"W3 --dtype f16", "--dtype", 2},
                      {"W3 --lengths 3,x", "--lengths", 2},
                      {"W3 --lengths 9..3*4", "--lengths", 2},
                      {"W3 --lengths 3,4 --steps 5", "not both", 2},
                      {"W3 --limit --profile", "not both", 2},
                      {"W3 -e 'h[t] = tanh(W @ h[t-1])'", "not both", 2},
                      {"W3 --size q=3", "has no size \"q\"", 2}};
  for (const Row& row : rows) {
    const Outcome o = bench(row.line);
    INFO(row.line << "\n" << o.err);
    CHECK(o.status == row.status);
    CHECK(o.err.find(row.says) != std::string::npos);
    CHECK(o.out.empty());
  }
}

TEST_CASE("bench: every shipped workload is a definition as it is written", "[bench]") {
  const auto files = workload_files();
  CHECK(files.size() == 8);
  for (const fs::path& file : files) {
    INFO(file.string());
    const Definition d = load_definition(file.string());
    CHECK(to_json(d) == slurp(file));
    CHECK(d.name == file.stem().string());
    CHECK(unfold(d, {.steps = 2, .ragged = true}).graph().size() > 0);
  }
  const auto table = nlohmann::json::parse(slurp(TAUGRAD_SOURCE_DIR "/workloads/workloads.json"));
  REQUIRE(table["workloads"].size() == files.size());
  std::int64_t steps_of_ragged = 0;
  for (const std::int64_t n : table["workloads"][6]["lengths"]) steps_of_ragged += n;
  CHECK(steps_of_ragged == 2514);
}

TEST_CASE("bench: a profile counts every step and leaves values as they are", "[bench]") {
  const Definition d = load_definition(TAUGRAD_SOURCE_DIR "/graphs/elman.json");
  const Unfolded u = unfold(d, {.steps = 5});
  const Gradients g = gradient(u.loss(), {u.weight("W"), u.weight("U")});
  std::vector<NodeId> outputs{u.loss().id};
  for (const Var& v : g.values()) outputs.push_back(v.id);
  Executor<double> e(u.graph().tape(), outputs, {.engine = {.threads = 1}});
  BatchContext batch;
  batch.lengths = {{5, 5, 5}};
  e.set_batch(batch, 3);
  for (const NodeId id : e.leaves()) {
    const bool category = u.graph().tape().attrs(id).has("category");
    double x = 0;
    for (double& v : e.leaf(id)) v = category ? 1 : std::sin(x += 1);
  }
  e.run();
  const std::vector<double> before(e.value(1).begin(), e.value(1).end());
  runtime::Profile<double> profile(runtime::Profile<double>::Mode::times);
  e.watch(&profile);
  for (int i = 0; i < 3; ++i) e.run();
  std::int64_t steps = 0;
  double operations = 0;
  for (const auto& row : profile.rows()) {
    steps += row.steps;
    operations += row.work.operations;
    CHECK(row.ms >= 0);
    CHECK(row.work.bytes >= 0);
  }
  CHECK(steps == static_cast<std::int64_t>(e.steps()));
  CHECK(operations == profile.products().operations);
  // n = 2, m = k = 3, 5 steps of 3 items: U x, W h, V h; dh through V, and through W but for h[0];
  // dU, dW
  CHECK(operations == 2 * 3 * (5 * 6 + 5 * 9 + 5 * 9 + 5 * 9 + 4 * 9 + 5 * 6 + 5 * 9));
  e.watch(nullptr);
  e.run();
  CHECK(std::vector<double>(e.value(1).begin(), e.value(1).end()) == before);
}

TEST_CASE("tools/bench: builds other programs, alternates with them, tells of missing ones",
          "[bench]") {
  const Folder f;
  fs::create_directories(f.path / "peers");
  // a program like the others: its limit is 2 ms whatever it is asked for
  std::ofstream(f.path / "peers/CMakeLists.txt") << R"(
    cmake_minimum_required(VERSION 3.20)
    project(peers NONE)
    file(WRITE ${CMAKE_BINARY_DIR}/bench_limit [=[#!/bin/sh
echo "{\"peer\":\"limit-$3\",\"workload\":\"$1\",\"threads\":$5,\"fwd_ms\":1,\"fwd_bwd_ms\":2}"
]=])
    file(CHMOD ${CMAKE_BINARY_DIR}/bench_limit PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    add_custom_target(bench_limit))";
  const Outcome o =
      run_in(f, "'" TAUGRAD_SOURCE_DIR "/tools/bench' peers --taugrad '" TAUGRAD_EXECUTABLE
                "' --build built --rounds 2 --threads 1 --workloads elman-tiny --ms 1 --retries 0 "
                "--peers limit,libtorch");
  INFO(o.err);
  REQUIRE(o.status == 0);
  CHECK(o.err.find("bench_libtorch is left out") != std::string::npos);
  CHECK(o.out.find("| elman-tiny | 1 |") != std::string::npos);
  const auto results = nlohmann::json::parse(slurp(f.path / "built/results.json"));
  REQUIRE(results["rows"].size() == 1);
  const auto& row = results["rows"][0];
  CHECK(row["limit_ms"] == 2);
  CHECK(row["of_limit"].get<double>() == Approx(row["ms"].get<double>() / 2));
  CHECK(results["lines"].size() == 2 * (2 + 3));
  CHECK(slurp(f.path / "built/results.svg").find("elman-tiny, 1 thread<") != std::string::npos);
  CHECK(run_in(f, "'" TAUGRAD_SOURCE_DIR "/tools/bench' peers --workloads W77").status == 2);
  CHECK(run_in(f, "'" TAUGRAD_SOURCE_DIR "/tools/bench' nowhere").status == 2);
}
