#include "exec/memory_limit.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <string_view>

namespace taugrad::exec {
namespace {

constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();

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

std::size_t address_space_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnknown;
  return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace

std::size_t memory_budget() {
  const std::size_t available = available_memory();
  return std::min(available == kUnknown ? kUnknown : available / 5 * 4, address_space_limit());
}

}  // namespace taugrad::exec
