#include "progress.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "base/files.h"
#include "base/kept_inputs.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "output.h"

namespace taugrad::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(std::max(seconds, 0.0));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

// the lines of the first `updates` updates: each update has one
std::string first_lines(const std::string& text, std::int64_t updates) {
  std::size_t at = 0;
  for (std::int64_t n = 0; n < updates && at < text.size(); ++n) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // torn
    at = end + 1;
  }
  return text.substr(0, at);
}

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

}  // namespace

Progress::Progress(const Context& context, std::int64_t total, bool text)
    : context_(context),
      total_(total),
      text_(text),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      shown_(start_) {}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

std::string Progress::line(const Update& u) const {
  const double elapsed = std::max(seconds(), 1e-9);
  const double rate = static_cast<double>(u.update - first_ + 1) / elapsed;
  const std::string loss = text_ ? fmt::format("{:.3f} bits/char", loss_ / std::log(2.0))
                                 : fmt::format("loss {:.5g}", loss_);
  return fmt::format("update {}/{}  epoch {}  {}  {:.0f} {}/s  {} left", u.update, total_,
                     u.epoch + 1, loss, static_cast<double>(targets_) / elapsed,
                     text_ ? "chars" : "targets",
                     duration(static_cast<double>(total_ - u.update) / rate));
}

void Progress::show(const Update& u) {
  if (!any_) first_ = u.update;
  // the mean of about the last fifty updates
  loss_ = any_ ? loss_ + (u.loss - loss_) /
                             std::min<double>(static_cast<double>(u.update - first_ + 1), 50)
               : u.loss;
  any_ = true;
  targets_ += u.targets;
  if (context_.quiet || context_.json) return;
  const double since = std::chrono::duration<double>(Clock::now() - shown_).count();
  if (since < (terminal_ ? 0.1 : 10.0)) return;
  shown_ = Clock::now();
  open_ = terminal_;
  print_error(terminal_ ? fmt::format("\r{}\x1b[K", line(u)) : line(u) + "\n");
}

void Progress::finish() {
  if (open_) print_error("\n");
  open_ = false;
}

Counter::Counter(const Context& context, std::string what, std::int64_t total, double seconds)
    : what_(std::move(what)),
      total_(total),
      seconds_(seconds),
      quiet_(context.quiet || context.json),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      shown_(start_) {}

std::string Counter::line(std::int64_t done) const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  double left = done > 0 ? elapsed * static_cast<double>(total_ - done) / static_cast<double>(done) : 0;
  if (seconds_ > 0) left = std::min(left, seconds_ - elapsed);
  return fmt::format("{} {} of {}", what_, done, total_) +
         (done > 0 ? fmt::format("  {} left", duration(left)) : "");
}

void Counter::show(std::int64_t done) {
  const double since = std::chrono::duration<double>(Clock::now() - shown_).count();
  if (quiet_ || since < (terminal_ ? 0.1 : 10.0)) return;
  shown_ = Clock::now();
  open_ = terminal_;
  print_error(terminal_ ? fmt::format("\r{}\x1b[K", line(done)) : line(done) + "\n");
}

void Counter::finish() {
  if (open_) print_error("\r\x1b[K");
  open_ = false;
}

Metrics::Metrics(std::string path, std::int64_t updates) : path_(std::move(path)) {
  const UpdatesInPlace own;
  std::string kept;
  if (updates > 0 && ::access(path_.c_str(), F_OK) == 0)
    kept = first_lines(read_file(path_, limits::kGraphBytes), updates);
  write_file(path_, kept);
}

std::string Metrics::add(const Update& u, const std::vector<StateFlow>& flow) {
  json::Writer w;
  w.begin_object().field("update", u.update).field("epoch", u.epoch).field("loss", u.loss);
  w.field("norm", u.norm).field("targets", u.targets);
  if (!flow.empty()) write_flow(w, flow);
  if (!u.mixes.empty()) {
    w.key("mixed").begin_object();
    for (const auto& [name, probability] : u.mixes) w.field(name, probability);
    w.end_object();
  }
  w.end_object();
  pending_ += w.text() + "\n";
  return w.text() + "\n";
}

void Metrics::flush() {
  const int descriptor = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  std::string_view rest = pending_;
  int error = descriptor < 0 ? errno : 0;
  while (error == 0 && !rest.empty()) {
    const ssize_t n = ::write(descriptor, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = errno;
    if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
  }
  if (descriptor >= 0 && ::close(descriptor) != 0 && error == 0) error = errno;
  if (error != 0) fail(Status::io, "I002", "{}: {}", path_, std::strerror(error));
  pending_.clear();
}

}  // namespace taugrad::cli
