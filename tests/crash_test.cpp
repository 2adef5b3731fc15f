// Whatever happens to a training at whatever system call, its newest whole state is found.
#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "crash_runs.h"

using namespace support;

namespace {

const MemoryFolder in_memory;

/// The system calls of a training that are made to fail: with TAUGRAD_ALL_CALLS (tools/crashes)
/// each of them, else every so many-th.
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
  for (const int k : some(calls, 5)) {
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
    for (const int k : some(calls, 19)) {
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
  for (const int k : some(calls, 9)) {
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
  for (const int k : some(2 * calls, 9)) {
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

TEST_CASE("every file of a save is on the disk before its name, and the name before the next",
          "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  runs.restore();
  fs::remove(f / "log");
  REQUIRE(runs.run(CrashRuns::kLine, "kill:0").status == 0);
  std::map<std::string, char> state;  // w: written, s: brought to the disk
  std::string named;                  // a name given, and not yet brought to the disk
  int renames = 0;
  std::istringstream log(slurp(f / "log"));
  for (std::string line; std::getline(log, line);) {
    std::istringstream words(line);
    std::string call, from, to;
    words >> call >> from >> to;
    INFO(line);
    if (call == "pwrite") CHECK(from == "m/metrics.jsonl");  // a log: cut where it is torn
    if (call == "write") {
      CHECK(from.starts_with("m/.taugrad-run-"));  // never a final name
      state[from] = 'w';
    }
    if (call == "fsync") state[from] = 's';
    if (call == "fsync" && from == "m") named.clear();
    if (call != "rename" || to.ends_with(".tmp")) continue;  // or on its way out
    CHECK(named.empty());
    named = to;
    ++renames;
    CHECK(state[from] == 's');
    for (const auto& [name, how] : state)
      if (name.starts_with(from + "/")) CHECK(how == 's');
  }
  CHECK(named.empty());
  CHECK(renames >= 2 * 4 + 1);  // four steps, latest after each, config.json
}

TEST_CASE("a real disk of one MiB", "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  const std::string mount =
      "unshare --user --map-root-user --mount sh -c 'mkdir -p d && mount -t tmpfs -o "
      "size=1m none d && ";
  if (run_in(f, mount + "true'").status != 0) {
    WARN("skipped: no file system can be mounted here");
    return;
  }
  // it is filled up while training goes on; what was saved before is read again
  const Outcome o =
      run_in(f, mount + "\"" TAUGRAD_EXECUTABLE
                        "\" train char_lm --data text.txt --size m=2 --epochs 2 --batch 2 "
                        "-o d/m -q && head -c 2000000 /dev/zero > d/fill; "
                        "\"" TAUGRAD_EXECUTABLE
                        "\" train --resume d/m --epochs 4 -q; echo status $?; ls -a d/m; "
                        "rm d/fill; \"" TAUGRAD_EXECUTABLE
                        "\" train --resume d/m --epochs 4 -q; echo status $?; "
                        "\"" TAUGRAD_EXECUTABLE
                        "\" sample d/m -q > /dev/null; echo status $?; cat d/m/latest'");
  INFO(o.out << o.err);
  CHECK(has(o.out, "status 4\n.\n..\nconfig.json\ncurves.svg\nlatest\nmetrics.jsonl\nstep-4\n"));
  CHECK(has(o.out, "status 0\nstatus 0\nstep-8\n"));
  CHECK(has(o.err, "the disk is full"));
  CHECK(has(o.err, "are free"));
}

TEST_CASE("a limit on the size of files", "[crash]") {
  const Folder f;
  CrashRuns runs(f);
  runs.restore();
  const Outcome o = run_in(f, "sh -c 'ulimit -f 0; \"" TAUGRAD_EXECUTABLE
                              "\" train --resume m --epochs 4 -q "
                              "2> told; cat told > /dev/stderr; exit 4'");
  INFO(o.err);
  CHECK(runs.problem(4) == "");
}
