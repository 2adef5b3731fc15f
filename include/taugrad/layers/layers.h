#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

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

/// Limits of all layers.
inline constexpr int kMaxLayers = 1000;
inline constexpr std::int64_t kMaxLayerSize = 2147483647;  // of one dimension

/// A recurrence of graphs/ that reads x[t] [n], and perhaps more inputs, and gives a vector a step.
struct RecurrentCell {
  std::string_view name;    ///< of the definition: "mlstm"
  std::string_view output;  ///< the variable it gives: "h"
  std::string_view width;   ///< the size of that, of its own sizes: "heads*d_v"
};
/// All of them, by name. rnn, lstm and gru, with PyTorch's names of weights, are not among them.
std::span<const RecurrentCell> recurrent_cells();

struct StackOptions {
  /// By name, each >= 1; where not given, that of the cell's definition.
  std::map<std::string, std::int64_t> sizes = {};
  int layers = 1;              ///< >= 1
  bool bidirectional = false;  ///< a second cell a layer runs from the end
  double dropout = 0;          ///< between layers, in [0, 1)
};

/// A stack of layers of any cell of recurrent_cells(): the cell's inputs, of which x[t] [n] is fed
/// to the first layer; output out[t] [directions * width]. Layer number l, from 0, is the import
/// l0, its reverse direction l0_reverse, and their weights are `l0.Wq`, `l0_reverse.Wq`.
/// @throws Error (U002) for an unknown cell, with the nearest known one, and options outside their
/// range
Definition recurrent_layers(std::string_view cell, const StackOptions& options = {});

}  // namespace taugrad
