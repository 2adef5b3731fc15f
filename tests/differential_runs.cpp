// Random networks, run in every way that must give the same: tools/differential [COUNT] [SEED].
#include <fmt/core.h>

#include <cstdlib>

#include "differential.h"
#include "graph/verified.h"

using namespace support;

namespace {

void report(std::uint64_t seed, const Comparison& c) {
  for (const Difference& d : c.failures)
    fmt::print("seed {}: {}: {} differs{}\n", seed, d.way, d.output,
               std::isinf(d.size) ? "" : fmt::format(" by {:.2g}", d.size));
  if (!c.failures.empty()) fmt::print("{}\nagain: tools/differential 1 {}\n\n", c.definition, seed);
}

}  // namespace

int main(int count, char** words) {
  const auto number = [&](int i, std::uint64_t otherwise) {
    return i < count ? std::strtoull(words[i], nullptr, 10) : otherwise;
  };
  const std::uint64_t networks = number(1, 10000), first = number(2, 0);
  taugrad::verify_rewritings = true;
  std::uint64_t ways = 0, failed = 0, of = 0, chunked = 0;
  Difference worst;
  for (std::uint64_t seed = first; seed < first + networks; ++seed) {
    Comparison c;
    try {
      c = Differential(seed).run();
    } catch (const taugrad::Error& e) {
      c.definition = Differential::definition(seed);
      c.failures.push_back({e.what(), "nothing", HUGE_VAL});
    }
    report(seed, c);
    failed += !c.failures.empty();
    chunked += c.chunked;
    ways += static_cast<std::uint64_t>(c.ways);
    if (c.worst.size <= worst.size) continue;
    worst = c.worst;
    of = seed;
  }
  fmt::print(
      "{} recurrences, {} in chunks too, {} runs beside the reference: worst difference {:.2g} "
      "(seed {}, {}, {}); {} "
      "failed\n",
      networks, chunked, ways, worst.size, of, worst.way, worst.output, failed);
  return failed == 0 ? 0 : 1;
}
