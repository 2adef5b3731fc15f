#include "base/system/kept_inputs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/fail.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

namespace fs = std::filesystem;

/// Names are kept, not inodes: those of a file that is gone may be another file's.
struct Names {
  std::mutex mutex;
  int keeping = 0;
  std::set<std::string> inputs;
  std::vector<std::string> outputs;
};

Names& names() {
  static Names all;
  return all;
}

thread_local int updating = 0;

struct File {
  dev_t device;
  ino_t inode;
  bool operator==(const File&) const = default;
};

std::optional<File> file_at(const std::string& path, bool input) {
  struct stat s {};
  const bool found =
      input && path == "-" ? ::fstat(STDIN_FILENO, &s) == 0 : ::stat(path.c_str(), &s) == 0;
  if (!found || S_ISCHR(s.st_mode) || S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode)) return {};
  return File{s.st_dev, s.st_ino};
}

bool same(const std::string& input, const std::string& output) {
  const std::optional<File> a = file_at(input, true);
  return a && a == file_at(output, false);
}

[[noreturn]] void fail_kept(std::string message) {
  Diagnostic d;
  d.code = "U004";
  d.message = std::move(message);
  d.help = "give the output another name";
  fail(Status::usage, std::move(d));
}

[[noreturn]] void fail_same(const std::string& input, const std::string& output) {
  fail_kept(fmt::format("{} is an input and the output{}", printable(output),
                        input == output ? ""
                        : input == "-"  ? ": it is standard input"
                                        : fmt::format(": it is read as {}", printable(input))));
}

/// Whether `path`, as it is named or as it is found, lies in `folder`, a canonical name.
bool lies_in(const std::string& path, const fs::path& folder) {
  std::error_code error;
  const auto inside = [&](const fs::path& name) {
    return std::mismatch(folder.begin(), folder.end(), name.begin(), name.end()).first ==
           folder.end();
  };
  const fs::path absolute = fs::absolute(path, error);
  const fs::path named = fs::weakly_canonical(absolute.parent_path(), error) / absolute.filename();
  return inside(named) || inside(fs::weakly_canonical(absolute, error));
}

}  // namespace

KeptInputs::KeptInputs() {
  const std::lock_guard lock(names().mutex);
  ++names().keeping;
}

KeptInputs::~KeptInputs() {
  const std::lock_guard lock(names().mutex);
  if (--names().keeping > 0) return;
  names().inputs.clear();
  names().outputs.clear();
}

UpdatesInPlace::UpdatesInPlace() { ++updating; }
UpdatesInPlace::~UpdatesInPlace() { --updating; }

void announce_output(const std::string& path) {
  if (path.empty() || path == "-") return;
  refuse_input(path);
  const std::lock_guard lock(names().mutex);
  if (names().keeping == 0) return;
  std::error_code ignored;
  const auto place = [&](const std::string& name) {
    return fs::weakly_canonical(fs::absolute(name), ignored);
  };
  for (const std::string& other : names().outputs)
    if (place(other) == place(path))
      fail(Status::usage, "U004", "{} is named as two outputs", printable(path));
  names().outputs.push_back(path);
}

void keep_input(const std::string& path) {
  const std::lock_guard lock(names().mutex);
  if (names().keeping == 0 || updating > 0) return;
  names().inputs.insert(path);
  for (const std::string& output : names().outputs)
    if (same(path, output)) fail_same(path, output);
}

void refuse_input(const std::string& output) {
  const std::lock_guard lock(names().mutex);
  for (const std::string& input : names().inputs)
    if (same(input, output)) fail_same(input, output);
}

void refuse_inputs_in(const std::string& folder) {
  refuse_input(folder);
  std::error_code error;
  const fs::path place = fs::canonical(folder, error);
  if (error) return;  // not there yet
  const std::lock_guard lock(names().mutex);
  for (const std::string& input : names().inputs)
    if (input != "-" && lies_in(input, place))
      fail_kept(fmt::format("the folder {} is written to and holds the input {}", printable(folder),
                            printable(input)));
  for (const auto& entry : fs::directory_iterator(place, error))  // links to an input elsewhere
    for (const std::string& input : names().inputs)
      if (same(input, entry.path().string())) fail_same(input, entry.path().string());
}

}  // namespace taugrad
