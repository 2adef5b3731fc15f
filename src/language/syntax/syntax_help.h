#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "language/syntax/ast.h"

namespace taugrad {

/// What would mend an equation that cannot be read, where it is how other notations write: Python,
/// LaTeX, C, mathematics. Empty where nothing is known.
/// @param column  of the token or character that cannot stand there, in bytes
/// @param wanted  what was expected: "')'", "'='", "a number, a name or '('"; empty: no character
///                of equations at all
std::string syntax_help(std::string_view text, std::size_t column, std::string_view wanted = {});

/// What would mend a call of a function that there is not: `h(t-1)` of a variable or of an index,
/// another library's name, a misspelt one. @param variable  whether a variable has that name
/// @param is_index  whether a name is an index, so that `x(t)` is x at t
std::string unknown_function_help(const Ast& ast, const AstNode& call, bool variable,
                                  const std::function<bool(const std::string&)>& is_index);

/// What the function of another library is called here: "np.tanh", "dot", "softplus"; or empty.
std::string function_help(std::string_view name);

/// "V.T": a transposed matrix, or another dotted name that is no import's; or empty.
std::string dotted_help(std::string_view name);

}  // namespace taugrad
