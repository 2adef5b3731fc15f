// Where definitions are found: a file, or the bare name of a shipped one.
#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>

#include "base/fail.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/system/files.h"
#include "base/utf8.h"
#include "language/syntax/flat_definition.h"
#include "taugrad/language/definition.h"

namespace taugrad {

/// Defined by cmake/data_folder.cpp.in in a program that found the library by CMake.
__attribute__((weak)) const char* data_folder();

namespace {

namespace fs = std::filesystem;

Definition read_definition(const std::string& path) {
  return parse_definition(read_file(path, limits::kJsonBytes), path);
}

std::vector<std::string> shipped_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const std::string& folder : definition_folders())
    for (const auto& entry : fs::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  return names;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

}  // namespace

std::vector<std::string> definition_folders() {
  std::vector<std::string> folders;
  if (const char* given = std::getenv("TAUGRAD_GRAPHS"); given != nullptr && *given != '\0')
    folders.emplace_back(given);
  folders.emplace_back("graphs");
  if (data_folder != nullptr) folders.push_back(std::string(data_folder()) + "/graphs");
  std::error_code error;  // TAUGRAD_DATA: from <prefix>/bin to <prefix>/share/taugrad
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (!error)
    for (const char* data : {TAUGRAD_DATA, "share/taugrad"})
      folders.push_back((self.parent_path() / data / "graphs").lexically_normal().string());
  return folders;
}

Definition load_definition(std::string_view file_or_name) {
  const std::string name(file_or_name);
  const bool path = name == "-" || name.find('/') != std::string::npos || name.ends_with(".json");
  std::error_code ignored;
  const bool is_folder =
      !path && fs::is_directory(name, ignored);  // `-o elman` must not hide elman
  if (path || (exists(name) && !is_folder)) return read_definition(name);
  for (const std::string& folder : definition_folders())
    if (const std::string file = folder + "/" + name + ".json"; exists(file))
      return read_definition(file);
  Diagnostic d;
  if (is_folder) {
    d.code = "I003";
    d.message = fmt::format("{} is a folder, not a definition", printable(name));
    d.help =
        "a model's folder holds a definition.json, or steps of a training; definitions are files, "
        "or names in graphs/";
    fail(Status::io, d);
  }
  d.code = "I001";
  d.message = fmt::format("there is no file and no shipped definition \"{}\"", name);
  d.help = did_you_mean(name, shipped_names());
  fail(Status::io, d);
}

Definition load_import_of(const Definition& importing, const std::string& name) {
  if (!importing.file.empty() && importing.file != "-") {
    const fs::path beside = fs::path(importing.file).parent_path() / (name + ".json");
    if (exists(beside.string())) return read_definition(beside.string());
  }
  return load_definition(name);
}

}  // namespace taugrad
