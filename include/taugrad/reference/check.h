#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"
#include "taugrad/graph/op.h"

namespace taugrad {

/// How a derivative is measured, in f64.
enum class Method {
  complex_step,  ///< Im f(x + ih) / h: no difference is taken, agrees to 1e-12
  central,       ///< 4-point differences, with a second step as error estimate
};

/// What a check is going to take, by the time of its first runs.
struct CheckEstimate {
  std::int64_t entries = 0;  ///< of all variables
  std::int64_t planned = 0;  ///< comparisons: entries, and directions where not every entry fits
  double every_entry = 0;    ///< seconds that all entries would take
};

/// What a check may take, what it spoils, and whom it tells.
struct CheckControl {
  std::int64_t max_runs = 20'000;  ///< every entry is checked where that takes no more runs
  /// What the check may take: where every entry would take longer, entries are sampled in an order
  /// that the seed tells until the time is over. 0: no limit, and the same entries everywhere.
  double seconds = 0;
  /// Spoils one vjp, by 1 %, to see the check fail: the name of an op ("tanh") or of a node
  /// ("h[2]", "h"); of several nodes the one that most of the gradient passes through.
  std::string perturb = {};
  std::size_t faults = 3;  ///< ops that a failed check names, at most
  /// Called once, before the first comparison.
  std::function<void(const CheckEstimate&)> estimate = {};
  /// Called after each comparison with how many are done, and of how many.
  std::function<void(std::int64_t, std::int64_t)> progress = {};
};

struct CheckOptions {
  Method method = Method::complex_step;
  int order = 1;  ///< 2: the gradient of <g, v>, g the gradient and v a fixed random direction
  std::uint64_t seed = 1;  ///< of directions and of the sample of entries
  CheckControl control = {};
};

/// Where the derivatives are taken: the batch and the value of every leaf that is given.
struct CheckPoint {
  BatchContext batch = {};
  std::int64_t items = 1;
  std::vector<std::pair<Var, std::vector<double>>> leaves =
      {};  ///< [items of its extent, shape...]
};

/// One comparison: an entry of a variable's gradient, or its derivative along a direction.
struct CheckedEntry {
  std::int64_t element = -1;  ///< flat in [items of its extent, shape...]; -1: along a direction
  double analytic = 0;
  double numeric = 0;
  double error = 0;  ///< |analytic - numeric|; infinite where one is not a number
  bool ok = true;
  bool kink = false;    ///< at or near a kink (abs at 0, max of equals): nothing is judged
  bool hidden = false;  ///< rounding on the way is as large as the derivative: nothing is proven
  bool unmeasured = false;  ///< no step is short enough to measure it: nothing is proven
  bool judged() const { return !kink && !hidden && !unmeasured; }
};

struct VariableCheck {
  Var variable;
  std::string name;                 ///< label: "W", "W[3]", "h[2]"
  std::int64_t entries = 0;         ///< elements it has
  std::int64_t checked = 0;         ///< elements compared one by one
  std::int64_t kinks = 0;           ///< entries at or near a kink, which are not judged
  std::string kink_at;              ///< of the first of them: label of the node that bends
  std::int64_t hidden = 0;          ///< entries that rounding does not let anyone tell from 0
  std::int64_t unmeasured = 0;      ///< entries so near to a pole that no step is short enough
  double largest = 0;               ///< |derivative|, of all that was proven
  CheckedEntry worst;               ///< the failed entry, or the passed one, of the largest error
  std::vector<std::int64_t> index;  ///< of `worst`: axes of one example
  std::int64_t item = -1;           ///< of `worst`: row of the batch; -1 where not per example
  bool along_direction = false;     ///< a derivative along a random direction was compared too
  bool ok = true;
};

/// A value that is not finite though all that it is computed from is.
struct NotFinite {
  NodeId node = -1;
  std::string label;       ///< "h[2]", "h[2] (log)": it names the step
  std::string op;          ///< "log"
  std::int64_t item = -1;  ///< row of the batch; -1 where not per example
  double value = 0;        ///< an infinity or NaN
  std::string of;          ///< what it makes useless: "the loss", "the gradient of x[2]"
  std::string text() const;
};

/// An op whose vjp disagrees with complex step of its own forward rule: also one that is not finite
/// where the step is.
struct OpFault {
  NodeId node = -1;
  std::string op;     ///< "tanh"
  std::string label;  ///< the node: "h[3]", "h[3] (tanh)": it names the step
  int input = 0;      ///< whose cotangent is wrong
  std::string input_label;
  CheckedEntry entry;                    ///< the worst
  std::vector<std::int64_t> index = {};  ///< of `entry`: axes of one example of the input
  std::int64_t item = -1;  ///< row of the batch; -1 where the input is not per example
};

/// The node whose vjp was spoiled on purpose.
struct Perturbed {
  NodeId node = -1;
  std::string op, label;
};

struct CheckReport {
  std::vector<VariableCheck> variables;  ///< in the order asked for
  Method method = Method::complex_step;
  int order = 1;
  std::int64_t entries = 0, checked = 0;  ///< over all variables
  std::int64_t directions = 0;            ///< variables with a derivative along a direction
  /// Along a random direction of all variables at once: where there are more variables than the
  /// limits allow runs.
  std::optional<CheckedEntry> together;
  std::int64_t runs = 0;        ///< evaluations of the loss
  bool out_of_time = false;     ///< CheckControl::seconds ended it
  std::vector<OpFault> faults;  ///< where it failed: the ops that it fails by
  std::optional<Perturbed> perturbed;
  /// Where a loss or a derivative is no number, nothing can be checked; the first such node.
  std::optional<NotFinite> not_finite;
  bool sampled() const { return checked < entries; }
  bool ok() const;
  std::int64_t kinks() const;
  std::int64_t hidden() const;
  std::int64_t unmeasured() const;
  /// No derivative was other than 0, as where there is no step, or all are at a kink, hidden by
  /// rounding or not measured: nothing disagrees, and nothing is proven.
  bool vacuous() const;
  /// The variable whose worst entry is worst of all, one that was not judged last; null where
  /// nothing was checked.
  const VariableCheck* worst() const;
};
/// A line for each variable, what was covered, the worst entry, and the verdict.
std::ostream& operator<<(std::ostream& out, const CheckReport& r);

/// Compares the gradient of a loss, as `gradient` emits it, with numeric derivatives. Variables are
/// leaves or any other nodes (a copy W(t), a state h[t]): of those, the derivative of what follows.
/// Complex step: |a - n| <= 1e-12 max(|a|, |n|); central: 1e-7 max(|a|, |n|) and the error that
/// two steps tell of; and what rounding may do to either on the way, found by moving every number
/// of the graph by it. The scale of a loss is no part of that: where a complex step underflows, or
/// is long beside what it moves, other steps are taken. At a kink nothing is judged: both sides
/// have a derivative of their own. Where not all entries fit into max_runs or seconds, the
/// derivative along a random direction through every variable is checked, and then an even sample
/// of the entries. A failed check says by which ops (find_faults). Appends the gradient's nodes to
/// the tape.
/// @param loss  a number, per example (then summed over the items) or not
/// @throws Error (G023) for a loss that is no number, an order other than 1 or 2; (U002) where
/// `perturb` is neither an op nor a node here, or no gradient passes through it
CheckReport check_gradients(Var loss, std::span<const Var> variables, const CheckPoint& point,
                            const CheckOptions& options = {});

/// Says which rule a failed check comes from: every op that the loss depends on the variables
/// through is checked by itself, at the values that it has there. Tape order; stops after `limit`.
std::vector<OpFault> find_faults(Var loss, std::span<const Var> variables, const CheckPoint& point,
                                 std::size_t limit = 10);

}  // namespace taugrad
