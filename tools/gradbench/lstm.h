#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evaluate/planner.h"
#include "json/json.h"
#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"

namespace taugrad::gradbench {

/// An instance of the LSTM task of GradBench and ADBench, whose weights are diagonal.
struct LstmInput {
  std::int64_t layers = 0, width = 0, steps = 0;  ///< rows of the sequence, each [width]
  /// Row by row. main: of each layer weights, then biases, [4*width] each: forget, ingate, outgate,
  /// change; extra: in_weight, out_weight, out_bias [width]; state: of each layer hidden, then cell
  /// [width]; sequence [width] a row.
  std::vector<double> main, extra, state, sequence;
};

/// @throws Error (G007-G011) for a file of another form, (D011) for rows that do not fit together
LstmInput read_lstm(const json::Fields& fields);

/// With x and y the sequence and what follows it, m rows, s the sigmoid, and h_0 = in_weight x:
///   c_l[t] = c_l[t-1] s(wf h_{l-1}[t] + bf) + s(wi h_l[t-1] + bi) tanh(wc h_l[t-1] + bc)
///   h_l[t] = s(wo h_{l-1}[t] + bo) tanh(c_l[t])
///   p[t] = out_weight h_L[t] + out_bias,   loss = -mean over t, j of y (p - log(2 + sum e^p))
Definition lstm_definition(std::int64_t layers, std::int64_t width);

/// The loss and, where asked for, its gradient: planned once, run often.
class Lstm {
 public:
  Lstm(const LstmInput& input, bool gradient);
  /// The loss; or the gradient, of `main` and then of `extra`, in their order.
  const std::vector<double>& operator()();

 private:
  std::vector<std::string> names_;  ///< of the weights, in the order of `main` and `extra`
  Tensors inputs_, weights_;
  std::unique_ptr<runtime::Planned<double>> planned_;
  std::vector<double> result_;
};

}  // namespace taugrad::gradbench
