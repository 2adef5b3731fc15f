#pragma once

#include <string>
#include <vector>

#include "taugrad/language/definition.h"
#include "taugrad/language/mode.h"

namespace taugrad {

/// What ties the positions of a definition together: variables on a circle of references, each of
/// which is computed from the others at other positions. Data cut a circle: where a random variable
/// is observed, what reads it does not wait for what it is drawn from (teacher forcing). Without a
/// circle all positions of a variable can be computed together, and no gradient flows back through
/// time.                                                                         (eq 14-15)
struct Coupling {
  std::vector<std::vector<std::string>> circles = {};  ///< variables, in the definition's order
  std::vector<std::string> cut = {};  ///< observed, and on a circle if they were not
  bool indexed = false;               ///< some variable has an index

  bool decoupled() const { return circles.empty(); }
};

/// Linear in the equations; nothing is unfolded. @throws Error (U002) for modes that do not fit
Coupling coupling(const Definition& d, const Modes& modes = {});

/// One line: "decoupled in time with y observed: ..", "recurrent through h: .."; empty where no
/// variable has an index.
std::string to_text(const Coupling& c);

}  // namespace taugrad
