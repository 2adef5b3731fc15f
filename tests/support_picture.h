#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/render.h"

namespace taugrad::test {

inline Definition shipped_definition(const std::string& name) {
  return load_definition(std::string(TAUGRAD_SOURCE_DIR) + "/graphs/" + name + ".json");
}

inline std::vector<std::string> shipped_names() {
  std::set<std::string> names;
  for (const auto& f :
       std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/graphs")) {
    if (f.path().extension() == ".json") names.insert(f.path().stem().string());
  }
  return {names.begin(), names.end()};
}

/// Every view of a shipped definition, by name of the view.
inline std::vector<std::pair<std::string, Picture>> views_of(const std::string& name) {
  const Definition d = shipped_definition(name);
  std::vector<std::pair<std::string, Picture>> views;
  for (const Detail detail : {Detail::values, Detail::operations}) {
    const std::string suffix = detail == Detail::values ? " values" : " operations";
    views.emplace_back("folded" + suffix, picture_of(folded(d), {.detail = detail}));
    views.emplace_back("unfolded" + suffix,
                       picture_of(unfold(d, {.steps = 3}), {.detail = detail}));
    views.emplace_back("elided" + suffix, picture_of(unfold(d, {.steps = 12}), {.detail = detail}));
    const Unfolded u = unfold(d, {.steps = 3});
    if (u.has_loss())
      views.emplace_back("gradient" + suffix, gradient_picture_of(u, {.detail = detail}));
  }
  return views;
}

/// A file of its own in the temporary folder, removed at the end.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& suffix, const std::string& content)
      : path_(std::filesystem::temp_directory_path() /
              ("taugrad-" + std::to_string(std::rand()) + "-" + std::to_string(counter()++) +
               suffix)) {
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  std::string path() const { return path_.string(); }

 private:
  static int& counter() {
    static int count = 0;
    return count;
  }
  std::filesystem::path path_;
};

struct Outcome {
  int status;
  std::string output;  ///< both streams
};
inline Outcome run_command(const std::string& command) {
  Outcome outcome{-1, ""};
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    outcome.output.append(buffer, n);
  outcome.status = pclose(pipe);
  return outcome;
}
inline bool has_command(const std::string& name) {
  return run_command("command -v " + name).status == 0;
}

}  // namespace taugrad::test
