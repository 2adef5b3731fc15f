#include "base/system/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "base/fail.h"
#include "base/system/kept_inputs.h"
#include "base/system/memory_limit.h"
#include "base/system/posix.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

using namespace posix;

constexpr std::size_t kChunk = std::size_t{1} << 30;  // Linux moves at most 2^31 bytes a call

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

std::string read_stream(int descriptor, const std::string& path, std::size_t limit) {
  std::string text;
  std::size_t used = 0;
  for (;;) {
    if (used > limit) fail(Status::resource, "R002", "{} has more than {} bytes", path, limit);
    if (used == text.size()) {
      const std::size_t more = std::max<std::size_t>(used / 2, 1 << 16);
      require_memory("reading", {{path, static_cast<double>(used + more)}});
      text.resize(used + more);
    }
    const ssize_t n =
        retried([&] { return ::read(descriptor, text.data() + used, text.size() - used); });
    if (n < 0) fail_io("I001", path, reason(errno));
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  text.resize(used);
  return text;
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  keep_input(path_);
  // O_NONBLOCK: opening a FIFO must not wait for its writer
  descriptor_ =
      retried([&] { return ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); });
  if (descriptor_ < 0) {
    if (errno == ENXIO) fail_io("I003", path_, "not a regular file");
    fail_io("I001", path_, reason(errno));
  }
  struct stat s {};
  if (::fstat(descriptor_, &s) != 0 || !S_ISREG(s.st_mode)) {
    ::close(descriptor_);
    fail_io("I003", path_, fmt::format("not a regular file, but {}", kind_of(s.st_mode)));
  }
  size_ = static_cast<std::uint64_t>(s.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, std::span<std::byte> to) const {
  while (!to.empty()) {
    const ssize_t n = retried([&] {
      return ::pread(descriptor_, to.data(), std::min(to.size(), kChunk),
                     static_cast<off_t>(offset));
    });
    if (n < 0) fail_io("I001", path_, reason(errno));
    if (n == 0) fail_io("I001", path_, "the file became shorter while it was read");
    offset += static_cast<std::uint64_t>(n);
    to = to.subspan(static_cast<std::size_t>(n));
  }
}

OutputFile::OutputFile(std::string path, std::string_view mark) : path_(std::move(path)) {
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  refuse_input(path_);
  struct stat s {};
  const bool exists = ::stat(path_.c_str(), &s) == 0;
  if (exists && S_ISDIR(s.st_mode)) fail_io("I003", path_, "is a folder");
  if (exists && !S_ISREG(s.st_mode)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor_ < 0) fail_write(errno);
    ::fcntl(descriptor_, F_SETFL, O_WRONLY);
    return;
  }
  target_ = path_;
  if (exists) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path_.c_str(), nullptr),
                                                      std::free);
    if (real != nullptr) target_ = real.get();
    if (::access(target_.c_str(), W_OK) != 0) fail_write(errno);
  }
  do {
    temporary_ = fmt::format("{}/{}", folder_of(target_), temporary_name(mark));
    descriptor_ = retried(
        [&] { return ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) {
    const int error = errno;
    temporary_.clear();
    fail_write(error);
  }
  if (exists) ::fchmod(descriptor_, s.st_mode & 07777);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::fail_write(int error) const { posix::fail_write(path_, error); }

void OutputFile::write(std::string_view data) {
  if (const int error = write_all(descriptor_, data)) fail_write(error);
}

void OutputFile::write(std::span<const std::byte> data) {
  write(std::string_view(reinterpret_cast<const char*>(data.data()), data.size()));
}

void OutputFile::commit() {
  if (temporary_.empty()) return;  // a stream: already there
  if (retried([&] { return ::fsync(descriptor_); }) != 0) fail_write(errno);
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0 && errno != EINTR) fail_write(errno);  // interrupted, but closed
  if (retried([&] { return ::rename(temporary_.c_str(), target_.c_str()); }) != 0)
    fail_write(errno);
  temporary_.clear();
  if (const int error = sync_folder(folder_of(target_))) fail_write(error);
}

std::string read_file(const std::string& path, std::size_t limit) {
  if (path == "-") {
    keep_input(path);
    return read_stream(STDIN_FILENO, path, limit);
  }
  const InputFile file(path);
  if (file.size() > limit) {
    Diagnostic d;
    d.code = "R002";
    d.message =
        fmt::format("{} has {} bytes; at most {} are read", printable(path), file.size(), limit);
    d.file = path;
    fail(Status::resource, std::move(d));
  }
  require_memory("reading", {{printable(path), static_cast<double>(file.size())}});
  std::string text(file.size(), '\0');
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void write_file(const std::string& path, std::string_view data, std::string_view mark) {
  OutputFile file(path, mark);
  file.write(data);
  file.commit();
}

}  // namespace taugrad
