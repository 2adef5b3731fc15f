// Where machines are found: a file, or the bare name of a shipped one, in machines/ beside the
// shipped definitions.
#include <fmt/core.h>

#include <filesystem>

#include "base/fail.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "base/system/files.h"
#include "taugrad/language/definition.h"
#include "taugrad/turing/machine.h"

namespace taugrad {
namespace {

namespace fs = std::filesystem;

TuringMachine read_machine(const std::string& path) {
  return parse_machine(read_file(path, limits::kJsonBytes), path);
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

}  // namespace

TuringMachine load_machine(std::string_view file_or_name) {
  const std::string name(file_or_name);
  if (name == "-" || name.find('/') != std::string::npos || name.ends_with(".json") || exists(name))
    return read_machine(name);
  std::vector<std::string> shipped;
  for (const std::string& folder : definition_folders()) {
    const std::string machines = folder + "/machines";
    if (const std::string file = machines + "/" + name + ".json"; exists(file))
      return read_machine(file);
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(machines, ignored))
      if (entry.path().extension() == ".json") shipped.push_back(entry.path().stem().string());
  }
  Diagnostic d;
  d.code = "I001";
  d.message = fmt::format("there is no file and no shipped machine \"{}\"", name);
  d.help = did_you_mean(name, shipped);
  fail(Status::io, std::move(d));
}

}  // namespace taugrad
