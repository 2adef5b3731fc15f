#pragma once

#include "taugrad/reference/check.h"

namespace taugrad {

/// Counts an entry, and keeps the worst. @param first  whether it is the variable's first
void add_entry(const CheckedEntry& e, bool first, VariableCheck& to);
/// Says where the worst entry stands: axes of one example, and the row of the batch.
void locate(VariableCheck& result);

}  // namespace taugrad
