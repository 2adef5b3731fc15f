#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// What an expression's node is while its template is recorded.
struct Value {
  Var var = {};            ///< empty: a bare number
  bool is_number = false;  ///< a number made of numbers, sizes and constants
  double number = 0;
  std::int64_t category = -1;  ///< number of symbols; -1: numbers
};

/// Records one expression on a tape: a block, and nested blocks for the reductions inside.
class BlockCompiler {
 public:
  /// @param tape    the model's scratch tape, or a throw-away one
  /// @param blocks  where blocks go
  BlockCompiler(const ResolvedModel& model, Tape& tape, std::vector<Block>& blocks)
      : model_(model), tape_(tape), blocks_(blocks) {}

  /// Opens a block. Letters may be read as positions inside.
  int open(std::vector<int> letters);
  /// Records an expression into the open block and returns its value.
  Value expression(const Ast& ast);
  /// The value as a tensor on the tape (a bare number becomes a constant).
  Var tensor(const Value& v);
  /// Closes the block with these roots; returns the numbers of the reduction blocks inside, nested
  /// ones included.
  std::vector<int> close(const std::vector<Var>& roots);

 private:
  friend class Calls;
  struct Frame {
    int block;
    std::vector<int> letters;
  };
  /// Records an expression into the block that is open when it is called.
  using Recorder = std::function<Value()>;
  /// A reduction in the open block, and what it reduces.
  struct Reduced {
    NodeId leaf;
    std::string kind;
    std::vector<int> over;
    Recorder body;
    AstNode at;
  };

  std::vector<Value> record(const Ast& ast, int root);
  Value node(const Ast& ast, const AstNode& n, const std::vector<Value>& values);
  Value read(const Ast& ast, const AstNode& n);
  Value read_symbol(const Ast& ast, int symbol, const AstNode& n, Slot::Kind kind);
  Value letter_or_length(const AstNode& n);
  int index_called(const std::string& letter, const AstNode& n) const;  ///< @throws Error (G014)
  Value binary(const AstNode& n, const Value& a, const Value& b);
  Value product(const AstNode& n, const Value& a, const Value& b);
  Value reduction(const Ast& ast, const AstNode& n);
  Var reduced(const std::string& kind, const std::vector<int>& over, const Recorder& body,
              const AstNode& n);
  std::vector<At> places(const Ast& ast, const AstNode& n, const Symbol& symbol);
  Var slot(Slot s, const Shape& shape, bool per_example, std::int64_t category);
  void numeric(const Value& v, const AstNode& n) const;

  // block_convolution.cpp
  Value conv(const Ast& ast, const AstNode& n, const Value& kernel, int dilation);

  // block_gradient.cpp: grad(e, v) (R18)
  Value grad(const Ast& ast, const AstNode& n);
  int differentiable(const Ast& ast, const AstNode& v);
  void check_differentiable(const Ast& ast, int root, const AstNode& v, int symbol) const;
  bool is_per_example(const Ast& ast, int root) const;
  Var partial(const Recorder& f, const Recorder& seed, const Recorder& v);
  Var cotangent(const Recorder& f, const Recorder& seed, std::size_t reduction);
  Var through(const Reduced& r, const Recorder& bar, const Recorder& v);
  Var weight_of_term(const Reduced& r, Var term);
  Var first_of_equal(const Reduced& r, Var term, Var all);
  Var number_of_term(const std::vector<int>& over);
  std::vector<int> letters_under(Var v) const;
  bool flows(Var from, Var to) const;
  Var lifted(const Slot& slot, Var leaf);
  void prune(int block);

  void flush();  // nodes appended since the last flush belong to the open block

  const ResolvedModel& model_;
  Tape& tape_;
  std::vector<Block>& blocks_;
  std::vector<Frame> frames_;
  NodeId flushed_ = 0;
  std::vector<int> reductions_;
  std::vector<Reduced>* seen_ = nullptr;         ///< reductions of what is being differentiated
  std::vector<Slot> lifted_;                     ///< shared leaves that are read per example
  std::map<std::pair<int, NodeId>, Var> lifts_;  ///< by block and leaf
  bool differentiated_ = false;                  ///< blocks may hold nodes that nothing needs
};

}  // namespace taugrad
