#pragma once

#include <string>
#include <vector>

#include "language/syntax/ast.h"

namespace taugrad {

struct Token {
  enum class Kind { number, name, sign, end };
  Kind kind = Kind::end;
  std::string text;
  double number = 0;
  int column = 0;
  int length = 0;
};

/// Splits an equation into tokens, the last of kind end. @throws Error (E001) on a stray character
/// or a malformed number
std::vector<Token> tokenize(const Text& text);

}  // namespace taugrad
