// What lacks an index of its left side is unfolded once, not once for each position. (R8, R9)
#include <cmath>

#include "language_support.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::int64_t nodes_of(const Definition& d, std::int64_t steps) {
  return unfold(d, {.steps = steps}).graph().size();
}

Definition of(const std::string& equations, const std::string& more = "") {
  return define(R"j("index": {"s": "n_src", "t": "tau"}, "sizes": {"m": 3},
    "inputs": {"x[t]": ["m"], "u[s]": ["m"]}, )j" +
                more + R"j("equations": [)j" + equations + "]");
}

// Two definitions of one thing: the same values to the bit, gradients but for the order of a sum.
void check_same(const Definition& one, const Definition& two,
                const std::vector<std::string>& values, const std::vector<std::string>& gradients) {
  RunOptions o;
  o.dtype = Dtype::f64;
  o.fetch = values;
  o.fetch.insert(o.fetch.end(), gradients.begin(), gradients.end());
  Tensors inputs = random_inputs(one, {.steps = 6, .lengths = {{"n_src", 4}}, .batch = 4});
  const Tensors weights = initial_weights(one, {.steps = 6});
  for (const bool ragged : {false, true}) {
    if (ragged) {
      inputs["lengths:t"] = Tensor::of({4}, std::vector<std::int64_t>{6, 1, 0, 4});
      inputs["lengths:s"] = Tensor::of({4}, std::vector<std::int64_t>{2, 4, 1, 0});
    }
    const Tensors a = run(one, inputs, weights, o).values, b = run(two, inputs, weights, o).values;
    for (const std::string& name : values) CHECK(distance(a.at(name), b.at(name)) == 0);
    for (const std::string& name : gradients) CHECK(distance(a.at(name), b.at(name)) < 1e-12);
  }
}

const char* kLoss = R"j("loss": "sum(w[s,t] * w[s,t])", )j";

}  // namespace

TEST_CASE("a reduction that lacks an index is unfolded once for each of the others", "[hoisting]") {
  const Definition fused =
      of(R"j("q[s,t] = u[s] @ x[t]", "w[s,t] = exp(q[s,t] - max[s](q[s,t]))")j", kLoss);
  const Definition apart_ =
      of(R"j("q[s,t] = u[s] @ x[t]", "top[t] = max[s](q[s,t])", "w[s,t] = exp(q[s,t] - top[t])")j",
         kLoss);
  for (const std::int64_t steps : {3, 7, 20})
    CHECK(nodes_of(fused, steps) == nodes_of(apart_, steps));
  check_same(fused, apart_, {"w", "q", "loss"}, {"grad:x", "grad:u", "grad:q"});
}

TEST_CASE("of one index: a mean that every step subtracts", "[hoisting]") {
  for (const char* equation :
       {"y[t] = x[t] - mean[t](x[t])", "y[t] = x[t] / sqrt(1 + sum[t](x[t] * x[t]))",
        "y[t] = x[t] * max[t](x[t])", "y[t] = x[t] * exp(sum[s](u[s]) + mean[t](x[t]))",
        "y[t] = x[t] * sum[s](sum[s](u[s]) * u[s])",
        "y[t] = x[t] + sum[s](u[s] * sum[t](x[t] - mean[t](x[t])))",
        "y[t] = where(t == 1, sum[t](x[t]), mean[t](x[t]))"}) {
    CAPTURE(equation);
    const Definition d = of("\"" + std::string(equation) + "\"");
    const std::int64_t a = unfold(d, {.lengths = {{"s", 5}, {"t", 10}}}).graph().size(),
                       b = unfold(d, {.lengths = {{"s", 5}, {"t", 20}}}).graph().size(),
                       c = unfold(d, {.lengths = {{"s", 5}, {"t", 40}}}).graph().size();
    CHECK(c - b == 2 * (b - a));
    CHECK(check(d, {.steps = 3}).ok());
  }
}

