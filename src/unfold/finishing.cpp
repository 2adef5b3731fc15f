// The loss (R13), where a sequence ends (R14), and the lookups of an unfolded definition.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/fail.h"
#include "taugrad/ops/ops.h"
#include "unfold/unfolder.h"

namespace taugrad {

NodeId Unfolder::total(const std::vector<NodeId>& terms) {
  Vars all;
  for (const NodeId id : terms) {
    Var v = tape_.var(id);
    if (!v.per_example()) v = to_items(v, kEveryItem);
    all.push_back(tape_.var(fit(v.id, kEveryItem)));
  }
  if (all.empty()) return constant(tape_, 0, {}, kEveryItem).id;
  return all.size() == 1 ? copy(all.front()).id : add_n(all).id;
}

std::vector<NodeId> Unfolder::place_everywhere(int block, const std::vector<int>& letters,
                                               std::int64_t from) {
  std::vector<NodeId> nodes;
  Setting setting;
  setting.at.assign(model_.system.indices.size(), 0);
  CopyKey& key = term_keys_[block];
  term_letters_[block] = letters;
  key.numbered = !letters.empty();
  key.axes = letters;
  for (const int index : letters)
    key.letters.push_back(model_.system.indices[static_cast<std::size_t>(index)].name);
  key.ends.resize(letters.size());
  setting.copy_key = &key;
  const NameId name = tape_.intern_name("loss", letters_of(letters));
  each_position(letters, setting, [&] {
    for (const int index : letters)
      if (is_cut(index) && setting.at[static_cast<std::size_t>(index)] <= from) return;
    setting.extent = extent_of(letters, setting.at);
    setting.copy_at.clear();
    for (const int index : letters)
      setting.copy_at.push_back(setting.at[static_cast<std::size_t>(index)]);
    std::vector<NodeId> found;
    while (!gather(block, setting, found)) {
      found.clear();
      drain();
    }
    tape_.set_owner(name, index_at(setting.copy_at, letters));
    std::size_t cursor = 0;
    Var v = tape_.var(place(block, setting, found, cursor).front());
    if (!v.per_example()) v = to_items(v, setting.extent);
    nodes.push_back(v.id);
    tape_.set_owner(0, 0);
  });
  return nodes;
}

void Unfolder::add_loss() {
  std::vector<NodeId> terms;
  bool any = false;
  if (!options_.cotangents.empty()) {
    for (const std::string& name : options_.cotangents) {
      const auto table = out_.values_.find(name);
      const int number = model_.find(name);
      if (number >= 0) tape_.intern_name("cotangent:" + name, letters_of(symbol(number).axes));
      if (table == out_.values_.end() || number < 0 || symbol(number).kind == SymbolKind::weight ||
          symbol(number).category >= 0)
        fail(Status::bad_input, "G014", "cotangent:{} names no variable with numbers", name);
      std::vector<std::pair<Positions, NodeId>> values;
      table->second.each([&](const Positions& at, NodeId id) {
        if (inside(symbol(number), at)) values.emplace_back(at, id);
      });
      for (const auto& [at, id] : values) {
        Var v = tape_.var(id);
        Positions by_index(model_.system.indices.size(), 0);
        for (std::size_t a = 0; a < at.size(); ++a)
          by_index[static_cast<std::size_t>(symbol(number).axes[a])] = at[a];
        // s[1] = s0 stands for empty items too, but their steps do not count
        v = tape_.var(fit(id, both(v.extent(), extent_of(symbol(number).axes, by_index))));
        tape_.set_owner(0, 0);
        Positions numbers;
        for (std::size_t a = 0; a < at.size(); ++a)
          numbers.push_back(shown(at[a], symbol(number).axes[a]));
        const Var cotangent = input(tape_, "cotangent:" + name, v.shape(), numbers,
                                    v.per_example() ? v.extent() : kEveryItem);
        terms.push_back(sum(cotangent * v).id);
      }
      any = true;
    }
  } else if (segment_.length >= 0 && !segment_.loss) {
    return;
  } else if (!model_.loss.empty()) {
    for (const LossTerm& term : model_.loss) {
      const bool once = std::none_of(term.letters.begin(), term.letters.end(),
                                     [&](int index) { return is_cut(index); });
      if (once && segment_.from > 0) continue;  // an earlier segment had it
      for (const NodeId id : place_everywhere(term.block, term.letters, segment_.from))
        terms.push_back(id);
    }
    any = true;
  } else {
    for (const Symbol& s : model_.symbols)
      if (s.random()) {
        any = true;
        out_.nlls_.at(s.name).each([&](const Positions& at, NodeId id) {
          if (is_counted(s, at)) terms.push_back(id);
        });
      }
  }
  if (!any) return;
  const NameId name = tape_.intern_name("loss");
  tape_.set_owner(name, 0);
  out_.loss_ = total(terms);
  tape_.set_value(out_.loss_, name, 0);
  tape_.set_owner(0, 0);
}

void Unfolder::add_ends() {
  const bool draws = std::any_of(options_.modes.begin(), options_.modes.end(),
                                 [](const auto& m) { return m.second.draws(); });
  if (!draws || (segment_.length >= 0 && !segment_.ends))
    return;  // of given data the length is known
  if (model_.ends.size() > 1)
    fail_at("E013", "\"ends\" names two indices: what is drawn ends by itself along one",
            model_.system.ends.back().second.nodes.back(), "keep the one that is drawn");
  for (const auto& [index, block] : model_.ends) out_.ends_ = place_everywhere(block, {index});
}

// ---- lookups ------------------------------------------------------------------------------------

namespace {
std::string label(std::string_view name, const Positions& at) {
  if (at.empty()) return std::string(name);
  return fmt::format("{}[{}]", name, fmt::join(at, ","));
}
}  // namespace

const ResolvedModel& Unfolded::model() const {
  if (!model_) fail(Status::usage, "U021", "nothing was unfolded here, or it was moved from");
  return *model_;
}

Var Unfolded::at(std::string_view name, const std::vector<std::int32_t>& position) const {
  const auto table = values_.find(name);
  const NodeId id = table == values_.end() ? -1 : table->second.get(position);
  if (id < 0) fail(Status::usage, "G014", "there is no node {}", label(name, position));
  return graph_.tape().var(id);
}

Var Unfolded::weight(std::string_view name, const std::vector<std::int32_t>& position) const {
  const auto table = weights_.find(name);
  const NodeId id = table == weights_.end() ? -1 : table->second.get(position);
  if (id < 0) fail(Status::usage, "G014", "there is no weight {}", label(name, position));
  return graph_.tape().var(id);
}

Var Unfolded::copy_at(std::string_view name, const std::vector<std::int32_t>& position) const {
  const Var v = copy_named(name, fmt::format("{}", fmt::join(position, ",")));
  if (!v) fail(Status::usage, "G014", "there is no copy {}", label(name, position));
  return v;
}

namespace {
struct Bracket {
  std::string letter;  ///< of "t=3"
  bool numbered = false;
  std::int32_t number = 0;
  std::string text;  ///< "tau+1"
};
std::vector<Bracket> parse_brackets(std::string_view text) {
  std::vector<Bracket> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    Bracket b;
    std::string_view value = part;
    if (const auto eq = part.find('='); eq != std::string_view::npos) {
      b.letter = std::string(part.substr(0, eq));
      value = part.substr(eq + 1);
    }
    const auto result = std::from_chars(value.data(), value.data() + value.size(), b.number);
    b.numbered = result.ec == std::errc{} && result.ptr == value.data() + value.size();
    b.text = std::string(value);
    parts.push_back(std::move(b));
  }
  return parts;
}
}  // namespace

