#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/graph/graph.h"
#include "taugrad/runtime/executor.h"

namespace taugrad {

inline constexpr Dtype f32 = Dtype::f32;
inline constexpr Dtype f64 = Dtype::f64;

struct ProgramOptions {
  Dtype dtype = Dtype::f32;  ///< f32 or f64
  std::vector<std::int64_t> lengths =
      {};                  ///< of items without `lengths`, in Tape::length_names' order
  std::uint64_t seed = 0;  ///< of draws
  bool train = false;      ///< dropout is active
  /// The loss: what its gradients read is computed again, for memory of about the square root of
  /// the steps. Same bits. Empty: all is kept.
  Var checkpoint = {};
  EngineOptions engine = {};
};

/// What a program gave: the tensors by label, as a map, and each also by the output it is of.
class Outputs : public Tensors {
 public:
  /// @throws Error (U020) where the node is no output of the program
  const Tensor& operator[](const Var& output) const;
  /// In the order of the program's outputs. @throws Error (U022) where there are fewer
  const Tensor& operator[](std::size_t number) const;
  /// @throws Error (U020) where no output has that label
  const Tensor& operator[](std::string_view label) const;

 private:
  friend class Program;
  struct Names;
  std::shared_ptr<const Names> names_;
};

/// A graph made ready to run: planned once, run often, with tensors by name.
///
/// A leaf named `x` reads a tensor `x`: an input has axes [index..., batch, shape...], where a leaf
/// x[t] reads position t; a weight [shape...], an untied one [index..., shape...]. A category comes
/// as I64, -1 where absent. `lengths` (I64, [batch]; `lengths:NAME` where there are several) holds
/// the items' own lengths, in any order; without it all have the full length
/// (ProgramOptions::lengths, else the axes). `item` (I64, [batch]) keys the draws of each item, by
/// default its number. What stands past an item's length is never read.
///
/// Any thread may call a Program at any time: calls of one take turns, those of several run side by
/// side. A child process after fork() may go on with it, unless it was at work for another thread
/// just then (U023).
class Program {
 public:
  /// @throws Error (U020) for another dtype, (U021) for an output or checkpoint of another graph,
  /// (U002) for a number of threads outside its range, (G020) where leaves of one name do not fit
  /// one tensor
  Program(const Graph& graph, const Vars& outputs, const ProgramOptions& options = {});
  Program(const Graph& graph, const Var& output, const ProgramOptions& options = {})
      : Program(graph, Vars{output}, options) {}
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  /// The outputs: [batch, shape...] in the given order of items, zeros where one does not exist for
  /// an item; [shape...] where it is shared. Labels are "loss", "h[3]", "grad:W" (of every gradient
  /// of W), "node 17 (mul)" without a name, "h[3] (mul) #17" of a step on the way to h[3]; where
  /// two outputs would have one label, all but the first get " #17", the number of the node.
  /// Inputs and weights that these outputs do not depend on are ignored.
  /// @throws Error D016 an input that a graph built by hand does not have, D010 missing, D011 axes,
  /// D012 batch, D013 category, D014 lengths, D015 dtype, R001 memory;
  ///         the program can be run again after any of them
  Outputs operator()(const Tensors& inputs, const Tensors& weights);
  void set_seed(std::uint64_t seed);

  OperationCount operations() const;  ///< of the last run
  std::size_t bytes() const;          ///< that the present batch takes

 private:
  struct Runner;
  Runner& runner() const;  // @throws Error (U021) where it was moved from
  std::unique_ptr<Runner> runner_;
};

}  // namespace taugrad
