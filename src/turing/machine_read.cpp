// Machines as JSON: strict, every problem with its place.
#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/suggest.h"
#include "base/utf8.h"
#include "json/json.h"
#include "taugrad/turing/machine.h"

namespace taugrad {
namespace {

using json::Fields;
using json::Value;

constexpr const char* kRuleForm =
    "write STATE SYMBOL -> SYMBOL MOVE STATE, such as \"A 0 -> 1 R B\"; a move is L, R or S";

struct Word {
  std::size_t offset;
  std::string_view text;
};

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.push_back({at, text.substr(at, end - at)});
    at = end;
  }
  return words;
}

// the caret goes to a part of a string
Diagnostic at_part(const Value& v, std::size_t offset, std::size_t length, std::string code,
                   std::string message, std::string help) {
  Diagnostic d = v.at(std::move(code), std::move(message), std::move(help));
  d.column = v.place_in_string(offset).column;
  if (d.caret >= 0 && v.string_columns().empty()) {
    d.caret += static_cast<int>(offset) + 1;
    d.caret_length = static_cast<int>(std::max<std::size_t>(length, 1));
  }
  return d;
}

bool is_name(std::string_view text) {
  const auto ok = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && text.size() <= limits::kNameBytes &&
         std::all_of(text.begin(), text.end(), ok);
}

Diagnostic not_a_name(const Value& v) {
  return v.at("G025", fmt::format("\"{}\" is not a name", printable(v.string("a name"))),
              "letters, digits and _ (1..256)");
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view file)
      : document_(text, file, "a machine object") {}

  TuringMachine read() {
    const Fields fields(document_.root_object(), "machine",
                        {"name", "about", "symbols", "states", "tape", "rules"});
    TuringMachine m;
    const Value name = fields.at("name");
    m.name = name.string("name");
    if (!is_name(m.name)) tell(not_a_name(name));
    if (const auto v = fields.find("about")) m.about = v->string("about");
    each(fields.at("symbols"), "symbols", [&](const Value& v) { symbol(m, v); });
    each(fields.at("states"), "states", [&](const Value& v) { state(m, v); });
    if (m.symbols.size() < 2)
      tell(fields.at("symbols").at("T002", "a machine has at least two symbols, the blank first",
                                   "\"symbols\": [\"0\", \"1\"]"));
    if (m.states.empty()) tell(fields.at("states").at("T002", "a machine has at least one state"));
    // what is said below rests on the two lists
    if (!problems_.empty()) throw Error(Status::bad_input, problems_);
    if (const auto v = fields.find("tape")) tape(m, *v);
    each(fields.at("rules"), "rules", [&](const Value& v) { rule(m, v); });
    if (problems_.empty() && m.rules.empty())
      tell(fields.at("rules").at("T002", "a machine has at least one rule", kRuleForm));
    if (problems_.empty()) check_used(m, fields.at("states"));
    if (!problems_.empty()) throw Error(Status::bad_input, problems_);
    return m;
  }

 private:
  void tell(Diagnostic d) { problems_.push_back(std::move(d)); }

  template <class F>
  void each(const Value& list, const char* what, F&& f) {
    for (const Value& v : list.elements(what)) try {
        f(v);
      } catch (const Error& e) {
        problems_.insert(problems_.end(), e.diagnostics().begin(), e.diagnostics().end());
      }
  }

  static void symbol(TuringMachine& m, const Value& v) {
    const std::string text(v.string("a symbol"));
    if (utf8_characters(text) != 1 || text == " " || printable(text) != text)
      v.fail("T002", fmt::format("a symbol is one character, not \"{}\"", printable(text)),
             "a blank is often written 0 or _");
    if (m.symbol(text) >= 0) v.fail("G013", fmt::format("symbol \"{}\" is listed twice", text));
    m.symbols.push_back(text);
  }

  static void state(TuringMachine& m, const Value& v) {
    const std::string text(v.string("a state"));
    if (!is_name(text)) throw Error(Status::bad_input, not_a_name(v));
    if (m.state(text) >= 0) v.fail("G013", fmt::format("state \"{}\" is listed twice", text));
    m.states.push_back(text);
  }

  void tape(TuringMachine& m, const Value& v) {
    const std::string_view text = v.string("tape");
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t n = utf8_sequence(text, at);
      m.tape.push_back(known(v, m.symbols, "symbol", {at, text.substr(at, n)}).value_or(0));
      at += n;
    }
  }

  // the number of a symbol or state that a string names
  std::optional<int> known(const Value& v, const std::vector<std::string>& names, const char* what,
                           const Word& w) {
    const auto at = std::find(names.begin(), names.end(), w.text);
    if (at != names.end()) return static_cast<int>(at - names.begin());
    tell(at_part(v, w.offset, w.text.size(), "G014",
                 fmt::format("{} \"{}\" is not defined", what, printable(w.text)),
                 did_you_mean(w.text, names)));
    return std::nullopt;
  }

  std::optional<TuringMove> move(const Value& v, const Word& w) {
    if (w.text == "L") return TuringMove::left;
    if (w.text == "R") return TuringMove::right;
    if (w.text == "S") return TuringMove::stay;
    tell(at_part(v, w.offset, w.text.size(), "T001",
                 fmt::format("a move is L, R or S, not \"{}\"", printable(w.text)), kRuleForm));
    return std::nullopt;
  }

  void rule(TuringMachine& m, const Value& v) {
    const std::vector<Word> words = words_of(v.string("a rule"));
    if (words.size() != 6 || words[2].text != "->")
      v.fail("T001",
             fmt::format("a rule that cannot be read: \"{}\"", printable(v.string("a rule"))),
             kRuleForm);
    const auto in = known(v, m.states, "state", words[0]);
    const auto read = known(v, m.symbols, "symbol", words[1]);
    const auto write = known(v, m.symbols, "symbol", words[3]);
    const auto moves = move(v, words[4]);
    const auto next = known(v, m.states, "state", words[5]);
    if (!in || !read || !write || !moves || !next) return;
    if (m.rule(*in, *read) != nullptr)
      v.fail("G013",
             fmt::format("two rules for state {} and symbol \"{}\"", words[0].text, words[1].text),
             "a machine does one thing at a time");
    m.rules.push_back({*in, *read, *write, *moves, *next});
  }

  // a state that is never entered is a slip of the pen
  void check_used(const TuringMachine& m, const Value& states) {
    const std::vector<Value> listed = states.elements("states");
    for (std::size_t i = 1; i < listed.size(); ++i)
      if (std::none_of(m.rules.begin(), m.rules.end(),
                       [&](const TuringRule& r) { return r.next == static_cast<int>(i); }))
        tell(listed[i].at("T003", fmt::format("no rule leads to state \"{}\"", m.states[i]),
                          "take it out, or mend the rule that should"));
  }

  json::Document document_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

TuringMachine parse_machine(std::string_view json_text, std::string_view filename) {
  return Reader(json_text, filename).read();
}

}  // namespace taugrad
