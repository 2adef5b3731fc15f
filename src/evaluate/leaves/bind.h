#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/runtime/executor.h"

/// From tensors by name to leaves.
namespace taugrad::runtime {

/// One tensor, and the leaves that read it.
struct Source {
  std::string name;
  bool weight = false;
  bool per_example = false;
  Shape shape;                ///< of one example, at one position
  std::int64_t category = 0;  ///< number of symbols; 0: numbers
  bool bernoulli = false;     ///< target of a bernoulli's likelihood: 0 to 1
  int index_axes = 0;
  std::vector<NodeId> leaves;
  std::vector<std::int32_t> positions;  ///< index_axes for each leaf, from 1
};

/// The tensors that leaves ask for; a leaf without a name asks for "#17", by its number.
std::vector<Source> sources_of(const Tape& tape, std::span<const NodeId> leaves);

/// What the graph says of lengths: names, the longest item it has steps for, and what the caller
/// said of full lengths.
struct LengthRules {
  std::vector<std::string> names;
  std::vector<std::int64_t> full;     ///< empty: not said
  std::vector<std::int64_t> longest;  ///< that any set of items asks for
  std::vector<std::int64_t> steps;    ///< that the graph has: no item is longer; -1: not known
};
LengthRules length_rules(const Tape& tape, std::vector<std::int64_t> full);

/// Items, lengths and keys, from the tensors. @throws Error (D010, D011, D012, D014, D015)
struct BatchDescription {
  BatchContext context;
  std::int64_t items = 1;
};
BatchDescription describe_batch(const std::vector<Source>& sources, const LengthRules& rules,
                                const Tensors& inputs);

/// The tensor of a source, its axes checked. @throws Error (D010, D011)
const Tensor& tensor_of(const Source& source, const Tensors& tensors);

/// The numbers of leaf number `leaf` of a source, of these items where it is per example.
/// @throws Error (D011, D013)
void read_leaf(const Source& source, const Tensor& tensor, std::size_t leaf,
               std::span<const std::int32_t> items, std::span<double> to);

/// Fills or binds the leaves of a source, after Executor::set_batch. A weight of type S is read in
/// place.
/// @throws Error (D011, D013)
template <class S>
void bind_source(Executor<S>& executor, const Source& source, const Tensor& tensor);

}  // namespace taugrad::runtime
