#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/graph/graph.h"
#include "taugrad/language/definition.h"

/// What `taugrad diff` says of two files of one kind.
namespace taugrad {

/// One thing that is only in A, only in B, or not the same in both.
struct Difference {
  enum class Change { removed, added, changed };
  Change change = Change::changed;
  std::string part;    ///< "size", "equation", "node", "tensor"
  std::string name;    ///< of the size, left side, label
  std::string before;  ///< as A has it, for people; empty where it is added
  std::string after;
};

/// A tensor that both files have with the same axes.
struct TensorDifference {
  std::string name, type_a, type_b;  ///< as stored: "BF16"
  Dims dims;
  std::int64_t different = 0;  ///< elements over the tolerance
  /// Of all elements: the largest |a - b| and the largest |a - b| / max(|a|, |b|); infinite where
  /// only one of the two is finite, or two infinities differ. Two NaN are the same.
  double largest = 0, relative = 0;
  Dims worst = {};  ///< position of `largest`, from 0
  double a = 0, b = 0;
};

struct Differences {
  std::string kind;  ///< "definition", "graph", "tensors", "model"
  std::vector<Difference> all = {};
  std::vector<TensorDifference> tensors = {};  ///< every one that was compared
  bool same() const { return all.empty(); }
};

/// Sections of both files entry by entry, imports and what they import too; equations by their left
/// sides. Order and blanks mean nothing.
Differences diff_definitions(const Definition& a, const Definition& b);

/// Counts of nodes, edges and operations; every named node with the expression that gives it, down
/// to the named nodes it reads. Numbers of nodes mean nothing.
Differences diff_graphs(const Graph& a, const Graph& b);

/// Tensors by name, one pair in memory at a time. Elements are the same where
/// |a - b| <= tolerance * max(1, |a|, |b|); with a tolerance the types may differ.
/// @throws Error as load_tensors does
Differences diff_tensors(const std::string& a, const std::string& b, double tolerance);

std::string to_text(const Differences& d);
/// Format "taugrad-diff" version 1.
std::string to_json(const Differences& d);

}  // namespace taugrad
