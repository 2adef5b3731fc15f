#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "taugrad/train/trainer.h"

namespace taugrad::cli {

/// CRC-32C (Castagnoli), and as event files hold it: rotated, and moved by a constant.
std::uint32_t crc32c(std::string_view bytes);
std::uint32_t masked_crc32c(std::string_view bytes);
/// A record of an event file: length, its checksum, the bytes, theirs.
std::string event_record(std::string_view event);

/// An event file of TensorBoard: scalars of the updates. A log: where it cannot be written,
/// training goes on without it.
class EventFile {
 public:
  /// A file of this run's own in the folder. @param updates  made before: what other files tell of
  /// later ones is void
  EventFile(const std::string& folder, std::int64_t updates);
  void add(const Update& u, std::optional<double> valid);
  void flush();
  void flush_if_due();
  const std::string& path() const { return path_; }

 private:
  std::string path_, pending_;
  std::size_t size_ = 0;  ///< bytes that are written
  std::chrono::steady_clock::time_point written_;
};

}  // namespace taugrad::cli
