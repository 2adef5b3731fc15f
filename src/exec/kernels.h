#pragma once

#include "exec/machine.h"
#include "exec/plan.h"

namespace taugrad::exec {

/// How steps run. Each is one function of a step and the machine; later passes bring more of them.
template <class S>
struct Kernels {
  static void forward(const Step<S>& step, Machine<S>& machine);  ///< by the op's own rule
  static void pack(const Step<S>& step,
                   Machine<S>& machine);  ///< fills the panels of a shared matrix
  static void rows(const Step<S>& step, Machine<S>& machine);  ///< rows times a packed matrix
  static void each(const Step<S>& step, Machine<S>& machine);  ///< a matrix product for each item
  static void taps(const Step<S>& step,
                   Machine<S>& machine);  ///< rows times a packed matrix, for each tap
  static void add(const Step<S>& step,
                  Machine<S>& machine);  ///< the sum of the operands, in their order
  // sums over items, which add to what their place holds where the step says so
  static void outer_sum(const Step<S>& step,
                        Machine<S>& machine);  ///< A^T B over the rows of the batch
  static void scatter_rows(const Step<S>& step,
                           Machine<S>& machine);  ///< rows of a table, by category
  static void sum_items(const Step<S>& step, Machine<S>& machine);
};

}  // namespace taugrad::exec
