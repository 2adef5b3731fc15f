// docs/requirements.md names, for each requirement, tests that carry its tag.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(TAUGRAD_SOURCE_DIR) + "/" + path);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// "S26-S34", "S18, S19", "R12": each letter with its numbers.
std::set<std::string> tags_of(const std::string& text) {
  static const std::regex kTag(R"(\b([SR])([0-9]{1,2})(?:-[SR]?([0-9]{1,2}))?\b)");
  std::set<std::string> tags;
  for (std::sregex_iterator m(text.begin(), text.end(), kTag), end; m != end; ++m) {
    const int first = std::stoi((*m)[2]);
    const int last = (*m)[3].matched ? std::stoi((*m)[3]) : first;
    for (int n = first; n <= last; ++n)
      tags.insert((*m)[1].str() + (n < 10 && (*m)[1] == "S" ? "0" : "") + std::to_string(n));
  }
  return tags;
}

}  // namespace

TEST_CASE("requirements: every row names tests that carry its tag", "[docs]") {
  static const std::regex kRow(R"(\| ([SR][0-9]+) \| [^|]+ \| ([a-z0-9_ ]+) \|)");
  std::map<std::string, std::string> rows;
  std::istringstream page(text_of("docs/requirements.md"));
  for (std::string line; std::getline(page, line);)
    if (std::smatch m; std::regex_match(line, m, kRow)) {
      INFO(line);
      CHECK(rows.emplace(m[1], m[2]).second);
    }
  for (int n = 1; n <= 66; ++n) CHECK(rows.count((n < 10 ? "S0" : "S") + std::to_string(n)) == 1);
  for (int n = 1; n <= 20; ++n) CHECK(rows.count("R" + std::to_string(n)) == 1);
  for (const auto& [tag, files] : rows) {
    std::istringstream names(files);
    for (std::string name; names >> name;) {
      INFO(tag << " in " << name);
      CHECK(tags_of(text_of("tests/" + name + ".cpp")).count(tag) == 1);
    }
  }
}
