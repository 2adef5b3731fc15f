// Plans for any length, made from a few short graphs.
#include "plan/family/family.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <random>
#include <string_view>

#include "evaluate/planner.h"
#include "support_plan.h"
#include "taugrad/evaluate/run.h"

using namespace taugrad;
using namespace support;
using taugrad::test::define;

namespace {

plan::Request request_of(const Definition& d, std::int64_t steps, bool values, bool uniform) {
  Work work = work_of(d, steps, values, true, uniform);
  return {work.unfolded.graph(), work.outputs, {}};
}

/// Everything of a plan but its programs, as tables and lists that compare.
template <class S>
bool same_plan(plan::Plan<S> a, plan::Plan<S> b) {
  const plan::Emission<S> x{std::move(a), {}}, y{std::move(b), {}};
  bool same = x.plan.layout.extents == y.plan.layout.extents &&
              x.plan.layout.primary == y.plan.layout.primary && plan::differ_in_tables_only(x, y);
  plan::Kinds<S> kinds;
  const plan::Tables got = plan::tables_of(x, kinds).value();
  const plan::Tables want = plan::tables_of(y, kinds).value();
  for (std::size_t i = 0; i < got.size(); ++i) same = same && got[i].cells == want[i].cells;
  return same;
}

/// Whether two plans of a graph give the same bits.
bool same_values(plan::Plan<float> a, const plan::Plan<float>& b, const plan::Request& request,
                 std::int64_t steps) {
  const Tape& tape = request.graph.tape();
  a.layout.longest = b.layout.longest;
  Executor<float> first(std::make_unique<const plan::Plan<float>>(std::move(a)), {}),
      second(std::make_unique<const plan::Plan<float>>(b), {});
  BatchContext batch;
  batch.lengths.assign(tape.length_names.size(), {steps, steps});
  return same_bits(execute(first, tape, request.outputs, batch, 2, 7),
                   execute(second, tape, request.outputs, batch, 2, 7));
}

constexpr std::int64_t kAlways = 0;  ///< plans that a law tells are not written down

/// Whether a law was found; checks that its plan is that of the whole graph, and so are its leaves.
/// @param elsewhere  counts plans whose regions end at other steps, which then have the same bits
bool told(const Definition& d, std::int64_t steps, bool values, bool uniform, std::int64_t reach,
          int* elsewhere = nullptr) {
  plan::Family<float> family(
      [&](std::int64_t length) { return request_of(d, length, values, uniform); }, {}, reach,
      kAlways);
  const auto member = family.member(steps);
  if (!member) return false;
  const plan::Request whole = request_of(d, steps, values, uniform);
  const Tape& tape = whole.graph.tape();
  const auto want = plan::make_plan<float>(tape, whole.outputs, plan::PassSet().without("period"));
  const bool same = same_plan(member->plan, want);
  CHECK((same || (elsewhere != nullptr && same_values(member->plan, want, whole, steps))));
  if (!same && elsewhere != nullptr) ++*elsewhere;
  CHECK(member->nodes == tape.size());
  REQUIRE(member->leaves.size() == want.leaves.size());
  for (std::size_t i = 0; i < want.leaves.size(); ++i) {
    const plan::Leaf& leaf = member->leaves[i];
    const plan::LeafKind& kind = member->leaf_kinds[static_cast<std::size_t>(leaf.kind)];
    CHECK(leaf.id == want.leaves[i]);
    CHECK(kind.name == tape.name(leaf.id));
    CHECK(std::equal(leaf.index.begin(), leaf.index.begin() + kind.axes,
                     tape.index(leaf.id).begin(), tape.index(leaf.id).end()));
  }
  return true;
}

/// Grows by as many nodes with each step.
bool is_linear(const Definition& d) {
  const auto nodes = [&](std::int64_t steps) { return work_of(d, steps).tape().size(); };
  return nodes(16) - nodes(12) == nodes(12) - nodes(8);
}

std::vector<std::filesystem::path> shipped() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"/graphs", "/workloads"})
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + folder))
      if (file.path().extension() == ".json" && file.path().stem() != "workloads")
        files.push_back(file.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

TEST_CASE("family: plans of the shipped definitions are those of the whole graphs", "[plan]") {
  int plans = 0, linear = 0, elsewhere = 0;
  std::string missed, missed_long;
  for (const auto& file : shipped()) {
    CAPTURE(file.stem().string());
    const Definition d = load_definition(file.string());
    if (!is_linear(d) || work_of(d, 100).tape().size() < 600) continue;
    for (const bool uniform : {false, true})
      for (const int steps : {131, 700}) {
        CAPTURE(uniform, steps);
        ++linear;
        const bool found = told(d, steps, steps == 131, uniform, 4, &elsewhere);
        plans += found;
        if (!found && steps == 700)
          missed_long += fmt::format("{} {}; ", file.stem().string(), uniform);
        if (!found) missed += fmt::format("{} {} {}; ", file.stem().string(), uniform, steps);
      }
  }
  // at 131 steps looking for some laws is not worth it yet; untied's weights grow with the length
  INFO("plans by law: " << plans << " of " << linear << "; missed: " << missed);
  CHECK(10 * plans >= 8 * linear);
  INFO("missed at 700 steps: " << missed_long);
  CHECK(20 * elsewhere <= plans);
}

TEST_CASE("family: regions of cells without products are cut at whole steps", "[plan]") {
  // GradBench's diagonal LSTM; a gated sum over time, whose steps are short; two layers of it
  const char* const cells[] = {
      R"q("f[t] = sigmoid(x[t] * a + b)", "i[t] = sigmoid(h[t-1] * c + d)", "g[t] = tanh(h[t-1] * a + c)",
         "o[t] = sigmoid(x[t] * b + d)", "s[t] = s[t-1] * f[t] + i[t] * g[t]", "h[t] = o[t] * tanh(s[t])")q",
      R"q("h[t] = a * h[t-1] + x[t]")q",
      R"q("z[t] = sigmoid(x[t] * a)", "h[t] = (1 - z[t]) * h[t-1] + z[t] * x[t]")q",
      R"q("s[t] = tanh(a * s[t-1] + x[t]) + b", "h[t] = tanh(c * h[t-1] + s[t]) * d + s[t-1]")q"};
  for (const char* equations : cells) {
    const Definition d = define(
        fmt::format(R"j("index": {{"t": "tau"}}, "sizes": {{"m": 3}}, "inputs": {{"x[t]": ["m"]}},
      "weights": {{"a": ["m"], "b": ["m"], "c": ["m"], "d": ["m"]}}, "equations": [{}],
      "loss": "sum(h[t] * x[t])")j",
                    equations));
    CAPTURE(equations);
    // of one length for all items, the gradient of the two smallest cells settles on no law yet
    const bool small = std::string_view(equations).size() < 80;
    for (const bool uniform : {false, true})
      for (const std::int64_t steps : {300, 307}) {
        CAPTURE(uniform, steps);
        const bool found = told(d, steps, false, uniform, 1);
        CHECK((found || (small && uniform)));
      }
  }
}

