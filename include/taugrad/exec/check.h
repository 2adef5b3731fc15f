#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "taugrad/recurrence/definition.h"
#include "taugrad/recurrence/mode.h"
#include "taugrad/reference/check.h"

namespace taugrad {

struct DefinitionCheckOptions {
  std::int64_t steps = 4;
  std::map<std::string, std::int64_t> lengths = {};
  std::int64_t batch = 2;
  Method method = Method::complex_step;
  int order = 1;  ///< 2: Hessian-vector products
  std::uint64_t seed = 1;
  Modes modes = {};  ///< draws stay the same throughout; where a normal has no pathwise gradient U002
  std::int64_t max_runs = 20'000;  ///< every entry is checked where that takes no more runs
  std::function<void(std::int64_t, std::int64_t)> progress = {};  ///< as in CheckOptions
};

/// Proves the gradients of a definition numerically, in f64: of every weight, every copy W^(t) and every numeric input,
/// on inputs and weights drawn from `seed`. Without a loss, of a fixed random cotangent on every variable (R13).
/// @throws Error for an unsound definition or lengths it cannot be unfolded to
CheckReport check(const Definition& d, const DefinitionCheckOptions& options = {});

}  // namespace taugrad
