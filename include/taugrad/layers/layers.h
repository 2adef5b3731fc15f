#pragma once

#include <cstdint>

#include "taugrad/language/definition.h"

namespace taugrad {

enum class Cell { rnn, lstm, gru };
enum class Nonlinearity { tanh, relu };

/// What a recurrent layer is made of. Weights are named and laid out as in PyTorch.
struct LayerOptions {
  std::int64_t n = 2;           ///< size of x[t], >= 1
  std::int64_t m = 3;           ///< size of a state, >= 1
  std::int64_t projection = 0;  ///< LSTM: size p of the projected state, < m; 0: none
  int layers = 1;               ///< >= 1
  bool bidirectional = false;
  Nonlinearity nonlinearity = Nonlinearity::tanh;  ///< of the rnn cell
  double dropout = 0;                              ///< between layers, in [0, 1)
  bool learned_state = false;  ///< weights h0_l0, c0_l0, ... before the first step, else zero
  /// Inputs h0 and, of the LSTM, c0, each [layers*directions, m] of an item: its states before the
  /// first step, in the order of h_n.
  bool given_state = false;
  bool reset_before = false;  ///< GRU: the reset gate works before the product, as first published
};

/// A stack of recurrent layers as a definition: input x[t] [n]; output out[t] [directions*m]; final
/// states h_n, and c_n of the LSTM, [layers*directions, m], layer by layer, forward then reverse.
/// With m the hidden and n the input size of a layer, gates in PyTorch's order:
///   rnn   h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh)
///   lstm  i, f, g, o;  c[t] = f c[t-1] + i g,  h[t] = o tanh(c[t]); projected: weight_hr h[t]
///   gru   r, z, n;     n[t] = tanh(W_in x[t] + b_in + r (W_hn h[t-1] + b_hn)),
///                      h[t] = (1 - z) n[t] + z h[t-1]; reset before the product:
///                      n[t] = tanh(W_in x[t] + b_in + W_hn (r h[t-1]) + b_hn)
/// The reverse direction reads t+1 and ends at position 1. The final state of an item of length 0
/// is its state before the first step.
/// @throws Error (usage) on options outside their range
Definition recurrent_layers(Cell cell, const LayerOptions& options = {});

inline Definition rnn(const LayerOptions& o = {}) { return recurrent_layers(Cell::rnn, o); }
inline Definition lstm(const LayerOptions& o = {}) { return recurrent_layers(Cell::lstm, o); }
inline Definition gru(const LayerOptions& o = {}) { return recurrent_layers(Cell::gru, o); }

}  // namespace taugrad
