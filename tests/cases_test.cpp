// Every case of tests/cases, and of folders that TAUGRAD_CASES names (with ':' between them):
// values and gradients computed by PyTorch or by an evaluator of the language that shares nothing
// with ours.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/limits.h"
#include "base/system/files.h"
#include "json/json.h"
#include "language_support.h"
#include "plan/passes/passes.h"
#include "taugrad/io/safetensors.h"

using namespace taugrad;
using namespace taugrad::test;
namespace fs = std::filesystem;

namespace {

struct Case {
  fs::path folder;
  std::vector<std::string> define,
      fetch;  ///< arguments of `taugrad define`, where it makes the definition
  double tolerance = 0;
  Dtype dtype = Dtype::f64;
};

std::vector<std::string> strings(const json::Value& list) {
  std::vector<std::string> result;
  for (const json::Value v : list.elements("list")) result.emplace_back(v.string("entry"));
  return result;
}

Case read_case(const fs::path& folder) {
  const std::string file = (folder / "case.json").string();
  const json::Document document(read_file(file, limits::kJsonBytes), file);
  const json::Fields fields(document.root_object(), "a case", {"define", "dtype", "fetch", "tol"});
  Case c{folder, {}, strings(fields.at("fetch")), fields.at("tol").number("tol"), Dtype::f64};
  if (const auto define = fields.find("define"); define && !define->is(json::Kind::null))
    c.define = strings(*define);
  if (fields.at("dtype").string("dtype") == "f32") c.dtype = Dtype::f32;
  return c;
}

Definition definition_of(const Case& c) {
  if (c.define.empty()) return load_definition((c.folder / "def.json").string());
  std::string command = std::string("'") + TAUGRAD_EXECUTABLE + "' define", text;
  for (const std::string& argument : c.define) command += " '" + argument + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, n);
  REQUIRE(::pclose(pipe) == 0);
  return parse_definition(text, "define");
}

/// Largest |got - want| over max(1, largest |want|).
double relative_distance(const Tensor& got, const Tensor& want) {
  double largest = 1;
  for (const double v : values_of(want)) largest = std::max(largest, std::abs(v));
  return distance(got, want) / largest;
}

std::vector<fs::path> folders() {
  std::vector<fs::path> roots{fs::path(TAUGRAD_SOURCE_DIR) / "tests" / "cases"}, found;
  if (const char* more = std::getenv("TAUGRAD_CASES")) {
    std::istringstream list(more);
    for (std::string root; std::getline(list, root, ':');) roots.emplace_back(root);
  }
  for (const fs::path& root : roots)
    for (const auto& entry : fs::directory_iterator(root))
      if (fs::exists(entry.path() / "case.json")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

/// A case, read once to be run in several ways.
struct Question {
  explicit Question(const fs::path& folder)
      : c(read_case(folder)),
        definition(definition_of(c)),
        inputs(load_safetensors((folder / "inputs.safetensors").string())),
        weights(load_safetensors((folder / "weights.safetensors").string())),
        expected(load_safetensors((folder / "expect.safetensors").string())) {}

  Tensors answer(RunOptions options = {}) const {
    options.fetch = c.fetch;
    options.dtype = c.dtype;
    return run(definition, inputs, weights, options).values;
  }
  void check(const Tensors& got) const {
    for (const auto& [name, want] : expected) {
      CAPTURE(name);
      REQUIRE(got.contains(name));
      CHECK(relative_distance(got.at(name), want) <= c.tolerance);
    }
  }

  Case c;
  Definition definition;
  Tensors inputs, weights, expected;
};

bool same_bits(const Tensors& a, const Tensors& b) {
  return std::ranges::all_of(a, [&](const auto& entry) {
    const auto x = entry.second.bytes(), y = b.at(entry.first).bytes();
    return std::ranges::equal(x, y);
  });
}

}  // namespace

TEST_CASE("cases: every value and gradient agrees with the oracle's", "[cases]") {
  const std::vector<fs::path> all = folders();
  CHECK(all.size() > 80);
  for (const fs::path& folder : all) {
    CAPTURE(folder.filename().string());
    const Question question(folder);
    question.check(question.answer());
  }
}

TEST_CASE("cases: without any one pass, on any threads, with values computed again", "[cases]") {
  for (const fs::path& folder : folders()) {
    CAPTURE(folder.filename().string());
    const Question question(folder);
    const Tensors answer = question.answer();
    for (const plan::PassInfo& pass : plan::passes()) {
      CAPTURE(pass.name);
      question.check(question.answer({.engine = {.without = {std::string(pass.name)}}}));
    }
    for (const int threads : {1, 2, 3})
      CHECK(same_bits(question.answer({.engine = {.threads = threads}}), answer));
    CHECK(same_bits(question.answer({.checkpoint = true}), answer));
  }
}
