#include "training/read_as_trained.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/system/suffix.h"
#include "output.h"
#include "train/data/tables.h"

namespace taugrad::cli {
namespace {

/// Which of the saved options say anything of these files.
DataOptions of_files(DataOptions saved, const DataSource& source, const Definition& d) {
  const auto is_lines = [](const std::string& file) {
    return !is_table(file) && !has_suffix(file, ".safetensors");
  };
  const bool text = reads_text(d, source);
  if (!text) saved.split.clear();
  if (text || std::ranges::none_of(source.files, is_table)) saved.columns.clear();
  if (text || std::ranges::none_of(source.files, is_lines)) saved.ignore_unknown = false;
  return saved;
}

}  // namespace

bool read_as_in_training(DataSource& source, const TrainedModel& model, LongItems long_items,
                         const Context& context) {
  const std::optional<DataOptions> found = saved_reading(model);
  if (!found) return false;
  const DataOptions saved = of_files(*found, source, model.definition);
  DataOptions& reading = source.reading;
  std::string told;
  const auto given = [&](const char* option) { return context.given.contains(option); };
  if (!given("--split") && !saved.split.empty()) {
    reading.split = saved.split;
    if (saved.split != "line") told += " --split " + saved.split;
  }
  if (!given("--column") && !saved.columns.empty()) {
    reading.columns = saved.columns;
    source.columns_of_training = true;
    for (const std::string& column : saved.columns) told += " --column " + column;
  }
  if (!given("--ignore-unknown") && saved.ignore_unknown) {
    reading.ignore_unknown = true;
    told += " --ignore-unknown";
  }
  if (long_items == LongItems::left_out && !given("--max-length") && saved.max_length > 0) {
    reading.max_length = saved.max_length;
    told += fmt::format(" --max-length {}", saved.max_length);
  }
  if (!told.empty()) note(context, "the data are read as in training:" + told);
  return true;
}

}  // namespace taugrad::cli
