// Long graphs are drawn from short ones: the same text, and the counts of the whole.
#include <catch2/catch.hpp>

#include "language_support.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/render.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

void check_drawn_alike(const Definition& d, const UnfoldOptions& unfolding, bool gradient) {
  CAPTURE(d.name, gradient);
  const Unfolded whole = unfold(d, unfolding);
  const Picture picture = gradient ? gradient_picture_of(whole, {}) : picture_of(whole, {});
  const Tape& tape = whole.graph().tape();
  std::int64_t edges = 0;
  for (NodeId id = 0; id < tape.size(); ++id) edges += std::ssize(tape.inputs(id));
  const UnfoldedPicture drawn = unfolded_picture(d, unfolding, {}, gradient);
  CHECK(drawn.nodes == tape.size());
  CHECK(drawn.edges == edges);
  CHECK(to_dot(drawn.picture) == to_dot(picture));
}

}  // namespace

TEST_CASE("a long picture is that of the whole graph", "[draw]") {
  check_drawn_alike(load_definition("elman"), {.steps = 12'000}, false);
  check_drawn_alike(load_definition("elman"), {.steps = 12'000}, true);
  check_drawn_alike(load_definition("bidirectional"), {.steps = 8000}, true);
  check_drawn_alike(load_definition("time_delay"), {.steps = 20'000}, false);
  check_drawn_alike(load_definition("skip_connections"), {.steps = 12'000}, false);
  check_drawn_alike(load_definition("grid_lines"), {.steps = 70}, false);
  check_drawn_alike(load_definition("grid_convolution"), {.lengths = {{"rows", 60}, {"cols", 90}}},
                    false);
  check_drawn_alike(load_definition("attention"), {.steps = 100}, false);
  check_drawn_alike(load_definition("attention"), {.lengths = {{"n_src", 40}, {"tau", 300}}},
                    false);
}

TEST_CASE("a long picture knows boundaries, numbers and ends", "[draw]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"m": 2},
    "inputs": {"x[t]": ["m"]}, "weights": {"W": ["m", "m"], "R[t]": ["m"], "g": ["m"]},
    "equations": ["h[0] = g", "h[t] = tanh(W @ h[t-1] + t * x[t] + R[t] + (tau - t) * x[t])",
                  "k[tau+1] = g", "s[1] = x[7]", "s[last] = W @ x[last]", "s[t] = 2 * t * x[t]", "k[t] = W @ k[t+2] + mean[t](x[t]) + x[5]"],
    "loss": "sum(h[t] * k[t] + s[t])")j");
  check_drawn_alike(d, {.steps = 9000}, false);
  check_drawn_alike(d, {.steps = 9000}, true);
}

TEST_CASE("a long picture of few operations shows them", "[draw]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
    "equations": ["h[t] = tanh(h[t-1] + x[t])"])j");
  check_drawn_alike(d, {.steps = 40'000}, false);
}
