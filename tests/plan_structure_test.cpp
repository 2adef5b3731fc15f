// What passes find in a graph: structure, never names.
#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <random>

#include "plan/describe.h"
#include "support_plan.h"

using namespace taugrad;
using namespace support;
using taugrad::test::define;

namespace {

std::vector<std::string> lines(const Definition& d, std::int64_t steps) {
  return plan::lines_of(plan_of(work_of(d, steps)));
}

std::int32_t levels(const Definition& d, std::int64_t steps, bool gradients = true) {
  return plan_of(work_of(d, steps, false, gradients)).levels;
}

std::size_t products(const plan::Plan<float>& plan) {
  return static_cast<std::size_t>(
      std::ranges::count_if(plan.steps, [](const auto& s) { return s.form == plan::Form::rows; }));
}

/// Steps that only move numbers.
std::size_t copies(const plan::Plan<float>& plan) {
  static const std::vector<const Op*> kMoves{&kCopy,      &kConcat,     &kSlice,      &kPad,
                                             &kStack,     &kReshape,    &kToItems,    &kExtendTo,
                                             &kTranspose, &kRestrictTo, &kBroadcastTo};
  return static_cast<std::size_t>(std::ranges::count_if(plan.steps, [](const auto& s) {
    return s.form == plan::Form::forward && std::ranges::find(kMoves, s.op) != kMoves.end();
  }));
}

const char* const kLstm =
    R"j("index": {"t": "tau"}, "sizes": {"n": 5, "m": 7}, "inputs": {"x[t]": ["n"]},
  "weights": {"Ui": ["m","n"], "Wi": ["m","m"], "bi": ["m"], "Uf": ["m","n"], "Wf": ["m","m"], "bf": ["m"],
    "Ug": ["m","n"], "Wg": ["m","m"], "bg": ["m"], "Uo": ["m","n"], "Wo": ["m","m"], "bo": ["m"]},
  "equations": ["i[t] = sigmoid(Ui @ x[t] + Wi @ h[t-1] + bi)", "f[t] = sigmoid(Uf @ x[t] + Wf @ h[t-1] + bf)",
    "g[t] = tanh(Ug @ x[t] + Wg @ h[t-1] + bg)", "o[t] = sigmoid(Uo @ x[t] + Wo @ h[t-1] + bo)",
    "c[t] = f[t] * c[t-1] + i[t] * g[t]", "h[t] = o[t] * tanh(c[t])"], "loss": "sum(h[t] * h[t])")j";

}  // namespace

TEST_CASE("plan: names and the order of equations do not matter", "[plan]") {
  const std::vector<std::string> want = lines(define(kLstm), 6);
  const char* const renamed =
      R"j("index": {"q": "long"}, "sizes": {"d": 5, "w": 7}, "inputs": {"in[q]": ["d"]},
  "weights": {"A1": ["w","d"], "B1": ["w","w"], "z1": ["w"], "A2": ["w","d"], "B2": ["w","w"], "z2": ["w"],
    "A3": ["w","d"], "B3": ["w","w"], "z3": ["w"], "A4": ["w","d"], "B4": ["w","w"], "z4": ["w"]},
  "equations": ["out[q] = p4[q] * tanh(cell[q])", "cell[q] = p2[q] * cell[q-1] + p1[q] * p3[q]",
    "p4[q] = sigmoid(A4 @ in[q] + B4 @ out[q-1] + z4)", "p2[q] = sigmoid(A2 @ in[q] + B2 @ out[q-1] + z2)",
    "p3[q] = tanh(A3 @ in[q] + B3 @ out[q-1] + z3)", "p1[q] = sigmoid(A1 @ in[q] + B1 @ out[q-1] + z1)"],
  "loss": "sum(out[q] * out[q])")j";
  CHECK(lines(define(renamed), 6) == want);
}

TEST_CASE("plan: gates written apart run as one product a step, weights' gradients as one each",
          "[plan]") {
  const plan::Plan<float> plan = plan_of(work_of(define(kLstm), 6));
  // the input's with the first step's; then one a step forward and, but for the last, backward
  CHECK(products(plan) == 6 + 5);
  CHECK(plan.levels == 11);
  const auto outer = std::ranges::count_if(
      plan.steps, [](const auto& s) { return s.form == plan::Form::outer_sum; });
  CHECK(outer == 8);
}

TEST_CASE("plan: a network without hidden recurrence needs as many products for any length",
          "[plan]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"n": 3, "m": 4, "k": 5},
    "inputs": {"x[t]": ["n"]}, "weights": {"U": ["m","n"], "W": ["m","k"], "V": ["k","m"]},
    "equations": ["h[t] = tanh(U @ x[t] + W @ one_hot(y[t-1], k))", "y[t] ~ categorical(logits = V @ h[t])"])j");
  CHECK(levels(d, 3) == levels(d, 50));
  CHECK(products(plan_of(work_of(d, 3))) == products(plan_of(work_of(d, 50))));
}

TEST_CASE("plan: a grid has rows + cols - 1 stages", "[plan]") {
  const Definition d = define(R"j("index": {"i": "rows", "j": "cols"}, "sizes": {"n": 2, "m": 3},
    "inputs": {"x[i,j]": ["n"]}, "weights": {"U": ["m","n"], "A": ["m","m"], "B": ["m","m"]},
    "equations": ["p[i,j] = tanh(A @ p[i-1,j] + B @ p[i,j-1] + U @ x[i,j])"], "loss": "sum(p[i,j])")j");
  for (const std::int64_t n : {2, 5, 9}) CHECK(levels(d, n, false) == 2 * n - 1);
}

