// The only file that compiles CLI11: it splits the command line, all checks and words are ours.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "command.h"
#include "options/foreign_words.h"
#include "taugrad/language/register_op.h"

namespace taugrad::cli {
namespace {

[[noreturn]] void usage_error(std::string code, std::string message, std::string help) {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  d.help = std::move(help);
  fail(Status::usage, std::move(d));
}

std::string help_hint(const Command& c) {
  return fmt::format("`taugrad {} -h` shows its options", c.name);
}

const Command& find_command(const std::vector<Command>& commands, const std::string& name) {
  std::vector<std::string> names;
  for (const Command& c : commands) {
    if (c.name == name) return c;
    names.push_back(c.name);
  }
  const std::string_view own = own_command(name);
  const bool there = std::ranges::find(names, own) != names.end();
  const std::string help =
      there ? fmt::format("did you mean \"{}\"?", own) : did_you_mean(name, names);
  const bool option = name.starts_with("-");
  usage_error("U001", fmt::format("unknown {} {}", option ? "option" : "command", printable(name)),
              help.empty() ? "`taugrad -h` lists the commands" : help);
}

[[noreturn]] void unknown_argument(const Command& c, const std::string& argument) {
  if (!argument.starts_with("-") || argument == "-")
    usage_error("U001", fmt::format("unexpected argument {}", printable(argument)), help_hint(c));
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> names = {"--json", "--quiet", "--help", "--version", "--load"};
  for (const Option& o : c.options) names.push_back(o.name);
  std::string help = foreign_option_help(c, name);
  if (help.empty()) help = did_you_mean(name, names);
  usage_error("U001", fmt::format("unknown option {}", printable(name)),
              help.empty() ? help_hint(c) : help);
}

// what CLI11 fills before our own checks look at it
struct Holder {
  const Option* option = nullptr;
  CLI::Option* parsed = nullptr;
  bool set = false;
  std::vector<std::string> values;
};

void declare(CLI::App& app, Holder& h) {
  const std::string names =
      (h.option->letter.empty() ? "" : "-" + h.option->letter + ",") + h.option->name;
  if (h.option->value.empty()) {
    h.parsed = app.add_flag(names, h.set);
    return;
  }
  h.parsed = app.add_option(names, h.values)->allow_extra_args(h.option->many);
}

void give_positionals(const Command& c, const std::vector<std::string>& values) {
  std::size_t at = 0;
  for (const Positional& p : c.positionals) {
    int taken = 0;
    for (; at < values.size() && taken < p.most; ++at, ++taken) p.take(values[at]);
    if (taken < p.least)
      usage_error("U006", fmt::format("`taugrad {}` needs {}: {}", c.name, p.name, p.help),
                  help_hint(c));
  }
  if (at < values.size()) unknown_argument(c, values[at]);
}

void split(CLI::App& app, const Command& c, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ArgumentMismatch& e) {
    // its text begins with the option's name
    const std::string text = e.what();
    usage_error("U006", fmt::format("{} needs a value", text.substr(0, text.find(':'))),
                help_hint(c));
  } catch (const CLI::ParseError& e) {
    usage_error("U006", printable(e.what()), help_hint(c));
  }
}

Request parse_command(const Command& c, int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  Request r;
  r.command = &c;
  bool brief = false, full = false;
  app.add_flag("-h", brief);
  app.add_flag("--help", full);
  app.add_flag("--version", r.version);
  app.add_flag("--json", r.context.json);
  app.add_flag("-q,--quiet", r.context.quiet);
  std::vector<std::string> positionals, libraries;
  app.add_option("--load", libraries)->allow_extra_args(false);
  app.add_option("arguments", positionals);
  std::vector<std::unique_ptr<Holder>> holders;
  for (const Option& o : c.options) {
    holders.push_back(std::make_unique<Holder>());
    holders.back()->option = &o;
    declare(app, *holders.back());
  }
  split(app, c, argc, argv);
  r.help = full ? Help::full : brief ? Help::brief : Help::none;
  if (r.help != Help::none || r.version) return r;
  if (const auto extra = app.remaining(); !extra.empty()) unknown_argument(c, extra.front());
  for (const std::string& library : libraries) load_operations(library);
  for (const auto& h : holders) {
    if (h->set || !h->values.empty()) r.context.given.insert(h->option->name);
    if (h->set) h->option->take("");
    for (const std::string& v : h->values) h->option->take(v);
  }
  give_positionals(c, positionals);
  return r;
}

}  // namespace

Request parse(const std::vector<Command>& commands, int argc, const char* const* argv) {
  Request r;
  int first = 1;
  for (; first < argc; ++first) {
    const std::string argument = argv[first];
    if (argument == "--json")
      r.context.json = true;
    else if (argument == "-q" || argument == "--quiet")
      r.context.quiet = true;
    else if (argument == "-h" || argument == "--help")
      r.help = Help::full;
    else if (argument == "--version")
      r.version = true;
    else if (argument == "--load" && first + 1 < argc)
      load_operations(argv[++first]);
    else
      break;
  }
  if (first == argc) return r;
  const bool help_wanted = std::string(argv[first]) == "help";
  if (help_wanted && ++first == argc) {
    r.help = Help::full;
    return r;
  }
  const Command& c = find_command(commands, argv[first]);
  if (help_wanted || r.help != Help::none) {
    r.command = &c;
    r.help = Help::full;
    return r;
  }
  Request of_command = parse_command(c, argc - first, argv + first);
  of_command.context.json |= r.context.json;
  of_command.context.quiet |= r.context.quiet;
  of_command.version |= r.version;
  return of_command;
}

}  // namespace taugrad::cli
