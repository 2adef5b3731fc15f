#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"

namespace taugrad {

/// What a file says of an item: tensors by name, and what tensors cannot hold.
struct ItemFields {
  Tensors values;
  /// Elements that are not given, ascending; 0 in the tensor.
  std::map<std::string, std::vector<std::int64_t>> nulls = {};
  /// Words in place of numbers, by element ("" where null); the tensor has their axes. Where all
  /// are "nan", "inf" or "-inf" it has these numbers too: a definition says which they are.
  std::map<std::string, std::vector<std::string>> words = {};
};

/// {"x": [[0.5, 1], null], "y": ["a", "b"], "s": 2}
/// @param line  of the file: where the text, a line, stands
/// @param wanted  by name; others are passed over, whatever they hold. Empty: all
/// @throws Error (S013: ragged nesting; G001-G011)
ItemFields item_from_json(std::string_view text, std::string_view file, int line = 1,
                          const std::function<bool(const std::string&)>& wanted = {});

}  // namespace taugrad
