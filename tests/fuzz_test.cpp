// A short run of the fuzz targets without a fuzzer: seeds, mutated. tools/fuzz/run does it in
// earnest.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "../tools/fuzz/entries.h"
#include "base/files.h"

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

class Mutator {
 public:
  Mutator(std::vector<std::string> from, unsigned seed) : seeds_(std::move(from)), random_(seed) {}

  std::string next() {
    std::string text = seeds_[below(seeds_.size())];
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(text);
    return text;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random_() % n); }

  void mutate(std::string& text) {
    if (text.empty()) return;
    const std::size_t at = below(text.size()),
                      length = below(std::min<std::size_t>(text.size() - at, 40)) + 1;
    switch (below(7)) {
      case 0:
        text[at] = static_cast<char>(random_());
        break;
      case 1:
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(below(text.size()), text.substr(at, length));
        break;
      case 4:
        text.resize(at);
        break;
      case 5:
        splice(text, at);
        break;
      default:
        replace_number(text, at);
        break;
    }
  }

  // a piece of another seed
  void splice(std::string& text, std::size_t at) {
    const std::string& other = seeds_[below(seeds_.size())];
    text.insert(at, other.substr(below(other.size()), below(60)));
  }

  // the next number in the text becomes a nasty one
  void replace_number(std::string& text, std::size_t at) {
    static const std::vector<std::string> kNasty = {"0",
                                                    "-1",
                                                    "1",
                                                    "2147483647",
                                                    "2147483648",
                                                    "9223372036854775807",
                                                    "18446744073709551616",
                                                    "1e400",
                                                    "0.5",
                                                    "-0",
                                                    "\"nan\"",
                                                    "65536",
                                                    "[]",
                                                    "true"};
    const std::size_t digit = text.find_first_of("0123456789", at);
    if (digit == std::string::npos) return;
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", digit), text.size());
    text.replace(digit, end - digit, kNasty[below(kNasty.size())]);
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

template <class Entry>
void run(std::vector<std::string> from, Entry entry) {
  REQUIRE(!from.empty());
  for (const std::string& seed : from) entry(seed);
  Mutator mutator(std::move(from), 1);
  for (int i = 0; i < kRuns; ++i) entry(mutator.next());
  SUCCEED("no finding in " << kRuns << " mutated files");
}

}  // namespace

TEST_CASE("fuzz, short: graph files", "[fuzz]") {
  run(seeds("tests/golden", ".graph.json", 1 << 14), fuzz::graph_json);
}
TEST_CASE("fuzz, short: safetensors", "[fuzz]") {
  run(seeds("tests/cases", ".safetensors", 1 << 12), fuzz::safetensors);
}
TEST_CASE("fuzz, short: definitions", "[fuzz]") {
  run(seeds("graphs", ".json", 1 << 14), fuzz::definition);
}
