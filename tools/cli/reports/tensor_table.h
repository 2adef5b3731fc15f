#pragma once

#include <string>

#include "taugrad/base/tensor.h"

namespace taugrad::cli {

/// Tensors for people: name, axes, dtype, then a line for each row of the last axis, the first rows
/// only.
std::string tensor_table(const Tensors& tensors);

}  // namespace taugrad::cli
