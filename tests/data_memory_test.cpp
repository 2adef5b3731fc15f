// What data take: a text the places of its items, a long sequence a segment, lines that would not
// fit nothing. This program itself stays small, as the most that a child has used counts it.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "support_cli.h"

using namespace support;

// a sanitizer's shadow memory counts for the program
#ifndef TAUGRAD_SANITIZED
namespace {

// the most that any program started by this test has used so far, in MiB
long peak_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace

TEST_CASE("a text takes the memory of where its items stand", "[cli][memory]") {
  const Folder f;
  std::string paragraph;
  for (int i = 0; i < 40; ++i) paragraph += "the quick brown fox jumps over the lazy dog\n";
  {
    std::ofstream out(f / "t.txt");
    for (int i = 0; i < 15000; ++i) out << paragraph << '\n';  // 25 MiB
  }
  const std::string common = "train char_lm --size m=16 --data t.txt --seconds 0.01 -q ";
  CHECK(taugrad(f, common + "--split none --bptt 64 --batch 16 -o none").status == 0);
  CHECK(taugrad(f, common + "--split blank --bptt 64 --batch 16 -o blank").status == 0);
  INFO(peak_of_children());
  CHECK(peak_of_children() < 60);
}

TEST_CASE("a million steps are measured and drawn in the memory of a segment", "[cli][memory]") {
  const Folder f;
  const auto write = [&](std::size_t steps) {
    std::ofstream out(f / "t.txt");
    for (std::size_t i = 0; i < steps; ++i)
      out << "abc\nde fg"[i * i % 9 % (i + 1 == steps ? 3 : 9)];
  };
  const auto use = [&](std::size_t steps) {
    write(steps);
    const std::string count = std::to_string(steps);
    const Outcome e = taugrad(f, "eval m --data t.txt --split none");
    INFO(e.err);
    CHECK(e.status == 0);
    CHECK(has(e.err, "1 items, " + count + " steps"));
    CHECK(taugrad(f, "sample m --steps " + count + " -o drawn.txt").status == 0);
    CHECK(fs::file_size(f / "drawn.txt") == steps + 1);
  };
  write(20000);
  REQUIRE(taugrad(f,
                  "train sequence_model --size m=8 --data t.txt --split none --bptt 64 "
                  "--seconds 0.01 -o m -q")
              .status == 0);
  use(10000);
  const long before = peak_of_children();
  use(1000000);
  INFO(before << " MiB, " << peak_of_children() << " MiB");
  CHECK(peak_of_children() < before + 40);  // what is drawn is held until it is written
}

TEST_CASE("JSON lines that would not fit stay in their files", "[cli][memory]") {
  const Folder f;
  {
    std::ofstream out(f / "t.jsonl");
    for (int i = 0; i < 50000; ++i)  // 4 MB
      out << "{\"x\": [[0." << i % 10 << ", 1.5], [0.25, " << i % 3
          << ".5], [1.5, 0.125]], \"y\": [\"" << (i % 2 == 0 ? "noun" : "verb") << "\", \"verb\", "
          << (i % 5 == 0 ? "null" : "\"noun\"") << "]}\n";
  }
  const std::string train = "train elman --data t.jsonl --seconds 0.01 --save-every 0 -q ";
  REQUIRE(taugrad(f, train + "-o held").status == 0);
  const Outcome o = taugrad(f, train + "-o stored --max-memory 45M");
  INFO(o.err);
  REQUIRE(o.status == 0);
  const auto first = [&](const std::string& folder) {
    const std::string metrics = without_times(slurp(f / (folder + "/metrics.jsonl")));
    return metrics.substr(0, metrics.find('\n'));
  };
  CHECK(first("stored") == first("held"));
  CHECK(taugrad(f, "eval held --data t.jsonl -q --max-memory 45M").status == 0);
}
#endif
