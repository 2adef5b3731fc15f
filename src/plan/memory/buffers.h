#pragma once

#include <cstdint>
#include <vector>

#include "plan/plan.h"

namespace taugrad::plan {

/// Where one value and its views lie, before storages that live at different times share slots.
struct Storage {
  std::int64_t elements;  ///< of a row
  ExtentId extent;
  std::uint32_t name;
  bool leaf = false;          ///< filled before the run
  bool forever = false;       ///< leaves and outputs
  std::int32_t born = -1;     ///< the first step that touches it; -1: none
  std::int32_t dies = -1;     ///< the last one
  std::int32_t instance = 0;  ///< of the last step: which touched it
  bool many = false;          ///< more than one instance of the last step touched it
};

/// Notes that an instance of a step reads or writes a storage. Steps come in order.
inline void touch(Storage& s, std::int32_t step, std::int32_t instance = 0) {
  if (s.born < 0) s.born = step;
  s.many = s.dies == step && (s.many || s.instance != instance);
  s.dies = step;
  s.instance = instance;
}

/// Gives storages their slots and rewrites the slots of the plan's values. With `reuse`, results of
/// regions take the place of operands that die there, and slots are shared out again.
template <class S>
void assign_slots(Plan<S>& plan, Column<Storage>& storages, bool reuse);

}  // namespace taugrad::plan
