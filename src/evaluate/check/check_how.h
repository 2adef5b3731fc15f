#pragma once

#include <algorithm>

#include "reference/faults.h"
#include "taugrad/reference/check.h"

namespace taugrad {

/// What the options of a check of a definition and of a graph say alike. @param watch  since the
/// check began
template <class Options>
CheckOptions how_of(const Options& o, const Watch& watch) {
  CheckOptions how;
  how.method = o.method;
  how.order = o.order;
  how.seed = o.seed;
  how.control = o.control;
  how.control.seconds = watch.limited() ? std::max(watch.left(), 1e-3) : 0;
  return how;
}

}  // namespace taugrad
