#include "evaluate/fetch.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/fail.h"
#include "base/suggest.h"
#include "graph/position_text.h"

namespace taugrad {
namespace {

struct BracketPlace {
  bool end = false;  ///< counted from the item's own length
  std::int32_t offset = 0;
};

bool parse_integer(std::string_view text, std::int32_t& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && result.ec == std::errc{} && result.ptr == text.data() + text.size();
}

std::vector<BracketPlace> parse_places(const ResolvedModel& model, const Fetch& fetch) {
  const Symbol& s = model.symbols[static_cast<std::size_t>(fetch.symbol)];
  std::vector<BracketPlace> places;
  std::string_view rest = fetch.brackets;
  const auto wrong = [&] {
    fail(Status::usage, "U020", "cannot read the position [{}] of \"{}\"", fetch.brackets,
         fetch.text);
  };
  while (!rest.empty()) {
    std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    BracketPlace p;
    const std::size_t axis = places.size();
    if (axis >= s.axes.size()) wrong();
    const std::string& length = model.lengths[static_cast<std::size_t>(
        model.index_length[static_cast<std::size_t>(s.axes[axis])])];
    for (const std::string& word : {std::string("last"), length})
      if (part.starts_with(word) &&
          (part.size() == word.size() || part[word.size()] == '+' || part[word.size()] == '-')) {
        p.end = true;
        part.remove_prefix(word.size());
        break;
      }
    if (!(p.end && part.empty()) && !parse_integer(part, p.offset)) wrong();
    places.push_back(p);
  }
  if (places.size() != s.axes.size()) wrong();
  return places;
}

// "3", "t=3", "tau+1", "last", "": positions as left sides write them
void check_copy_brackets(const ResolvedModel& model, const Fetch& fetch) {
  std::string_view rest = fetch.brackets;
  while (!rest.empty()) {
    std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (const auto equals = part.find('='); equals != std::string_view::npos)
      part.remove_prefix(equals + 1);
    const std::string_view word = part.substr(0, part.find_first_of("+-"));
    std::int32_t number = 0;
    const bool end = word == "last" || std::find(model.lengths.begin(), model.lengths.end(),
                                                 word) != model.lengths.end();
    if (!(end && part.size() == word.size()) &&
        !parse_integer(end ? part.substr(word.size()) : part, number))
      fail(Status::usage, "U020", "cannot read the position [{}] of \"{}\"", fetch.brackets,
           fetch.text);
  }
}

}  // namespace

Fetch parse_fetch(const ResolvedModel& model, const std::string& text) {
  Fetch f;
  f.text = text;
  std::string rest = text;
  const auto strip = [&](std::string_view prefix) {
    if (!rest.starts_with(prefix)) return false;
    rest.erase(0, prefix.size());
    return true;
  };
  f.gradient = strip("grad:");
  f.nll = strip("nll:");
  if (const auto at = rest.find('@'); at != std::string::npos) {
    f.edge = rest.substr(at + 1);
    rest.resize(at);
  }
  if (const auto open = rest.find('['); open != std::string::npos && rest.ends_with("]")) {
    f.has_brackets = true;
    f.brackets = rest.substr(open + 1, rest.size() - open - 2);
    rest.resize(open);
  }
  f.name = rest;
  if (rest == "loss" && !f.gradient && !f.nll) {
    f.loss = true;
    return f;
  }
  f.symbol = model.find(rest);
  const bool random = f.symbol >= 0 && model.symbols[static_cast<std::size_t>(f.symbol)].random();
  if (f.symbol < 0 || (f.nll && !random)) {
    std::vector<std::string> known{"loss"};
    for (const Symbol& s : model.symbols)
      if (!f.nll || s.random()) known.push_back(s.name);
    Diagnostic d;
    d.code = "U020";
    d.message =
        f.symbol < 0
            ? fmt::format("cannot fetch \"{}\": the definition has no \"{}\"", text, rest)
            : fmt::format("cannot fetch \"{}\": \"{}\" is not a random variable", text, rest);
    const auto meant = slip_of_position(rest);
    d.help = meant && model.find(meant->substr(0, meant->find('['))) >= 0
                 ? fmt::format("did you mean \"{}{}{}\"?", f.gradient ? "grad:" : "",
                               f.nll ? "nll:" : "", *meant)
                 : did_you_mean(rest, known);
    fail(Status::usage, d);
  }
  const Symbol& s = model.symbols[static_cast<std::size_t>(f.symbol)];
  if (f.gradient && !f.nll && s.category >= 0)
    fail(Status::usage, "U020", "\"{}\" is a symbol: it has no gradient", rest);
  if (f.gradient && s.position >= 0)
    fail(Status::usage, "U020", "\"{}\" holds positions: it has no gradient", rest);
  if (!f.edge.empty() && !f.gradient)
    fail(Status::usage, "U020", "\"{}\": only a gradient has contributions (grad:W[3]@h)", text);
  if (f.has_brackets && s.kind != SymbolKind::weight) parse_places(model, f);
  if (f.has_brackets && s.kind == SymbolKind::weight) check_copy_brackets(model, f);
  return f;
}

bool needs_equal_lengths(const ResolvedModel& model, const Fetch& f) {
  if (f.loss || !f.has_brackets) return false;
  const Symbol& s = model.symbols[static_cast<std::size_t>(f.symbol)];
  if (s.kind == SymbolKind::weight) return false;
  for (const BracketPlace& p : parse_places(model, f))
    if (p.end) return true;
  for (const int r : s.rules)  // g[5] is a boundary to an item of 4 steps
    for (const At& p : model.rules[static_cast<std::size_t>(r)].places)
      if (p.kind == Place::Kind::end) return true;
  return false;
}

namespace {

Var node_at(const Unfolded& u, const Fetch& f, const std::vector<std::int32_t>& at) {
  const NodeId id = f.nll ? u.find_nll(f.name, at) : u.find(f.name, at);
  return id < 0 ? Var{} : u.graph().tape().var(id);
}

}  // namespace

std::vector<Piece> pieces_of(const Unfolded& u, const Fetch& f) {
  if (f.loss) return {{u.loss()}};
  const ResolvedModel& model = u.model();
  const Symbol& s = model.symbols[static_cast<std::size_t>(f.symbol)];
  const auto length_of = [&](std::size_t axis) {
    return u.length(model.lengths[static_cast<std::size_t>(
        model.index_length[static_cast<std::size_t>(s.axes[axis])])]);
  };
  if (s.kind == SymbolKind::weight && f.has_brackets) {
    std::vector<Piece> shares;
    for (const Var& copy : u.copies_named(f.name, f.brackets)) shares.push_back({copy});
    return shares;
  }
  if (f.has_brackets) {
    std::vector<std::int32_t> at;
    for (const BracketPlace& p : parse_places(model, f))
      at.push_back(p.end ? static_cast<std::int32_t>(length_of(at.size())) + p.offset : p.offset);
    return {{node_at(u, f, at)}};
  }
  std::vector<std::int64_t> axes;
  for (std::size_t axis = 0; axis < s.axes.size(); ++axis) axes.push_back(length_of(axis));
  std::vector<Piece> pieces;
  const auto add = [&](const std::vector<std::int32_t>& at, NodeId id) {
    for (std::size_t a = 0; a < at.size(); ++a)
      if (at[a] < 1 || at[a] > axes[a]) return;
    pieces.push_back({u.graph().tape().var(id), at});
  };
  if (f.nll)
    u.each_nll(f.name, add);
  else if (s.kind == SymbolKind::weight)
    u.each_weight(f.name, add);
  else
    u.each_value(f.name, add);
  return pieces;
}

std::int64_t reach_of(const Fetch& fetch) {
  std::int64_t reach = 0, number = 0;
  for (const char c : fetch.brackets) {
    number = c >= '0' && c <= '9' ? std::min<std::int64_t>(10 * number + c - '0', 1 << 30) : 0;
    reach = std::max(reach, number);
  }
  return reach;
}

}  // namespace taugrad
