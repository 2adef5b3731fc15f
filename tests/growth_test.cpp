// Small files that stand for something huge: refused early, or read in time that grows with the
// file. Each began as a file that took gigabytes or minutes.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "bad_definitions.h"
#include "language/resolve/resolved_model.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::string definition(const std::vector<std::string>& equations, const std::string& more = "") {
  return fmt::format(R"({{"name": "a", "index": {{"t": "tau"}}, "inputs": {{"x[t]": [2]}}, {}
 "equations": ["{}"]}})",
                     more, fmt::join(equations, "\",\n \""));
}

/// Equations h0 .. of which each reads the one before; the last one named first.
std::vector<std::string> backwards(int count, const std::string& first) {
  std::vector<std::string> equations;
  for (int i = count - 1; i > 0; --i)
    equations.push_back(fmt::format("h{}[t] = tanh(h{}[t])", i, i - 1));
  equations.push_back(first);
  return equations;
}

void read(const std::string& text) { resolve(parse_definition(text, "a.json"), {}); }
std::vector<Diagnostic> of_file(const std::string& text) {
  return problems_of([&] { read(text); });
}

// a bound that only a step that grows with the square of the file exceeds, sanitizers or not
template <class F>
void quickly(const F& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(300));
}

}  // namespace

TEST_CASE("functions that double 40 times are refused, in one equation or in many", "[growth]") {
  std::vector<std::string> functions{"f0(a) = a + a"}, many;
  for (int i = 1; i < 40; ++i)
    functions.push_back(fmt::format("f{0}(a) = f{1}(f{1}(a))", i, i - 1));
  for (int i = 0; i < 100; ++i) many.push_back(fmt::format("h{}[t] = f17(x[t])", i));
  const std::string deep = fmt::format(R"("functions": ["{}"],)", fmt::join(functions, "\", \""));
  functions.resize(18);
  const std::string wide = fmt::format(R"("functions": ["{}"],)", fmt::join(functions, "\", \""));
  for (const std::string& text : {definition({"h[t] = f39(x[t])"}, deep), definition(many, wide)}) {
    const auto found = of_file(text);
    CHECK(found[0].code == "G022");
    CHECK(found[0].message == "the definition grows beyond 1000000 nodes");
  }
}

TEST_CASE("imports that multiply are refused", "[growth]") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("taugrad_growth_{}", ::getpid());
  std::filesystem::create_directories(folder);
  const auto chain = [&](const std::string& imports, const std::string& equation) {
    for (int i = 0; i < 14; ++i)
      std::ofstream(folder / fmt::format("a{}.json", i))
          << (i == 13 ? definition({"h[t] = x[t] + x[t] + x[t]"})
                      : definition({equation}, fmt::format(fmt::runtime(imports), i + 1)));
    return problems_of([&] { resolve(load_definition((folder / "a0.json").string()), {}); });
  };
  const auto many = chain(R"("imports": {{"p": {{"from": "a{0}", "inputs": {{"x[t]": "x[t]"}}}},
    "q": {{"from": "a{0}", "inputs": {{"x[t]": "x[t]"}}}}}},)",
                          "h[t] = p.h[t] + q.h[t]");
  CHECK(many[0].code == "G022");
  CHECK(many[0].message == "the definition takes more than 1000 imports");
  const auto wide = chain(
      R"("imports": {{"p": {{"from": "a{0}", "inputs": {{"x[t]": "x[t] + x[t] + x[t]"}}}}}},)",
      "h[t] = p.h[t]");
  CHECK(wide[0].code == "G022");
  CHECK(wide[0].message == "the definition grows beyond 1000000 nodes");
  std::filesystem::remove_all(folder);
}

TEST_CASE("one cycle of 2,000 equations, written in the worst order", "[growth]") {
  quickly([] {
    read(definition(backwards(2000, "h0[t] = tanh(h1999[t-1] + x[t])")));
    const auto found = of_file(definition(backwards(2000, "h0[t] = tanh(h1999[t] + x[t])")));
    CHECK(found.at(0).code == "G016");
  });
}

TEST_CASE("20,000 equations that do not meet", "[growth]") {
  quickly([] { read(definition(backwards(20000, "h0[t] = tanh(x[t])"))); });
}

TEST_CASE("5,000 unknown names: the first ones are told", "[growth]") {
  std::vector<std::string> equations;
  for (int i = 0; i < 5000; ++i) equations.push_back(fmt::format("h{}[t] = q{}[t]", i, i));
  quickly([&] {
    const auto found = of_file(definition(equations));
    REQUIRE(found.size() == 20);
    CHECK(found[0].message == "\"q0\" is not defined");
    CHECK(found[19].help.find("(and at least 80 more problems)") != std::string::npos);
  });
}