// Whether brackets name a position at an item's end: "last+1" is "tau+1", and a number where the
// length is fixed.
bool Unfolded::names_end(const std::string& letter, const std::string& text,
                         const std::string& end) const {
  const auto index =
      static_cast<std::size_t>(model().system.index(letter) - model().system.indices.data());
  const auto number = static_cast<std::size_t>(model().index_length[index]);
  const std::string& length = model().lengths[number];
  if (text.starts_with("last")) return length + text.substr(4) == end;
  if (text == end) return true;
  if (model().fixed_lengths[number] < 0) return false;
  std::int32_t offset = 0;
  const std::size_t from =
      length.size() + (end.size() > length.size() && end[length.size()] == '+' ? 1 : 0);
  std::from_chars(end.data() + from, end.data() + end.size(), offset);
  return text == std::to_string(model().fixed_lengths[number] + offset);
}

Var Unfolded::copy_named(std::string_view name, std::string_view brackets) const {
  const std::vector<Var> found = copies_named(name, brackets);
  return found.empty() ? Var{} : found.front();
}

std::vector<Var> Unfolded::copies_named(std::string_view name, std::string_view brackets) const {
  const auto groups = copies_.find(name);
  if (groups == copies_.end()) {
    const int number = model().find(name);
    if (number < 0 || model().symbols[static_cast<std::size_t>(number)].kind != SymbolKind::weight)
      fail(Status::usage, "G014", "there is no weight {}", name);
    return {};  // no equation that was unfolded reads it
  }
  const std::vector<Bracket> wanted = parse_brackets(brackets);
  std::vector<Var> found;
  bool exact = false;  // of [2] and [n] at the same place, each names the copy written that way
  for (const CopyGroup& group : groups->second) {
    if (group.letters.size() != wanted.size()) continue;
    Positions at;
    bool fits = true, as_written = true;
    for (std::size_t a = 0; a < wanted.size(); ++a) {
      const std::string& letter = group.letters[a];
      const auto named = std::find_if(wanted.begin(), wanted.end(),
                                      [&](const Bracket& b) { return b.letter == letter; });
      const Bracket& b = named != wanted.end() ? *named : wanted[a];
      fits = fits && (b.letter.empty() || b.letter == letter);
      const std::string& end = group.ends[a];
      if (end.empty()) at.push_back(b.number);
      fits = fits && (end.empty() ? b.numbered : names_end(letter, b.text, end));
      as_written = as_written && end.empty() == b.numbered;
    }
    if (!fits || exact) continue;
    const NodeId id = group.nodes.get(at);
    if (id < 0 || (!found.empty() && !as_written)) continue;
    found = {graph_.tape().var(id)};
    if (const auto more = group.more.find(at.vector()); more != group.more.end())
      for (const NodeId other : more->second) found.push_back(graph_.tape().var(other));
    exact = as_written;
  }
  return found;
}

