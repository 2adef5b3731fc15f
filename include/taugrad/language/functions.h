#pragma once

#include <string_view>
#include <vector>

namespace taugrad {

/// A function of equations, for people.
struct FunctionText {
  std::string_view name;   ///< "softplus"
  std::string_view usage;  ///< "softplus(a)"
  std::string_view about;  ///< "ln(1 + e^a)"
  bool over_index;         ///< name[t](..) goes over an index
};
std::vector<FunctionText> function_texts();

}  // namespace taugrad
