#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "taugrad/base/shape.h"
#include "taugrad/language/definition.h"

namespace taugrad {

/// What a definition holds, after imports and functions are expanded and shapes inferred.
struct DefinitionSummary {
  struct Entry {
    std::string name;            ///< "x[t]", "W", "h[t]"
    std::string kind;            ///< input, weight, variable, random
    Shape shape;                 ///< of one example
    std::int64_t category = -1;  ///< number of symbols; -1: numbers
    bool per_example = true;
    std::string detail;  ///< the distribution, the init, "one for each position"
  };
  std::string name, about;
  std::vector<std::string> indices;  ///< "t = 1..tau"
  std::vector<Entry> entries;
  std::vector<std::string> equations;  ///< as expanded: the text each came from
  std::int64_t parameters =
      0;  ///< of weights that every position shares; independent of the lengths
  std::int64_t parameters_per_step = 0;  ///< of untied weights, for each position
};

/// @throws Error with all that the definition has wrong; unused weights and inputs too unless
/// allowed
DefinitionSummary describe(const Definition& d, bool allow_unused = true);
std::string to_text(const DefinitionSummary& s);
std::string to_json(const DefinitionSummary& s);

}  // namespace taugrad
