#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace taugrad {

/// A regular file open for reading; reads with pread, so that a file that shrinks is an error and
/// not a signal. Never waits: a FIFO is refused.
class InputFile {
 public:
  /// @throws Error, Status::io: I001 (missing, no permission, ...), I003 (not a regular file); U004
  /// (base/kept_inputs.h)
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Fills `to` with the bytes from `offset` on. @throws Error (I001)
  void read(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A file that appears whole or not at all: written beside its place under another name, brought to
/// the disk, then renamed. Without commit() nothing remains. A symbolic link is followed. A device
/// or pipe is written directly, and "-" is standard output.
class OutputFile {
 public:
  /// @throws Error, Status::io: I002 (no such folder, no permission, disk full, ...), I003 (a
  /// folder); U004 (an input: base/kept_inputs.h)
  /// @param mark  in its name until then
  explicit OutputFile(std::string path, std::string_view mark = "");
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view data);
  void write(std::span<const std::byte> data);
  void commit();

 private:
  [[noreturn]] void fail_write(int error) const;

  std::string path_;       // as given, for messages
  std::string target_;     // links resolved
  std::string temporary_;  // empty: written directly
  int descriptor_ = -1;
};

/// The whole of a regular file; "-" is standard input.
/// @throws Error: I001, I003; R002 (Status::resource) over `limit` bytes
std::string read_file(const std::string& path, std::size_t limit);
/// @throws Error: I002, I003
void write_file(const std::string& path, std::string_view data, std::string_view mark = "");

}  // namespace taugrad
