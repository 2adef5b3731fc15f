#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "taugrad/language/definition.h"
#include "taugrad/train/dataset.h"

namespace taugrad::cli {

/// Where the data of a training come from.
struct DataSource {
  std::vector<std::string> files;
  std::string split;            ///< of text; empty: line
  std::int64_t max_length = 0;  ///< longer items are left out; 0: none
};

/// What was read: the items, and for text its vocabulary.
struct TrainingData {
  Dataset data;
  std::optional<Vocabulary> vocabulary;
  std::string digest;
};

/// Reads text where the definition takes text and the files are not .jsonl, else JSON lines. The
/// size that the number of symbols comes from is set in `d`. Says what was read and left out.
/// @param vocabulary  of a trained model; null: it is made from the text
/// @throws Error (C003) on text for a model without vocabulary
TrainingData read_training_data(Definition& d, const DataSource& source,
                                const std::optional<Vocabulary>* vocabulary,
                                const Context& context);
/// Whether these data are read as text.
bool reads_text(const Definition& d, const DataSource& source);

}  // namespace taugrad::cli
