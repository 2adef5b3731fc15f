#include "base/system/output_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/digest.h"
#include "base/fail.h"
#include "base/system/posix.h"

namespace taugrad {
namespace {

using namespace posix;

std::string in(const std::string& folder, const std::string& name) { return folder + "/" + name; }

/// Everything in a folder made by a writer: files, no folders.
void remove_all_in(const std::string& folder) {
  for (const std::string& name : names_in(folder)) ::unlink(in(folder, name).c_str());
  ::rmdir(folder.c_str());
}

}  // namespace

OutputFolder::OutputFolder(std::string parent, std::string_view mark) : parent_(std::move(parent)) {
  int made = 0;
  do {
    temporary_ = in(parent_, temporary_name(mark));
    made = retried([&] { return ::mkdir(temporary_.c_str(), 0777); });
  } while (made != 0 && errno == EEXIST);
  if (made == 0) return;
  const int error = errno;
  temporary_.clear();
  fail_write(parent_, error);
}

OutputFolder::~OutputFolder() {
  if (!temporary_.empty()) remove_all_in(temporary_);
}

void OutputFolder::add(const std::string& name, std::span<const std::string_view> pieces) {
  const std::string path = in(temporary_, name), shown = in(parent_, name);
  File file{name, 0, {}};
  Digest digest;
  for (const std::string_view piece : pieces) {
    file.bytes += piece.size();
    digest.add(piece);
  }
  file.digest = digest.text();
  bytes_ += file.bytes;
  const int descriptor = retried([&] {
    return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  });
  if (descriptor < 0) fail_write(shown, errno, bytes_);
  int error = 0;
  for (const std::string_view piece : pieces)
    if (error == 0) error = write_all(descriptor, piece);
  if (error == 0 && retried([&] { return ::fsync(descriptor); }) != 0) error = errno;
  if (::close(descriptor) != 0 && error == 0 && errno != EINTR) error = errno;
  if (error != 0) fail_write(shown, error, bytes_);
  files_.push_back(std::move(file));
}

std::string OutputFolder::commit(const std::string& name) {
  if (const int error = sync_folder(temporary_)) fail_write(parent_, error);
  std::string chosen = name;
  // a folder with something in it cannot be renamed over
  for (int k = 2;
       retried([&] { return ::rename(temporary_.c_str(), in(parent_, chosen).c_str()); }) != 0;
       ++k) {
    if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
      fail_write(in(parent_, chosen), errno);
    chosen = fmt::format("{}-{}", name, k);
  }
  temporary_.clear();
  if (const int error = sync_folder(parent_)) fail_write(in(parent_, chosen), error);
  return chosen;
}

bool remove_folder(const std::string& parent, const std::string& name,
                   std::span<const std::string> files, std::string_view mark) {
  for (const std::string& held : names_in(in(parent, name)))
    if (std::ranges::find(files, held) == files.end()) return false;
  const std::string doomed = in(parent, temporary_name(mark));
  if (::rename(in(parent, name).c_str(), doomed.c_str()) != 0) return false;
  remove_all_in(doomed);
  return true;
}

int remove_left_behind(const std::string& folder, std::string_view mark) {
  int removed = 0;
  for (const std::string& name : names_in(folder)) {
    if (!is_temporary_name(name, mark)) continue;
    const std::string path = in(folder, name);
    struct stat s {};
    if (::lstat(path.c_str(), &s) != 0) continue;
    S_ISDIR(s.st_mode) ? remove_all_in(path) : void(::unlink(path.c_str()));
    ++removed;
  }
  return removed;
}

}  // namespace taugrad
