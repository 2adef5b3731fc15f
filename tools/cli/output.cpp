#include "output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/fail.h"
#include "base/system/files.h"
#include "base/system/suffix.h"
#include "base/utf8.h"
#include "json/json_writer.h"
#include "options/option_hints.h"

namespace taugrad::cli {
namespace {

// 0, or the error of the first write that failed
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(descriptor, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

std::string text_of(const Diagnostic& d, bool warning) {
  std::string text = to_text(d, warning);
  if (!colour_wanted(STDERR_FILENO)) return text;
  const std::size_t end = text.find(": ");
  return (warning ? "\x1b[1;33m" : "\x1b[1;31m") + text.substr(0, end) + "\x1b[0m" +
         text.substr(end);
}

bool set_and_not_empty(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

constexpr std::size_t kMostProblems = 20;

}  // namespace

bool colour_wanted(int descriptor) {
  if (set_and_not_empty("NO_COLOR")) return false;
  if (set_and_not_empty("FORCE_COLOR") || set_and_not_empty("CLICOLOR_FORCE")) return true;
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

void print(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == EPIPE || error == EBADF) throw OutputClosed{};
  if (error != 0) fail(Status::io, "I002", "standard output: {}", std::strerror(error));
}

void print_error(std::string_view text) { write_all(STDERR_FILENO, text); }

void note(const Context& c, std::string_view line) {
  if (!c.quiet && !c.json) print_error(printable(line, 4000) + "\n");
}

void report(const Error& e, bool json) {
  std::size_t shown = 0;
  for (const Diagnostic& told : e.diagnostics()) {
    const Diagnostic d = with_option(told);
    if (!json && shown == kMostProblems) {
      print_error(fmt::format("and {} more\n", e.diagnostics().size() - shown));
      return;
    }
    print_error(json ? json::to_json(d) + "\n" : text_of(d, false));
    ++shown;
  }
}

void warn(const Context& c, const Diagnostic& d) {
  if (!c.quiet) print_error(c.json ? json::to_json(d, true) + "\n" : text_of(d, true));
}

std::string format_of(const std::string& output, const std::vector<std::string>& formats,
                      const std::string& printed) {
  const std::string suffix = known_suffix(output, formats);
  return suffix.empty() || suffix == "txt" ? printed : suffix;
}

void deliver(const std::string& path, std::string_view data) {
  if (path.empty() || path == "-")
    print(data);
  else
    write_file(path, data);
}

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

}  // namespace taugrad::cli
