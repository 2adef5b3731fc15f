#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "taugrad/graph/graph.h"

namespace taugrad {

/// What one edge (input `slot` of node `user`) adds to the gradient of the node it comes from: a
/// term of eq 19.
struct EdgeContribution {
  NodeId user;
  int slot;
  Var value;
};

struct SweepOptions;

/// Gradients of one loss: nodes on the loss's own tape, like any other.
class Gradients {
 public:
  /// d loss / d v, in the order asked for; zeros of v's shape where nothing flows.
  const Vars& values() const& { return values_; }
  Vars values() && { return std::move(values_); }
  /// @throws Error (U022) beyond what was asked for
  Var operator[](std::size_t i) const;
  /// By label of the variable: "W", "W[3]", "h[2]". @throws Error (G014) if it was not asked for
  Var operator[](std::string_view label) const;
  Var operator[](const Var& v) const { return of(v); }  ///< likewise, by the variable
  Var of(Var v) const;
  std::size_t size() const { return values_.size(); }
  /// for (const auto& [variable, gradient] : gradients)
  class Iterator {
   public:
    Iterator(const Gradients& of, std::size_t i) : of_(&of), i_(i) {}
    std::pair<Var, Var> operator*() const { return {of_->wrt_[i_], of_->values_[i_]}; }
    Iterator& operator++() { return ++i_, *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const Gradients* of_;
    std::size_t i_;
  };
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }
  /// Contributions into an asked node, one for each edge leaving it, in order of use; they sum to
  /// its gradient (a weight's in the opposite order: back through time).
  const std::vector<EdgeContribution>& edges(Var v) const&;
  std::vector<EdgeContribution> edges(Var v) &&;

 private:
  friend Gradients gradient(std::span<const Var>, std::span<const Var>, std::span<const Var>,
                            const SweepOptions&);
  std::size_t place(Var v) const;
  Vars wrt_, values_;
  std::vector<std::string> labels_;
  std::vector<std::vector<EdgeContribution>> edges_;
};

/// Reverse-mode differentiation: appends d(sum over items of loss)/d(wrt) to the loss's tape. Of a
/// per-example variable the gradient is per example; of any other it is summed over the batch.
/// @param loss  a number (rank 0), per example or not
/// @throws Error (G023) if the loss is not a number, or a Var is empty or of another graph
Gradients gradient(Var loss, std::span<const Var> wrt);
Gradients gradient(Var loss, std::initializer_list<Var> wrt);
Var gradient(Var loss, Var wrt);  ///< of one variable, the gradient itself
/// As others call it.
inline Var grad(Var loss, Var wrt) { return gradient(std::move(loss), std::move(wrt)); }
inline Gradients grad(Var loss, std::initializer_list<Var> wrt) {
  return gradient(std::move(loss), wrt);
}
/// Vector-Jacobian product: of sum_i <cotangents[i], outputs[i]>. An empty cotangent means ones.
Gradients gradient(std::span<const Var> outputs, std::span<const Var> cotangents,
                   std::span<const Var> wrt);
Gradients gradient(std::initializer_list<Var> outputs, std::initializer_list<Var> cotangents,
                   std::initializer_list<Var> wrt);

/// Forward mode: tangents of `outputs` when wrt[i] moves along tangents[i]; nodes on the same tape.
Vars tangent(std::span<const Var> outputs, std::span<const Var> wrt, std::span<const Var> tangents);
Vars tangent(std::initializer_list<Var> outputs, std::initializer_list<Var> wrt,
             std::initializer_list<Var> tangents);
Var tangent(Var output, Var wrt, Var tangent);  ///< of one, along one

}  // namespace taugrad
