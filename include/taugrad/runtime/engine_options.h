#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace taugrad {

/// Of the operands of products. `bf16`: rounded to bfloat16 (8 significant bits), those of the
/// gradient's products too; sums, weights and all else stay in f32.
enum class Precision { full, bf16 };

/// How the engine works, whatever is asked of it: part of the options of everything that runs a
/// graph.
struct EngineOptions {
  std::size_t max_memory = 0;  ///< bytes; 0: 80 % of free memory, within the address space limit
  int threads = 0;             ///< 0: as many as there are cores to run on; at most 1024, and as
                               ///< many as the system lets start. The bits are the same
  std::vector<std::string> without = {};  ///< passes to leave out, by the names of `show --plan`
  Precision precision = Precision::full;  ///< bf16 in f32 only
  /// Steps that a recurrence which is linear in its state runs at once, as products of matrices; 0:
  /// one after another. Of whole sequences of a definition, in `run`, Trainer and `evaluate`; what
  /// runs in segments, windows or step by step goes on as it does. Values agree to rounding.
  std::int64_t chunk = 0;
};

}  // namespace taugrad
