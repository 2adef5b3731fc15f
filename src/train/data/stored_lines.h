#pragma once

#include <memory>
#include <string>
#include <vector>

#include "train/data/stored_items.h"
#include "train/text/text_source.h"

namespace taugrad {

/// JSON lines whose items stay in their files.
struct StoredLines {
  std::shared_ptr<const StoredItems> items;
  Labels labels;
  std::string digest;                ///< of all bytes
  std::vector<Diagnostic> warnings;  ///< D102
};
/// Goes through all lines twice, for words and for what they hold, and keeps where they stand.
/// @param d  the sizes that numbers of words come from are set
/// @param labels  of the model; null: those that are found
/// @throws Error, every bad line told, as dataset_of does
StoredLines stored_lines(Definition& d, std::vector<TextSource> sources, bool ignore_unknown,
                         const Labels* labels);

}  // namespace taugrad
