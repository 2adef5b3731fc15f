#include "training/event_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <bit>

#include "base/system/posix.h"

namespace taugrad::cli {
namespace {

using Clock = std::chrono::steady_clock;
using posix::retried;

constexpr std::array<std::uint32_t, 256> kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    table[i] = i;
    for (int bit = 0; bit < 8; ++bit)
      table[i] = table[i] >> 1 ^ ((table[i] & 1) != 0 ? 0x82F63B78U : 0U);
  }
  return table;
}();

template <class T>
void add_bytes(std::string& out, T value) {  // little endian
  for (std::size_t b = 0; b < sizeof(T); ++b) out += static_cast<char>(value >> (8 * b) & 0xFF);
}

// The wire format of protocol buffers: a key (field number, kind), then the value.
enum Kind : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void add_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}
void add_key(std::string& out, std::uint32_t field, Kind kind) {
  add_varint(out, field << 3 | static_cast<std::uint32_t>(kind));
}
void add_text(std::string& out, std::uint32_t field, std::string_view bytes) {
  add_key(out, field, kBytes);
  add_varint(out, bytes.size());
  out += bytes;
}

/// Event: 1 wall time, 2 step, 3 version, 5 summary, 7 session log.
std::string event(std::int64_t step) {
  std::string out;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  add_key(out, 1, kFixed64);
  add_bytes(out, std::bit_cast<std::uint64_t>(now));
  add_key(out, 2, kVarint);
  add_varint(out, static_cast<std::uint64_t>(step));
  return out;
}

/// Summary: repeated 1 value; Value: 1 tag, 2 simple value.
void add_scalar(std::string& summary, std::string_view tag, double value) {
  std::string v;
  add_text(v, 1, tag);
  add_key(v, 2, kFixed32);
  add_bytes(v, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
  add_text(summary, 1, v);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc >> 8 ^ kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

std::string event_record(std::string_view event) {
  std::string out;
  add_bytes(out, static_cast<std::uint64_t>(event.size()));
  add_bytes(out, masked_crc32c(out));
  out += event;
  add_bytes(out, masked_crc32c(event));
  return out;
}

EventFile::EventFile(const std::string& folder, std::int64_t updates) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  path_ = fmt::format("{}/events.out.tfevents.{:010}.taugrad.{}", folder,
                      std::chrono::duration_cast<std::chrono::seconds>(now).count(), ::getpid());
  std::string first = event(0);
  add_text(first, 3, "brain.Event:2");
  pending_ = event_record(first);
  if (updates > 0) {  // SessionLog: 1 status, START
    std::string begun = event(updates + 1), status;
    add_key(status, 1, kVarint);
    add_varint(status, 1);
    add_text(begun, 7, status);
    pending_ += event_record(begun);
  }
  written_ = Clock::now();
}

void EventFile::add(const Update& u, std::optional<double> valid) {
  std::string summary, e = event(u.update);
  add_scalar(summary, "loss", u.loss);
  add_scalar(summary, "gradient norm", u.norm);
  add_scalar(summary, "learning rate", u.lr);
  if (valid) add_scalar(summary, "valid", *valid);
  for (const auto& [name, probability] : u.mixes) add_scalar(summary, "mixed/" + name, probability);
  add_text(e, 5, summary);
  pending_ += event_record(e);
}

void EventFile::flush_if_due() {
  if (Clock::now() - written_ >= std::chrono::seconds(1)) flush();
}

void EventFile::flush() {
  written_ = Clock::now();
  if (pending_.empty()) return;
  const int descriptor = retried(
      [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666); });
  if (descriptor < 0) return;
  // what was cut short is written again from where it began
  if (posix::write_all_at(descriptor, pending_, size_) == 0) {
    size_ += pending_.size();
    pending_.clear();
  }
  ::close(descriptor);
}

}  // namespace taugrad::cli
