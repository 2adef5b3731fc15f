#pragma once

#include "taugrad/fold/fold.h"

namespace taugrad::folding {

/// Whether values of the graph stand at positions of two and more letters.
bool is_grid(const Tape& tape);

/// The step of a grid. Nodes correspond by name and position; one without a name by the reader in
/// its own position that it is on the way to, and as which input.
/// @throws Error (G026) where positions are not alike
FoldedGraph fold_grid(const Tape& tape);

}  // namespace taugrad::folding
