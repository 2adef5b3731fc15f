// Functions used wrongly: each has its code, and its help says what would mend it.
// (docs/functions.md)
#include "language_support.h"
#include "support_errors.h"

using namespace taugrad;
using namespace taugrad::test;
using support::code_of;

namespace {

struct Wrong {
  const char* code;
  const char* equation;
  const char* said;  ///< in the message or the help
};

const Wrong kWrong[] = {
    {"E007", "v = sum[t,t](sum(x[t]))", "goes over t twice"},
    {"E007", "v = max[t,t](1)", "goes over t twice"},
    {"G014", "h[t] = conv[zzz](K, x[t])", "\"zzz\" is not an index"},
    {"E007", "h[t] = conv[t](K, a)", "reads nothing at t"},
    {"G020", "v = rms_norm(s, s)", "rms_norm: a number has no last axis"},
    {"G020", "v = layer_norm(s)", "layer_norm: a number has no last axis"},
    {"G020", "v = layer_norm(s, s, s)", "layer_norm: a number has no last axis"},
    {"G020", "v = unit(s)", "unit: [] has no axis -1"},
    {"G020", "v = min(a, axis=3)", "min: [3] has no axis 3"},
    {"G020", "v = prod(a, axis=3)", "prod: [3] has no axis 3"},
    {"G015", "v = sum(A, axs=0)", "did you mean \"axis\"?"},
    {"G015", "v = tanh(a, axis=0)", "tanh(a)"},
    {"G015", "v = max(a, a, axis=0)", "two arguments"},
    {"G015", "v = max(a, a, a)", "1 or 2 arguments"},
    {"G015", "v = sum(axis=0)", "got 0"},
    {"G015", "v = sum(A, axis=0, axis=1)", "twice"},
    {"G015", "v = floor(a, a)", "1 argument"},
    {"G015", "v = sum[t](x[t], axis=0)", "element by element"},
    {"G015", "v = norm[t](x[t], x[t])", "takes 1 argument"},
    {"G015", "v = layer_norm(a, a, a, a)", "1 to 3"},
    {"E012", "v = floor[t](x[t])", "does not go over an index"},
    {"E012", "v = conv(a, a)", "conv[t]"},
    {"E001", "v = sum(axis=0, A)", "a named argument"},
    {"E005", "v = sum(A, axis=s)", "known beforehand"},
    {"E005", "v = sum(A, keep=2)", "0 or 1"},
    {"E005", "v = rms_norm(a, a, eps=-1)", "at least 0"},
    {"E005", "v = clamp(a, 2, 1)", "lower end"},
    {"G011", "v = sum(A, axis=0.5)", "an integer"},
    {"G011", "v[t] = conv[t](K, x[t-1], dilation=0)", "dilation"},
    {"G020", "v = sum(A, axis=2)", "no axis 2"},
    {"G020", "v = max(A, axis=-3)", "no axis -3"},
    {"G020", "v = softmax(s)", ""},
    {"G020", "v = softmax(A, axis=2)", "no axis 2"},
    {"G020", "v = transpose(A, 0, 0)", "each once"},
    {"G020", "v = transpose(A, 1, 0, 2)", "each once"},
    {"G020", "v = argmax(A)", "a vector"},
    {"G020", "v = solve(A, a)", "square"},
    {"G020", "v = solve(eye(2), a)", "do not fit"},
    {"G020", "v = logdet(a)", "square"},
    {"G020", "v = vecdot(a, ones(2))", "differ"},
    {"G020", "v = matvec(a, a)", ""},
    {"G020", "v = A @ ones(4, 2, 5)", "inner sizes"},
    {"G020", "v = outer(s, a)", "vectors"},
    {"G020", "v = at(s, 0)", "first axis"},
    {"G020", "v = at(A, a)", "a number"},
    {"E011", "v = argmax(a) + 1", "category"},
    {"E011", "v = floor(c)", "category"},
    {"G012", "v = swish(a)", "silu(a)"},
    {"G012", "v = maximum(a, a)", "max(a, b)"},
    {"G012", "v = softpluss(a)", "softplus"},
};

Definition of(const std::string& equation) {
  return define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2], "A": [2, 3], "a": [3], "s": [], "c": "category(3)"},
    "weights": {"K": [2, 2, 2]}, "equations": [")j" +
      equation + "\"]");
}

Diagnostic problem(const Definition& d) {
  try {
    RunOptions options;
    options.steps = 2;
    run(d, {}, {}, options);
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

}  // namespace

TEST_CASE("functions used wrongly", "[errors]") {
  for (const Wrong& w : kWrong) {
    INFO(w.equation);
    const Diagnostic d = problem(of(w.equation));
    CHECK(d.code == w.code);
    INFO(d.message << " / " << d.help);
    CHECK((d.message + " " + d.help).find(w.said) != std::string::npos);
  }
}

TEST_CASE("names of functions and of numbers are reserved", "[errors]") {
  for (const char* name : {"softplus", "norm", "inf", "argmax", "eye"})
    CHECK(problem(
              define("\"inputs\": {\"" + std::string(name) + "\": []}, \"equations\": [\"v = 1\"]"))
              .code == "E004");
  CHECK(problem(define(R"j("functions": ["tanh(a) = a"], "equations": ["v = 1"])j")).code ==
        "E004");
  CHECK(
      problem(
          define(
              R"j("functions": ["gate(a) = a"], "inputs": {"a": []}, "equations": ["v = gate(a, axis=0)"])j"))
          .code == "G015");
}

TEST_CASE("R16: a singular matrix names its item and position, but not past an item's end",
          "[errors]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": [2]},
    "equations": ["h[t] = solve(x[t] * ones(2, 2) + eye(2), w)", "l[t] = logdet(x[t] * ones(2, 2) + eye(2))"], "loss": "sum(h[t])")j");
  for (const std::string fetch : {"h", "l", "grad:x"})
    for (const int threads : {1, 2}) {
      RunOptions options;
      options.dtype = Dtype::f64;
      options.engine.threads = threads;
      options.fetch = {fetch};
      // items of length 2 and 3, longest first inside: x = -1/2 makes it singular
      Tensors inputs{{"lengths", symbols({2}, {2, 3})},
                     {"x", numbers({3, 2}, {0, 1, 2, 3, -0.5, 4})}};
      CHECK_NOTHROW(run(d, inputs, {{"w", numbers({2}, {1, 1})}}, options));
      inputs["x"] = numbers({3, 2}, {0, 1, -0.5, 3, 0, 4});
      try {
        run(d, inputs, {{"w", numbers({2}, {1, 1})}}, options);
        FAIL("no error");
      } catch (const Error& e) {
        CHECK(e.status() == Status::numerical);
        CHECK(e.diagnostics().front().code == "N005");
        const std::string said = e.diagnostics().front().message;
        INFO(said);
        CHECK(said.find(fetch == "l" ? "l[2]" : "h[2]") != std::string::npos);
        CHECK(said.find("item 0") != std::string::npos);
      }
    }
}

TEST_CASE("R16: a place that an axis does not have", "[errors]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"a": [2]}, "equations": ["v[t] = at(a, t)"])j");
  const auto read = [&](std::int64_t steps) {
    RunOptions options;
    options.steps = steps;
    options.fetch = {"v"};
    return run(d, {{"a", numbers({1, 2}, {1, 2})}}, {}, options);
  };
  CHECK_NOTHROW(read(1));
  CHECK(code_of([&] { read(2); }) == "D019");
}
