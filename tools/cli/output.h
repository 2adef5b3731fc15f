#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command.h"
#include "taugrad/base/error.h"

namespace taugrad::cli {

/// Standard output could not be written: `closed` by its reader (not an error), or failed.
struct OutputClosed {};

/// Writes to standard output. @throws OutputClosed, Error (I002)
void print(std::string_view text);
/// Writes to standard error, unless quiet or --json.
void note(const Context& c, std::string_view line);
/// Writes to standard error as it is; failures are ignored: there is nowhere left to say so.
void print_error(std::string_view text);
/// Each problem: as text, or with --json as one JSON object a line.
void report(const Error& e, bool json);
void warn(const Context& c, const Diagnostic& d);

/// The format of what `-o` asks for: that of its suffix; without one, and for .txt, what would be
/// printed. @throws Error (U002) for a suffix that is none of `formats`
std::string format_of(const std::string& output, const std::vector<std::string>& formats,
                      const std::string& printed);
/// Data for `-o`: a file, written whole or not at all, or standard output for "" and "-".
void deliver(const std::string& path, std::string_view data);

bool colour_wanted(int descriptor);
/// A string as a JSON string, quotes included.
std::string quoted(std::string_view text);

}  // namespace taugrad::cli
