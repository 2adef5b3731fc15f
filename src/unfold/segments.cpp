// What can run a segment after another, and what cannot.                                    (R19)
#include "unfold/segments.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"

namespace taugrad {
namespace {

constexpr std::int64_t kMostFixed = 64;  ///< positions with equations of their own

bool same_letter(const std::vector<int>& letters, int index) {
  return std::find(letters.begin(), letters.end(), index) != letters.end();
}

}  // namespace

int axis_along(const ResolvedModel& model, const Symbol& s, int length) {
  for (std::size_t a = 0; a < s.axes.size(); ++a)
    if (model.index_length[static_cast<std::size_t>(s.axes[a])] == length)
      return static_cast<int>(a);
  return -1;
}

std::string slot_name(const ResolvedModel& model, int length, const StateSlot& slot) {
  const Symbol& s = model.symbols[static_cast<std::size_t>(slot.symbol)];
  std::string places;
  std::size_t other = 0;
  for (std::size_t a = 0; a < s.axes.size(); ++a) {
    if (a > 0) places += ',';
    const auto index = static_cast<std::size_t>(s.axes[a]);
    if (static_cast<int>(a) != axis_along(model, s, length)) {
      places += std::to_string(slot.others[other++]);
    } else if (slot.pinned) {
      places += std::to_string(slot.at);
    } else {
      places += model.system.indices[index].name;
      if (slot.at != 0) places += std::to_string(slot.at);
    }
  }
  return fmt::format("{}{}[{}]", slot.nll ? "nll:" : "", s.name, places);
}

SegmentRules::SegmentRules(const ResolvedModel& model, int length, const SegmentRequest& request)
    : model_(model),
      length_(length),
      request_(request),
      values_(model.symbols.size(), 0),
      likelihoods_(model.symbols.size(), 0) {}

void SegmentRules::need(int symbol, bool nll) {
  char& known = (nll ? likelihoods_ : values_)[static_cast<std::size_t>(symbol)];
  if (known != 0) return;
  known = 1;
  open_.push_back(2 * symbol + (nll ? 1 : 0));
}

void SegmentRules::refuse(const Reader& reader, const std::string& why) const {
  const std::string what =
      fmt::format("\"{}\" cannot run a segment of \"{}\" after another: {}", reader.name,
                  model_.lengths[static_cast<std::size_t>(length_)], why);
  const std::string help =
      "what lies ahead is not known yet: run the whole sequence, or ask for what does not need it";
  if (reader.text != nullptr && !reader.text->text.empty())
    fail_at("G040", what, *reader.text, 0, static_cast<int>(reader.text->text.size()), help);
  Diagnostic d;
  d.code = "G040";
  d.message = what;
  d.help = help;
  fail(Status::bad_input, std::move(d));
}

// the first position that an equation stands at
std::int64_t SegmentRules::least_position(const Reader& reader) const {
  if (reader.rule == nullptr) return 1;
  for (std::size_t a = 0; a < reader.rule->places.size(); ++a)
    if (along(reader.symbol->axes[a]) && reader.rule->places[a].kind == Place::Kind::number)
      return reader.rule->places[a].offset;
  return 1;
}

void SegmentRules::walk_places(const Slot& slot, const Reader& reader) {
  const Symbol& read = model_.symbols[static_cast<std::size_t>(slot.symbol)];
  const char* ahead = "what it reads of \"{}\" may lie ahead";
  for (std::size_t a = 0; a < slot.places.size(); ++a) {
    if (!along(read.axes[a])) continue;
    const At& p = slot.places[a];
    switch (p.kind) {
      case Place::Kind::letter:
        if (p.offset > 0)
          refuse(reader, fmt::format("it reads {}[{}+{}]", read.name,
                                     model_.system.indices[static_cast<std::size_t>(p.index)].name,
                                     p.offset));
        if (!along(p.index) || !same_letter(*reader.letters, p.index))
          refuse(reader, fmt::format(fmt::runtime(ahead), read.name));
        deepest_ = std::max<std::int64_t>(deepest_, -p.offset);
        if (slot.kind == Slot::Kind::copy) alike_ = false;  // a weight of its own for each position
        break;
      case Place::Kind::number:
        if (slot.kind != Slot::Kind::copy && p.offset > least_position(reader))
          refuse(reader, fmt::format("it reads {}[{}]", read.name, p.offset));
        fixed_ = std::max<std::int64_t>(fixed_, p.offset);
        break;
      case Place::Kind::end:
        refuse(reader, fmt::format("it reads {}[last]", read.name));
      default:
        refuse(reader, fmt::format(fmt::runtime(ahead), read.name));
    }
  }
}

void SegmentRules::check_draws(const Reader& reader, const std::string& what) const {
  if (reader.symbol != nullptr && !reader.symbol->axes.empty() && !along(reader.symbol->axes[0]))
    refuse(reader, fmt::format("{} is keyed by its first index, which is another", what));
}

void SegmentRules::walk_slot(const Slot& slot, const Reader& reader) {
  switch (slot.kind) {
    case Slot::Kind::read:
    case Slot::Kind::nll:
      walk_places(slot, reader);
      need(slot.symbol, slot.kind == Slot::Kind::nll);
      break;
    case Slot::Kind::copy:
      walk_places(slot, reader);
      break;
    case Slot::Kind::length:
      if (slot.symbol == length_ || model_.is_derived(slot.symbol))
        refuse(reader, fmt::format("it reads the length {}", model_.length_name(slot.symbol)));
      break;
    case Slot::Kind::reduction: {
      const Block& inner = model_.blocks[static_cast<std::size_t>(slot.symbol)];
      for (const int index : inner.over)
        if (along(index) || follows(index))
          refuse(reader, fmt::format("it takes the {} over all {}", inner.reduction,
                                     model_.system.indices[static_cast<std::size_t>(index)].name));
      walk(slot.symbol, reader);
      break;
    }
    case Slot::Kind::dropout:
      if (request_.train) check_draws(reader, "the dropout of \"" + reader.name + "\"");
      break;
    case Slot::Kind::index:
    case Slot::Kind::part:
      break;
  }
}

void SegmentRules::walk(int block, const Reader& reader) {
  for (const Slot& slot : model_.blocks[static_cast<std::size_t>(block)].slots)
    walk_slot(slot, reader);
}

void SegmentRules::walk_rule(const Rule& rule) {
  const Symbol& s = model_.symbols[static_cast<std::size_t>(rule.symbol)];
  const Reader reader{s.name, &s, &rule, &rule.letters, &rule.equation->text};
  for (std::size_t a = 0; a < rule.places.size(); ++a) {
    if (!along(s.axes[a])) continue;
    const At& p = rule.places[a];
    if (p.kind == Place::Kind::letter) continue;
    if (p.kind != Place::Kind::number) refuse(reader, "it has an equation at the end");
    fixed_ = std::max<std::int64_t>(fixed_, p.offset);
  }
  walk(rule.block, reader);
}

// everything that is needed, from what is asked for
void SegmentRules::require(Segment& wanted) {
  for (const std::string& name : request_.values) need(model_.find(name), false);
  for (const std::string& name : request_.likelihoods) need(model_.find(name), true);
  if (request_.loss && !model_.loss.empty()) {
    std::size_t term = 0;
    for (const LossTerm& loss : model_.loss) {
      const Ast& ast = model_.system.loss[std::min(term++, model_.system.loss.size() - 1)];
      const auto& origin = ast.nodes.back().origin;
      walk(loss.block, {"loss", nullptr, nullptr, &loss.letters, origin.get()});
    }
  } else if (request_.loss) {
    for (std::size_t s = 0; s < model_.symbols.size(); ++s)
      if (model_.symbols[s].random()) need(static_cast<int>(s), true);
  }
  for (const auto& [index, block] : model_.ends) {
    if (!request_.ends) break;
    const std::vector<int> letters{index};
    walk(block, {"ends", nullptr, nullptr, &letters, nullptr});
  }
  while (!open_.empty()) {
    const int number = open_.back() / 2;
    const bool nll = open_.back() % 2 != 0;
    open_.pop_back();
    const Symbol& s = model_.symbols[static_cast<std::size_t>(number)];
    const auto found = request_.modes.find(s.name);
    const Mode mode = found == request_.modes.end() ? Mode::observed : found->second;
    const Reader reader{s.name, &s, nullptr, nullptr,
                        s.rules.empty()
                            ? nullptr
                            : &model_.rules[static_cast<std::size_t>(s.rules[0])].equation->text};
    if (s.length == length_) refuse(reader, "it is the length itself");
    int cuts = 0;
    for (const int axis : s.axes) {
      cuts += along(axis) ? 1 : 0;
      if (follows(axis)) refuse(reader, "it stands along a length that follows from others");
    }
    if (cuts > 1) refuse(reader, "two of its indices have this length");
    if (mode.kind == Mode::Kind::forced) alike_ = false;
    if (s.random() && mode.draws()) check_draws(reader, "a draw of \"" + s.name + "\"");
    if (s.random() && !nll && !mode.draws()) continue;  // the data
    if (s.random() && nll) need(number, false);
    for (const int r : s.rules) walk_rule(model_.rules[static_cast<std::size_t>(r)]);
  }
  if (fixed_ > kMostFixed)
    refuse({"a definition", nullptr, nullptr, nullptr, nullptr},
           fmt::format("it has an equation for position {}, later than {}", fixed_, kMostFixed));
  wanted.values = values_;
  wanted.likelihoods = likelihoods_;
  wanted.loss = request_.loss;
  wanted.ends = request_.ends;
}

}  // namespace taugrad
