#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/item_json.h"
#include "taugrad/language/definition.h"
#include "taugrad/train/dataset.h"
#include "taugrad/train/predict.h"

namespace taugrad {

struct ResolvedModel;
struct Symbol;

/// An item as its file has it, before a definition says what it is.
struct RawItem {
  ItemFields fields;
  std::shared_ptr<const std::string> file;
  int line = 0;
  bool numbered = false;  ///< its symbols are numbers, whatever words there are for them
  /// Why it could not be read; then it has no fields. Told with what a definition finds wrong with
  /// others, so that no kind of fault hides another.
  std::vector<Diagnostic> problems = {};
  std::int64_t number = 0;  ///< in the batch, of tensors, which have no lines
};

/// Whether a line holds nothing.
bool is_blank_line(std::string_view line);
/// One line. @throws Error (G.., S013) with its place
RawItem raw_line(const ResolvedModel& model, std::string_view line,
                 const std::shared_ptr<const std::string>& file, int number, bool ignore_unknown);
/// An object a line; blank lines are none. Those that cannot be read have their problems (G..,
/// S013).
/// @param ignore_unknown  fields that name nothing of the definition are passed over
/// @throws Error (D001) for no line at all
std::vector<RawItem> items_of_lines(const Definition& d, std::string_view text,
                                    const std::string& file, bool ignore_unknown);
/// The items of tensors as `run` takes them, [index..., batch, shape...] with `lengths`.
/// @throws Error (D010-D018) where they do not fit the definition
std::vector<RawItem> items_of_tensors(const Definition& d, const Tensors& batch,
                                      const std::string& file);

/// The words that stand for symbols, by variable, in the order of their bytes. Where some symbols
/// of a variable are words, all are: a number is the word that it is written as. Where the variable
/// ends with symbol 0 that is "", before all words.
class LabelFinder {
 public:
  explicit LabelFinder(const Definition& d);
  void add(const RawItem& item);
  Labels labels() const;

 private:
  Definition definition_;
  std::shared_ptr<const ResolvedModel> model_;
  std::map<std::string, std::set<std::string>> words_;
  std::map<std::string, std::set<double>> numbers_;
};
Labels labels_in(const Definition& d, const std::vector<RawItem>& items);
/// The words of an item's variable; of numbers as they are written, "" where none is given.
std::vector<std::string> words_of(const ItemFields& fields, const std::string& variable);
/// Sets the sizes that the numbers of symbols come from. @throws Error (D004) where no size does,
/// or words stand where there is no category
void set_label_sizes(Definition& d, const Labels& labels);

/// Why no value of a variable may be left out; empty: some may.
std::string why_no_nulls(const ResolvedModel& model, const Symbol& s);

/// Sets the size that a variable's number of symbols comes from; false where no size does.
bool set_size_of(Definition& d, const std::string& variable, std::int64_t symbols);

/// One item checked against a model, with what follows from its lengths (R14).
Example checked_item(const ResolvedModel& model, const Tensors& values);
/// An item that has everything. @throws Error (D004, D005, D010-D021) with its place
Example example_of(const ResolvedModel& model, RawItem item, const Labels& labels);
/// What items need not have: random variables, which may be left out in all items or none and
/// become zeros; and what tells a length, which then is 0.
enum class MayLack { nothing, targets, targets_and_lengths };
/// Items checked against a definition.
/// @throws Error, every bad item told in the order of the data: what it was read with, (D004) for a
/// word that is no label, (D005, D010-D021)
PredictData dataset_of(const Definition& d, std::vector<RawItem> items, const Labels& labels,
                       MayLack may_lack);

}  // namespace taugrad
