// A short form of tools/differential.
#include "differential.h"

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("random networks give the same in every way they are run", "[random]") {
  int ways = 0, cut = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Comparison c = Differential(seed).run();
    INFO("tools/differential 1 " << seed << "\n" << c.definition);
    for (const Difference& d : c.failures) {
      INFO(d.way << ": " << d.output << " differs by " << d.size);
      CHECK(false);
    }
    ways += c.ways;
    cut += c.cut;
  }
  CHECK(ways > 300 * 18);
  CHECK(cut > 200);
}
