#pragma once

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What every writer of files needs of the system. Calls that a signal interrupts are made again;
/// writes that are cut short go on.
namespace taugrad::posix {

template <class Call>
auto retried(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Each returns 0, or the error of the first call that failed.
int write_all(int descriptor, std::string_view data);
int write_all_at(int descriptor, std::string_view data, std::size_t offset);
/// Brings to the disk which names a folder holds; what cannot be brought there is no error.
int sync_folder(const std::string& folder);

/// "the disk is full": an error in words, in no locale.
std::string reason(int error);
/// @throws Error, Status::io: "path: message"
[[noreturn]] void fail_io(std::string code, const std::string& path, std::string message);
/// I002, with what the disk has left where it is full. `needed`: bytes; 0: not known
[[noreturn]] void fail_write(const std::string& path, int error, std::size_t needed = 0);

/// What stands in a folder, in the order of the names; nothing where it cannot be read.
std::vector<std::string> names_in(const std::string& folder);
/// Of a path; "." and "/" where it has none.
std::string folder_of(const std::string& path);
/// ".taugrad-" + `mark` + 16 random digits + ".tmp": two processes of one number, as in containers,
/// do not meet, and neither does what one of them left behind.
std::string temporary_name(std::string_view mark = "");
bool is_temporary_name(std::string_view name, std::string_view mark);

}  // namespace taugrad::posix
