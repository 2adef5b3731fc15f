#include "training/metrics.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <tuple>

#include "base/system/files.h"
#include "base/system/kept_inputs.h"
#include "base/system/posix.h"
#include "json/json_writer.h"

namespace taugrad::cli {
namespace {

using Clock = std::chrono::steady_clock;
using posix::retried;

constexpr std::string_view kUpdate = "{\"update\": ";

void write_flow(json::Writer& w, const std::vector<StateFlow>& flow) {
  w.key("flow").begin_object();
  for (const StateFlow& f : flow) {
    const double first = f.gradient.empty() ? 0 : f.gradient.front();
    const double last = f.gradient.empty() ? 0 : f.gradient.back();
    w.key(f.name).begin_object().field("first", first).field("last", last);
    if (last > 0) w.field("ratio", first / last);
    w.field("rate", f.rate).field("verdict", to_text(f.verdict)).end_object();
  }
  w.end_object();
}

/// The number of a line's update; 0 for a line that is not ours.
std::int64_t update_of(std::string_view line) {
  std::int64_t number = 0;
  if (!line.starts_with(kUpdate)) return 0;
  line.remove_prefix(kUpdate.size());
  std::from_chars(line.data(), line.data() + line.size(), number);
  return number;
}

constexpr std::string_view kTime = ", \"time\": ";

/// A line as it was before its time was added.
std::string_view without_time(std::string_view line) {
  const std::size_t at = line.rfind(kTime);
  return at == line.npos ? line : line.substr(0, at);
}
double time_of(std::string_view line) {
  double seconds = 0;
  const std::size_t at = line.rfind(kTime);
  if (at != line.npos) line.remove_prefix(at + kTime.size());
  if (at != line.npos) std::from_chars(line.data(), line.data() + line.size(), seconds);
  return seconds;
}

/// How much of a file holds the lines up to an update.
struct Lines {
  std::size_t bytes = 0, of = 0;
  bool known = false;  ///< the update's own line is the one expected
  double time = 0;     ///< of that line
};

Lines lines_until(const std::string& path, std::int64_t updates, const std::string& last_line) {
  const InputFile file(path);
  Lines lines{0, file.size(), false};
  std::string rest;
  std::vector<std::byte> buffer(std::size_t{1} << 20);
  for (std::size_t at = 0; at < file.size();) {
    const auto part = std::span(buffer).first(std::min(buffer.size(), file.size() - at));
    file.read(at, part);
    at += part.size();
    rest.append(reinterpret_cast<const char*>(part.data()), part.size());
    std::size_t from = 0;
    for (std::size_t end; (end = rest.find('\n', from)) != rest.npos; from = end + 1) {
      const std::string_view line = std::string_view(rest).substr(from, end - from);
      const std::int64_t update = update_of(line);
      if (update > updates) return lines;
      if (update == updates) {
        // one that an earlier version wrote ends as it did
        lines.known = line == last_line || std::string(without_time(line)) + "}" == last_line;
        lines.time = time_of(line);
      }
      lines.bytes += line.size() + 1;
    }
    rest.erase(0, from);
  }
  return lines;  // what is left in `rest` is torn
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace

Metrics::Metrics(const std::string& folder)
    : path_(folder + "/metrics.jsonl"),
      aside_(folder + "/metrics.before.jsonl"),
      written_(Clock::now()) {}

void Metrics::begin() {
  if (!begun_ && exists(path_)) std::rename(path_.c_str(), aside_.c_str());
  begun_ = true;  // also where the save that follows fails, and is tried again
  flush();
}

void Metrics::go_on(std::int64_t updates, const std::string& last_line) {
  begun_ = true;
  last_line_ = last_line;
  behind_ = Behind{updates, last_line};
  cut();
}

// Nothing is written before it is known where: lines of before may be in a file that cannot be read
// for the moment.
bool Metrics::cut() {
  if (!behind_) return true;
  const UpdatesInPlace own;
  try {
    Lines lines;
    if (exists(path_)) lines = lines_until(path_, behind_->update, behind_->line);
    // a training that was to overwrite this one ended before its first save
    if (!lines.known && exists(aside_)) {
      const Lines before = lines_until(aside_, behind_->update, behind_->line);
      if (before.known && std::rename(aside_.c_str(), path_.c_str()) == 0) lines = before;
    }
    size_ = lines.bytes;
    before_ = lines.time;
    if (lines.bytes < lines.of &&
        retried([&] { return ::truncate(path_.c_str(), static_cast<off_t>(size_)); }) != 0) {
      problem_ = posix::reason(errno);
      return false;
    }
  } catch (const Error& e) {
    problem_ = e.diagnostics().front().message;
    return false;
  }
  behind_.reset();
  problem_.clear();
  return true;
}

std::string Metrics::add(const Update& u, const std::vector<StateFlow>& flow,
                         std::optional<double> valid, double seconds) {
  json::Writer w;
  w.begin_object().field("update", u.update).field("epoch", u.epoch).field("loss", u.loss);
  w.field("norm", u.norm).field("targets", u.targets).field("lr", u.lr);
  if (valid) w.field("valid", *valid);
  if (!flow.empty()) write_flow(w, flow);
  if (!u.mixes.empty()) {
    w.key("mixed").begin_object();
    for (const auto& [name, probability] : u.mixes) w.field(name, probability);
    w.end_object();
  }
  w.end_object();
  last_line_ = w.text();
  std::string line = last_line_;
  line.pop_back();
  line += fmt::format("{}{:.3f}}}\n", kTime, before_ + seconds);
  pending_ += line;
  return line;
}

bool Metrics::flush_if_due() {
  return Clock::now() - written_ < std::chrono::seconds(1) ? pending_.empty() : flush();
}

bool Metrics::flush() {
  if (!begun_ || pending_.empty()) return pending_.empty();
  written_ = Clock::now();
  if (!cut()) return false;
  const int error = write();
  problem_ = error == 0 ? "" : posix::reason(error);
  if (error == 0) pending_.clear();
  return error == 0;
}

int Metrics::write() {
  const int descriptor = retried(
      [&] { return ::open(path_.c_str(), O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666); });
  if (descriptor < 0) return errno;
  struct stat s {};
  // behind the last whole line, or at the beginning of a file that was removed meanwhile
  std::size_t at = size_;
  if (::fstat(descriptor, &s) == 0) at = std::min(at, static_cast<std::size_t>(s.st_size));
  int error = posix::write_all_at(descriptor, pending_, at);
  // no torn line for whoever reads along; the next write begins there in any case
  if (error != 0) std::ignore = ::ftruncate(descriptor, static_cast<off_t>(at));
  if (::close(descriptor) != 0 && error == 0 && errno != EINTR) error = errno;
  size_ = at + (error == 0 ? pending_.size() : 0);
  return error;
}

void Metrics::end() { ::unlink(aside_.c_str()); }

void Metrics::undo() {
  if (!begun_) return;
  ::unlink(path_.c_str());
  if (exists(aside_)) std::rename(aside_.c_str(), path_.c_str());
  begun_ = false;
}

}  // namespace taugrad::cli
