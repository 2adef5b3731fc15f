#include "base/system/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <functional>
#include <limits>
#include <memory>

#include "base/fail.h"

namespace taugrad {
namespace {

constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();
constexpr double kTrifle = 1 << 20;  // bytes: without a limit, nobody is asked for so little
constexpr std::size_t kLargest = 5;  // lines of a plan that a refusal shows

std::atomic<std::size_t> process_limit = 0;

/// The number behind "MemAvailable:" of /proc/meminfo, in bytes; kUnknown where there is none.
std::size_t available_memory() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/meminfo", "re"),
                                                             std::fclose);
  if (!file) return kUnknown;
  char line[256];
  constexpr std::string_view kField = "MemAvailable:";
  while (std::fgets(line, sizeof line, file.get()) != nullptr) {
    std::string_view text(line);
    if (!text.starts_with(kField)) continue;
    text.remove_prefix(std::min(text.find_first_of("0123456789"), text.size()));
    std::size_t kibibytes = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), kibibytes).ec != std::errc{})
      return kUnknown;
    return kibibytes * 1024;
  }
  return kUnknown;
}

/// What this process has taken, in bytes: address space and memory.
struct Taken {
  std::size_t space = 0, memory = 0;
};

Taken taken() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"),
                                                             std::fclose);
  Taken pages;
  if (!file || std::fscanf(file.get(), "%zu %zu", &pages.space, &pages.memory) != 2) return {};
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return {pages.space * size, pages.memory * size};
}

std::size_t address_space_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnknown;
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::size_t rest(std::size_t limit, std::size_t used) {
  return limit == kUnknown ? kUnknown : limit - std::min(used, limit);
}

std::string human(double bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

}  // namespace

void set_memory_limit(std::size_t bytes) { process_limit = bytes; }

std::size_t memory_budget() {
  const std::size_t available = available_memory(), own = process_limit;
  const Taken used = taken();
  return std::min({available == kUnknown ? kUnknown : available / 5 * 4,
                   rest(address_space_limit(), used.space),
                   rest(own > 0 ? own : kUnknown, used.memory)});
}

void require_memory(std::string_view doing, const std::vector<MemoryUse>& plan, std::size_t most) {
  double total = 0;
  for (const MemoryUse& use : plan) total += use.bytes;
  if (total < kTrifle && most == 0 && process_limit == 0) return;
  const std::size_t budget = std::min(memory_budget(), most > 0 ? most : kUnknown);
  if (total > static_cast<double>(budget)) refuse_memory(doing, plan, static_cast<double>(budget));
}

void refuse_memory(std::string_view doing, std::vector<MemoryUse> plan, double budget) {
  double total = 0;
  for (const MemoryUse& use : plan) total += use.bytes;
  std::ranges::stable_sort(plan, std::greater<>(), &MemoryUse::bytes);
  std::string list;
  for (const MemoryUse& use : plan) {
    if (use.bytes <= 0 || &use - plan.data() >= static_cast<std::ptrdiff_t>(kLargest)) break;
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", use.what, human(use.bytes));
  }
  Diagnostic d;
  d.code = "R001";
  d.message = fmt::format("{} needs {}, the budget is {}; largest: {}", doing, human(total),
                          human(budget), list);
  d.help = "use a smaller batch, fewer steps, f32, or a larger budget (max_memory)";
  fail(Status::resource, std::move(d));
}

}  // namespace taugrad
