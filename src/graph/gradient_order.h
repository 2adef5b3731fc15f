#pragma once

#include <string_view>
#include <vector>

#include "taugrad/graph/graph.h"

/// Which derivative a node is a part of: 0 none, 1 a gradient, 2 a gradient through nodes of a
/// gradient, and so on. Told by who appends the nodes, for names do not: a second gradient reads
/// what the first is made of as the gradients of one pass read each other.
namespace taugrad {

/// The largest that is told apart, and written to files.
inline constexpr int kMostOrder = 9;

int gradient_order(const Tape& tape, NodeId id);
/// Of every node.
std::vector<char> gradient_orders(const Tape& tape);
/// Whether any node is a part of a derivative.
bool has_gradient_orders(const Tape& tape);

/// What is appended from now on is a part of such a derivative. @param order  0..kMostOrder
void set_gradient_order(Tape& tape, int order);

/// Of all nodes anew, one entry each.
void set_gradient_orders(Tape& tape, const std::vector<char>& orders);

/// The same as set_gradient_order while it lives; then the order is as before.
class GradientOrderScope {
 public:
  GradientOrderScope(Tape& tape, int order);
  ~GradientOrderScope() { set_gradient_order(tape_, before_); }
  GradientOrderScope(const GradientOrderScope&) = delete;
  GradientOrderScope& operator=(const GradientOrderScope&) = delete;

 private:
  Tape& tape_;
  int before_;
};

/// The node would be what the text says, "grad:W[3]", were that not taken: Tape::know_as.
void know_as(Tape& tape, NodeId id, std::string_view text);

}  // namespace taugrad
