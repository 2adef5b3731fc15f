// Trees level by level (docs/plan.md): values and gradients beside
// tests/oracle/recurrences/trees.py and beside the same definition step by step.
#include "unfold/levels.h"

#include <numeric>

#include "evaluate/evaluation.h"
#include "evaluate/leaves/batch_data.h"
#include "evaluate/planner.h"
#include "support_trees.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/io/safetensors.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::int64_t levels_of(const Definition& d, const Tensors& inputs) {
  const auto model = resolve(d);
  const auto circle = level_circle(*model);
  if (!circle) return 0;
  const BatchData data = read_batch(*model, inputs, {});
  std::vector<std::int32_t> items(static_cast<std::size_t>(data.items));
  std::iota(items.begin(), items.end(), 0);
  std::ranges::stable_sort(items, std::greater<>(), [&](std::int32_t i) {
    return data.lengths[0][static_cast<std::size_t>(i)];
  });
  const Tensors none;
  const RunOptions options;
  return Evaluation<double>(model, data, none, options).level_rows(*circle, items).levels();
}

/// The same by levels and by steps. How many levels the first way took.
std::int64_t compare(const std::string& body, const Tensors& inputs,
                     const std::vector<std::string>& fetch) {
  const Definition d = define(body);
  const Tensors weights = drawn_weights(d);
  const Tensors by_level = evaluate(d, inputs, weights, fetch),
                by_step = evaluate(d, inputs, weights, fetch, by_steps());
  for (const std::string& name : fetch) {
    CAPTURE(name);
    check_near(by_level.at(name), by_step.at(name), 1e-12);
  }
  return levels_of(d, inputs);
}

}  // namespace

TEST_CASE("levels: trees, a chain, a leaf, nothing, combs, forests, as the oracle has them") {
  Tensors inputs, weights, expected;
  for (const auto& [key, tensor] :
       load_safetensors(TAUGRAD_SOURCE_DIR "/tests/trees/tree_lstm.safetensors")) {
    const auto colon = key.find(':');
    const std::string kind = key.substr(0, colon);
    (kind == "input"    ? inputs
     : kind == "weight" ? weights
                        : expected)[key.substr(colon + 1)] = tensor;
  }
  REQUIRE(expected.size() == 6);
  const Definition d = load_definition(TAUGRAD_SOURCE_DIR "/graphs/tree_lstm.json");
  CHECK(levels_of(d, inputs) >= 5);
  std::vector<std::string> fetch;
  for (const auto& entry : expected) fetch.push_back(entry.first);
  for (const int threads : {1, 2})
    for (const bool levels : {true, false}) {
      RunOptions options = levels ? RunOptions() : by_steps();
      options.engine.threads = threads;
      const Tensors got = evaluate(d, inputs, weights, fetch, options);
      for (const std::string& name : fetch) {
        CAPTURE(name, threads, levels);
        check_near(got.at(name), expected.at(name), 1e-12);
      }
    }
}

TEST_CASE("levels: an item has the values that it has alone, to the bit") {
  const Definition d = define(kPlain);
  const Tensors inputs = trees(kSeveral, 3, 1), weights = drawn_weights(d);
  RunOptions narrow;
  narrow.fetch = {"h"};
  const Tensor all = run(d, inputs, weights, narrow).values.at("h");
  const auto items = static_cast<std::int64_t>(kSeveral.size());
  for (std::int64_t i = 0; i < items; ++i) {
    const auto steps = static_cast<std::int64_t>(inputs.at("lengths").at(i));
    Tensors own{{"x", Tensor({steps, 1, 3}, Dtype::f64)},
                {"left", Tensor({steps, 1}, Dtype::i64)},
                {"right", Tensor({steps, 1}, Dtype::i64)}};
    for (std::int64_t t = 0; t < steps; ++t) {
      for (const char* name : {"left", "right"})
        own.at(name).set(t, inputs.at(name).at(t * items + i));
      for (std::int64_t k = 0; k < 3; ++k)
        own.at("x").set(t * 3 + k, inputs.at("x").at((t * items + i) * 3 + k));
    }
    const Tensor alone = run(d, own, weights, narrow).values.at("h");
    for (std::int64_t t = 0; t < steps; ++t)
      for (std::int64_t k = 0; k < 3; ++k)
        CHECK(alone.at(t * 3 + k) == all.at((t * items + i) * 3 + k));
  }
}

