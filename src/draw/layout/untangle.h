#pragma once

#include <utility>
#include <vector>

namespace taugrad::draw {

/// One step of a printed picture: where its roles stand, in rows upwards and slots to the right,
/// and what is joined, by numbers of roles.
struct StepPlan {
  std::vector<double> row, slot;
  std::vector<double> width;                ///< of the node, in slots
  std::vector<std::pair<int, int>> inner;   ///< (read, reader) in one step
  std::vector<std::pair<int, int>> onward;  ///< read in the step at the left
  std::vector<std::pair<int, int>> back;    ///< read in the step at the right
  std::vector<int> from_below;              ///< roles that read what stands below all steps
};

/// Moves roles to other places until the straight lines of two steps side by side cross, run into
/// nodes and go downwards as little as can be found: one role or two at a time, the best move
/// first, from a beginning of its own for each attempt. Deterministic.
/// @param attempt  0, 1, ..
void untangle(StepPlan& plan, int attempt);

}  // namespace taugrad::draw
