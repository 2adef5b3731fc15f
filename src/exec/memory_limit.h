#pragma once

#include <cstddef>

namespace taugrad::exec {

/// What this process may still take: 80 % of the machine's available memory, less where the address
/// space is limited.
std::size_t memory_budget();

}  // namespace taugrad::exec
