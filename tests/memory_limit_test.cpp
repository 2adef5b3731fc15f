// Memory is asked for before it is taken: refusals come with the plan, at once, and use little.
#include <fmt/format.h>
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "support_cli.h"

using namespace support;

namespace {

// the most that any program started by this test has used so far, in MiB
long peak_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss / 1024;
}

void check_refused(const Folder& f, const std::string& line, const std::string& code = "R001") {
  CAPTURE(line);
  const Outcome o = taugrad(f, line);
  INFO(o.err);
  CHECK(o.status == (code == "R001" ? 6 : 3));
  CHECK(has(o.err, "error[" + code + "]"));
  if (code == "R001") CHECK(has(o.err, "largest: "));
  CHECK(o.out.empty());
  CHECK(peak_of_children() < 200);
}

}  // namespace

// a sanitizer's shadow memory counts for the program, so that none of these limits is its own
#ifndef TAUGRAD_SANITIZED
TEST_CASE("what fits runs within its limit", "[cli][memory]") {
  const Folder f;
  CHECK(taugrad(f, "run elman --steps 5000 --max-memory 60M -o r.json").status == 0);
  CHECK(taugrad(f, "check elman --max-memory 60M").status == 0);
  CHECK(taugrad(f, "show elman --steps 1000 --max-memory 60M -o e.svg").status == 0);
  CHECK(taugrad(f, "define lstm --max-memory 60M -o l.json").status == 0);
  CHECK(taugrad(f, "inspect l.json --max-memory 60M").status == 0);
  CHECK(taugrad(f, "diff l.json l.json --max-memory 60M").status == 0);
  spill(f / "t.txt", "one\ntwo\n");
  CHECK(taugrad(f, "train char_lm --data t.txt --epochs 1 -o m --max-memory 60M").status == 0);
  CHECK(taugrad(f, "eval m --data t.txt --max-memory 60M").status == 0);
  CHECK(taugrad(f, "sample m --steps 5 --max-memory 60M").status == 0);
  CHECK(peak_of_children() < 60);
  CHECK(taugrad(f, "sample m --steps 5000000 --max-memory 60M").status == 0);  // by segments
}

#endif

TEST_CASE("what does not fit is refused before it is made", "[cli][memory]") {
  const Folder f;
  spill(f / "zeros.json",
        R"({"name": "zeros", "inputs": {"x": []}, "equations": ["y = zeros(2000000000) + x"]})");
  for (const char* line :
       {"run elman --steps 5000000 --max-memory 50M",
        "run elman --steps 5000000 --max-memory 2G --fetch grad:W",
        "run elman --batch 20000000 --max-memory 50M", "run elman --batch 2000000000",
        "run lstm --size m=20000 --max-memory 1G", "run zeros.json --max-memory 4G",
        "check zeros.json --max-memory 1G", "run elman --steps 200000000",
        "check elman --steps 200000000", "check elman --steps 3000000 --max-memory 100M",
        "check elman --batch 1000000 --max-memory 100M",
        "flow elman --steps 3000000 --max-memory 100M",
        "show elman --steps 3000000 --format json --max-memory 100M",
        "show elman --steps 3000000 --all-steps --max-memory 100M",
        "show elman --steps 3000000 --all-steps --view gradient --max-memory 100M",
        // the second graph counts
        "run elman --size m=4 --steps 10000 --fetch grad:W --checkpoint sqrt --max-memory 80M",
        // a check keeps each copy of a weight
        "check elman --size m=3000 --steps 2 --max-memory 700M",
        "check elman --size m=400 --steps 3 --max-runs 60 --order 2 --max-memory 24M",
        // far more edges than nodes
        "show attention --steps 100 --all-steps --max-memory 130M",
        "show sequence_model --steps 3000 --view model --max-memory 20M",
        "show sequence_model --steps 1500 --view model --all-steps --max-memory 100M"})
    check_refused(f, line);
  for (const char* line :
       {"show elman --steps 200000000", "show elman --steps 200000000 --format json"})
    check_refused(f, line, "G022");
}

