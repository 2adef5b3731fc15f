#pragma once

#include <exception>
#include <string>
#include <vector>

namespace taugrad {

/// What a failure means to the caller; the numbers are the exit codes of the command line.
enum class Status : int {
  ok = 0,
  check_failed = 1,
  usage = 2,
  bad_input = 3,
  io = 4,
  numerical = 5,
  resource = 6,
  bug = 70,
};

/// One problem: what, where, why, and what would mend it.
struct Diagnostic {
  std::string code;     ///< stable, e.g. "G014"; `docs/errors.md` lists them
  std::string message;  ///< what is wrong, in one sentence
  std::string file;     ///< empty where no file is involved
  int line = 0;         ///< 1-based; 0: unknown
  int column = 0;       ///< 1-based; 0: unknown
  std::string pointer;  ///< JSON pointer or node path, e.g. "/equations/2"
  std::string excerpt;  ///< the source line or the equation
  int caret = -1;       ///< 0-based column in `excerpt`; -1: none
  int caret_length = 1;
  std::string help;  ///< what would mend it
};

/// The one exception type of the library. Carries every problem found, the first one first.
class Error : public std::exception {
 public:
  Error(Status status, Diagnostic diagnostic);
  Error(Status status, std::vector<Diagnostic> diagnostics);

  Status status() const { return status_; }
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  Status status_;
  std::vector<Diagnostic> diagnostics_;
  std::string what_;
};

/// The printed form: `error[CODE]: message`, the place, the excerpt with its caret, the help.
std::string to_text(const Diagnostic& d, bool warning = false);

}  // namespace taugrad
