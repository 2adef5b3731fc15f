// The canonical JSON form: two blanks a level, and what fits in 100 columns on one line.
#include <fmt/core.h>

#include "json/json.h"
#include "json/json_writer.h"
#include "taugrad/language/definition.h"

namespace taugrad {
namespace {

constexpr std::size_t kWidth = 100;

std::string in_quotes(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}
std::string number(double value) {
  std::string out;
  json::append_number(out, value);
  return out;
}

/// A JSON value as text on one line, with its parts in case it does not fit.
struct Piece {
  std::string line;
  std::vector<std::string> parts;  ///< members or elements, each with its key
  char open = 0, close = 0;
};
Piece scalar(std::string text) { return {std::move(text), {}, 0, 0}; }
Piece bracketed(std::vector<std::string> parts, char open, char close) {
  std::string line(1, open);
  for (std::size_t i = 0; i < parts.size(); ++i) line += (i ? ", " : "") + parts[i];
  line += close;
  return {std::move(line), std::move(parts), open, close};
}

/// Whether a text that stood in quotes, such as "007" or ".5", may stand without.
bool is_json_number(const std::string& s) {
  try {
    const json::Document d(s, "");
    return d.root().is_number() && d.root().raw() == s;
  } catch (const Error&) {
    return false;
  }
}
// what the reader takes as a number, and not as arithmetic
bool is_number(const std::string& s) {
  return s.size() < 10 && s.find_first_not_of("0123456789") == std::string::npos &&
         is_json_number(s);
}
std::string axis(const Text& text) {
  return is_number(text.text) ? text.text : in_quotes(text.text);
}
std::string axes(const std::vector<Text>& shape) {
  std::vector<std::string> parts;
  for (const Text& a : shape) parts.push_back(axis(a));
  return bracketed(parts, '[', ']').line;
}
std::string member(std::string_view key, const std::string& value) {
  return fmt::format("{}: {}", in_quotes(key), value);
}

std::string weight(const WeightDeclaration& w) {
  if (w.plain) return axes(w.shape);
  std::vector<std::string> parts{member("shape", axes(w.shape))};
  if (w.values)
    parts.push_back(member("init", fmt::format("{{\"values\": {}}}", w.values_json)));
  else if (!w.init.empty())
    parts.push_back(member("init", is_json_number(w.init) ? w.init : in_quotes(w.init)));
  if (w.trainable) parts.push_back(member("trainable", *w.trainable ? "true" : "false"));
  return bracketed(parts, '{', '}').line;
}

template <class T, class F>
std::string object(const T& items, F&& value) {
  std::vector<std::string> parts;
  for (const auto& [key, v] : items) parts.push_back(member(key, value(v)));
  return bracketed(parts, '{', '}').line;
}

std::string import(const ImportDeclaration& i) {
  const auto text = [](const std::string& s) { return in_quotes(s); };
  std::vector<std::string> parts{member("from", in_quotes(i.from))};
  if (!i.sizes.empty())
    parts.push_back(member("sizes", object(i.sizes, [](const Text& t) { return axis(t); })));
  if (!i.index.empty()) parts.push_back(member("index", object(i.index, text)));
  if (!i.inputs.empty())
    parts.push_back(
        member("inputs", object(i.inputs, [](const Text& t) { return in_quotes(t.text); })));
  if (!i.weights.empty()) parts.push_back(member("weights", object(i.weights, text)));
  if (!i.reverse.empty()) {
    std::vector<std::string> names;
    for (const std::string& r : i.reverse) names.push_back(in_quotes(r));
    parts.push_back(member("reverse", bracketed(names, '[', ']').line));
  }
  return bracketed(parts, '{', '}').line;
}

class Writer {
 public:
  void field(std::string_view key, const Piece& value, bool always_split = false) {
    out_ += first_ ? "{\n" : ",\n";
    first_ = false;
    const std::string head = fmt::format("  {}: ", in_quotes(key));
    // one more column for the comma that may follow
    if (value.parts.empty() || (!always_split && head.size() + value.line.size() + 1 <= kWidth)) {
      out_ += head + value.line;
      return;
    }
    out_ += head + value.open + "\n";
    for (std::size_t i = 0; i < value.parts.size(); ++i)
      out_ += fmt::format("    {}{}\n", value.parts[i], i + 1 < value.parts.size() ? "," : "");
    out_ += fmt::format("  {}", value.close);
  }
  std::string done() { return out_ + "\n}\n"; }

 private:
  std::string out_;
  bool first_ = true;
};

Piece texts(const std::vector<Text>& items) {
  std::vector<std::string> parts;
  for (const Text& t : items) parts.push_back(in_quotes(t.text));
  return bracketed(std::move(parts), '[', ']');
}
template <class T, class F>
Piece members(const T& items, F&& part) {
  std::vector<std::string> parts;
  for (const auto& item : items) parts.push_back(part(item));
  return bracketed(std::move(parts), '{', '}');
}

}  // namespace

std::string to_json(const Definition& d) {
  Writer w;
  w.field("name", scalar(in_quotes(d.name)));
  if (!d.about.empty()) w.field("about", scalar(in_quotes(d.about)));
  if (!d.indices.empty())
    w.field("index", members(d.indices, [](const auto& i) {
              return member(i.name, is_number(i.length) ? i.length : in_quotes(i.length));
            }));
  if (!d.sizes.empty())
    w.field("sizes", members(d.sizes, [](const auto& s) {
              return member(s.name, std::to_string(s.value));
            }));
  if (!d.constants.empty())
    w.field("constants",
            members(d.constants, [](const auto& c) { return member(c.name, number(c.value)); }));
  if (!d.inputs.empty())
    w.field("inputs", members(d.inputs, [](const auto& i) {
              if (i.position)
                return member(i.name.text,
                              in_quotes(i.position_after
                                            ? fmt::format("position({0}) > {0}", i.position->text)
                                            : fmt::format("position({})", i.position->text)));
              return member(i.name.text,
                            i.category ? in_quotes(fmt::format("category({})", i.category->text))
                                       : axes(i.shape));
            }));
  if (!d.weights.empty())
    w.field("weights",
            members(d.weights, [](const auto& x) { return member(x.name.text, weight(x)); }));
  if (!d.functions.empty()) w.field("functions", texts(d.functions), true);
  if (!d.imports.empty())
    w.field("imports",
            members(d.imports, [](const auto& i) { return member(i.prefix, import(i)); }), true);
  w.field("equations", texts(d.equations), true);
  if (!d.loss.empty() && d.loss_is_list)
    w.field("loss", texts(d.loss), true);
  else if (!d.loss.empty())
    w.field("loss", scalar(in_quotes(d.loss.front().text)));
  if (!d.ends.empty())
    w.field("ends", members(d.ends, [](const auto& e) {
              return member(e.first, in_quotes(e.second.text));
            }));
  return w.done();
}

}  // namespace taugrad