std::vector<std::pair<std::string, Var>> Unfolded::copies(std::string_view name) const {
  std::vector<std::pair<std::string, Var>> result;
  if (const auto groups = copies_.find(name); groups != copies_.end())
    for (const CopyGroup& group : groups->second)
      group.nodes.each([&](const Positions& at, NodeId id) {
        result.emplace_back(graph_.tape().label(id), graph_.tape().var(id));
        if (const auto more = group.more.find(at.vector()); more != group.more.end())
          for (const NodeId other : more->second)
            result.emplace_back(graph_.tape().label(other), graph_.tape().var(other));
      });
  return result;
}

Var Unfolded::loss() const {
  if (loss_ < 0)
    fail(Status::bad_input, "G023", "\"{}\" has no loss: no random variable and no \"loss\"",
         model().system.name);
  return graph_.tape().var(loss_);
}

Var Unfolded::nll(std::string_view name, const std::vector<std::int32_t>& position) const {
  const auto table = nlls_.find(name);
  const NodeId id = table == nlls_.end() ? -1 : table->second.get(position);
  if (id < 0) fail(Status::usage, "G014", "there is no node nll:{}", label(name, position));
  return graph_.tape().var(id);
}

Var Unfolded::end(std::int32_t step) const {
  if (step < 1 || static_cast<std::size_t>(step) > ends_.size()) return {};
  return graph_.tape().var(ends_[static_cast<std::size_t>(step) - 1]);
}

std::int64_t Unfolded::length(std::string_view name) const {
  for (std::size_t l = 0; l < model().lengths.size(); ++l)
    if (model().lengths[l] == name) return lengths_[l];
  for (std::size_t i = 0; i < model().system.indices.size(); ++i)
    if (model().system.indices[i].name == name)
      return lengths_[static_cast<std::size_t>(model().index_length[i])];
  fail(Status::usage, "G014", "there is no length \"{}\"", name);
}

NodeId Unfolded::find(std::string_view name, const std::vector<std::int32_t>& position) const {
  const auto table = values_.find(name);
  return table == values_.end() ? -1 : table->second.get(position);
}

NodeId Unfolded::find_nll(std::string_view name, const std::vector<std::int32_t>& position) const {
  const auto table = nlls_.find(name);
  return table == nlls_.end() ? -1 : table->second.get(position);
}

std::vector<std::string> Unfolded::variables() const {
  std::vector<std::string> names;
  for (const Symbol& s : model().symbols)
    if (s.kind != SymbolKind::weight && s.length < 0) names.push_back(s.name);
  return names;
}

std::vector<std::string> Unfolded::random_variables() const {
  std::vector<std::string> names;
  for (const auto& [name, table] : nlls_) names.push_back(name);
  return names;
}

}  // namespace taugrad
