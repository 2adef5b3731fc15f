// The recurrences of graphs/ (R16-R18), against tests/oracle/recurrences: each written anew in
// NumPy, mostly in another form than ours (a sum over all earlier steps for a scan, every path for
// a forward algorithm, no stabiliser), gradients by complex step.
// tests/recurrences/NAME.safetensors holds what tests/oracle/recurrences/make.py gives.
#include <filesystem>

#include "language_support.h"
#include "support_picture.h"
#include "taugrad/evaluate/check.h"
#include "taugrad/io/safetensors.h"

using namespace taugrad;
using namespace taugrad::test;
namespace fs = std::filesystem;

namespace {

struct Case {
  std::string name;
  Tensors inputs, weights, expected;
};

Case read_case(const fs::path& file) {
  Case c{.name = file.stem().string(), .inputs = {}, .weights = {}, .expected = {}};
  for (const auto& [key, tensor] : load_safetensors(file.string())) {
    const auto colon = key.find(':');
    const std::string kind = key.substr(0, colon);
    REQUIRE((kind == "input" || kind == "weight" || kind == "expect"));
    Tensors& to = kind == "input" ? c.inputs : kind == "weight" ? c.weights : c.expected;
    to[key.substr(colon + 1)] = tensor;
  }
  return c;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& entry : fs::directory_iterator(TAUGRAD_SOURCE_DIR "/tests/recurrences"))
    all.push_back(read_case(entry.path()));
  std::ranges::sort(all, {}, &Case::name);
  REQUIRE(all.size() > 50);
  return all;
}

Tensors answer(const Case& c, RunOptions options) {
  for (const auto& entry : c.expected) options.fetch.push_back(entry.first);
  return run(shipped_definition(c.name), c.inputs, c.weights, options).values;
}

/// Largest |got - want| over max(1, largest |want|) of any tensor.
double worst(const Tensors& got, const Tensors& want) {
  double error = 0;
  for (const auto& [name, tensor] : want) {
    CAPTURE(name);
    double largest = 1;
    for (const double v : values_of(tensor)) largest = std::max(largest, std::abs(v));
    const double here = distance(got.at(name), tensor) / largest;
    CHECK(here <= error + 1);  // also where axes differ
    error = std::max(error, here);
  }
  return error;
}

}  // namespace

TEST_CASE("recurrences: values and gradients are the oracle's, in f64 and in f32",
          "[recurrences]") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    CHECK(worst(answer(c, {.dtype = Dtype::f64, .engine = {.threads = 1}}), c.expected) <= 1e-9);
    CHECK(worst(answer(c, {.dtype = Dtype::f64, .engine = {.threads = 2}}), c.expected) <= 1e-9);
    CHECK(worst(answer(c, {.dtype = Dtype::f32}), c.expected) <= 1e-3);
  }
}

TEST_CASE("recurrences: every weight and every variable asked for has a gradient",
          "[recurrences]") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    for (const auto& entry : c.weights) {
      CAPTURE(entry.first);
      REQUIRE(c.expected.contains("grad:" + entry.first));
      double largest = 0;
      for (const double v : values_of(c.expected.at("grad:" + entry.first)))
        largest = std::max(largest, std::abs(v));
      CHECK(largest > 0);
    }
  }
}

TEST_CASE("recurrences: every gradient agrees with complex step, to the second order",
          "[recurrences]") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    for (const int order : {1, 2}) {
      const CheckReport report =
          check(shipped_definition(c.name),
                {.steps = 3, .batch = 2, .order = order, .control = {.max_runs = 400}});
      CHECK(report.ok());
      CHECK_FALSE(report.vacuous());
    }
  }
}
