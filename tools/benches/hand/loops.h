#pragma once

#include <vector>

/// Cores of recurrences of a matrix state as loops: what a compiler makes of plain C++ written for
/// one size, forward and backward, without intrinsics (tools/bench_hand.cpp).
namespace hand {

/// Inputs in the order of the core, [steps, batch, ..], and what the gradient of each becomes. The
/// loss is half the sum of the squares of all outputs.
struct Data {
  int steps = 0, batch = 0;
  std::vector<std::vector<float>> inputs = {}, gradients = {};
};
using Loops = void (*)(Data&);

void mlstm(Data& data);     ///< q, k, v [heads, d], i, f [heads]
void gla(Data& data);       ///< q, k, v, g [heads, d]
void deltanet(Data& data);  ///< q, k, v [heads, d], b [heads]
void mamba(Data& data);     ///< d, c [m], B, R [N], and A [m, N] without steps

}  // namespace hand
