#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/workload.h"
#include "runtime/profile.h"
#include "taugrad/runtime/executor.h"

namespace taugrad::cli {

struct BenchmarkOptions {
  EngineOptions engine = {};
  bool f64 = false;
  double ms = 2000;    ///< for each figure
  bool limit = false;  ///< nothing but the matrix products
  bool profile = false;
  bool checkpoint = false;  ///< values are computed again for the gradient
};

/// Single runs, after warm-up.
struct Timing {
  double median = -1, least = -1;  ///< milliseconds; -1: not measured
  int runs = 0;
};

struct BenchmarkResult {
  std::string peer, workload;
  int threads = 1;
  Timing forward, step;  ///< step: forward, loss and the gradients of all weights
  double peak_mb = 0, base_mb = 0;
  std::int64_t steps = 0, tokens = 0, nodes = 0, plan_steps = 0;
  /// From the definition to the first result, as once for any number of runs.
  double prepare_ms = 0;
  double first_run_ms = 0;  ///< of that the run itself, of memory that nobody has touched yet
  double plan_ms = -1;      ///< the plan once more, as for another length; -1: without a loss
  bool by_law = false;      ///< the plan goes on as those of short sequences do
  double gflop = 0, gflop_forward = 0;  ///< of matrix products
  /// Of bf16 against f32: largest difference of loss and gradients, relative to the largest number
  /// of the same tensor; -1: not measured.
  double loss_error = -1, gradient_error = -1;
  std::vector<runtime::ProfileRow> profile;
  double profiled_ms = 0;  ///< what the profile's rows add up to
};

/// Measures one workload. @throws Error where it does not run
BenchmarkResult measure(const Workload& w, const BenchmarkOptions& o);

/// One line of JSON.
std::string json_line(const BenchmarkResult& r);
/// The same for people.
std::string table_head();
std::string table_line(const BenchmarkResult& r);
std::string profile_table(const BenchmarkResult& r);

}  // namespace taugrad::cli
