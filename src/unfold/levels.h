#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {

/// A circle of equations whose order data tell, and nothing else: the nodes of trees. Its steps are
/// nodes; level 1 are those that read none of them, level l those that read one of level l - 1 and
/// none above. All nodes of a level, of all items, can run together.
struct LevelCircle {
  int index = -1;                    ///< number of the index that its steps count
  std::vector<int> rules = {};       ///< numbers of its equations
  std::vector<int> boundaries = {};  ///< by symbol: the equation of its position 0, or -1
  std::vector<int> positions = {};   ///< the inputs that say what a node reads
};

/// The circle of a model that can run level by level: of one index and one length, all equations
/// general (but for h[0] = ..), references inside at h[left[t]] and at v[t] only, no draws, no
/// reductions, no weights with an index. Nothing where there is none, or more than one.
std::optional<LevelCircle> level_circle(const ResolvedModel& model);

/// The graph of a model whose circle stands by levels instead of by steps. The values of its
/// variables are rows taken out of the levels, so that gradients of them, and of copies of weights
/// by position, are not to be had. Leaves "rows:left"[l] say what the rows of level l read,
/// "steps:t"[l] which step and item each is, "levels:t"[t] at which level and row a step stands:
/// evaluate/leaves/level_rows.h makes them.
Unfolded unfold_by_levels(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& options,
                          const LevelCircle& circle, std::int64_t levels);

/// Names of those leaves.
inline std::string rows_leaf(const std::string& positions) { return "rows:" + positions; }
inline std::string steps_leaf(const std::string& letter) { return "steps:" + letter; }
inline std::string levels_leaf(const std::string& letter) { return "levels:" + letter; }

}  // namespace taugrad
