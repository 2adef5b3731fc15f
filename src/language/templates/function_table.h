#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "language/templates/block_compiler.h"

namespace taugrad {

class Calls;

/// What a function does with the shapes of its arguments.
enum class Effect {
  alike,            ///< that of the first
  last_axis,        ///< that of the first, which is no number
  along_axis,       ///< the same, along `axis`
  reduced,          ///< a number, or without the axis
  reduced_or_pair,  ///< of one argument reduced, of two broadcast
  number,
  partial,  ///< of two arguments: that of the second, of a number (grad)
  broadcast,
  normalize,  ///< broadcast; the first is no number
  permute,
  concat,
  stack,
  slice,
  reshape,
  embed,
  one_hot,
  filled,
  square,
  element,
  symbol,
  outer,
  matvec,
  vecdot,
  solve,
  logdet,
  taps
};

/// Arguments that are known beforehand and named: axis=1.
enum Named : unsigned {
  kNoName = 0,
  kAxisName = 1,
  kKeepName = 2,
  kEpsName = 4,
  kDilationName = 8
};

/// A function of the language: all that is known of it stands in its row. (R10, R16)
struct Function {
  static constexpr int kMany = 4096;
  std::string_view name;
  int least, most;  ///< arguments without a name; kMany: any number
  Effect effect;
  Value (*build)(const Calls&);  ///< null: it does not only compute (conv, nll)
  std::string_view usage, about;
  unsigned named = kNoName;
  bool over_index = false;  ///< name[t](..) goes over an index
  bool given_up = false;    ///< a definition's own function of that name comes first (R16)
  int sizes_from = kMany;   ///< arguments from here on are known beforehand
  int symbol = -1;          ///< argument that is a category
  bool matrix = false;      ///< the first argument is a matrix where nothing else tells
};

std::span<const Function> functions();
/// The function of that name, or null.
const Function* find_function(std::string_view name);
/// "axis", ..: the bit of a name, or 0.
Named named_argument(std::string_view name);
std::vector<std::string> named_arguments(unsigned bits);

}  // namespace taugrad
