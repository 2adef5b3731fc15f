#include <limits>

#include "language_support.h"
#include "support_cli.h"
#include "taugrad/io/tensors.h"

// NaN and infinities: told where they come from, kept out where they have no part. (language.md
// R20)
namespace {

using namespace taugrad;
using namespace taugrad::test;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Definition softplus() {
  return define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
                   "equations": ["y[t] = log(1 + exp(x[t]))"], "loss": "y[t]")j");
}

std::vector<Diagnostic> told_by(const Definition& d, const Tensors& inputs, const Tensors& weights,
                                std::vector<std::string> fetch, Dtype dtype = Dtype::f32) {
  RunOptions o;
  o.fetch = std::move(fetch);
  o.dtype = dtype;
  return run(d, inputs, weights, o).not_finite;
}

bool has(const Diagnostic& d, std::string_view part) {
  return d.message.find(part) != std::string::npos;
}

TEST_CASE("run tells the first place and the first cause of what is not finite", "[finite]") {
  const Tensor x = numbers({3, 2}, {1, 2, 3, 100, 200, 1});
  const auto told = told_by(softplus(), {{"x", x}}, {}, {"y", "x", "grad:x", "loss"});
  REQUIRE(told.size() == 3);
  for (const Diagnostic& d : told) {
    CHECK(d.code == "N004");
    CHECK(has(d, "exp gives inf"));
  }
  CHECK(has(told[0], "\"y\" is not finite: inf, first at position 2, item 1"));
  CHECK(has(told[0], "y[2] (exp), item 1"));
  CHECK(has(told[1], "\"grad:x\" is not finite: NaN, first at position 2, item 1"));
  CHECK(has(told[2], "\"loss\" is not finite: inf, item 0"));
  CHECK(has(told[2], "y[3] (exp), item 0"));
  CHECK(told_by(softplus(), {{"x", x}}, {}, {"y", "grad:x"}, Dtype::f64).empty());
}

TEST_CASE("a gradient summed over the items names the item it is spoilt by", "[finite]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"w": [2]},
                                 "equations": ["y[t] = sum(sqrt(w * x[t]))"], "loss": "y[t]")j");
  const Tensor x = numbers({2, 3, 2}, {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 0});
  const auto told = told_by(d, {{"x", x}}, {{"w", numbers({2}, {1, 1})}}, {"grad:w"}, Dtype::f64);
  REQUIRE(told.size() == 1);
  CHECK(has(told[0], "\"grad:w\" is not finite: NaN, element [1]"));
  CHECK(has(told[0], "item 2"));
}

TEST_CASE("a cause in a branch not taken is none", "[finite]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
      "equations": ["a[t] = where(x[t] > 0, log(x[t]), 0)", "y[t] = a[t] + 1 / (x[t] + 1)"],
      "loss": "y[t]")j");
  const auto told = told_by(d, {{"x", series({0, 1, -1})}}, {}, {"a", "y", "grad:x"}, Dtype::f64);
  REQUIRE(told.size() == 2);
  CHECK(has(told[0], "first at position 3, item 0; first not finite at y[3] (div), item 0"));
  CHECK(has(told[1], "\"grad:x\" is not finite: -inf, first at position 3"));
}

TEST_CASE("what was given is its own cause; nothing is asked where all is finite", "[finite]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"W": [2, 2]},
                                 "equations": ["h[t] = tanh(W @ h[t-1] + x[t])"])j");
  const Tensor w = numbers({2, 2}, {1, 0, 0, 1});
  const auto told =
      told_by(d, {{"x", numbers({2, 1, 2}, {0, 0, kNaN, 0})}}, {{"W", w}}, {"h", "h[1]"});
  REQUIRE(told.size() == 1);
  CHECK(has(told[0], "first at position 2, item 0, element [0]"));
  CHECK(has(told[0], "x[2]"));
}

// missing data, and steps past an item's end
TEST_CASE("NaN in data that a mask leaves out reaches no gradient", "[finite]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "m[t]": []},
      "weights": {"W": [3, 3], "U": [3, 2], "b": [3]},
      "equations": ["a[t] = tanh(W @ h[t-1] + U @ x[t] + b)",
                    "h[t] = where(zeros(3) + m[t] > 0, a[t], h[t-1])"],
      "loss": "sum(h[t] * h[t])")j");
  const auto data = [](double missing) {
    return Tensors{{"x", numbers({4, 2, 2}, {.5, 1, .2, .3, missing, missing, .4, .1, .3, .7,
                                             missing, missing, .1, .2, missing, missing})},
                   {"m", numbers({4, 2}, {1, 1, 0, 1, 1, 0, 1, 1})},
                   {"lengths", symbols({2}, {4, 3})}};
  };
  const Tensors weights{{"W", numbers({3, 3}, {.1, .2, .3, -.4, .5, .6, .7, -.8, .9})},
                        {"U", numbers({3, 2}, {.5, -.3, .2, .1, .4, -.6})},
                        {"b", numbers({3}, {.1, .2, .3})}};
  const std::vector<std::string> fetch{"h", "grad:W", "grad:U", "grad:b", "grad:x", "grad:W[2]"};
  for (const bool checkpoint : {false, true})
    for (const int threads : {1, 2}) {
      RunOptions o;
      o.checkpoint = checkpoint;
      o.engine.threads = threads;
      const Tensors want = evaluate(d, data(0), weights, fetch, o),
                    got = evaluate(d, data(kNaN), weights, fetch, o);
      for (const std::string& name : fetch) {
        INFO(name);
        check_near(got.at(name), want.at(name), 0);
      }
    }
}

