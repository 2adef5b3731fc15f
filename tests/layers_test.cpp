#include "taugrad/layers/layers.h"

#include <catch2/catch.hpp>
#include <set>

#include "taugrad/base/error.h"

using namespace taugrad;

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
