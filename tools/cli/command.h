#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/words.h"

/// A subcommand as data: what the parser, the help and the messages are made from.
namespace taugrad::cli {

using Take = std::function<void(const std::string&)>;

/// What every command is told.
struct Context {
  bool json = false;                 ///< results and errors for programs
  bool quiet = false;                ///< no notes, no progress
  std::set<std::string> given = {};  ///< the command's own options that the command line names
};

struct Option {
  std::string name;    ///< "--steps"
  std::string letter;  ///< "o" for -o; may be empty
  std::string value;   ///< "N"; empty: a flag
  std::string help;
  Take take;           ///< checks and stores one value; throws Error (U002)
  bool many = false;   ///< one occurrence takes several values (--data A B C)
  bool common = true;  ///< listed by -h, not only by --help
};

struct Positional {
  std::string name;
  std::string help;
  int least = 1, most = 1;
  Take take;
};

struct Command {
  std::string name;
  std::string about;
  std::vector<Positional> positionals;
  std::vector<Option> options;
  std::vector<std::pair<std::string, std::string>> examples;  ///< command line, what it does
  std::string details;                                        ///< for --help
  std::function<int(const Context&)> run;                     ///< returns the exit status

  Command& positional(Positional p);
  Command& option(Option o);
  /// The common kinds. `names` is "--output" or "-o,--output".
  Command& flag(std::string_view names, std::string help, bool& to);
  Command& text(std::string_view names, std::string value, std::string help, std::string& to);
  /// A file to write: refused where it is an input (base/kept_inputs.h).
  Command& output(std::string_view names, std::string value, std::string help, std::string& to);
  Command& integer(std::string_view names, std::string value, std::string help, std::int64_t& to,
                   std::int64_t least, std::int64_t most);
  Command& choice(std::string_view names, std::string help, std::string& to,
                  std::vector<std::string> of);
  /// The same of an enum, by its table of words, which outlives the command.
  template <class E, std::size_t N>
  Command& choice(std::string_view names, std::string help, E& to, const Word<E> (&words)[N]);
  /// A finite number in a range; `range` says it in words ("> 0"), `ok` decides.
  Command& number(std::string_view names, std::string value, std::string help, double& to,
                  std::string range, std::function<bool(double)> ok);
  /// The last option added is shown by --help only.
  Command& rare();

 private:
  Command& word(std::string_view names, const std::vector<std::string>& of, std::string help,
                std::function<void(const std::string& name, const std::string& text)> take);
};

template <class E, std::size_t N>
Command& Command::choice(std::string_view names, std::string help, E& to,
                         const Word<E> (&words)[N]) {
  return word(names, texts_of(words), std::move(help),
              [&to, &words](const std::string& option_name, const std::string& v) {
                to = value_of(words, option_name, v);
              });
}

/// An option that would be taken and do nothing is an error. `why` goes on the sentence "--beta1
/// has no effect ..". @throws Error (U007) for the first of `options` that the command line gives
void refuse_without_effect(const Context& c, std::initializer_list<const char*> options,
                           std::string_view why);

/// Whole text as a number. @throws Error (U002) naming the option
std::int64_t parse_integer(const std::string& option, const std::string& text, std::int64_t least,
                           std::int64_t most);
/// MiB, or with a suffix K, M, G or T (also KB, KiB), as bytes. @throws Error (U002) naming the
/// option
std::size_t parse_memory(const std::string& option, const std::string& text);
double parse_number(const std::string& option, const std::string& text, const std::string& range,
                    const std::function<bool(double)>& ok);
std::uint64_t parse_seed(const std::string& option, const std::string& text);

std::vector<Command> all_commands();

enum class Help { none, brief, full };
/// What a command line asks for.
struct Request {
  const Command* command = nullptr;
  Help help = Help::none;
  bool version = false;
  Context context;
};
/// Parses and stores all values into the command's own options. @throws Error (U001, U002, U006)
Request parse(const std::vector<Command>& commands, int argc, const char* const* argv);

std::string help_of_program(const std::vector<Command>& commands);
std::string help_of(const Command& c, Help kind);

}  // namespace taugrad::cli
