// Plans of long sequences, continued from those of short ones.
#include "plan/family/period.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <random>

#include "plan/family/law.h"
#include "plan/lower/lowering_table.h"
#include "support_plan.h"
#include "taugrad/ops/ops.h"

using namespace taugrad;
using namespace support;
using taugrad::test::define;

namespace {

/// Whether the plan of few steps goes on as the one that all passes make of the tape, to the
/// number.
bool same_tables(const Work& work) {
  const auto from_few = plan::emit_from_periods<float>(work.tape(), work.outputs, {});
  const auto whole = plan::emit<float>(work.tape(), work.outputs, {});
  plan::Kinds<float> kinds;
  return from_few && plan::differ_in_tables_only(*from_few, whole) &&
         from_few->plan.layout.extents == whole.plan.layout.extents &&
         std::ranges::equal(plan::tables_of(*from_few, kinds).value(),
                            plan::tables_of(whole, kinds).value(),
                            [](const auto& a, const auto& b) { return a.cells == b.cells; });
}

/// Whether the plan was continued; checks that it is the one that all passes make of the tape.
bool continued(const Work& work) {
  const auto from_few = plan::emit_from_periods<float>(work.tape(), work.outputs, {});
  if (!from_few) return false;
  const auto whole = plan::emit<float>(work.tape(), work.outputs, {});
  CHECK(plan::differ_in_tables_only(*from_few, whole));
  plan::Kinds<float> kinds;
  const plan::Tables got = plan::tables_of(*from_few, kinds).value();
  const plan::Tables want = plan::tables_of(whole, kinds).value();
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].rows() == want[i].rows());
    CHECK((got[i].cells == want[i].cells));
  }
  CHECK((from_few->plan.layout.extents == whole.plan.layout.extents));
  return true;
}

/// Whether the plan was continued; its regions may be cut elsewhere than those of the whole, and
/// what they compute has the same bits.
bool continued_to_the_bit(const Work& work, std::int64_t steps) {
  if (!plan::emit_from_periods<float>(work.tape(), work.outputs, {})) return false;
  Executor<float> few(work.tape(), work.outputs);
  Executor<float> whole(work.tape(), work.outputs, {.engine = {.without = {"period"}}});
  BatchContext batch;
  batch.lengths.assign(work.tape().length_names.size(), {steps, steps});
  CHECK(same_bits(execute(few, work.tape(), work.outputs, batch, 2, 7),
                  execute(whole, work.tape(), work.outputs, batch, 2, 7)));
  return true;
}

/// Grows by as many nodes with each step.
bool is_linear(const Definition& d) {
  const auto nodes = [&](std::int64_t steps) { return work_of(d, steps).tape().size(); };
  return nodes(16) - nodes(12) == nodes(12) - nodes(8);
}

plan::Table table(std::initializer_list<std::int64_t> cells) {
  plan::Table t(1);
  t.cells = cells;
  return t;
}

}  // namespace

TEST_CASE("period: plans of the shipped definitions go on as those of a few steps do", "[plan]") {
  int plans = 0, linear = 0, cut_elsewhere = 0;
  for (const char* folder : {"/graphs", "/workloads"})
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + folder)) {
      if (file.path().extension() != ".json" || file.path().stem() == "workloads") continue;
      CAPTURE(file.path().stem().string());
      const Definition d = load_definition(file.path().string());
      if (!is_linear(d)) continue;
      for (const bool uniform : {false, true})
        for (const int steps : {131, 300}) {
          CAPTURE(uniform, steps);
          const Work work = work_of(d, steps, steps == 131, true, uniform);
          if (work.outputs.empty() || work.tape().size() < 1000) continue;
          ++linear;
          if (!plan::emit_from_periods<float>(work.tape(), work.outputs, {})) continue;
          ++plans;
          if (same_tables(work)) continue;
          ++cut_elsewhere;  // a region ends at another step: the same numbers, to the bit
          CHECK(continued_to_the_bit(work, steps));
        }
    }
  CAPTURE(plans, linear, cut_elsewhere);
  CHECK(4 * plans > 3 * linear);
  CHECK(15 * cut_elsewhere <= plans);
}

TEST_CASE("period: plans of random recurrences go on as those of a few steps do", "[plan]") {
  std::mt19937 random(11);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int plans = 0;
  for (int cell = 0; cell < 40; ++cell) {
    const int states = 1 + pick(3);
    std::string equations;
    for (int i = 0; i < states; ++i) {
      std::string right = fmt::format("W{} @ s{}[t-{}] + U{} @ x[t]", i, i, 1 + pick(3), i);
      if (pick(2)) right += fmt::format(" + s{}[t-{}] * s{}[t-1]", pick(states), 1 + pick(2), i);
      if (i > 0 && pick(2)) right += fmt::format(" * s{}[t]", pick(i));
      if (pick(3) == 0) right += fmt::format(" + sigmoid(W{} @ x[t+{}])", i, pick(2));
      equations += fmt::format("\"s{}[t] = tanh({})\", ", i, right);
    }
    if (pick(2)) equations += "\"r[t] = tanh(R @ r[t+1] + s0[t])\", ";
    const bool back = equations.find("r[t]") != std::string::npos;
    std::string weights;
    for (int i = 0; i < states; ++i)
      weights += fmt::format("\"W{0}\": [\"m\",\"m\"], \"U{0}\": [\"m\",\"m\"], ", i);
    if (back) weights += "\"R\": [\"m\",\"m\"], ";
    const std::string text =
        R"j("index": {"t": "tau"}, "sizes": {"m": 3}, "inputs": {"x[t]": ["m"]}, "weights": {)j" +
        weights + R"j("V": ["m","m"]}, "equations": [)j" + equations +
        fmt::format(R"j("o[t] = V @ s{}[t]"], "loss": "sum(o[t] * {}[t])")j", states - 1,
                    back ? "r" : "s0");
    CAPTURE(text);
    const std::int64_t steps = 200 + pick(150);
    const Work work = work_of(define(text), steps, false, true, pick(2) == 0);
    plans += continued_to_the_bit(work, steps);
  }
  CAPTURE(plans);
  CHECK(plans >= 15);  // which networks are drawn is the compiler's, too; several skips of
                       // different lengths take more steps to settle
}