TEST_CASE("plan: random cells need as many products a step as their longest cycle", "[plan]") {
  std::mt19937 random(3);
  for (int cell = 0; cell < 100; ++cell) {
    // a chain of `length` products from h[t-1] to h[t], and products beside it
    const int length = 1 + static_cast<int>(random() % 4);
    std::string equations, weights;
    std::string from = "h[t-1]";
    for (int i = 0; i < length; ++i) {
      const std::string name = i + 1 == length ? "h" : fmt::format("a{}", i);
      std::string right = fmt::format("W{} @ {}", i, from);
      weights += fmt::format(
          "\"W{0}\": [\"m\",\"m\"], \"U{0}\": [\"m\",\"n\"], \"Z{0}\": [\"m\",\"m\"], ", i);
      if (random() % 2 == 0) right += fmt::format(" + U{} @ x[t]", i);
      if (random() % 2 == 0) right += fmt::format(" + Z{} @ h[t-{}]", i, 1 + random() % 3);
      const char* function = random() % 2 == 0 ? "tanh" : "sigmoid";
      equations += fmt::format("{}\"{}[t] = {}({})\"", i == 0 ? "" : ", ", name, function, right);
      from = name + "[t]";
    }
    const std::string text =
        R"j("index": {"t": "tau"}, "sizes": {"n": 2, "m": 3}, "inputs": {"x[t]": ["n"]}, "weights": {)j" +
        weights + R"j("V": ["n","m"]}, "equations": [)j" + equations +
        R"j(], "loss": "sum(V @ h[t])")j";
    CAPTURE(text);
    const Definition d = define(text);
    CHECK(levels(d, 9, false) - levels(d, 8, false) == length);
    CHECK(levels(d, 9) - levels(d, 8) == 2 * length);
  }
}

TEST_CASE("plan: no copies but those listed", "[plan]") {
  // of items of different lengths the backward direction starts at other steps: rows of zeros are
  // put behind the state of the step after, once a step
  const std::vector<std::pair<const char*, std::size_t>> ragged{
      {"lstm", 0},          {"gru", 0},
      {"rnn", 0},           {"skip_connections", 0},
      {"bidirectional", 5}, {"stacked_bidirectional_lstm", 10}};
  for (const auto& [name, want] : ragged) {
    CAPTURE(name);
    CHECK(copies(plan_of(work_of(load_definition(name), 6))) == want);
  }
  for (const char* name : {"lstm", "gru", "bidirectional", "stacked_bidirectional_lstm",
                           "grid_four_directions", "skip_connections"}) {
    CAPTURE(name);
    CHECK(copies(plan_of(work_of(load_definition(name), 6, false, true, true))) == 0);
  }
}

TEST_CASE("plan: nodes and the plan's parts are affine in the number of steps", "[plan]") {
  const auto sizes = [](std::int64_t steps) {
    const Work work = work_of(define(kLstm), steps);
    const plan::Plan<float> p = plan_of(work);
    return std::vector<std::int64_t>{
        work.tape().size(),
        static_cast<std::int64_t>(p.values.size()),
        static_cast<std::int64_t>(p.steps.size()),
        static_cast<std::int64_t>(p.operands.size()),
        static_cast<std::int64_t>(p.jobs.size()),
        static_cast<std::int64_t>(p.slots.size()),
    };
  };
  const auto a = sizes(20), b = sizes(30), c = sizes(40);
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(i, a[i], b[i], c[i]);
    CHECK(c[i] - b[i] == b[i] - a[i]);
  }
  CHECK(plan_of(work_of(define(kLstm), 40)).programs.size() ==
        plan_of(work_of(define(kLstm), 20)).programs.size());
}

TEST_CASE("plan: an LSTM keeps for its gradient what cannot be computed from what it keeps",
          "[plan]") {
  const auto elements = [](std::int64_t steps) {
    std::int64_t sum = 0;
    for (const plan::Slot& slot : plan_of(work_of(define(kLstm), steps)).slots)
      sum += slot.outside ? 0 : slot.elements;
    return sum;
  };
  const std::int64_t n = 5, m = 7, number = 1;
  // i, f, g, o, c, tanh(c), h, which gradients take the place of; x; a term of the loss
  CHECK(elements(40) - elements(30) == 10 * (7 * m + n + number));
}

TEST_CASE("plan: equal ops of all steps are one step, in whatever order they stand", "[plan]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"m": 4, "k": 5, "l": 6},
    "weights": {"W": ["m","m"], "V": ["k","m"], "Z": ["l","m"]},
    "equations": ["h[t] = tanh(W @ h[t-1] + W @ (h[t-1] * h[t-1]))", "y[t] ~ categorical(logits = V @ h[t])",
      "z[t] ~ categorical(logits = Z @ h[t])"])j");
  const auto forward = [](const plan::Plan<float>& plan) {
    return std::ranges::count_if(
        plan.steps, [](const auto& s) { return s.form == plan::Form::forward && s.each > 1; });
  };
  const Work work = work_of(d, 7);
  // both likelihoods; of each variable the symbols' one-hots and the probabilities
  CHECK(forward(plan_of(work)) == 5);
  CHECK(forward(plan_of(work, plan::PassSet().without(plan::Pass::alike))) == 6 * 7);
}
