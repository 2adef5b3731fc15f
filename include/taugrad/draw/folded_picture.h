#pragma once

#include <string>

#include "taugrad/draw/graph_picture.h"
#include "taugrad/fold/fold.h"

namespace taugrad {

struct FoldedPictureOptions {
  Detail detail = Detail::automatic;
  std::string title = {};
  std::string about = {};
};

/// The picture of a circuit: every variable, input and weight once, one box for each set of
/// indices, references to other steps as dashed edges z^-k, boundary equations beside. Its size
/// does not depend on any length.     (eq 3-4)
Picture picture_of(const FoldedGraph& graph, const FoldedPictureOptions& options = {});

}  // namespace taugrad
