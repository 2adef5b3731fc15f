#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "taugrad/graph/tape.h"

namespace taugrad {

class Tensor;

/// An open step of a graph: it is left where the scope ends, whatever ends it.
class StepScope {
 public:
  ~StepScope();
  StepScope(const StepScope&) = delete;
  StepScope& operator=(const StepScope&) = delete;

 private:
  friend class Graph;
  StepScope(Tape& tape, std::string_view letter, std::int64_t position);
  TapeRef tape_;
  std::size_t depth_;  // of the scopes around it
};

/// A shared handle on a tape; what users build graphs with. To copy it shares the graph: what is
/// added through one is there for all. Another graph is made by `clone` (rewrite/surgery.h). One
/// that was moved from is empty, and its use a usage Error (U021).
class Graph {
 public:
  Graph();
  explicit Graph(TapeRef tape) : tape_(std::move(tape)) {}  ///< that a node is of: Graph(v.tape)

  /// Leaves. A name in the form "x[3]" is position 3 of x. @throws Error (G025) for what is not a
  /// name
  Var input(std::string_view name, const Shape& shape = {});   ///< per example
  Var category(std::string_view name, std::int64_t size);      ///< per example, a symbol 0..size-1
  Var weight(std::string_view name, const Shape& shape = {});  ///< not per example
  /// @param init  as in a definition, "uniform(0.1)": what it is drawn as where no tensor is given.
  /// @throws Error (G010) for an unknown one
  Var weight(std::string_view name, const Shape& shape, std::string_view init);
  Var constant(double value, const Shape& shape = {});  ///< not per example
  Var constant(std::initializer_list<double> values);   ///< a vector; not per example
  Var constant(std::initializer_list<std::initializer_list<double>> rows);  ///< a matrix, likewise
  Var constant(const Tensor& values);  ///< one node a number: for the few that a formula has
  Var zeros(const Shape& shape = {});  ///< per example, as states are before their first step
  Var ones(const Shape& shape = {});   ///< per example

  /// A step of a loop: until the scope ends, nodes belong to position t = 3, `input("x")` is x[3]
  /// and `name(v, "h")` is h[3]; a weight is read through its copy W[3] of that step, made at its
  /// first mention and found again when the step is entered again. Within step("i", 1), a
  /// step("j", 2) is the position [1,2] of i and j.
  ///   for (int t = 1; t <= 3; ++t) {
  ///     const auto step = g.step("t", t);
  ///     h = g.name(tanh(matmul(W, h) + matmul(U, g.input("x", {2}))), "h");
  ///   }
  /// @throws Error (G013) where the letter is open already, (G011) for a position of more than 32
  /// bits, (G025) for a letter that is no name
  [[nodiscard]] StepScope step(std::string_view letter, std::int64_t position);

  /// Names a node `name`, at the position of the open steps; returns the node of that name: v, or
  /// where v has a name already, a copy of it.
  /// "h[3]" is position 3 of h, as below.
  /// @throws Error (G013) where another node has it, (G025) for what is not a name
  Var name(Var v, std::string_view name);
  /// The same at a position of one's own: h[0] is name(v, "h", {0}); {}: none, in a step too.
  Var name(Var v, std::string_view name, std::initializer_list<std::int32_t> index);
  /// The node of that name and index. @throws Error (G014) where there is none, or where the index
  /// has several letters: W[1] in loops over s and over t
  Var at(std::string_view name, std::initializer_list<std::int32_t> index) const;
  /// The node of a text: "loss", "h[3]", "W[t=3]", "#17" by number; within a step "h" is also the
  /// value at its position.
  Var at(std::string_view text) const;

  NodeId size() const { return tape_->size(); }
  Node node(NodeId id) const { return tape_->node(id); }
  Vars weights() const;  ///< the leaves, in the order of the tape
  Vars inputs() const;
  /// for (const Node& n : graph), in the order of the tape. Not to append to it meanwhile.
  class Iterator {
   public:
    Iterator(const Tape& tape, NodeId id) : tape_(&tape), id_(id) {}
    Node operator*() const { return tape_->node(id_); }
    Iterator& operator++() { return ++id_, *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const Tape* tape_;
    NodeId id_;
  };
  Iterator begin() const { return {*tape_, 0}; }
  Iterator end() const { return {*tape_, size()}; }
  Tape& tape() const { return *tape_; }

 private:
  Var name_at(Var v, std::string_view name, IndexId index);
  TapeRef tape_;
};

}  // namespace taugrad
