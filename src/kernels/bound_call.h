#pragma once

namespace taugrad::kernels {

/// Something to be done with operands that stay where they are: what follows it are these.
struct BoundCall {
  void (*run)(const BoundCall&);
};

}  // namespace taugrad::kernels
