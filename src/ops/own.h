#pragma once

#include "taugrad/graph/op.h"

namespace taugrad {

inline constexpr std::size_t kMostOwnOps = 1000;

/// Puts a copy of the record behind those of the registry, unasked.
const Op& add_to_registry(const Op& op);
/// How many of the registry's ops are not the library's.
std::size_t own_ops();
/// Whether the registry's op of that name is not the library's; then it is returned.
const Op* find_own_op(std::string_view name);
bool is_own(const Op& op);

}  // namespace taugrad
