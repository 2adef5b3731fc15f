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
  static void outer_sum(const Step<S>& step,
                        Machine<S>& machine);  ///< A^T B over the rows of the batch
  static void taps(const Step<S>& step,
                   Machine<S>& machine);  ///< rows times a packed matrix, for each tap
};

}  // namespace taugrad::exec
