#pragma once

#include <string>

#include "taugrad/layers/layers.h"

namespace taugrad {

/// One direction of one layer: where it stands in the stack and what it reads.
struct CellPlace {
  int layer = 0;
  bool reverse = false;
  std::string input;       ///< "x[t]", "u_l1[t]"
  std::string input_size;  ///< "n", "2*m"
  std::string state_size;  ///< "m", or "p" where projected

  /// "h" -> "h_l0_reverse", as PyTorch names weights.
  std::string name(const std::string& base) const;
  /// The variable before this step: "h_l0[t-1]", or "h_l0_reverse[t+1]".
  std::string before(const std::string& base) const;
  /// The variable after all steps: "h_l0[last]", or "h_l0_reverse[1]".
  std::string after(const std::string& base) const;
};

/// Number of gates whose rows are stacked in weight_ih and weight_hh.
int gates(Cell cell);
/// The functions that the equations of a cell call.
void add_functions(Definition& d, Cell cell);
/// The equations of one cell; the state is h, and c of the LSTM.
void add_cell(Definition& d, Cell cell, const LayerOptions& options, const CellPlace& at);

}  // namespace taugrad
