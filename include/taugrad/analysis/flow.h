#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/runtime/executor.h"

namespace taugrad {

enum class MatrixNorm {
  spectral,   ///< largest singular value
  frobenius,  ///< root of the sum of squares
};

/// What becomes of a gradient over the whole length.
enum class FlowVerdict {
  none,       ///< nothing flows from position to position
  vanishing,  ///< less than a tenth of it is left
  stable,
  exploding,  ///< it grows more than tenfold
};
std::string to_text(FlowVerdict v);

/// One variable that hands something from position to position.
struct VariableFlow {
  std::string name;
  /// [t]: |dL/dh(t)|, mean over the items                                          (eq 18-20)
  std::vector<double> gradient = {};
  /// [t][k]: |dh(t)/dh(k)|, mean over the items; 0 where no path leads from k to t    (eq 19)
  std::vector<std::vector<double>> jacobian = {};
  std::vector<double> by_lag = {};  ///< [|t - k|]: geometric mean of the entries that are not 0
  double rate = 0;  ///< factor by which by_lag moves a step, fitted to its later half
  FlowVerdict verdict = FlowVerdict::none;
};

/// One weight: the gradient of each of its copies, summed over the items.              (eq 24-25)
struct WeightFlow {
  std::string name;
  std::vector<std::pair<std::string, double>> copies = {};  ///< "W[3]", |dL/dW(3)| (Frobenius)
  double total = 0;                                         ///< |dL/dW|
};

struct FlowReport {
  std::string name;
  std::int64_t steps = 0, items = 0;
  MatrixNorm norm = MatrixNorm::spectral;
  std::vector<VariableFlow> variables = {};
  std::vector<WeightFlow> weights = {};
};

struct FlowOptions {
  std::int64_t steps = -1;  ///< where no tensor tells; default 20
  std::map<std::string, std::int64_t> lengths = {};
  std::int64_t batch = 1;  ///< of drawn inputs
  std::uint64_t seed = 0;  ///< of what is drawn
  MatrixNorm norm = MatrixNorm::spectral;
  std::vector<std::string> variables = {};  ///< empty: all that hand something on, with one index
  std::string loss = {};      ///< of a graph: the node that is its loss; empty: as loss_of finds it
  EngineOptions engine = {};  ///< in full precision: flow is measured in f64
  /// Told now and then: rows of Jacobians that are measured, of how many.
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};
};

/// How a gradient travels through time: the norms of dL/dh(t), of dL/dW(t) for every copy, and of
/// the Jacobians dh(t)/dh(k), in f64. All paths count, also those through other variables. `inputs`
/// and `weights` as for `run`; what is empty is drawn. Without a loss L is a random combination of
/// all variables (R13).
/// @throws Error (G028) without a variable of one index that hands something on, those of `run`
FlowReport flow(const Definition& d, const Tensors& inputs, const Tensors& weights,
                const FlowOptions& options = {});
/// The same of a graph: its variables are the names with one index, its positions h[1], h[2], ..;
/// the copies of a weight are the shares that the readers of each step have in its gradient. Not of
/// a graph: steps, lengths. @throws Error (U002, U007, G028, D010-D016)
FlowReport flow(const Graph& graph, const Tensors& inputs, const Tensors& weights,
                const FlowOptions& options = {});

/// The slope of log |J| by lag, fitted to the later half of the lags that are not 0, as a factor a
/// step; 0: there are none.
double rate_of(const std::vector<double>& by_lag);
/// What that comes to over all lags.
FlowVerdict verdict_of(const std::vector<double>& by_lag, double rate);

/// JSON, format "taugrad-flow" version 1 (docs/flow.md).
std::string to_json(const FlowReport& report);

/// The way of a gradient through one batch, at the price of a few runs: what training watches.
struct StateFlow {
  std::string name;
  std::vector<double> gradient = {};  ///< [t]: |dL/dh(t)|, mean over the items that have t
  /// [lag]: |v^T dh(tau)/dh(tau - lag)| for one random direction v of each item; geometric mean of
  /// what is not 0. Of a variable that runs backward, from position 1 on.
  std::vector<double> by_lag = {};
  double rate = 0;  ///< factor by which by_lag moves a step
  FlowVerdict verdict = FlowVerdict::none;
};

/// As `flow`, without the Jacobians: one run for dL/dh(t) and one or two for each variable.
std::vector<StateFlow> state_flow(const Definition& d, const Tensors& inputs,
                                  const Tensors& weights, const FlowOptions& options = {});

/// Forward mode beside reverse mode: real-time recurrent learning carries dh(t)/dW along and needs
/// no memory of the past; back-propagation through time goes back once.
struct RtrlReport {
  double difference = 0;        ///< largest |RTRL - BPTT| of an entry of a gradient, NaN of any NaN
  double largest = 0;           ///< largest entry of a gradient; likewise
  std::int64_t parameters = 0;  ///< entries: forward mode runs once for each
  std::int64_t forward_nodes = 0, tangent_nodes = 0, gradient_nodes = 0;  ///< of the graphs
  std::int64_t forward_operations = 0;                                    ///< of the loss alone
  std::int64_t bptt_operations = 0;  ///< of the loss and its gradient
  std::int64_t rtrl_operations = 0;  ///< of the loss and its derivative to every parameter
};
RtrlReport rtrl(const Definition& d, const Tensors& inputs, const Tensors& weights,
                const FlowOptions& options = {});

}  // namespace taugrad
