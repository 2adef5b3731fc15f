#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "taugrad/reference/interpreter.h"

namespace taugrad {

/// How far rounding may move what a graph computes. The graph runs again with every number on the
/// way moved, at random, by as much as rounding may have moved it (Monte Carlo arithmetic, Parker
/// 1997): what cancels, cancels then too, and shows how much of it was noise. Decisions
/// (comparisons, categories) stay what they are, and so does what follows from numbers alone.
template <class S>
class Rounding {
 public:
  /// @param run  as it stands after a run without nudges
  Rounding(const Tape& tape, const Interpreter<S>& run);
  /// Runs with the interpreter's nudges and all numbers moved; another `trial`, other ways.
  void run_moved(Interpreter<S>& run, std::uint64_t trial) const;

  static constexpr std::uint64_t kTrials = 6;
  /// What the largest of the trials is to be taken times, to be a bound.
  static constexpr double kBound = 16;

 private:
  std::vector<float> amplitude_;  // of each node, relative; 0: it stays
  std::map<NodeId, std::vector<S>> decided_;
};

}  // namespace taugrad
