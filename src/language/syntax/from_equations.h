#pragma once

#include <string>

#include "language/syntax/ast.h"
#include "taugrad/language/definition.h"

namespace taugrad {

/// "loss = .." and "ends = ..": no variables, but what a file says beside its equations.
struct EquationSection {
  std::string name;
  Text text;  ///< right of the sign
  Ast ast;
};

/// @throws Error (E004) where it has an index or is drawn
EquationSection section_from(ParsedEquation e);
/// `ends`, of the one index that it reads. @throws Error (E013) where that is no one, or said twice
void add_end(Definition& d, const EquationSection& s);
/// Says what each name was taken for, in the definition's notes.
void add_notes(Definition& d);

}  // namespace taugrad
