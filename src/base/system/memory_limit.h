#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace taugrad {

/// What this process may take in all (`--max-memory`); 0: no limit of its own.
void set_memory_limit(std::size_t bytes);

/// What this process may still take: 80 % of the machine's available memory, less where the address
/// space or the process is limited.
std::size_t memory_budget();

/// One line of a memory plan. As a double: exact as far as memory reaches, and never overflows.
struct MemoryUse {
  std::string what;
  double bytes = 0;
};

/// Asked before anything of it is made.
/// @param doing  "running 3 items", for the message
/// @param most  a limit of the caller's own; 0: none
/// @throws Error (R001) with the plan, the largest first, where the whole is over the budget
void require_memory(std::string_view doing, const std::vector<MemoryUse>& plan,
                    std::size_t most = 0);

/// The same where the budget is known.
[[noreturn]] void refuse_memory(std::string_view doing, std::vector<MemoryUse> plan, double budget);

}  // namespace taugrad
