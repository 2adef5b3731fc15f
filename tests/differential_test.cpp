// A short form of tools/differential.
#include "differential.h"

#include <catch2/catch.hpp>
#include <numeric>

using namespace support;

TEST_CASE("random networks give the same in every way they are run", "[random]") {
  int ways = 0, cut = 0, chunked = 0;
  std::vector<std::uint64_t> seeds(300);
  std::iota(seeds.begin(), seeds.end(), 0);
  seeds.push_back(1085);  // where products of one matrix added to one place in one step
  for (const std::uint64_t seed : seeds) {
    const Comparison c = Differential(seed).run();
    INFO("tools/differential 1 " << seed << "\n" << c.definition);
    for (const Difference& d : c.failures) {
      INFO(d.way << ": " << d.output << " differs by " << d.size);
      CHECK(false);
    }
    ways += c.ways;
    cut += c.cut;
    chunked += c.chunked;
  }
  CHECK(ways > 300 * 18);
  CHECK(cut > 200);
  CHECK(chunked > 20);
}
