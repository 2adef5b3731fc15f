#pragma once

#include <string_view>

#include "plan/memory/buffers.h"
#include "plan/plan_builder.h"

namespace taugrad::plan {

/// Checks what each pass must leave behind: nodes come after all they read, in the tape and, once
/// there are keys, in time; no place lies within itself. Linear.
/// @param pass  the one that has run, for the message
/// @throws Error (B001)
void verify(const PlanBuilder& draft, std::string_view pass);

/// Checks that storages that share a slot follow one another: one is written when the one before it
/// has been read for the last time.
/// @param storages     as the steps touch them
/// @param storage_of   by value: the number of its storage
/// @throws Error (B001)
template <class S>
void verify_slots(const Plan<S>& plan, const Column<Storage>& storages,
                  std::span<const std::int32_t> storage_of);

}  // namespace taugrad::plan
