#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/analysis/flow.h"

namespace taugrad {

/// How far along one index a variable sees the other: o[t] depends on x[t-back] .. x[t+ahead].
/// Negative: that end of what it sees lies on the other side of t.
struct Reach {
  std::string index;  ///< "t", the letter of the influenced variable
  std::int64_t back = 0, ahead = 0;
};

/// How strongly each position of one variable or input moves each position of another.
struct InfluenceReport {
  std::string name, of, from;  ///< d `of` / d `from`
  std::int64_t items = 0;
  MatrixNorm norm = MatrixNorm::spectral;
  std::vector<std::vector<std::int32_t>> of_positions = {}, from_positions = {};
  /// [p][q]: |d of(p) / d from(q)|, mean over the items that have both
  std::vector<std::vector<double>> influence = {};
  std::int64_t sees = 0;  ///< most positions q that one p depends on: its receptive field
  /// For each index where both have the same length; empty otherwise.
  std::vector<Reach> reach = {};
  /// By offset k - t, from 1 - tau to tau - 1: mean over all pairs inside. Of variables with one
  /// index of the same length.
  std::vector<double> profile = {};
  std::int64_t parameters = 0;  ///< elements of the weights that `of` reads
  /// Floating-point operations that give `of` at all positions of one item, weights' own included.
  std::int64_t operations = 0;
};

/// Receptive field, sensitivity profile and cost of a variable, in f64: what recurrence and
/// convolution are compared by. `inputs` and `weights` as for `run`; what is empty is drawn.
/// A position counts as seen where its derivative is not exactly 0.
/// @throws Error (U002) where `of` or `from` is not a name of the definition with numbers, or what
/// `from` names is a weight; those of `run`
InfluenceReport influence(const Definition& d, const Tensors& inputs, const Tensors& weights,
                          const std::string& of, const std::string& from,
                          const FlowOptions& options = {});

/// JSON, format "taugrad-influence" version 1 (docs/flow.md).
std::string to_json(const InfluenceReport& report);

}  // namespace taugrad