TEST_CASE("levels: any number of threads computes the same bits", "[threads]") {
  std::string wide = kPlain;
  wide.replace(wide.find("\"m\": 3"), 6, "\"m\": 48");
  const Definition d = define(wide);
  std::vector<std::int64_t> leaves(24, 12);
  leaves[3] = 7;
  leaves[5] = 0;
  const Tensors inputs = trees(leaves, 48, 11), weights = drawn_weights(d);
  RunOptions options;
  options.fetch = {"h", "loss", "grad:x", "grad:U", "grad:V"};
  options.engine.threads = 1;
  const Tensors one = run(d, inputs, weights, options).values;
  for (const int threads : {2, 3}) {
    options.engine.threads = threads;
    const Tensors more = run(d, inputs, weights, options).values;
    for (const std::string& name : options.fetch) check_same(more.at(name), one.at(name));
  }
}

TEST_CASE("levels: what nodes read outside of the tree, and who reads them") {
  const Tensors inputs = trees(kSeveral, 3, 2);
  CHECK(compare(kPlain, inputs, {"h", "loss", "grad:x", "grad:U", "grad:V"}) > 2);
  // every node is read; numbers, lengths, neighbours; an equation between; a value of the item
  const std::string rich = pairs(R"j(, "q": ["m"], "s[t]": "category(4)")j",
                                 R"j(, "E": [4, "m"], "P": ["m", "m"], "b": ["m"])j",
                                 R"j("e[t] = P @ x[t] + embed(E, s[t])", "C = tanh(P @ q)",
          "a[t] = U @ h[left[t]] * C + V @ h[right[t]] + e[t] + x[t-1] * t / tau + h[left[t]] * e[t+1]",
          "h[t] = tanh(a[t] + b) * sigmoid(a[t])", "o[t] = P @ h[t] + h[t-1]")j",
                                 R"j("sum(o[t] * o[t])", "sum(h[last] * C)")j");
  Tensors more = inputs;
  more["q"] = Tensor({7, 3}, Dtype::f64);
  for (std::int64_t i = 0; i < 21; ++i) more.at("q").set(i, std::cos(static_cast<double>(i)));
  more["s"] = Tensor(inputs.at("left").dims(), Dtype::i64);
  for (std::int64_t i = 0; i < more.at("s").size(); ++i)
    more.at("s").set(i, static_cast<double>(i % 4));
  CHECK(compare(rich, more,
                {"h", "a", "o", "loss", "grad:x", "grad:q", "grad:U", "grad:V", "grad:E", "grad:P",
                 "grad:b", "grad:C", "grad:e"}) > 2);
}

TEST_CASE("levels: an equation of position 0, trees that grow downwards, equal lengths") {
  const Tensors inputs = trees(kSeveral, 3, 3);
  const std::vector<std::string> fetch{"h", "loss", "grad:x", "grad:U", "grad:V"};
  const std::string begins =
      pairs("", R"j(, "b": ["m"])j",
            R"j("h[0] = tanh(U @ b)", "h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[right[t]])")j",
            R"j("sum(h[last] * h[last])")j");
  std::vector<std::string> more = fetch;
  more.insert(more.end(), {"grad:b", "h[0]"});
  CHECK(compare(begins, inputs, more) > 2);
  const std::string own =
      pairs(R"j(, "q": ["m"])j", "",
            R"j("h[0] = q", "h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[right[t]])")j",
            R"j("sum(h[last] * h[last])")j");
  Tensors with_q = inputs;
  with_q["q"] = Tensor({7, 3}, Dtype::f64);
  for (std::int64_t i = 0; i < 21; ++i) with_q.at("q").set(i, std::sin(static_cast<double>(i)));
  more = fetch;
  more.emplace_back("grad:q");
  CHECK(compare(own, with_q, more) > 2);

  const std::string down =
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "up[t]": "position(t) > t"}, "weights": {"W": [2, 2]},
    "equations": ["h[t] = tanh(x[t] + W @ h[up[t]])"], "loss": "sum(h[1] * h[t])")j";
  Tensor up({7, 2}, Dtype::i64), x({7, 2, 2}, Dtype::f64);
  const double parents[] = {8, 8, 8, 8, 8, 8, 8,
                            8, 8, 8, 8, 9, 9, 8};  // roots are the widest level
  for (std::int64_t i = 0; i < 14; ++i) up.set(i, parents[i]);
  up.set(0, 3), up.set(4, 5), up.set(5, 6);
  for (std::int64_t i = 0; i < 28; ++i) x.set(i, std::sin(0.3 * static_cast<double>(i)));
  CHECK(compare(down, {{"x", x}, {"up", up}}, {"h", "loss", "grad:x", "grad:W"}) == 3);
  CHECK(compare(kPlain, trees({8, 8, 8}, 3, 4), fetch) > 2);
}

