// Gradient flow (row S36) and forward mode beside reverse mode.                  (eq 18-25)
#include "taugrad/analysis/flow.h"

#include <nlohmann/json.hpp>
#include <numeric>

#include "language_support.h"
#include "reference_net.h"
#include "taugrad/draw/flow_picture.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

const Definition& linear() {
  static const Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"m": 4, "n": 2},
    "inputs": {"x[t]": ["n"]}, "weights": {"W": ["m", "m"], "U": ["m", "n"]},
    "equations": ["h[t] = W @ h[t-1] + U @ x[t]"], "loss": "sum(h[last] * h[last])")j");
  return d;
}

/// r times an orthogonal matrix.
Tensor scaled_orthogonal(double r) {
  Definition d = define(R"j("index": {"t": "tau"}, "sizes": {"m": 4},
    "weights": {"W": {"shape": ["m", "m"], "init": "orthogonal"}}, "equations": ["h[t] = W @ h[t-1]"])j");
  Tensor w = initial_weights(d, {.seed = 5}).at("W");
  for (std::int64_t i = 0; i < w.size(); ++i) w.set(i, r * w.at(i));
  return w;
}

/// Not normal: spectral radius r on the diagonal, entries of any size above.
Tensor triangular(double r) {
  Tensor w({4, 4}, Dtype::f64);
  for (std::int64_t i = 0; i < 4; ++i)
    for (std::int64_t j = i; j < 4; ++j)
      w.set(i * 4 + j, i == j ? r * (i == 0 ? 1 : 0.3 * static_cast<double>(i))
                              : 0.4 * static_cast<double>(i + j));
  return w;
}

FlowReport flow_of(const Tensor& w, std::int64_t steps, MatrixNorm norm = MatrixNorm::spectral) {
  Tensors weights = initial_weights(linear(), {.seed = 1});
  weights["W"] = w;
  FlowOptions options;
  options.steps = steps;
  options.norm = norm;
  return flow(linear(), {}, weights, options);
}

}  // namespace

TEST_CASE("S36: a linear net of spectral radius r has slope log r, and its verdict", "[rows]") {
  const std::pair<double, FlowVerdict> rows[] = {
      {0.5, FlowVerdict::vanishing}, {1.0, FlowVerdict::stable}, {1.5, FlowVerdict::exploding}};
  for (const auto& [r, verdict] : rows) {
    CAPTURE(r);
    const FlowReport report = flow_of(scaled_orthogonal(r), 20);
    REQUIRE(report.variables.size() == 1);
    const VariableFlow& h = report.variables.front();
    CHECK(h.name == "h");
    CHECK(h.verdict == verdict);
    const double within = r == 1 ? 0.01 : 0.01 * std::abs(std::log(r));
    CHECK(std::abs(std::log(h.rate) - std::log(r)) <= within);
    for (std::size_t t = 0; t < 20; ++t)
      for (std::size_t k = 0; k < 20; ++k)
        CHECK(h.jacobian[t][k] ==
              Approx(k > t ? 0 : std::pow(r, static_cast<double>(t - k))).epsilon(1e-9));
    const VariableFlow general = flow_of(triangular(r), 60).variables.front();
    CHECK(std::abs(std::log(general.rate) - std::log(r)) <= within);
    CHECK(general.verdict == verdict);
  }
}

TEST_CASE("norms of the reference net: dL/dh(t), dL/dW(t), Jacobians in closed form", "[flow]") {
  FlowOptions options;
  options.norm = MatrixNorm::frobenius;
  const Tensors w = reference_weights(), data = reference_inputs();
  const FlowReport report = flow(load_definition("elman"), data, w, options);
  REQUIRE(report.variables.size() == 1);
  const VariableFlow& h = report.variables.front();
  const double dh[] = {0.285770095201325, 0.912584836313395, 0.595996294260453, 0.416146632041394};
  const double dw[] = {0, 0.2699948205333, 0.329071056493985, 0.29148744410301};
  for (std::size_t t = 0; t < 4; ++t) CHECK(h.gradient[t] == Approx(dh[t]).epsilon(1e-13));
  const auto found = std::ranges::find(report.weights, "W", &WeightFlow::name);
  REQUIRE(found != report.weights.end());
  REQUIRE(found->copies.size() == 4);
  for (std::size_t t = 0; t < 4; ++t) {
    CHECK(found->copies[t].first == "W[" + std::to_string(t + 1) + "]");
    CHECK(found->copies[t].second == Approx(dw[t]).epsilon(1e-12).margin(1e-15));
  }
  const ClosedForm net(w, data);  // dh(t)/dh(t-1) = diag(1 - h(t)^2) W
  for (std::size_t k = 0; k < 4; ++k) {
    std::vector<double> j(9, 0);
    for (std::size_t i = 0; i < 3; ++i) j[i * 4] = 1;
    for (std::size_t t = k; t < 4; ++t) {
      if (t > k) {
        std::vector<double> next(9, 0);
        for (std::size_t r = 0; r < 3; ++r)
          for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t i = 0; i < 3; ++i)
              next[r * 3 + c] += (1 - net.h[t + 1][r] * net.h[t + 1][r]) *
                                 w.at("W").at(static_cast<std::int64_t>(r * 3 + i)) * j[i * 3 + c];
        j = next;
      }
      const double size = std::sqrt(std::inner_product(j.begin(), j.end(), j.begin(), 0.0));
      CHECK(h.jacobian[t][k] == Approx(size).epsilon(1e-12));
    }
  }
}

