#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"
#include "taugrad/runtime/engine_options.h"

namespace taugrad {

namespace plan {
template <class S>
struct Plan;
}
namespace runtime {
template <class S>
class Runtime;
template <class S>
class Profile;
class Arena;
}  // namespace runtime

/// Memory that executors may share of which one runs at a time, in one thread: it is as large as
/// the largest of them needs. Calls of two of them at once are refused (U023).
std::shared_ptr<runtime::Arena> shared_memory();

/// Floating-point operations of one run. A product counts 2 for each multiply-add, an op that only
/// moves or makes data 0, softmax and its kin 4 for each element, all else 1 for each element of
/// its largest operand or result.
struct OperationCount {
  std::int64_t per_item = 0;  ///< on items' rows: a batch counts what its items count alone
  std::int64_t shared = 0;    ///< whatever the batch: on weights, sums of copies' gradients
};

struct ExecutorOptions {
  EngineOptions engine = {};
  /// Weights change between binds: their packed copies are made anew in each run. Without, bind
  /// again after a change.
  bool weights_change = true;
  /// The last node of the forward part: of its values only about the square root of the steps are
  /// kept, the others computed again for the gradient. Same bits. -1: all are kept.
  NodeId checkpoint = -1;
  /// Of values; null: memory of its own. What set_batch, leaf, run and value give is good until the
  /// next set_batch of another executor with the same memory, and refused then (U023).
  std::shared_ptr<runtime::Arena> memory = nullptr;
};

/// Runs a graph: planned once, run often, with batches of any size and lengths.
/// Rows of a value are the items that it exists for, in an order of the executor's own (longest
/// items first): `items(id)` names them. S: float, double.
///
/// One thread at a time calls an executor, whatever the function: a second one is refused (U023).
/// Executors of their own run side by side in any threads, and what one tape planned is shared by
/// none. A child process after fork() may go on with an executor that was not at work.
template <class S>
class Executor {
 public:
  /// Plans the evaluation of `outputs`. The tape is not needed afterwards.
  /// @throws Error (B001) on an op without a forward rule for S, (U002) on an unknown pass or a
  /// number of threads outside its range, (U006) on bf16 in double, (U022) for an output or
  /// checkpoint that the tape does not have
  Executor(const Tape& tape, std::span<const NodeId> outputs, const ExecutorOptions& options = {});
  /// Runs a plan that was made before. @throws Error (U002) for threads
  Executor(std::unique_ptr<const plan::Plan<S>> plan, const ExecutorOptions& options);
  ~Executor();
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;

  /// Inputs and weights that the outputs need, in tape order.
  std::span<const NodeId> leaves() const;
  /// Fixes the batch: seed, train, and of each item its lengths and its key (none: 0, 1, ..), in
  /// the caller's order. Leaves that are not shared are to be filled then: a run without is refused
  /// (U023) where the batch is another or another executor had the memory. Costs next to nothing
  /// where nothing changed.
  /// @throws Error (R001) over the memory limit, before anything is allocated, (U022) for lengths
  /// or keys of another number of items; the executor stays usable
  void set_batch(const BatchContext& context, std::int64_t items);
  /// The caller's numbers of the items that a leaf or an output has rows for, row by row; empty
  /// where it is shared.
  std::span<const std::int32_t> items(NodeId leaf) const;
  std::span<const std::int32_t> output_items(std::size_t output) const;
  bool per_example(std::size_t output) const;       ///< whether it has rows; else it is shared
  std::int64_t elements(std::size_t output) const;  ///< of an output, or of a row of it

  /// The storage of a leaf to fill: [rows, shape...], or [shape...] if it is shared. Valid until
  /// the next set_batch.
  std::span<S> leaf(NodeId id);
  /// Reads a shared leaf from the caller's own storage, which must outlive the runs. @throws Error
  /// (U022) on a wrong size
  void bind(NodeId id, std::span<const S> values);

  /// Evaluates the outputs. @throws Error (U023) before set_batch or without a weight; a failing
  /// run leaves the executor usable
  void run();
  /// Where the time of the next runs goes is written down there (`taugrad bench --profile`); null:
  /// no longer.
  void watch(runtime::Profile<S>* profile);
  /// Output number `output` after run(): [rows, shape...] or [shape...]; valid until the next run.
  /// @throws Error (U023) where the present batch has not been run, (U022) for no such output
  std::span<const S> value(std::size_t output) const;

  OperationCount operations() const;  ///< of the last run
  std::size_t bytes() const;          ///< values, packed weights and leaves for the present batch
  std::size_t steps() const;          ///< of the plan

 private:
  const plan::Plan<S>& plan() const;  // @throws Error (U021) where it was moved from
  runtime::Runtime<S>& machine() const;
  std::unique_ptr<const plan::Plan<S>> plan_;
  std::unique_ptr<runtime::Runtime<S>> machine_;
};

}  // namespace taugrad
