#include "taugrad/base/error.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/utf8.h"

namespace taugrad {
namespace {

std::string joined(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics) {
    if (!text.empty()) text += '\n';
    text += to_text(d);
  }
  return text;
}

// further lines are indented, so that a line break inside a name cannot pass for a line of ours
std::string paragraph(std::string_view text) {
  std::string out;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    out += (from == 0 ? "" : "\n  ") + printable(text.substr(from, end - from), 4000);
    from = end + 1;
  }
  return out;
}

std::string place(const Diagnostic& d) {
  std::string text = printable(d.file);
  if (d.line > 0) {
    text += fmt::format("{}{}", text.empty() ? "line " : ":", d.line);
    if (d.column > 0) text += fmt::format(":{}", d.column);
  }
  if (!d.pointer.empty()) {
    const bool plain = d.pointer.starts_with('@');  // "@byte 41"
    text += fmt::format(fmt::runtime(plain ? "{}{}" : "{}({})"), text.empty() ? "" : " ",
                        printable(d.pointer));
  }
  return text;
}

// the excerpt between two bars, the line number in the margin, the caret under its first character
std::string excerpt(const Diagnostic& d) {
  const std::string number = d.line > 0 ? fmt::format("{}", d.line) : "";
  const std::string margin(std::max<std::size_t>(number.size(), 2), ' ');
  const auto cut = [&](std::size_t n) { return std::min(n, d.excerpt.size()); };
  std::string text =
      fmt::format("{} |\n{:>{}} | {}\n", margin, number, margin.size(), printable_line(d.excerpt));
  if (d.caret < 0) return text;
  const std::string_view line = d.excerpt;
  const std::size_t start = cut(static_cast<std::size_t>(d.caret));
  const std::size_t end = cut(start + static_cast<std::size_t>(std::max(d.caret_length, 1)));
  const std::string before(utf8_characters(line.substr(0, start)), ' ');
  const std::size_t under = utf8_characters(line.substr(start, end - start));
  text +=
      fmt::format("{} | {}{}\n", margin, before, std::string(std::max<std::size_t>(under, 1), '^'));
  return text;
}

}  // namespace

Error::Error(Status status, Diagnostic diagnostic)
    : Error(status, std::vector<Diagnostic>{std::move(diagnostic)}) {}

Error::Error(Status status, std::vector<Diagnostic> diagnostics)
    : status_(status), diagnostics_(std::move(diagnostics)), what_(joined(diagnostics_)) {}

std::string to_text(const Diagnostic& d, bool warning) {
  std::string text = warning ? "warning" : "error";
  if (!d.code.empty()) text += fmt::format("[{}]", d.code);
  text += fmt::format(": {}\n", paragraph(d.message));
  if (const std::string where = place(d); !where.empty()) text += fmt::format("  --> {}\n", where);
  if (!d.excerpt.empty()) text += excerpt(d);
  if (!d.help.empty()) text += fmt::format("   = help: {}\n", paragraph(d.help));
  return text;
}

}  // namespace taugrad
