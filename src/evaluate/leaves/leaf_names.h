#pragma once

#include <set>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/graph/graph.h"

namespace taugrad::runtime {

/// What tensors a graph can read, by name; a leaf without a name asks for "#17", by its number.
struct LeafNames {
  std::set<std::string> inputs;  ///< also the data of random variables, "data:y" as "y"
  std::set<std::string> weights;
  std::vector<std::string> lengths;  ///< of indices: `lengths:tau`, and `lengths` where it is one

  /// @throws Error (D016) where nothing reads a tensor: no leaf, and it is neither lengths nor keys
  void check_input(const std::string& name) const;
};
LeafNames leaf_names(const Tape& tape);

}  // namespace taugrad::runtime
