#include <csignal>
#include <cstring>
#include <exception>
#include <new>

#include "base/fail.h"
#include "base/system/kept_inputs.h"
#include "command.h"
#include "output.h"

namespace {

using namespace taugrad;
using namespace taugrad::cli;

// errors are reported in the form asked for even where the command line cannot be parsed
bool asks_for_json(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i)
    if (std::strcmp(argv[i], "--json") == 0) return true;
  return false;
}

int execute(int argc, const char* const* argv) {
  const std::vector<Command> commands = all_commands();
  const Request r = parse(commands, argc, argv);
  if (r.version) {
    print(r.context.json ? "{\"name\":\"taugrad\",\"version\":\"" TAUGRAD_VERSION "\"}\n"
                         : "taugrad " TAUGRAD_VERSION "\n");
    return 0;
  }
  if (r.command != nullptr && r.help != Help::none) {
    print(help_of(*r.command, r.help));
    return 0;
  }
  if (r.command != nullptr) return r.command->run(r.context);
  if (r.help != Help::none) {
    print(help_of_program(commands));
    return 0;
  }
  print_error(help_of_program(commands));
  return static_cast<int>(Status::usage);
}

Error of_exception(Status status, const char* code, std::string message, std::string help) {
  Diagnostic d;
  d.code = code;
  d.message = std::move(message);
  d.help = std::move(help);
  return Error(status, std::move(d));
}

int report_and_status(const Error& e, bool json) {
  report(e, json);
  return static_cast<int>(e.status());
}

}  // namespace

int main(int argc, char** argv) {
  // a closed pipe and a file over its limit are errors of a write, not deaths
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const bool json = asks_for_json(argc, argv);
  const KeptInputs kept;
  try {
    return execute(argc, argv);
  } catch (const OutputClosed&) {
    return 0;
  } catch (const Error& e) {
    return report_and_status(e, json);
  } catch (const std::bad_alloc&) {
    return report_and_status(of_exception(Status::resource, "R002", "out of memory",
                                          "ask for fewer steps, a smaller batch or smaller sizes"),
                             json);
  } catch (const std::exception&) {
    return report_and_status(of_exception(Status::bug, "B002", "internal error",
                                          "please report it, with the command and its files"),
                             json);
  }
}