TEST_CASE("levels: gradients of steps, chains and narrow levels run step by step") {
  const Definition d = define(kPlain);
  const Tensors inputs = trees(kSeveral, 3, 5);
  const std::vector<std::string> fetch{"grad:h", "grad:U[3]", "grad:U@h", "h"};
  CHECK_NOTHROW(compare(kPlain, inputs, fetch));
  Tensors chain = trees({5}, 3, 6);
  for (std::int64_t t = 0; t < 9; ++t) chain.at("left").set(t, static_cast<double>(t));
  CHECK(levels_of(d, chain) == 0);
  Tensors narrow = trees({8}, 3, 7);  // one leaf that all others read
  for (std::int64_t t = 0; t < 15; ++t) {
    narrow.at("left").set(t, t > 0 ? 1 : 0);
    narrow.at("right").set(t, 0);
  }
  CHECK(levels_of(d, narrow) == 0);
  for (const Tensors& in : {chain, narrow}) compare(kPlain, in, {"h", "grad:x", "grad:U"});
}

TEST_CASE("levels: which equations stand by levels") {
  const auto fits = [](const std::string& equations, const std::string& inputs = "",
                       const std::string& weights = "") {
    const auto model = resolve(define(pairs(inputs, weights, equations, R"j("sum(h[last])")j")));
    return level_circle(*model).has_value();
  };
  CHECK(fits(R"j("h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[right[t]])")j"));
  CHECK_FALSE(fits(R"j("h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[t-1])")j"));
  CHECK_FALSE(fits(R"j("h[t] = tanh(x[t] + U @ h[left[t] - 1] + V @ h[right[t]])")j"));
  CHECK_FALSE(fits(R"j("h[t] = tanh(x[t] + U @ x[left[t]] + V @ x[right[t]])")j"));
  CHECK_FALSE(fits(R"j("h[t] = dropout(tanh(x[t] + U @ h[left[t]] + V @ h[right[t]]), 0.5)")j"));
  CHECK_FALSE(fits(R"j("h[1] = x[1]", "h[t] = tanh(x[t] + U @ h[left[t]] + V @ h[right[t]])")j"));
  CHECK_FALSE(fits(R"j("h[t] = tanh(w[t] * x[t] + U @ h[left[t]] + V @ h[right[t]])")j", "",
                   R"j(, "w[t]": ["m"])j"));
}

TEST_CASE("levels: a plan has the steps of its levels, not of its nodes") {
  const auto steps = [](std::int64_t leaves, bool levels) {
    Definition d = define(kPlain);
    Tensors inputs = trees({leaves}, 3, 8);  // balanced, so that depths are known
    std::vector<std::int64_t> open(static_cast<std::size_t>(leaves));
    std::iota(open.begin(), open.end(), 1);
    for (std::int64_t t = leaves + 1; open.size() > 1; ++t) {
      inputs.at("left").set(t - 1, static_cast<double>(open[0]));
      inputs.at("right").set(t - 1, static_cast<double>(open[1]));
      open.erase(open.begin(), open.begin() + 2);
      open.push_back(t);
    }
    const std::int64_t depth = levels ? levels_of(d, inputs) : 0;
    const auto step_of = [](const Unfolded& u) {
      runtime::Asked asked{{u.loss().id}, {}, u.graph().size() - 1};
      for (const Var& g : gradient(u.loss(), Vars{u.weight("U"), u.weight("V")}).values())
        asked.outputs.push_back(g.id);
      return asked;
    };
    runtime::Planner<float> planner(resolve(d), step_of, {}, false);
    return planner.make({.steps = 2 * leaves - 1}, depth).plan->steps.size();
  };
  const std::size_t few = steps(16, true), more = steps(64, true);
  CHECK(more < few * 2);  // 7 levels and 5
  CHECK(steps(64, false) > more * 5);
}
