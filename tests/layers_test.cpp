#include "taugrad/layers/layers.h"

#include <set>

#include "language/resolve/resolved_model.h"
#include "language_support.h"
#include "taugrad/base/error.h"
#include "taugrad/evaluate/check.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::set<std::string> weight_names(const Definition& d) {
  std::set<std::string> names;
  for (const WeightDeclaration& w : d.weights) names.insert(w.name.text);
  return names;
}

bool has_equation(const Definition& d, const std::string& text) {
  for (const Text& e : d.equations)
    if (e.text == text) return true;
  return false;
}

}  // namespace

TEST_CASE("layers: weights carry PyTorch's names, layer by layer and direction by direction",
          "[layers]") {
  LayerOptions o;
  o.layers = 2;
  o.bidirectional = true;
  const std::set<std::string> want = {
      "weight_ih_l0",         "weight_hh_l0",         "bias_ih_l0",         "bias_hh_l0",
      "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse",
      "weight_ih_l1",         "weight_hh_l1",         "bias_ih_l1",         "bias_hh_l1",
      "weight_ih_l1_reverse", "weight_hh_l1_reverse", "bias_ih_l1_reverse", "bias_hh_l1_reverse"};
  CHECK(weight_names(rnn(o)) == want);
  CHECK(weight_names(lstm(o)) == want);
  CHECK(weight_names(gru(o)) == want);
}

TEST_CASE("layers: a final state is the last step's, of the reverse direction the first's",
          "[layers]") {
  LayerOptions o;
  o.bidirectional = true;
  const Definition d = lstm(o);
  CHECK(has_equation(d, "h_n = stack(h_l0[last], h_l0_reverse[1])"));
  CHECK(has_equation(d, "c_n = stack(c_l0[last], c_l0_reverse[1])"));
  CHECK(has_equation(d, "out[t] = concat(h_l0[t], h_l0_reverse[t])"));
}

TEST_CASE("layers: options reach the equations", "[layers]") {
  LayerOptions o;
  o.layers = 2;
  o.dropout = 0.25;
  CHECK(has_equation(gru(o), "u_l1[t] = dropout(h_l0[t], rate)"));
  o.learned_state = true;
  CHECK(has_equation(gru(o), "h_l1[0] = h0_l1"));
  o.nonlinearity = Nonlinearity::relu;
  const Definition d = rnn(o);
  CHECK(d.equations[1].text ==
        "h_l0[t] = relu(bias_ih_l0 + weight_ih_l0 @ x[t] + bias_hh_l0 + weight_hh_l0 @ h_l0[t-1])");
}

TEST_CASE("layers: options outside their range are refused", "[layers]") {
  const auto refused = [](Cell cell, auto set) {
    LayerOptions o;
    set(o);
    CHECK_THROWS_AS(recurrent_layers(cell, o), Error);
  };
  refused(Cell::rnn, [](LayerOptions& o) { o.n = 0; });
  refused(Cell::rnn, [](LayerOptions& o) { o.m = -1; });
  refused(Cell::rnn, [](LayerOptions& o) { o.layers = 0; });
  refused(Cell::rnn, [](LayerOptions& o) { o.dropout = 1; });
  refused(Cell::gru, [](LayerOptions& o) { o.projection = 2; });
  refused(Cell::lstm, [](LayerOptions& o) { o.projection = o.m; });
  refused(Cell::lstm, [](LayerOptions& o) { o.nonlinearity = Nonlinearity::relu; });
}

// Values and gradients against PyTorch: tests/cases/torch_*, by tests/oracle/run_cases.py.

TEST_CASE("layers: every cell by name stacks, in both directions, with gradients that agree",
          "[layers]") {
  for (const RecurrentCell& cell : recurrent_cells()) {
    CAPTURE(cell.name);
    const Definition d = recurrent_layers(cell.name, {.layers = 2, .bidirectional = true});
    const auto model = resolve(d);
    const CheckReport report = check(d, {.steps = 3, .batch = 1, .control = {.max_runs = 60}});
    CHECK(report.ok());
    CHECK_FALSE(report.vacuous());
  }
}

TEST_CASE("layers: one layer of a cell is the cell, and what runs from the end sees it reversed",
          "[layers]") {
  for (const RecurrentCell& cell : recurrent_cells()) {
    CAPTURE(cell.name);
    const Definition alone = load_definition(cell.name),
                     both = recurrent_layers(cell.name, {.bidirectional = true});
    const Tensors inputs = random_inputs(alone, {.steps = 4, .seed = 3});
    Tensors reversed = inputs, weights = initial_weights(alone, {.seed = 3}), of_both;
    for (auto& [name, x] : reversed) {
      const std::int64_t row = x.size() / 4;
      for (std::int64_t t = 0; t < 4; ++t)
        for (std::int64_t i = 0; i < row; ++i)
          x.values<double>()[static_cast<std::size_t>(t * row + i)] =
              inputs.at(name).at((3 - t) * row + i);
    }
    for (const auto& [name, w] : weights)
      for (const char* part : {"l0.", "l0_reverse."}) of_both[part + name] = w;
    const std::string output(cell.output);
    const Tensor forward = evaluate_one(alone, inputs, weights, output),
                 backward = evaluate_one(alone, reversed, weights, output),
                 out = evaluate_one(both, inputs, of_both, "out");
    const std::int64_t width = forward.size() / 4;
    REQUIRE(out.size() == 2 * forward.size());
    for (std::int64_t t = 0; t < 4; ++t)
      for (std::int64_t i = 0; i < width; ++i) {
        CHECK(out.at(t * 2 * width + i) == Approx(forward.at(t * width + i)).margin(1e-12));
        CHECK(out.at((2 * t + 1) * width + i) ==
              Approx(backward.at((3 - t) * width + i)).margin(1e-12));
      }
  }
}

TEST_CASE("layers: a stack's sizes reach its cells, and what is not there is said", "[layers]") {
  const Definition d = recurrent_layers(
      "mlstm", {.sizes = {{"n", 5}, {"heads", 3}, {"d_v", 4}}, .layers = 3, .dropout = 0.5});
  CHECK(has_equation(d, "u_l1[t] = dropout(l0.h[t], rate)"));
  CHECK(resolve(d)->symbols[static_cast<std::size_t>(resolve(d)->find("out"))].shape == Shape{12});
  CHECK_THROWS_WITH(recurrent_layers("mltsm"), Catch::Contains("did you mean \"mlstm\"?"));
  CHECK_THROWS_WITH(recurrent_layers("sru", {.sizes = {{"m", 3}}}),
                    Catch::Contains("sru has no size m; its sizes are n"));
  CHECK_THROWS_AS(recurrent_layers("sru", {.sizes = {{"n", 0}}}), Error);
  CHECK_THROWS_AS(recurrent_layers("sru", {.layers = 0}), Error);
  CHECK_THROWS_AS(recurrent_layers("sru", {.dropout = 0.5}), Error);
  CHECK_THROWS_AS(recurrent_layers("sru", {.layers = 31, .bidirectional = true}), Error);
}
