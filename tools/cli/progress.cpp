#include "progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "output.h"

namespace taugrad::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(std::max(seconds, 0.0));
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

/// What the process holds of the machine's memory.
double resident_mib() {
  long pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

std::string loss_in_words(double loss, const std::string& unit) {
  return unit.empty() ? fmt::format("loss {:.6g}", loss)
                      : fmt::format("{:.3f} bits/{}", loss / std::log(2.0), unit);
}

Progress::Progress(const Context& context, std::int64_t total, std::string unit)
    : context_(context),
      total_(total),
      unit_(std::move(unit)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      shown_(start_) {}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

std::string Progress::line(const Update& u) const {
  const double elapsed = std::max(seconds(), 1e-9);
  const double rate = static_cast<double>(u.update - first_ + 1) / elapsed;
  const std::string loss =
      loss_in_words(loss_, unit_) +
      (valid_ ? fmt::format(" (valid {})", loss_in_words(*valid_, unit_)) : "");
  return fmt::format("update {}/{}  epoch {}  {}  {:.0f} {}s/s  {} left  {:.0f} MiB", u.update,
                     total_, u.epoch + 1, loss, static_cast<double>(targets_) / elapsed,
                     unit_.empty() ? "target" : unit_,
                     duration(static_cast<double>(total_ - u.update) / rate), resident_mib());
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
  const auto ahead = static_cast<double>(total_ - done);
  double left = done > 0 ? elapsed * ahead / static_cast<double>(done) : 0;
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

}  // namespace taugrad::cli
