#include <fmt/core.h>

#include <algorithm>

#include "command.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kWidth = 80;

// `text` in lines of at most kWidth, every line but the first indented
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::size_t size = end - at;
    if (column > indent && column + size + 1 > kWidth) {
      out.append("\n").append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += text.substr(at, size);
    column += size;
    at = end + 1;
  }
  return out;
}

std::string entry(const std::string& left, const std::string& right, std::size_t indent) {
  std::string line = "  " + left;
  if (line.size() + 2 > indent)
    line.append("\n").append(indent, ' ');
  else
    line += std::string(indent - line.size(), ' ');
  return line + wrapped(right, indent) + "\n";
}

std::string left_side(const Option& o) {
  const std::string letter = o.letter.empty() ? "" : "-" + o.letter + ", ";
  return letter + o.name + (o.value.empty() ? "" : " " + o.value + (o.many ? "..." : ""));
}

std::string usage(const Command& c) {
  std::string line = "taugrad " + c.name;
  for (const Positional& p : c.positionals)
    line += (p.least == 0 ? " [" : " ") + p.name + (p.most > 1 ? "..." : "") +
            (p.least == 0 ? "]" : "");
  return line + (c.options.empty() ? "" : " [options]");
}

}  // namespace

std::string help_of(const Command& c, Help kind) {
  std::string text = c.about + "\n\nUsage: " + usage(c) + "\n\nExamples:\n";
  for (const auto& [line, what] : c.examples)
    text += "  " + line + "\n      " + wrapped(what, 6) + "\n";
  text += "\n";
  constexpr std::size_t kIndent = 26;
  if (!c.positionals.empty()) {
    for (const Positional& p : c.positionals) text += entry(p.name, p.help, kIndent);
  }
  bool hidden = false;
  for (const Option& o : c.options) {
    if (kind == Help::full || o.common)
      text += entry(left_side(o), o.help, kIndent);
    else
      hidden = true;
  }
  text += entry("--json", "results and errors as JSON", kIndent);
  if (kind == Help::full) {
    text += entry("-q, --quiet", "no notes and no progress on standard error", kIndent);
    text +=
        entry("--load FILE", "operations of your own, from a shared library; repeatable", kIndent);
    text += entry("-h, --help", "help: one screen, or all of it", kIndent);
    if (!c.details.empty()) text += "\n" + c.details + "\n";
    text +=
        "\nExit status: 0 done; 1 a check answered no; 2 usage; 3 bad input file; 4 I/O;\n"
        "5 numerical failure; 6 over a resource limit; 70 a bug of ours; 130, 143 signals.\n";
  } else if (hidden || !c.details.empty()) {
    text += fmt::format("\n`taugrad {} --help` shows all options and more.\n", c.name);
  }
  return text;
}

std::string help_of_program(const std::vector<Command>& commands) {
  std::string text =
      "taugrad: write a recurrence as in the textbook; see it unfolded, read and prove\n"
      "its gradients, train it.\n\n"
      "Usage: taugrad COMMAND [options]\n\n"
      "Examples:\n"
      "  taugrad show elman --steps 3 --format svg -o elman.svg\n"
      "      draws a shipped network, unfolded over three steps\n"
      "  taugrad check -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])'\n"
      "      proves the gradients of an equation of yours\n\n"
      "Commands:\n";
  for (const Command& c : commands) text += entry(c.name, c.about, 12);
  text +=
      "\n`taugrad COMMAND -h` shows a command, `--help` all of it; `--version` the version.\n"
      "Results go to standard output, words to standard error; `--json` serves programs.\n";
  return text;
}

}  // namespace taugrad::cli