TEST_CASE("softmax over an index in one equation", "[hoisting]") {
  const std::string q = "\"q[s,t] = u[s] @ x[t]\", ";
  const Definition fused =
      of(q + R"j("w[s,t] = exp(q[s,t] - max[s](q[s,t])) / sum[s](exp(q[s,t] - max[s](q[s,t])))")j",
         kLoss);
  const Definition apart_ = of(q + R"j("a[t] = max[s](q[s,t])", "b[t] = sum[s](exp(q[s,t] - a[t]))",
                "w[s,t] = exp(q[s,t] - a[t]) / b[t]")j",
                               kLoss);
  check_same(fused, apart_, {"w", "loss"}, {"grad:x", "grad:u"});
  const std::int64_t small = nodes_of(fused, 10), large = nodes_of(fused, 40);
  CHECK(large < 17 * small);  // n^2 positions, not n^3 terms
}

TEST_CASE("plain parts, parts of a loss, functions and imports too", "[hoisting]") {
  const Definition plain =
      of(R"j("w[s,t] = exp(sin_(x[t])) @ tanh(u[s])")j",
         R"j("functions": ["sin_(a) = a - a*a*a/6"], "loss": "sum(w[s,t])", )j");
  const Definition by_hand = of(R"j("e[t] = exp(x[t] - x[t]*x[t]*x[t]/6)", "f[s] = tanh(u[s])",
                                   "w[s,t] = e[t] @ f[s]")j",
                                R"j("loss": "sum(w[s,t])", )j");
  check_same(plain, by_hand, {"w"}, {"grad:x", "grad:u"});
  CHECK(nodes_of(plain, 20) <= nodes_of(by_hand, 20));

  const Definition loss =
      of(R"j("y[t] = tanh(x[t])")j", R"j("loss": "sum(u[s]) * sum(y[t] - mean[t](y[t]))", )j");
  const std::int64_t a = nodes_of(loss, 10), b = nodes_of(loss, 20), c = nodes_of(loss, 40);
  CHECK(5 * c < 21 * b);
  CHECK(5 * b < 21 * a);
}

TEST_CASE("a weight keeps a copy for every position of the left side", "[hoisting]") {
  const Definition d = of(R"j("q[s,t] = u[s] * x[t]", "w[s,t] = q[s,t] @ a - max[s](a @ q[s,t])")j",
                          R"j("weights": {"a": ["m"]}, "loss": "sum(w[s,t] * w[s,t])", )j");
  const Unfolded u = unfold(d, {.steps = 4});
  CHECK(u.copies("a").size() == 16);
  CHECK(check(d, {.steps = 3}).ok());
  RunOptions o;
  o.dtype = Dtype::f64;
  o.steps = 3;
  o.fetch = {"grad:a",      "grad:a[1,1]", "grad:a[1,2]", "grad:a[1,3]", "grad:a[2,1]",
             "grad:a[2,2]", "grad:a[2,3]", "grad:a[3,1]", "grad:a[3,2]", "grad:a[3,3]"};
  const Tensors g = run(d, {}, {}, o).values;
  for (std::int64_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (const auto& [name, tensor] : g)
      if (name != "grad:a") sum += tensor.at(i);
    CHECK(std::abs(sum - g.at("grad:a").at(i)) < 1e-12);
  }
}

TEST_CASE("terms of a reduction share what mentions a weight and lacks its index", "[hoisting]") {
  const Definition fused = of(R"j("C[t] = sum[s](tanh(Q @ x[t] + u[s]) * u[s])")j",
                              R"j("weights": {"Q": ["m", "m"]}, "loss": "sum(C[t] * C[t])", )j");
  std::int64_t products = 0;
  const Unfolded u = unfold(fused, {.steps = 6});
  for (NodeId id = 0; id < u.graph().size(); ++id)
    products += u.graph().tape().op(id).name == "matmul" ? 1 : 0;
  CHECK(products == 6);
  CHECK(check(fused, {.steps = 3}).ok());
}

TEST_CASE("every term of a reduction has a dropout of its own", "[hoisting]") {
  const Definition d = of(R"j("C[t] = sum[s](dropout(x[t], 0.5) * u[s])")j");
  const auto masks = [&](bool train) {
    const Unfolded u = unfold(d, {.steps = 4, .train = train});
    std::int64_t count = 0;
    for (NodeId id = 0; id < u.graph().size(); ++id)
      count += u.graph().tape().op(id).name.starts_with("dropout") ? 1 : 0;
    return count;
  };
  CHECK(masks(true) == 16);
  CHECK(masks(false) == 0);
}
