// Where one more or one less would go unseen: bounds of what is taken, the first of several, places
// of errors.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "language_support.h"
#include "taugrad/language/describe.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

Diagnostic problem(const std::string& body) {
  return problems_of([&] { unfold(define(body), {.steps = 4}); }).front();
}
Diagnostic problem_of_equation(const std::string& equation) {
  return problem(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"W": [2, 2]}, "equations": [")j" +
      equation + "\"]");
}
std::vector<std::string> kinds(const std::string& body) {
  std::vector<std::string> kinds;
  for (const auto& e : describe(define(body)).entries) kinds.push_back(e.name + " " + e.kind);
  return kinds;
}

}  // namespace

TEST_CASE("a name that is none is underlined whole") {
  const Diagnostic d = problem(
      R"j("index": {"t": "tau"}, "weights": {"__metadata__": []}, "equations": ["h[t] = h[t-1]"])j");
  CHECK(d.code == "G025");
  CHECK(d.caret == 0);
  CHECK(d.caret_length == 12);
}

TEST_CASE("names of tensors that mean something else are nobody's") {
  for (const std::string name : {"item", "lengths"}) {
    CHECK(problem(R"j("index": {"t": "tau"}, "inputs": {")j" + name +
                  R"j([t]": []}, "equations": ["h[t] = )j" + name + R"j([t]"])j")
              .code == "E004");
    CHECK(problem(R"j("index": {"t": "tau"}, "equations": [")j" + name + "[t] = 2 * " + name +
                  R"j([t-1] + 1"])j")
              .code == "E004");
  }
}

TEST_CASE("a summary tells what is drawn from what is computed") {
  const std::vector<std::string> found = kinds(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []},
    "equations": ["h[t] = w * x[t]", "z[t] ~ normal(mean = h[t], std = 1)"])j");
  CHECK(found ==
        std::vector<std::string>{"x[t] input", "w weight", "h[t] variable", "z[t] random"});
}

TEST_CASE("a position is divided by a negative number towards minus infinity") {
  const std::vector<double> x{1, 2, 4, 8, 16, 32};
  const Tensors got = evaluate(
      define(
          R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": ["h[t] = x[5 + t / (-2)]"])j"),
      {{"x", series(x)}}, {}, {"h"});
  check_values(got.at("h"), {6, 1}, {8, 8, 4, 4, 2, 2});  // -1 -1 -2 -2 -3 -3
}

TEST_CASE("what is called like a function is told to be a variable, even the first of all") {
  CHECK(problem_of_equation("h[t] = x(t)").help ==
        "write x[t]: positions stand in square brackets");
  CHECK(problem_of_equation("h[t] = x(t - 2)").help ==
        "write x[t-2]: positions stand in square brackets");
  CHECK(problem_of_equation("h[t] = x(W) + sum(W)").help ==
        "write x[t]: positions stand in square brackets");  // W is no position
}

TEST_CASE("dropout takes every probability from 0 to 1") {
  CHECK_NOTHROW(unfold(
      define(
          R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "equations": ["h[t] = dropout(x[t], 0) + dropout(x[t], 1)"])j"),
      {.steps = 2}));
  CHECK(problem_of_equation("h[t] = dropout(x[t], 1.0001) + sum(W)").code == "E005");
  CHECK(problem_of_equation("h[t] = dropout(x[t], -0.0001) + sum(W)").code == "E005");
}

TEST_CASE("taps of a convolution that reach the variable's own step have no order") {
  const auto of = [](const std::string& read, const std::string& more = "") {
    return R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1]}, "weights": {"K": [3, 1, 1]}, "equations": ["h[t] = x[t] + conv[t](K, )j" +
           read + "\"" + more + "]";
  };
  const std::string others = R"j(, "g[t] = 2 * h[t]")j";
  // h[t-3] + h[t-2] + h[t-1], and five steps back with two steps between
  for (const std::string& body :
       {of("h[t-3])"), of("h[t+1])"), of("h[t-5], dilation=2)"), of("g[t-3])", others)})
    CHECK_NOTHROW(unfold(define(body), {.steps = 6}));
  for (const std::string& body :
       {of("h[t-2])"), of("h[t-1])"), of("h[t-4], dilation=2)"), of("g[t-2])", others)}) {
    const Diagnostic d = problem(body);
    CHECK(d.code == "E009");
    CHECK_THAT(d.message, Catch::Contains("no order of evaluation"));
  }
  CHECK(problem(of("h[t-2])")).caret == 25);
  // what is wrong with the convolution comes first
  for (const std::string dilation : {"-1", "0", "1.5", "2000000"})
    CHECK(problem(of("h[t-1], dilation=" + dilation + ")")).code == "G011");
  CHECK(
      problem(
          R"j("index": {"t": "tau"}, "inputs": {"x[t]": [1]}, "weights": {"K": [2]}, "equations": ["h[t] = x[t] + conv[t](K, h[t-1], dilation=2)"])j")
          .code == "G020");
}
