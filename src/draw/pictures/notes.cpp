#include "draw/pictures/notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string_view>

#include "draw/pictures/names.h"
#include "taugrad/graph/op.h"

namespace taugrad::draw {
namespace {

/// Copies, and ops of which nodes are edges only.
void add_hidden(const Tape& tape, const TapeScan& scan, const std::vector<int>& drawn,
                bool values_only, std::vector<std::string>& notes) {
  std::set<std::string_view> passed;
  bool copies = false;
  for (NodeId id = 0; id < tape.size(); ++id) {
    const auto i = static_cast<std::size_t>(id);
    if (!scan.shown[i] || drawn[i] >= 0 || is_loose_leaf(tape, id)) continue;
    const bool copy = is_weight_copy(tape, id);
    copies = copies || copy;
    if (!copy) passed.insert(tape.op(id).name);
  }
  if (copies) notes.emplace_back("copies of weights are not drawn");
  if (!values_only && !passed.empty())
    notes.push_back(fmt::format("only edges: {}", fmt::join(passed, ", ")));
}

/// Clusters that stand for steps say which these are; of a grid, that there are some.
void add_gaps(const Picture& picture, std::vector<std::string>& notes) {
  std::vector<std::string> gaps;
  bool grid = false;
  for (const PictureCluster& c : picture.clusters) {
    if (!c.elided) continue;
    grid = grid || c.position.size() != 1;
    if (c.position.size() == 1) gaps.push_back(c.label);
  }
  if (grid) gaps.emplace_back("positions in the middle");
  if (!gaps.empty()) notes.push_back(fmt::format("left out: {}", fmt::join(gaps, "; ")));
}

}  // namespace

std::vector<std::string> left_out(const Tape& tape, const TapeScan& scan,
                                  const std::vector<int>& drawn, Detail detail,
                                  const Picture& picture) {
  std::vector<std::string> notes;
  if (scan.unneeded > 0)
    notes.push_back(fmt::format("not drawn: {} node{} that no output needs", scan.unneeded,
                                scan.unneeded == 1 ? "" : "s"));
  if (!scan.zeros.empty()) {
    std::string names;
    for (std::size_t i = 0; i < scan.zeros.size() && i < 8; ++i)
      names += fmt::format("{}{}", i == 0 ? "" : ", ", variable_text(tape, scan.zeros[i]));
    notes.push_back(fmt::format("zero: {}{}", names, scan.zeros.size() > 8 ? ", .." : ""));
  }
  const bool values_only = detail == Detail::values || picture.printed;
  if (values_only && !picture.printed) notes.emplace_back("operations are folded into the edges");
  if (!picture.printed) add_hidden(tape, scan, drawn, values_only, notes);
  add_gaps(picture, notes);
  return notes;
}

}  // namespace taugrad::draw