TEST_CASE("period: what reads one step in the middle is planned as a whole", "[plan]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"m": 3}, "inputs": {"x[t]": ["m"]},
    "weights": {"W": ["m","m"], "V": ["m","m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + x[t])", "o = V @ h[70]"], "loss": "sum(o * o) + sum(h[t])")j");
  const Work work = work_of(d, 200);
  REQUIRE(work.tape().size() > 2000);
  CHECK_FALSE(continued(work));
}

TEST_CASE("period: what is remembered of one network is not taken for another", "[plan]") {
  const auto network = [](const char* function, const char* loss) {
    return define(fmt::format(R"j("index": {{"t": "tau"}}, "sizes": {{"m": 3}},
    "inputs": {{"x[t]": ["m"]}}, "weights": {{"W": ["m","m"]}},
    "equations": ["h[t] = {}"], "loss": "{}")j",
                              function, loss));
  };
  for (const char* function : {"tanh(W @ h[t-1] + x[t])", "tanh(W @ h[t-1] + 2 * x[t])",
                               "tanh(W @ h[t-1] + 3 * x[t])", "tanh(h[t-1] @ W + 3 * x[t])",
                               "clamp(W @ h[t-1] + x[t], 0, 1)", "clamp(W @ h[t-1] + x[t], 0, 2)"})
    for (const char* loss : {"sum(h[t])", "sum(2 * h[t])", "sum(h[t] * x[t])"})
      for (const int steps : {150, 151}) {
        CAPTURE(function, loss, steps);
        CHECK(continued(work_of(network(function, loss), steps)));
      }
}

TEST_CASE("period: outputs in any order, and sums over the middle, are those asked for", "[plan]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"m": 3}, "inputs": {"x[t]": ["m"]},
    "weights": {"W": ["m","m"]}, "equations": ["h[t] = tanh(W @ h[t-1] + x[t])"], "loss": "sum(h[t])")j");
  Work work = work_of(d, 200, false, false, true);
  for (int t = 1; t <= 200; ++t) work.outputs.push_back(work.unfolded.at("h", t).id);
  CHECK(continued(work));
  std::swap(work.outputs[90], work.outputs[101]);
  CHECK_FALSE(continued(work));
  Vars middle;
  for (int t = 80; t <= 120; ++t) middle.push_back(work.unfolded.at("h", t));
  work.outputs = {add_n(middle).id};
  CHECK_FALSE(continued(work));
}

// R5: what runs forwards in time beside what runs backwards; its positions count down as well
TEST_CASE("period: numbers that would fall below the first one are no law", "[plan]") {
  const Definition d = parse_definition(R"json({
    "name": "masked", "index": {"t": "tau"}, "sizes": {"m": 3}, "inputs": {},
    "weights": {"W": ["m", "m"], "b": ["m"], "hp": ["m"], "hq": ["m"], "Z": ["m", "m"], "z": ["m"]},
    "equations": [
      "p[t] = abs(b + W @ p[t-1]) / (1 + p[t-1] * p[t-1])", "p[tau+1] = hp",
      "q[t] = relu(W @ q[t-1] + Z @ z)", "q[tau+1] = hq",
      "r[t] = where(t == 2, b, tanh(b + W @ r[t+1] + 0.5 * r[t+1] * mean[t](p[t])))",
      "r[tau+1] = tanh(b)"],
    "loss": "sum(r[t] * r[t])"})json",
                                        "masked.json");
  for (std::int64_t steps = 30; steps < 60; ++steps) {
    CAPTURE(steps);
    CHECK_NOTHROW(continued(work_of(d, steps)));
  }
}

TEST_CASE("period: a law needs three samples that agree", "[plan]") {
  // 5, then 10 13 16 .. as often as the sample says, then a number that moves on
  const auto law = plan::Law::of({table({5, 10, 13, 16, 19, 7}), table({5, 10, 13, 16, 19, 22, 8}),
                                  table({5, 10, 13, 16, 19, 22, 25, 9})});
  REQUIRE(law);
  std::vector<std::int64_t> rows;
  law->each_row(4, [&](const std::int64_t* row) { rows.push_back(*row); });
  CHECK(rows == std::vector<std::int64_t>{5, 10, 13, 16, 19, 22, 25, 28, 31, 11});
  CHECK(law->rows(4) == rows.size());
  CHECK_FALSE(plan::Law::of({table({1, 2}), table({1, 2, 3}), table({1, 2, 4, 3})}));
  CHECK_FALSE(plan::Law::of({table({1}), table({2}), table({4})}));
}