TEST_CASE("family: plans of random recurrences are those of the whole graphs", "[plan]") {
  std::mt19937 random(12);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int plans = 0;
  for (int cell = 0; cell < 20; ++cell) {
    const int states = 1 + pick(3);
    std::string equations, weights;
    for (int i = 0; i < states; ++i) {
      std::string right = fmt::format("W{} @ s{}[t-{}] + U{} @ x[t]", i, i, 1 + pick(3), i);
      if (pick(2)) right += fmt::format(" + s{}[t-{}] * s{}[t-1]", pick(states), 1 + pick(2), i);
      if (pick(3) == 0) right += fmt::format(" + sigmoid(W{} @ x[t+{}])", i, pick(2));
      equations += fmt::format("\"s{}[t] = tanh({})\", ", i, right);
      weights += fmt::format("\"W{0}\": [\"m\",\"m\"], \"U{0}\": [\"m\",\"m\"], ", i);
    }
    const std::string text =
        R"j("index": {"t": "tau"}, "sizes": {"m": 3}, "inputs": {"x[t]": ["m"]}, "weights": {)j" +
        weights + R"j("V": ["m","m"]}, "equations": [)j" + equations +
        fmt::format(R"j("o[t] = V @ s{}[t]"], "loss": "sum(o[t] * s0[t])")j", states - 1);
    CAPTURE(text);
    const std::int64_t steps = 1000 + pick(500);
    plans += told(define(text), steps, false, pick(2) == 0, 3);
  }
  CAPTURE(plans);
  CHECK(plans >= 8);  // of 20; the others have several skips and sums that settle late
}

TEST_CASE("family: what is said of single steps far from the ends is heeded", "[plan]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"m": 3}, "inputs": {"x[t]": ["m"]},
    "weights": {"W": ["m","m"], "V": ["m","m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + x[t])", "h[70] = x[70]", "o = V @ h[70]"],
    "loss": "sum(o * o) + sum(h[t])")j");
  CHECK(told(d, 2000, false, false, 70));
  CHECK_FALSE(told(d, 300, false, false, 70));  // as many steps as its short graphs have
  RunOptions options;
  options.fetch = {"loss", "grad:W", "h"};
  options.steps = 2000;
  const RunResult by_law = run(d, {}, {}, options);
  options.engine.without = {"period"};
  const RunResult whole = run(d, {}, {}, options);
  for (const auto& [name, tensor] : whole.values) {
    CAPTURE(name);
    CHECK((by_law.values.at(name).values<float>().size() == tensor.values<float>().size()));
    CHECK(std::ranges::equal(by_law.values.at(name).values<float>(), tensor.values<float>()));
  }
}