TEST_CASE("several variables, both directions, shared states, untied weights", "[flow]") {
  FlowOptions options;
  options.steps = 6;
  const FlowReport both = flow(load_definition("bidirectional"), {}, {}, options);
  REQUIRE(both.variables.size() == 2);
  for (std::size_t t = 0; t < 6; ++t)
    for (std::size_t k = 0; k < 6; ++k) {
      CHECK((both.variables[0].jacobian[t][k] != 0) == (k <= t));  // h forward
      CHECK((both.variables[1].jacobian[t][k] != 0) == (k >= t));  // g backward
    }
  const FlowReport lstm = flow(load_definition("lstm"), {}, {}, options);
  REQUIRE(lstm.variables.size() == 2);
  CHECK(lstm.variables[0].name == "c");
  const FlowReport map = flow(load_definition("dynamical_system"), {}, {}, options);
  REQUIRE(map.variables.size() == 1);  // not per example: its rows are taken one by one
  CHECK(map.variables[0].jacobian[5][5] == Approx(1));
  CHECK(map.variables[0].jacobian[5][0] > 0);
  CHECK(flow(load_definition("untied"), {}, {}, options).variables[0].rate > 0);
  options.variables = {"o"};
  const FlowReport o = flow(load_definition("elman"), {}, {}, options);
  CHECK(o.variables[0].verdict == FlowVerdict::none);  // no path leads from o to a later o
}

TEST_CASE("items of a batch: means over those that have the step", "[flow]") {
  const Definition d = load_definition("elman");
  const Tensors w = initial_weights(d, {.seed = 4});
  Tensors both = random_inputs(d, {.steps = 5, .batch = 2, .seed = 4});
  both["lengths"] = Tensor::of({2}, std::vector<std::int64_t>{5, 3});
  const auto alone = [&](std::int64_t item, std::int64_t steps) {
    Tensors one{{"x", part(part(both.at("x"), 1, item, item + 1), 0, 0, steps)},
                {"y", part(part(both.at("y"), 1, item, item + 1), 0, 0, steps)}};
    return flow(d, one, w).variables.front();
  };
  const VariableFlow a = alone(0, 5), b = alone(1, 3), mean = flow(d, both, w).variables.front();
  for (std::size_t t = 0; t < 5; ++t) {
    const double g = t < 3 ? (a.gradient[t] + b.gradient[t]) / 2 : a.gradient[t];
    CHECK(mean.gradient[t] == Approx(g).epsilon(1e-12));
    for (std::size_t k = 0; k <= t; ++k)
      CHECK(mean.jacobian[t][k] ==
            Approx(t < 3 ? (a.jacobian[t][k] + b.jacobian[t][k]) / 2 : a.jacobian[t][k])
                .epsilon(1e-12));
  }
}

TEST_CASE("rates of given norms", "[flow]") {
  CHECK(rate_of({1}) == 0);
  CHECK(rate_of({1, 0, 0}) == 0);
  CHECK(rate_of({1, 0.5}) == Approx(0.5));
  CHECK(rate_of({1, 0.5, 0.25}) == Approx(0.5));
  CHECK(rate_of({1, 9, 9, 0.5, 0.25, 0.125}) == Approx(0.5));
}

TEST_CASE("forward mode gives the gradient of reverse mode, at a cost for each parameter",
          "[flow]") {
  FlowOptions options;
  options.steps = 6;
  options.batch = 2;
  for (const char* name : {"elman", "lstm", "gru", "bidirectional", "sequence_model", "untied"}) {
    CAPTURE(name);
    const RtrlReport r = rtrl(load_definition(name), {}, {}, options);
    CHECK(r.difference <= 1e-13 * r.largest);
    CHECK(r.largest > 0);
    CHECK(r.rtrl_operations > r.parameters * r.forward_operations);
    CHECK(r.bptt_operations < 5 * r.forward_operations);
  }
}

TEST_CASE("flow as JSON and SVG; what cannot be followed", "[flow]") {
  FlowOptions options;
  options.steps = 5;
  const FlowReport report = flow(load_definition("elman"), {}, {}, options);
  const auto j = nlohmann::json::parse(to_json(report));
  CHECK(j["format"] == "taugrad-flow");
  CHECK(j["steps"] == 5);
  CHECK(j["variables"][0]["jacobian"].size() == 5);
  CHECK(j["variables"][0]["verdict"] == to_text(report.variables[0].verdict));
  CHECK(j["weights"].size() == 5);
  const std::string svg = to_svg(report);
  CHECK(svg.find("</svg>") != std::string::npos);
  CHECK(svg.find("t = 5, k = 1") != std::string::npos);
  options.steps = 150;  // binned
  CHECK(to_svg(flow(load_definition("elman"), {}, {}, options)).size() < 900'000);
  for (const char* name : {"output_recurrent", "product", "grid_lines"})
    CHECK(problems_of([&] { flow(load_definition(name), {}, {}); }).front().code == "G028");
  options.variables = {"q"};
  CHECK(problems_of([&] { flow(load_definition("elman"), {}, {}, options); }).front().code ==
        "U002");
}

TEST_CASE("a flow tells how far it has come, of a definition and of a graph", "[flow]") {
  const Definition& d = linear();
  std::int64_t done = 0, total = 0;
  FlowOptions o;
  o.steps = 7;
  o.progress = [&](std::int64_t now, std::int64_t all) {
    CHECK(now == done + 1);
    done = now;
    total = all;
  };
  flow(d, {}, {}, o);
  CHECK(done == 7);
  CHECK(total == 7);
  done = 0;
  o.steps = -1;
  flow(unfold(d, {.lengths = {{"tau", 5}}}).graph(), {}, {}, o);
  CHECK(done == 5);
  CHECK(total == 5);
}
