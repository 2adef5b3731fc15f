#include "base/system/posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>

#include "base/fail.h"
#include "base/utf8.h"

namespace taugrad::posix {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 30;  // Linux moves at most 2^31 bytes a call
constexpr std::string_view kPrefix = ".taugrad-", kSuffix = ".tmp";
constexpr std::size_t kDigits = 16;

template <class Write>
int write_pieces(std::string_view data, Write write) {
  while (!data.empty()) {
    const ssize_t n = retried([&] { return write(data.data(), std::min(data.size(), kChunk)); });
    if (n < 0) return errno;
    if (n == 0) return EIO;  // a device that takes nothing and says nothing
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string free_space(const std::string& path, std::size_t needed) {
  struct statvfs s {};
  if (::statvfs(folder_of(path).c_str(), &s) != 0) return "";
  const auto free = static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
  return needed > 0 ? fmt::format(": {} bytes are needed, {} are free", needed, free)
                    : fmt::format(": {} bytes are free", free);
}

}  // namespace

int write_all(int descriptor, std::string_view data) {
  return write_pieces(
      data, [&](const char* from, std::size_t size) { return ::write(descriptor, from, size); });
}

int write_all_at(int descriptor, std::string_view data, std::size_t offset) {
  return write_pieces(data, [&](const char* from, std::size_t size) {
    const ssize_t n = ::pwrite(descriptor, from, size, static_cast<off_t>(offset));
    if (n > 0) offset += static_cast<std::size_t>(n);
    return n;
  });
}

int sync_folder(const std::string& folder) {
  const int descriptor =
      retried([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) return 0;  // no permission to read the folder: the name is there all the same
  const int error = retried([&] { return ::fsync(descriptor); }) == 0 ? 0 : errno;
  ::close(descriptor);
  return error == EINVAL || error == EROFS ? 0 : error;  // a file system that cannot do this
}

std::string reason(int error) {
  switch (error) {
    case ENOENT:
      return "no such file or folder";
    case EACCES:
    case EPERM:
      return "permission denied";
    case ENOSPC:
      return "the disk is full";
    case EDQUOT:
      return "over the disk quota";
    case EFBIG:
      return "over the limit on file sizes";
    case EROFS:
      return "the file system is read-only";
    case ENAMETOOLONG:
      return "the name is too long";
    default:
      break;
  }
  const char* text = ::strerrordesc_np(error);  // not strerror: neither locale nor shared buffer
  return text == nullptr ? fmt::format("error {}", error) : text;
}

void fail_io(std::string code, const std::string& path, std::string message) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = fmt::format("{}: {}", path == "-" ? "standard stream" : printable(path), message);
  d.file = path;
  fail(Status::io, std::move(d));
}

void fail_write(const std::string& path, int error, std::size_t needed) {
  fail_io("I002", path,
          fmt::format("cannot be written: {}{}", reason(error),
                      error == ENOSPC && path != "-" ? free_space(path, needed) : ""));
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get()))
    if (const std::string_view name = entry->d_name; name != "." && name != "..")
      names.emplace_back(name);
  std::ranges::sort(names);
  return names;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_name(std::string_view mark) {
  std::random_device random;
  const std::uint64_t digits = std::uint64_t{random()} << 32 | random();
  return fmt::format("{}{}{:016x}{}", kPrefix, mark, digits, kSuffix);
}

bool is_temporary_name(std::string_view name, std::string_view mark) {
  return name.size() == kPrefix.size() + mark.size() + kDigits + kSuffix.size() &&
         name.starts_with(kPrefix) && name.substr(kPrefix.size()).starts_with(mark) &&
         name.ends_with(kSuffix) &&
         name.substr(kPrefix.size() + mark.size(), kDigits).find_first_not_of("0123456789abcdef") ==
             name.npos;
}

}  // namespace taugrad::posix
