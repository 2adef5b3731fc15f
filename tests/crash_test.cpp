// Whatever happens to a training at whatever system call, its newest whole state is found.
#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "crash_runs.h"

using namespace support;

namespace {

const MemoryFolder in_memory;

/// The system calls of a training that are made to fail: with TAUGRAD_ALL_CALLS (tools/crashes) each
/// of them, else every so many-th.
std::vector<int> some(int calls, int every) {
  if (std::getenv("TAUGRAD_ALL_CALLS") != nullptr) every = 1;
  std::vector<int> chosen;
  for (int k = 1; k <= calls; k += every) chosen.push_back(k);
  return chosen;
}

}  // namespace

TEST_CASE("killed before any system call of a save, a training goes on with the same bits",
          "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  runs.restore();
  const int calls = runs.calls(CrashRuns::kLine);
  CHECK(runs.difference() == "");
  REQUIRE(calls > 150);
  std::int64_t newest = 4;
  for (const int k : some(calls, 3)) {
    runs.restore();
    const Outcome o = runs.run(CrashRuns::kLine, "kill:" + std::to_string(k));
    INFO("call " << k << " of " << calls);
    CHECK(o.status == 137);
    CHECK(runs.problem(newest) == "");
    newest = runs.newest;
  }
  CHECK(newest == 8);
}

TEST_CASE("a call that fails once, a write cut short or interrupted change nothing", "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  runs.restore();
  const int calls = runs.calls(CrashRuns::kLine);
  for (const std::string kind : {"ENOSPC:", "EIO:", "short:", "EINTR:"})
    for (const int k : some(calls, 11)) {
      runs.restore();
      const Outcome o = runs.run(CrashRuns::kLine, kind + std::to_string(k));
      INFO(kind << k << " of " << calls << "\n" << o.err);
      CHECK(runs.problem(4) == "");
      // reading anew what could not be read is left to the user
      if (kind == "short:" || kind == "EINTR:") CHECK((o.status == 0 && o.err.empty()));
    }
}

TEST_CASE("a disk that stays full: status 4, and what was saved is as it was", "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  runs.restore();
  const int calls = runs.calls(CrashRuns::kLine);
  int told = 0;
  for (const int k : some(calls, 7)) {
    runs.restore();
    const Outcome o = runs.run(CrashRuns::kLine, "ENOSPC:" + std::to_string(k) + "+");
    INFO(k << " of " << calls << "\n" << o.err);
    CHECK((o.status == 4 || o.status == 0));
    CHECK((o.status == 0 || has(o.err, "are free")));
    told += o.status == 4;
    CHECK(runs.left_over() == "");
    CHECK(runs.problem(4) == "");
  }
  CHECK(told > calls / 20);
}

TEST_CASE("a training that overwrites another: one of the two is there, whenever it dies",
          "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  const std::string line =
      "train char_lm --data text.txt --size m=2 --seed 7 --epochs 1 --batch 2 -o m --overwrite -q "
      "--save-every 0";
  runs.restore();
  const int calls = runs.calls(line);
  const std::string other = slurp(f / (newest(f, "m") + "/model.safetensors"));
  runs.restore();
  const std::string before = slurp(f / (newest(f, "m") + "/model.safetensors"));
  for (const int k : some(2 * calls, 5)) {
    runs.restore();
    const std::string fault =
        k <= calls ? fmt::format("kill:{}", k) : fmt::format("ENOSPC:{}+", k - calls);
    runs.run(line, fault);
    INFO(fault << " of " << calls);
    CHECK(support::taugrad(f, "sample m").status == 0);
    REQUIRE(support::taugrad(f, "train --resume m -q").status == 0);
    const std::string now = slurp(f / (newest(f, "m") + "/model.safetensors"));
    CHECK((now == before || now == other));
    CHECK(runs.left_over() == "");
  }
}

TEST_CASE("a first save that fails leaves no folder", "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  const std::string line =
      "train char_lm --data text.txt --size m=2 --epochs 1 --batch 4 -q --save-every 0 -o m";
  const int calls = runs.calls(line);
  for (const int k : some(calls, 3)) {
    fs::remove_all(f / "m");
    const Outcome o = runs.run(line, "ENOSPC:" + std::to_string(k) + "+");
    INFO(k << " of " << calls << "\n" << o.err);
    if (fs::exists(f / "m"))
      CHECK(support::taugrad(f, "sample m").status == 0);
    else
      CHECK(o.status == 4);
  }
}
