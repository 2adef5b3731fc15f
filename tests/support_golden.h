#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace taugrad::test {

inline const std::string kGolden = std::string(TAUGRAD_SOURCE_DIR) + "/tests/golden/";

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// TAUGRAD_UPDATE_GOLDEN=1 rewrites the file; its diff is reviewed.
inline void check_golden(const std::string& name, const std::string& text) {
  const std::string path = kGolden + name;
  if (std::getenv("TAUGRAD_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << text;
  INFO(path);
  const std::vector<std::string> got = lines_of(text), want = lines_of(slurp(path));
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
    if (got[i] != want[i]) {
      FAIL_CHECK("line " << i + 1 << "\n  got  " << got[i] << "\n  want " << want[i]);
      return;
    }
  }
  CHECK(got.size() == want.size());
}

}  // namespace taugrad::test
