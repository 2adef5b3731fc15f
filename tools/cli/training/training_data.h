#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "taugrad/language/definition.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/model_folder.h"
#include "train/data/raw_items.h"

namespace taugrad::cli {

/// Where data come from, and how their files are read.
struct DataSource {
  std::vector<std::string> files;
  DataOptions reading = {};
  Tokens tokens = Tokens::chars;     ///< of a text whose vocabulary is made from it
  bool unknown = false;              ///< with a symbol for other tokens
  std::int64_t min_count = 1;        ///< rarer tokens are that symbol
  std::string vocabulary = {};       ///< a file of tokens; empty: those of the text
  bool columns_of_training = false;  ///< columns: targets need not be in the table
};

/// --data, with --column and --ignore-unknown.
void add_data(Command& c, DataSource& source, std::string help);
/// --tokens, --unknown, --min-count, --vocabulary: of a training.
void add_tokens(Command& c, DataSource& source);

/// What was read: the items, and what names their symbols.
struct TrainingData {
  Dataset data;
  std::optional<Vocabulary> vocabulary;
  Labels labels;
  std::string digest;
};

/// Reads text where the definition takes text and the files are not items, else items: JSON lines,
/// tables, safetensors. The sizes that numbers of symbols come from are set in `d`. Says what was
/// read and left out.
/// @param trained  the model whose symbols they are; null: they are found in the data
/// @throws Error (C003) on text for a model without vocabulary
TrainingData read_training_data(Definition& d, const DataSource& source,
                                const TrainedModel* trained, const Context& context);
/// Items of which something may be left out.
PredictData read_items(const TrainedModel& trained, const DataSource& source, MayLack may_lack,
                       const Context& context);
/// Whether these data are read as text.
bool reads_text(const Definition& d, const DataSource& source);

/// What a symbol of a text is in words: "char", "byte", "word"; empty without a vocabulary.
std::string unit_of(const std::optional<Vocabulary>& vocabulary);

}  // namespace taugrad::cli
