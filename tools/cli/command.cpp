#include "command.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/system/kept_inputs.h"
#include "base/utf8.h"

namespace taugrad::cli {
namespace {

Option named(std::string_view names, std::string value, std::string help) {
  Option o;
  const std::size_t comma = names.find(',');
  if (comma != std::string_view::npos) {
    o.letter = names.substr(1, comma - 1);
    names.remove_prefix(comma + 1);
  }
  o.name = names;
  o.value = std::move(value);
  o.help = std::move(help);
  return o;
}

// from_chars knows no leading '+'; all else of the text must belong to the number
template <class T>
bool read_whole(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && at == end;
}

}  // namespace

void refuse_without_effect(const Context& c, std::initializer_list<const char*> options,
                           std::string_view why) {
  for (const char* option : options)
    if (c.given.contains(option)) fail(Status::usage, "U007", "{} has no effect {}", option, why);
}

std::int64_t parse_integer(const std::string& option, const std::string& text, std::int64_t least,
                           std::int64_t most) {
  std::int64_t value = 0;
  if (!read_whole(text, value) || value < least || value > most)
    fail(Status::usage, "U002", "{} must be an integer in {}..{}, got {}", option, least, most,
         printable(text));
  return value;
}

std::size_t parse_memory(const std::string& option, const std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string unit = text.substr(digits);
  for (char& c : unit) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::size_t place = unit.empty() ? 1 : kUnits.find(unit.front());
  const bool suffixed =
      unit.empty() || unit.size() == 1 || unit.substr(1) == "B" || unit.substr(1) == "IB";
  std::int64_t value = 0;
  if (place == std::string_view::npos || !suffixed || !read_whole(text.substr(0, digits), value) ||
      value < 1 || value > (std::int64_t{1} << 60) >> (10 * (place + 1)))
    fail(Status::usage, "U002", "{} must be a number of MiB, or one with K, M, G or T, got {}",
         option, printable(text));
  return static_cast<std::size_t>(value) << (10 * (place + 1));
}

double parse_number(const std::string& option, const std::string& text, const std::string& range,
                    const std::function<bool(double)>& ok) {
  double value = 0;
  if (!read_whole(text, value) || !std::isfinite(value) || !ok(value))
    fail(Status::usage, "U002", "{} must be a finite number {}, got {}", option, range,
         printable(text));
  return value;
}

std::uint64_t parse_seed(const std::string& option, const std::string& text) {
  std::uint64_t value = 0;
  if (!read_whole(text, value))
    fail(Status::usage, "U002", "{} must be an integer in 0..18446744073709551615, got {}", option,
         printable(text));
  return value;
}

Command& Command::positional(Positional p) {
  positionals.push_back(std::move(p));
  return *this;
}

Command& Command::option(Option o) {
  options.push_back(std::move(o));
  return *this;
}

Command& Command::flag(std::string_view names, std::string help_text, bool& to) {
  Option o = named(names, "", std::move(help_text));
  o.take = [&to](const std::string&) { to = true; };
  return option(std::move(o));
}

Command& Command::text(std::string_view names, std::string value, std::string help_text,
                       std::string& to) {
  Option o = named(names, std::move(value), std::move(help_text));
  o.take = [&to](const std::string& v) { to = v; };
  return option(std::move(o));
}

Command& Command::output(std::string_view names, std::string value, std::string help_text,
                         std::string& to) {
  Option o = named(names, std::move(value), std::move(help_text));
  o.take = [&to](const std::string& v) {
    to = v;
    announce_output(v);
  };
  return option(std::move(o));
}

Command& Command::integer(std::string_view names, std::string value, std::string help_text,
                          std::int64_t& to, std::int64_t least, std::int64_t most) {
  Option o = named(names, std::move(value), std::move(help_text));
  o.take = [&to, name = o.name, least, most](const std::string& v) {
    to = parse_integer(name, v, least, most);
  };
  return option(std::move(o));
}

Command& Command::choice(std::string_view names, std::string help_text, std::string& to,
                         std::vector<std::string> of) {
  return word(names, of, std::move(help_text),
              [&to, of](const std::string& option_name, const std::string& v) {
                check_word(of, option_name, v);
                to = v;
              });
}

Command& Command::word(std::string_view names, const std::vector<std::string>& of,
                       std::string help_text,
                       std::function<void(const std::string&, const std::string&)> take) {
  Option o = named(names, fmt::format("{}", fmt::join(of, "|")), std::move(help_text));
  o.take = [name = o.name, take = std::move(take)](const std::string& v) { take(name, v); };
  return option(std::move(o));
}

Command& Command::number(std::string_view names, std::string value, std::string help_text,
                         double& to, std::string range, std::function<bool(double)> ok) {
  Option o = named(names, std::move(value), std::move(help_text));
  o.take = [&to, name = o.name, range = std::move(range),
            ok = std::move(ok)](const std::string& v) { to = parse_number(name, v, range, ok); };
  return option(std::move(o));
}

Command& Command::rare() {
  options.back().common = false;
  return *this;
}

}  // namespace taugrad::cli
