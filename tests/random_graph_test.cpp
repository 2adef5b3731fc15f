// The executor against the reference interpreter on random graphs and batches.
#include "random_graph.h"

#include <catch2/catch.hpp>
#include <set>

#include "support_executor.h"

using namespace taugrad;
using namespace support;

namespace {

BatchContext random_batch(const RandomGraph& g, std::int64_t items, std::mt19937_64& random) {
  BatchContext batch;
  batch.train = random() % 2 == 0;
  for (std::int32_t which = 0; which < g.lengths; ++which) {
    batch.lengths.emplace_back();
    for (std::int64_t i = 0; i < items; ++i)
      batch.lengths.back().push_back(
          static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(g.longest + 1)));
  }
  for (std::int64_t i = 0; i < items; ++i)
    batch.item.push_back(static_cast<std::int64_t>(random() % 1000));
  return batch;
}

}  // namespace

namespace {

struct Worst {
  double wide = 0, narrow = 0;
};

/// One plan, two batches of different sizes; where items do not mix, each also alone.
void compare(const RandomGraph& g, bool mixes, unsigned seed, Worst& worst) {
  std::vector<NodeId> outputs;
  for (const Var& v : g.outputs) outputs.push_back(v.id);
  Executor<double> wide(g.tape(), outputs);
  Executor<float> narrow(g.tape(), outputs);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2; ++round) {
    const auto items = static_cast<std::int64_t>(random() % 6);
    const BatchContext batch = random_batch(g, items, random);
    const Values d = execute(wide, g.tape(), outputs, batch, items, seed);
    const Values f = execute(narrow, g.tape(), outputs, batch, items, seed);
    worst.wide = std::max(worst.wide,
                          difference(d, interpret<double>(g.tape(), outputs, batch, items, seed)));
    worst.narrow = std::max(worst.narrow,
                            difference(f, interpret<float>(g.tape(), outputs, batch, items, seed)));
    for (std::int64_t i = 0; i < items && !mixes; ++i) {
      CAPTURE(i);
      const Values d1 = execute(wide, g.tape(), outputs, alone(batch, i), 1, seed);
      const Values f1 = execute(narrow, g.tape(), outputs, alone(batch, i), 1, seed);
      REQUIRE(same_bits(only_item(d, g.tape(), outputs, i), d1));
      REQUIRE(same_bits(only_item(f, g.tape(), outputs, i), f1));
    }
  }
}

}  // namespace

TEST_CASE("executor: 10,000 random graphs equal the reference interpreter", "[executor][random]") {
  Worst worst;
  std::set<std::string_view> seen;
  for (unsigned seed = 0; seed < 10000; ++seed) {
    CAPTURE(seed);
    const bool mixes = seed % 4 != 0;
    const RandomGraph g =
        GraphGenerator(seed, mixes).make(3 + static_cast<int>(seed % 25), seed % 2 == 0);
    for (NodeId id = 0; id < g.tape().size(); ++id) seen.insert(g.tape().op(id).name);
    const Worst before = worst;
    compare(g, mixes, seed, worst);
    if (worst.wide > before.wide) REQUIRE(worst.wide <= 1e-12);
    if (worst.narrow > before.narrow)
      REQUIRE(worst.narrow <= 1e-4);  // some graphs blow rounding up
  }
  // draws depend on comparisons with rounded numbers: executor_test.cpp has them; floor and mod
  // jump where rounding decides: tile_test.cpp has them; places in data:
  // language_positions_test.cpp, rows that numbers choose: levels_test.cpp, what chunks are made
  // of: chunk_test.cpp
  const std::set<std::string_view> elsewhere{
      "draw_categorical", "draw_bernoulli", "argmax",       "floor",           "mod",
      "mean_n",           "at_position",    "if_position",  "quotient",        "take_rows",
      "give_rows",        "decays",         "give_steps",   "step_of",         "scan",
      "gated_scores",     "gated_sums",     "gated_slopes", "solve_unit_lower"};
  for (const Op* op : registry()) {
    CAPTURE(op->name);
    CHECK((seen.contains(op->name) || elsewhere.contains(op->name)));
  }
}
