#pragma once

#include <string>

#include "taugrad/graph/op.h"

namespace taugrad {

/// Makes an operation known by its name: in graphs' JSON, pictures, checks and `taugrad ops`; an
/// elementwise one also as a function of that name in equations. The record is copied, its strings
/// too. Before graphs are made and threads started; at most 1000.
/// @param op  f32, f64 and c128 of `forward` are asked for (complex step proves the others), a
/// shape
///            rule, a vjp unless it is `discrete`; a jvp only by `tangent`
/// @returns the record to append nodes by, which lives as long as the program
/// @throws Error (U024) for a record that lacks something, a name that is taken or none
const Op& register_op(const Op& op);

/// Loads a shared library that registers operations: when it is loaded (a static initialiser), or
/// in a function `extern "C" void taugrad_register()`. The same file is loaded once.
/// @throws Error (I001) where there is no such file, (I005) for one that is no such library, and
/// whatever its registering throws
void load_operations(const std::string& path);

}  // namespace taugrad