TEST_CASE("family: graphs that do not grow evenly have no law", "[plan]") {
  const Definition d =
      define(R"j("index": {"s": "tau", "t": "tau"}, "sizes": {"m": 3}, "inputs": {"x[t]": ["m"]},
    "weights": {"W": ["m","m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + x[t])", "c[t] = sum[s](h[s] * sum(h[s] * x[t]))"],
    "loss": "sum(c[t] * c[t])")j");
  CHECK_FALSE(told(d, 60, false, false, 1));
}

TEST_CASE("family: draws are keyed by the positions of the whole graph", "[plan]") {
  const Definition d = load_definition(std::string(TAUGRAD_SOURCE_DIR) + "/graphs/end_symbol.json");
  RunOptions options;
  options.fetch = {"y", "loss"};
  options.steps = 300;
  options.batch = 3;
  options.modes = {{"y", Mode::sampled}};
  const RunResult by_law = run(d, {}, {}, options);
  options.engine.without = {"period"};
  const RunResult whole = run(d, {}, {}, options);
  for (const auto& [name, tensor] : whole.values)
    CHECK(std::ranges::equal(by_law.values.at(name).values<float>(), tensor.values<float>()));
}

namespace {

/// Whether the law tells where values lie, too; checks runs of that plan beside those of the same
/// written down, three times, on batches of equal lengths and of others.
bool told_alike(const Definition& d, std::int64_t steps, bool uniform, int threads) {
  const auto make = [&](std::int64_t length) { return request_of(d, length, true, uniform); };
  const plan::Request whole = make(steps);
  const Tape& tape = whole.graph.tape();
  bool is_told = false;
  const auto executor = [&](std::int64_t written) {
    plan::Family<float> family(make, {}, 4, written);
    auto member = family.member(steps);
    REQUIRE(member);
    // a law that tells places, too, is worth seeking when many plans are asked for
    for (int i = 0; i < 60 && written == kAlways && member->plan.steps.law() == nullptr; ++i)
      member = family.member(steps);
    is_told = is_told || member->plan.steps.law() != nullptr;
    member->plan.layout.longest.assign(tape.length_names.size(), steps);
    return Executor<float>(std::make_unique<const plan::Plan<float>>(std::move(member->plan)),
                           {.engine = {.threads = threads}});
  };
  Executor<float> told = executor(kAlways), down = executor(std::int64_t{1} << 40);
  for (const std::int64_t shorter : {0, 7}) {
    BatchContext batch;
    const std::int64_t less = steps - (uniform ? 0 : shorter);
    batch.lengths.assign(tape.length_names.size(), {steps, less, steps, less, less - less % 2});
    for (const int again : {0, 1, 2}) {
      CAPTURE(steps, uniform, threads, shorter, again);
      const Numbers numbers(again == 0 ? 7 : 8);
      CHECK(same_bits(execute(told, tape, whole.outputs, batch, 5, numbers),
                      execute(down, tape, whole.outputs, batch, 5, numbers)));
    }
  }
  return is_told;
}

}  // namespace

TEST_CASE("family: plans that a law tells run as those that are written down", "[plan]") {
  int plans = 0;
  for (const char* name : {"elman", "lstm", "bidirectional", "gru", "slstm", "s4d"}) {
    CAPTURE(name);
    const Definition d =
        load_definition(std::string(TAUGRAD_SOURCE_DIR) + "/graphs/" + name + ".json");
    for (const bool uniform : {false, true}) plans += told_alike(d, 400, uniform, 1);
  }
  // enough work for two
  const Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"m": 32},
    "inputs": {"x[t]": ["m"]}, "weights": {"W": ["m","m"], "U": ["m","m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + U @ x[t])"], "loss": "sum(h[t] * h[t])")j");
  for (const bool uniform : {false, true})
    for (const int threads : {1, 2}) plans += told_alike(d, 400, uniform, threads);
  CHECK(plans == 16);
}

TEST_CASE("family: a long sequence has the bits of the whole graph", "[plan]") {
  const Definition d = load_definition(std::string(TAUGRAD_SOURCE_DIR) + "/graphs/elman.json");
  RunOptions options;
  options.fetch = {"h", "loss", "grad:W", "grad:x"};
  options.steps = 4'000;
  const RunResult by_law = run(d, {}, {}, options);
  options.engine.without = {"period"};
  const RunResult whole = run(d, {}, {}, options);
  for (const auto& [name, tensor] : whole.values) {
    CAPTURE(name);
    CHECK(std::ranges::equal(by_law.values.at(name).values<float>(), tensor.values<float>()));
  }
}
