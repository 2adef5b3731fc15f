// A short run of the fuzz targets without a fuzzer: seeds, mutated. tools/fuzz/run does it in
// earnest.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "../tools/fuzz/entries.h"
#include "../tools/fuzz/mutate.h"
#include "base/system/files.h"

using namespace taugrad;
namespace fs = std::filesystem;

namespace {

constexpr int kRuns = 20000;

std::vector<std::string> seeds(const std::string& folder, const std::string& ending,
                               std::size_t most) {
  std::vector<std::string> paths, list;
  for (const auto& entry :
       fs::recursive_directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/" + folder))
    if (entry.path().string().ends_with(ending) && entry.file_size() <= most)
      paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) list.push_back(read_file(path, most));
  return list;
}

using Change = void (fuzz::Mutator::*)(std::string&);

template <class Entry>
void run(const std::vector<std::string>& from, Change change, Entry entry) {
  REQUIRE(!from.empty());
  for (const std::string& seed : from) entry(seed);
  fuzz::Mutator mutator(1);
  for (int i = 0; i < kRuns; ++i) {
    std::string text = from[mutator.below(from.size())];
    for (std::size_t n = 1 + mutator.below(4); n > 0; --n) (mutator.*change)(text);
    entry(text);
  }
  SUCCEED("no finding in " << kRuns << " mutated files");
}

}  // namespace

TEST_CASE("fuzz, short: graph files", "[fuzz]") {
  run(seeds("tests/golden", ".graph.json", 1 << 14), &fuzz::Mutator::json, fuzz::graph_json);
}
TEST_CASE("fuzz, short: safetensors", "[fuzz]") {
  run(seeds("tests/cases", ".safetensors", 1 << 12), &fuzz::Mutator::safetensors,
      fuzz::safetensors);
}
TEST_CASE("fuzz, short: definitions", "[fuzz]") {
  run(seeds("graphs", ".json", 1 << 14), &fuzz::Mutator::json, fuzz::definition);
}
// numbers that no integer holds, where shapes are found: each is refused, and nothing casts it
TEST_CASE("fuzz findings: numbers beyond every integer in named arguments", "[fuzz]") {
  for (const char* number : {"1e19", "-1e19", "1e300", "1e300*1e300", "0/0", "9.5"})
    for (const char* call : {"sum(u, axis = {}, keep = 1)", "sum(u, axis = {})",
                             "softmax(u, axis = {})", "max(u, axis = 0, keep = {})"}) {
      const std::string text = fmt::format(fmt::runtime(call), number);
      INFO(text);
      fuzz::definition(R"({"name": "d", "weights": {"u": [2, 2]}, "equations": ["y = )" + text +
                       "\"]}");
      CHECK_THROWS_AS(
          resolve(parse_definition(
              R"({"name": "d", "weights": {"u": [2, 2]}, "equations": ["y = )" + text + "\"]}",
              "d.json")),
          Error);
    }
}