TEST_CASE("a picture takes memory and time by its nodes and edges", "[cli][memory]") {
  const Folder f;
  std::string sum = "w", chain = R"("a0 = w")", weights = R"("w": [])";
  for (int i = 1; i < 20000; ++i) {
    sum += fmt::format("+w{}", i);
    weights += fmt::format(R"(, "w{}": [])", i);
    chain += fmt::format(R"(, "a{} = a{} + 1")", i, i - 1);
  }
  std::string nested = "w";  // its sources double at each level
  for (int i = 0; i < 60; ++i) nested = "f(" + nested + ")";
  spill(
      f / "sum.json",
      fmt::format(R"({{"name": "s", "weights": {{{}}}, "equations": ["y = {}"]}})", weights, sum));
  spill(f / "chain.json",
        fmt::format(R"({{"name": "c", "weights": {{"w": []}}, "equations": [{}]}})", chain));
  spill(f / "nested.json", fmt::format(R"({{"name": "n", "weights": {{"w": []}},
    "functions": ["f(x) = x + x"], "equations": ["y = {}"]}})",
                                       nested));
  for (const char* line : {"show sum.json", "show sum.json --view unfolded --detail values",
                           "show chain.json", "show chain.json --view unfolded", "show nested.json",
                           "show nested.json --view unfolded --detail values"}) {
    CAPTURE(line);
    const auto start = std::chrono::steady_clock::now();
    CHECK(taugrad(f, std::string(line) + " -o x.dot").status == 0);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
  }
  CHECK(peak_of_children() < 200);
  check_refused(f, "show sum.json --view unfolded --max-memory 60M");
}

TEST_CASE("JSON is asked for before it becomes values", "[cli][memory]") {
  const Folder f;
  std::string numbers, rows, equations = R"("a0[t] = x[t]")";
  for (int i = 0; i < 1'000'000; ++i) {
    numbers += fmt::format("{}{}.25", i > 0 ? "," : "", i % 100);
    rows += fmt::format("{}[{}.25]", i > 0 ? "," : "", i % 100);
  }
  for (int i = 1; i < 60'000; ++i)
    equations += fmt::format(R"(, "a{}[t] = tanh(a{}[t]) + 0.5 * x[t]")", i, i - 1);
  const std::string head = R"({"name": "d", "index": {"t": "tau"}, "inputs": {"x[t]": []}, )";
  spill(f / "numbers.json", "{\"x\": [" + numbers + "]}");
  spill(f / "rows.json", "{\"x\": [" + rows + "]}");
  spill(f / "sum.json", head + R"-("equations": ["s = sum[t](x[t])"]})-");
  spill(f / "many.json", head + "\"equations\": [" + equations + "]}");
  std::string sum = "w";
  for (int i = 0; i < 200'000; ++i) sum += "+w";
  spill(f / "long.json",
        R"({"name": "l", "weights": {"w": []}, "equations": ["y = )" + sum + "\"]}");
  REQUIRE(taugrad(f, "show elman --steps 20000 --format json -o graph.json").status == 0);  // 42 MB
  const auto start = std::chrono::steady_clock::now();
  for (const char* line :
       {"inspect graph.json --max-memory 60M", "show graph.json --view gradient --max-memory 90M",
        "inspect numbers.json --max-memory 40M", "diff numbers.json numbers.json --max-memory 60M",
        "run sum.json --inputs rows.json --max-memory 60M", "inspect many.json --max-memory 50M",
        "run many.json --max-memory 50M", "inspect long.json --max-memory 50M"})
    check_refused(f, line);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
  CHECK(taugrad(f, "inspect numbers.json --max-memory 120M").status == 0);
}

TEST_CASE("equations are asked for by their words, positions not counted", "[cli][memory]") {
  const Folder f;
  std::string equations = R"("a0[t] = x[t]")";  // 3 words
  for (int i = 1; i < 20'000; ++i)
    equations += fmt::format(R"(, "a{}[t] = 2 * x[3*t - 1] + x[t]")", i);  // 7
  spill(f / "many.json",
        R"({"name": "m", "index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": [)" +
            equations + "]}");
  CHECK_THAT(taugrad(f, "show many.json -o x.dot --max-memory 60M").err,
             Catch::Contains("20000 equations") && Catch::Contains("their 139996 words"));
}

// sanitizers take terabytes of address space
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("an address space too small for the threads of BLAS", "[cli][memory]") {
  const Folder f;
  for (const char* line : {"--version", "run elman", "check elman --steps 2"}) {
    CAPTURE(line);
    const Outcome o = run_in(
        f, std::string("sh -c 'ulimit -v 120000; exec timeout 60 \"" TAUGRAD_EXECUTABLE "\" ") +
               line + "'");
    INFO(o.err);
    CHECK(o.status == 0);
  }
}
#endif

TEST_CASE("training asks for weights, gradients, optimizer and tape", "[cli][memory]") {
  const Folder f;
  spill(f / "t.txt", "one\ntwo\n");
  check_refused(f, "train char_lm --data t.txt -o m --size m=3000 --max-memory 300M");
  CHECK_FALSE(fs::exists(f / "m"));
  {
    std::ofstream out(f / "line.txt");
    const std::string piece(1 << 20, 'a');
    for (int i = 0; i < 30; ++i) out << piece;
  }
  check_refused(f, "train char_lm --data line.txt -o m --max-memory 150M");
  check_refused(f, "train char_lm --data line.txt -o m");  // 3e7 steps
  check_refused(f, "train char_lm --data line.txt -o m --split blank");
  CHECK_FALSE(fs::exists(f / "m"));
}
