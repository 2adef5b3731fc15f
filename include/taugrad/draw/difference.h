#pragma once

#include <map>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/draw/explorer.h"

namespace taugrad {

/// One of two things that are compared: what is drawn of it, and its numbers where there are any.
struct DrawnSide {
  std::string name;  ///< what the reader knows it by: a file's name
  Picture picture;
  GraphValues values = {};
  Tensors weights = {};  ///< by name, whole: facts keep the elements of small tensors only
};

/// Two pictures side by side, A left and B right.
struct DrawnDifference {
  Picture picture;
  std::vector<std::int32_t> facts;  ///< by node: number in `all_facts`, or -1
  std::vector<NodeFacts> all_facts;
  std::vector<int> partner;  ///< by node: the one of the other side that it corresponds to, or -1
  std::size_t changed = 0, only_a = 0, only_b = 0;  ///< nodes

  Explorer page() const;
};

/// Nodes correspond where name and index are the same; those without a name where they are the same
/// part of the same variable, else where they compute the same of what corresponds. Marked: what
/// only one side has (orange A, blue B), what is computed otherwise (purple); with values on both
/// sides how far they are apart, |a - b| / max(|a|, |b|) in norms, from white to black.
DrawnDifference difference_of(const DrawnSide& a, const DrawnSide& b);

}  // namespace taugrad
