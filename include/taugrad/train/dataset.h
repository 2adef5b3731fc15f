#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/language/definition.h"
#include "taugrad/train/text.h"

namespace taugrad {

/// The variable of a definition that text goes to, and whether symbol 0 is its end.
struct TextVariable {
  std::string name;   ///< the one indexed category variable with "~" of a definition without inputs
  bool ends = false;  ///< the definition has "ends": {"t": "y[t] == 0"}
  std::int64_t symbols = 0;
};
/// @throws Error (D006) where the definition has inputs, or not exactly one such variable
TextVariable text_variable(const Definition& d);
/// Whether "ends" says that a sequence of this variable ends with symbol 0: y[t] == 0.
bool ends_with_symbol(const Definition& d, const std::string& variable);
/// Whether text_variable would find one.
bool takes_text(const Definition& d);
/// Sets the size that the variable's number of symbols comes from. @throws Error (D006) where no
/// size does
void set_symbols(Definition& d, const TextVariable& variable, std::int64_t symbols);

/// One item of the data: a tensor [index..., shape...] for each variable, and its own lengths.
struct Example {
  Tensors values;
  std::map<std::string, std::int64_t> lengths = {};   ///< by length name
  std::shared_ptr<const std::string> file = nullptr;  ///< where it was read; for messages
  int line = 0;                                       ///< where it begins
  /// Of random variables the places, counted along their indices from 0 and ascending, whose target
  /// is not given (`null`). There the value is absent: 0, or symbol -1; the loss does not count it.
  std::map<std::string, std::vector<std::int64_t>> missing = {};
};
struct StoredItems;
/// What is trained on: the items, in the order of the data. An item's place keys its draws.
struct Dataset {
  std::vector<Example> examples;
  /// Items that stay in their files and are read when they are needed; then there are no examples.
  /// Trainer and evaluate take them, what predicts or draws does not.
  std::shared_ptr<const StoredItems> stored = nullptr;
};

/// Takes the symbol for the end off items that hold nothing else along that length, so that they
/// can go on.
void take_ends_off(const Definition& d, Dataset& data);

/// The words that stand for symbols in data, by category variable or input: symbol k is word k.
using Labels = std::map<std::string, std::vector<std::string>>;
/// {"format": 1, "labels": {"y": ["no", "yes"]}}
std::string to_json(const Labels& labels);
/// @throws Error (G.., D004)
Labels parse_labels(std::string_view json_text, const std::string& file);

/// The items of a text as symbols, with the end symbol appended where the variable ends.
/// @throws Error (D004) for a character that is not in the vocabulary
Dataset text_dataset(const Definition& d, const Corpus& corpus, const Vocabulary& vocabulary);
/// Items from JSON lines: {"x": [[..], ..], "y": [..]}, an object a line; lengths follow from the
/// axes. A bernoulli that "ends" names and the data leaves out is 1 at the last step, 0 before; a
/// length drawn by "~" is the item's own. (language.md R14) `null` is a target that is not given.
/// @throws Error, every bad line told: (G.. for a line that is not such an object; D005 for
/// variables that do not fit the definition; D021 for a null elsewhere; D001 for no line at all)
Dataset json_lines_dataset(const Definition& d, std::string_view text, const std::string& file);

}  // namespace taugrad
