#pragma once

#include <string>

#include "taugrad/draw/graph_picture.h"
#include "taugrad/recurrence/definition.h"

namespace taugrad {

struct FoldedPictureOptions {
  Detail detail = Detail::automatic;
  std::string title = {};
  std::string about = {};
};

/// The circuit of a definition: every variable, input and weight once, one box for each set of
/// indices, references to other steps as dashed edges z^-k. Its size does not depend on any length.
/// (eq 3-4)
/// @throws Error with all that the definition has wrong
Picture folded_picture_of(const Definition& d, const FoldedPictureOptions& options = {});

}  // namespace taugrad
