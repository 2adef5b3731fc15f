// Layers whose state before the first step is an item's own, and the GRU that resets before the
// product.
#include "language_support.h"
#include "support_errors.h"
#include "taugrad/layers/layers.h"

using namespace taugrad;
using namespace taugrad::test;

TEST_CASE("layers: a given state is what a learned one would be, for each item its own",
          "[layers]") {
  const LayerOptions options{.n = 2, .m = 2, .layers = 2, .bidirectional = true};
  LayerOptions given = options, learned = options;
  given.given_state = learned.learned_state = true;
  const Definition of_items = lstm(given), of_all = lstm(learned);
  const Tensors weights = initial_weights(of_all, {.seed = 4});
  Tensors shared = weights, states;
  std::vector<double> h0, c0;  // two items: the second's are half the first's
  for (const double times : {1.0, 0.5})
    for (int row = 0; row < 4; ++row)
      for (int k = 0; k < 2; ++k) {
        h0.push_back(times * (0.3 * row - 0.2 * k + 0.1));
        c0.push_back(times * (0.2 - 0.1 * row + 0.4 * k));
      }
  const Tensor x = numbers({3, 2, 2}, {1, 2, -1, 0.5, 0.3, -0.7, 2, 1, 0, 0.2, 0.1, -1});
  const Tensors own =
      evaluate(of_items, {{"x", x}, {"h0", numbers({2, 4, 2}, h0)}, {"c0", numbers({2, 4, 2}, c0)}},
               weights, {"out", "h_n", "c_n"});
  for (std::int64_t item = 0; item < 2; ++item) {
    for (int row = 0; row < 4; ++row) {
      const std::string at = "_l" + std::to_string(row / 2) + (row % 2 != 0 ? "_reverse" : "");
      const auto first = static_cast<std::size_t>(8 * item + 2 * row);
      shared["h0" + at] = numbers({2}, {h0[first], h0[first + 1]});
      shared["c0" + at] = numbers({2}, {c0[first], c0[first + 1]});
    }
    const Tensors all = evaluate(of_all, {{"x", x}}, shared, {"out", "h_n", "c_n"});
    for (std::int64_t t = 0; t < 3; ++t)
      for (std::int64_t k = 0; k < 4; ++k)
        CHECK(own.at("out").at((t * 2 + item) * 4 + k) ==
              Approx(all.at("out").at((t * 2 + item) * 4 + k)).margin(1e-15));
    for (std::int64_t k = 0; k < 8; ++k) {
      CHECK(own.at("h_n").at(item * 8 + k) == Approx(all.at("h_n").at(item * 8 + k)).margin(1e-15));
      CHECK(own.at("c_n").at(item * 8 + k) == Approx(all.at("c_n").at(item * 8 + k)).margin(1e-15));
    }
  }
}

TEST_CASE("layers: the GRU that resets before the product", "[layers]") {
  LayerOptions options{.n = 1, .m = 1};
  options.reset_before = true;
  const Tensors weights{{"weight_ih_l0", numbers({3, 1}, {0.5, -0.3, 0.8})},
                        {"weight_hh_l0", numbers({3, 1}, {0.2, 0.7, -1.1})},
                        {"bias_ih_l0", numbers({3}, {0.1, 0.2, 0.3})},
                        {"bias_hh_l0", numbers({3}, {-0.1, 0.05, 0.15})}};
  const Tensor out =
      evaluate_one(gru(options), {{"x", numbers({3, 1, 1}, {1, -2, 0.5})}}, weights, "out");
  const auto s = [](double a) { return 1 / (1 + std::exp(-a)); };
  double h = 0;
  const double x[] = {1, -2, 0.5};
  for (int t = 0; t < 3; ++t) {
    const double r = s(0.5 * x[t] + 0.1 + 0.2 * h - 0.1), z = s(-0.3 * x[t] + 0.2 + 0.7 * h + 0.05);
    const double n = std::tanh(0.8 * x[t] + 0.3 - 1.1 * (r * h) + 0.15);
    h = (1 - z) * n + z * h;
    CHECK(out.at(t) == Approx(h).epsilon(1e-14));
  }
}

TEST_CASE("layers: options that do not go together", "[layers]") {
  using support::code_of;
  CHECK(code_of([] { rnn({.reset_before = true}); }) == "U002");
  CHECK(code_of([] { rnn({.learned_state = true, .given_state = true}); }) == "U002");
}
