#pragma once

#include <string>
#include <vector>

#include "recurrence/model.h"
#include "taugrad/graph/graph.h"

namespace taugrad {

/// What an expression's node is while its template is recorded.
struct Value {
  Var var = {};                ///< empty: a bare number
  bool is_number = false;      ///< a number made of numbers, sizes and constants
  double number = 0;
  std::int64_t category = -1;  ///< number of symbols; -1: numbers
};

/// Records one expression on a tape: a block, and nested blocks for the reductions inside.
class BlockCompiler {
 public:
  /// @param tape    the model's scratch tape, or a throw-away one
  /// @param blocks  where blocks go
  BlockCompiler(const Model& model, Tape& tape, std::vector<Block>& blocks) : model_(model), tape_(tape), blocks_(blocks) {}

  /// Opens a block. Letters may be read as positions inside.
  int open(std::vector<int> letters);
  /// Records an expression into the open block and returns its value.
  Value expression(const Ast& ast);
  /// The value as a tensor on the tape (a bare number becomes a constant).
  Var tensor(const Value& v);
  /// Closes the block with these roots; returns the numbers of the reduction blocks inside, nested ones included.
  std::vector<int> close(const std::vector<Var>& roots);

 private:
  friend class Calls;
  struct Frame {
    int block;
    std::vector<int> letters;
  };

  std::vector<Value> record(const Ast& ast, int root);
  Value node(const Ast& ast, const AstNode& n, const std::vector<Value>& values);
  Value read(const AstNode& n);
  Value read_symbol(int symbol, const AstNode& n, Slot::Kind kind);
  Value letter_or_length(const AstNode& n);
  Value binary(const AstNode& n, const Value& a, const Value& b);
  Value product(const AstNode& n, const Value& a, const Value& b);
  Value reduction(const Ast& ast, const AstNode& n);
  Value conv(const Ast& ast, const AstNode& n, const Value& kernel, int dilation);
  std::vector<At> places(const AstNode& n, const Symbol& symbol);
  Var slot(Slot s, const Shape& shape, bool per_example, std::int64_t category);
  void numeric(const Value& v, const AstNode& n) const;
  void flush();  // nodes appended since the last flush belong to the open block

  const Model& model_;
  Tape& tape_;
  std::vector<Block>& blocks_;
  std::vector<Frame> frames_;
  NodeId flushed_ = 0;
  std::vector<int> reductions_;
};

}  // namespace taugrad
