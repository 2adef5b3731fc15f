// Hoisted parts: placed once for each position of their letters, read wherever they stand.
#include "taugrad/ops/ops.h"
#include "unfold/unfolder.h"

namespace taugrad {

void Unfolder::make_parts() {
  hoisted_ = hoist(model_);
  for (const HoistedPart& part : hoisted_.parts) {
    std::vector<std::int64_t> lengths;
    for (const int letter : part.letters) lengths.push_back(length_of_index(letter));
    const PositionTable empty(lengths);
    parts_done_.push_back({.value = empty, .tried_value = empty});
  }
}

// A part stands where the first position that reads it stands: at the first of every letter that
// it lacks.
// So it exists for exactly the items that read it.
Setting Unfolder::setting_of(const HoistedPart& part, const Positions& letters) {
  Positions at(model_.system.indices.size(), 0);
  for (const int index : part.context)
    at[static_cast<std::size_t>(index)] = static_cast<std::int32_t>(first_of_index(index));
  for (std::size_t i = 0; i < letters.size(); ++i)
    at[static_cast<std::size_t>(part.letters[i])] = letters[i];
  const std::vector<int>& left = part.rule >= 0
                                     ? model_.rules[static_cast<std::size_t>(part.rule)].letters
                                     : term_letters_.at(part.term);
  Positions left_at;
  for (const int index : left) left_at.push_back(at[static_cast<std::size_t>(index)]);
  Setting s;
  if (part.rule >= 0) {
    s = setting_of(model_.rules[static_cast<std::size_t>(part.rule)], left_at);
  } else {
    s.copy_key = &term_keys_.at(part.term);
    s.copy_at = left_at;
  }
  s.at = at;
  s.extent = extent_of(part.context, at);
  return s;
}

NodeId Unfolder::read_part(const Slot& slot, const Setting& setting) {
  const HoistedPart& part = hoisted_.parts[static_cast<std::size_t>(slot.symbol)];
  Positions letters;
  for (const int index : part.letters)
    letters.push_back(setting.at[static_cast<std::size_t>(index)]);
  const NodeId id = parts_done_[static_cast<std::size_t>(slot.symbol)].value.get(letters);
  if (id < 0) tasks_.push_back({slot.symbol, Part::shared, letters});
  return fit(id, setting.extent);
}

bool Unfolder::place_part(const Task& task) {
  const HoistedPart& part = hoisted_.parts[static_cast<std::size_t>(task.rule)];
  Setting setting = setting_of(part, task.letters);
  found_.clear();
  if (!gather(part.block, setting, found_)) return false;
  if (part.rule >= 0) {
    const Rule& rule = model_.rules[static_cast<std::size_t>(part.rule)];
    Positions left_at;
    for (const int index : rule.letters)
      left_at.push_back(setting.at[static_cast<std::size_t>(index)]);
    tape_.set_owner(names_[static_cast<std::size_t>(rule.symbol)],
                    index_at(position_of(rule, left_at), symbol(rule.symbol).axes));
  } else {
    const std::vector<int>& letters = term_letters_.at(part.term);
    tape_.set_owner(tape_.intern_name("loss", letters_of(letters)),
                    index_at(setting.copy_at, letters));
  }
  std::size_t cursor = 0;
  const NodeId root = place(part.block, setting, found_, cursor).front();
  tape_.set_owner(0, 0);
  parts_done_[static_cast<std::size_t>(task.rule)].value.set(task.letters, root);
  return true;
}

/// Whether a template only reads a part as its root number `root`.
bool Unfolder::is_part(int number, std::size_t root) const {
  const Template& t = templates_[static_cast<std::size_t>(number)];
  const int slot = t.steps[static_cast<std::size_t>(t.roots[root])].slot;
  return slot >= 0 && block(number).slots[static_cast<std::size_t>(slot)].kind == Slot::Kind::part;
}

/// The variable that waits, for an error.
const std::string& Unfolder::name_of(const Task& task) const {
  static const std::string loss = "loss";
  const int rule = task.part == Part::shared
                       ? hoisted_.parts[static_cast<std::size_t>(task.rule)].rule
                       : task.rule;
  return rule < 0 ? loss : symbol(model_.rules[static_cast<std::size_t>(rule)].symbol).name;
}

}  // namespace taugrad
