#pragma once
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

/// Files and folders of a test's own, which are gone at its end.
namespace support {

/// The place of a file.
struct Scratch {
  std::string path;
  explicit Scratch(const std::string& name)
      : path((std::filesystem::temp_directory_path() / (std::to_string(::getpid()) + name))
                 .string()) {}
  ~Scratch() { std::filesystem::remove(path); }
};

/// A folder of definitions that import each other.
class Definitions {
 public:
  Definitions()
      : path_(std::filesystem::temp_directory_path() /
              ("taugrad_definitions_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Definitions() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / (name + ".json")).string(); }
  void add(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace support