TEST_CASE("poles behind a branch reach no weight through a product", "[finite]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]},
      "weights": {"W": [2, 2], "K": [1, 2, 2], "E": [3, 2]},
      "equations": ["a[t] = where(x[t] > 0, W @ log(x[t]) + conv[t](K, log(x[t])), 0)",
                    "s[t] = where(sum(x[t]) > 0, sum(slice(log(E @ x[t]), 0, 1)), 0)"],
      "loss": ["sum(a[t])", "s[t]"])j");
  const Tensors weights{{"W", numbers({2, 2}, {1, 2, 3, 4})},
                        {"K", numbers({1, 2, 2}, {1, 1, 1, 1})},
                        {"E", numbers({3, 2}, {1, 1, 0, 0, -1, -1})}};
  const Tensors inputs{{"x", numbers({2, 1, 2}, {1, 2, -1, 0})}};
  const Tensors got = evaluate(d, inputs, weights, {"grad:W", "grad:K", "grad:E", "grad:x"});
  const double l = std::log(2);
  check_values(got.at("grad:W"), {2, 2}, {0, l, 0, l});
  check_values(got.at("grad:K"), {1, 2, 2}, {0, l, 0, l});
  check_values(got.at("grad:E"), {3, 2}, {1.0 / 3, 2.0 / 3, 0, 0, 0, 0});
  check_values(part(got.at("grad:x"), 0, 1, 2), {1, 1, 2}, {0, 0});
}

TEST_CASE("the last state of items of different length, through a root", "[finite]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []},
      "equations": ["h[t] = sqrt(x[t])", "o = h[last]"], "loss": "o")j");
  const Tensors inputs{{"x", numbers({3, 2}, {0, 4, 4, 0, 0, 0})},
                       {"lengths", symbols({2}, {2, 1})}};
  check_values(evaluate_one(d, inputs, {}, "grad:x"), {3, 2}, {0, .25, .25, 0, 0, 0});
}

TEST_CASE("on the command line: N004, with --strict status 5", "[finite][cli]") {
  const support::Folder f;
  support::spill(f / "x.json", R"j({"x": [[1], [100]]})j");
  support::spill(f / "net.json", R"j({"name": "net", "index": {"t": "tau"}, "inputs": {"x[t]": []},
    "equations": ["y[t] = log(1 + exp(x[t]))"], "loss": "y[t]"})j");
  const std::string line = "run net.json --inputs x.json --fetch y,grad:x";
  const auto plain = support::taugrad(f, line);
  CHECK(plain.status == 0);
  CHECK(support::has(plain.err,
                     "warning[N004]: \"y\" is not finite: inf, first at position 2, item 0"));
  CHECK(support::has(plain.err, "\"grad:x\" is not finite: NaN"));
  const auto strict = support::taugrad(f, line + " --strict -o out.safetensors");
  CHECK(strict.status == 5);
  CHECK(support::has(strict.err, "error[N004]"));
  CHECK_FALSE(support::fs::exists(f / "out.safetensors"));
  const auto json = support::lines_of(support::taugrad(f, line + " --json").err);
  REQUIRE(json.size() == 2);
  CHECK(json[0].at("code") == "N004");
  CHECK(support::taugrad(f, line + " --dtype f64 --strict").status == 0);
}

TEST_CASE("tensors that are not finite: S101, with --strict an error", "[finite][cli]") {
  const support::Folder f;
  REQUIRE(support::taugrad(f, "run elman --steps 2 --fetch U,W,b,V,c -o w.safetensors").status ==
          0);
  Tensors weights = load_tensors(f / "w.safetensors");
  weights.at("W").set(1, kNaN);
  save_tensors(f / "w.safetensors", weights);
  for (const std::string command : {"run elman --fetch h", "flow elman"}) {
    INFO(command);
    const std::string line = command + " --steps 2 --weights w.safetensors";
    CHECK(support::has(support::taugrad(f, line).err, "warning[S101]: 1 of 9 values of \"W\""));
    const auto strict = support::taugrad(f, line + " --strict");
    CHECK(strict.status == 3);
    CHECK(support::has(strict.err, "error[S101]"));
  }
}

}  // namespace
