#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/data/raw_items.h"

namespace taugrad {

/// Which columns of a table are which variables: by number from 1, or by what the first row says.
struct TableColumns {
  std::vector<std::pair<std::string, std::vector<std::string>>> of;  ///< variable, its columns
  std::string item;  ///< rows after one another that agree there are one item; empty: none
  bool may_lack_targets = false;  ///< columns of random variables may not be there
};
/// Of "x=2,3", "y=label", "item=1". @throws Error (U002)
TableColumns columns_from(const std::vector<std::string>& texts);

/// Whether a file is a table, by its name: .csv, .tsv.
bool is_table(const std::string& file);

/// The items of a table: a row is a step. Rows that the column `item` tells apart, or empty lines
/// between them, are items of their own. Where no field of the first row is a number it names the
/// columns, and those named as variables need not be chosen. An empty field is a target
/// that is not given; where a column of symbols holds words, all of them are words.
/// @param labels  variables whose symbols are words in any case
/// What is wrong with its rows stands with an item: (D020) for a field that is no number, a row of
/// other columns; (D021) for one that is empty and may not be.
/// @throws Error (D020) for a column that is not there, quotes that do not end; (D001) without a
/// row
std::vector<RawItem> items_of_table(const Definition& d, std::string_view text,
                                    const std::string& file, const TableColumns& columns,
                                    const Labels& labels);

}  // namespace taugrad
