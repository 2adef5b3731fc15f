#pragma once

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

/// The program as a shell runs it, in a folder of its own.
namespace support {

namespace fs = std::filesystem;

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void spill(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Metrics without the times, which are others in every run.
inline std::string without_times(const std::string& metrics) {
  static const std::regex kTime(R"(, "time": [0-9.]+)");
  return std::regex_replace(metrics, kTime, "");
}

// a folder of its own for each test, removed after it
struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "taugrad_test_XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path / name).string(); }
};

inline std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(nlohmann::json::parse(line));
  return all;
}

struct Outcome {
  int status;
  std::string out, err;
  std::vector<nlohmann::json> lines() const { return lines_of(out); }
};

// what a shell is told, in the test's folder and with the shipped definitions
inline Outcome run_in(const Folder& f, const std::string& line,
                      const std::string& environment = "") {
  const std::string command = "cd '" + f.path.string() + "' && " + environment +
                              " TAUGRAD_GRAPHS='" TAUGRAD_SOURCE_DIR "/graphs' " + line +
                              " >out.txt 2>err.txt";
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, slurp(f / "out.txt"), slurp(f / "err.txt")};
}

// `line` stands after the program's name
inline Outcome taugrad(const Folder& f, const std::string& line,
                       const std::string& environment = "") {
  return run_in(f, "'" TAUGRAD_EXECUTABLE "' " + line, environment);
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The newest step of a run: "model/step-120".
inline std::string newest(const Folder& f, const std::string& run) {
  const std::string name = slurp(f / (run + "/latest"));
  return (fs::path(run) / name.substr(0, name.find('\n'))).string();
}

/// A model alone, as it is sent to another: the newest step of a run, without its manifest.
inline void copy_model(const Folder& f, const std::string& run, const std::string& to) {
  fs::copy(f / newest(f, run), f / to);
  fs::remove(f / (to + "/manifest.json"));
}

constexpr const char* kCommands[] = {"show",    "check",  "flow",    "run",    "train",
                                     "eval",    "sample", "predict", "define", "ops",
                                     "inspect", "diff",   "bench",   "turing"};

}  // namespace support
