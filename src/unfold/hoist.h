#pragma once

#include <vector>

#include "language/resolve/resolved_model.h"

namespace taugrad {

/// What several positions of an equation, or several terms of a reduction, share: a template of its
/// own, placed once for each position of its letters.
struct HoistedPart {
  int block = -1;
  int rule = -1;  ///< number of the rule that it belongs to; -1: a loss term or an end
  int term = -1;  ///< block of that loss term or end
  std::vector<int> letters = {};  ///< index numbers on which it depends, ascending
  std::vector<int> context = {};  ///< index numbers that stand for positions where it is read
};

/// The templates of a model with what is shared taken out of them.
struct HoistedBlocks {
  std::vector<Block> blocks;       ///< those of the model keep their numbers
  std::vector<HoistedPart> parts;  ///< slots of Slot::Kind::part name them
};

/// In `w[s,t] = exp(q[s,t] - max[s](q[s,t]))` the maximum depends on t alone: it becomes a part
/// that is read at every s. So does whatever else computes something and lacks a letter of where it
/// stands. A weight's copy belongs to a position of the left side (R8): what mentions one depends
/// on all letters of the left side, and is shared by the terms of a reduction only.
HoistedBlocks hoist(const ResolvedModel& model);

}  // namespace taugrad
