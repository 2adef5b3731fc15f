#include <fmt/format.h>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

[[noreturn]] void no_such_variable(const ResolvedModel& model, const std::string& name) {
  std::vector<std::string> known;
  for (const Symbol& s : model.symbols)
    if (s.random()) known.push_back(s.name);
  const int number = model.find(name);
  Diagnostic d;
  d.code = "U002";
  d.message = number >= 0
                  ? fmt::format("\"{}\" is not a random variable: it has no mode", name)
                  : fmt::format("{} has no random variable \"{}\"", model.system.name, name);
  d.help = known.empty() ? "none of its equations is written with ~"
                         : fmt::format("random variables: {}", fmt::join(known, ", "));
  fail(Status::usage, std::move(d));
}

[[noreturn]] void does_not_fit(const std::string& name, const Mode& mode, const std::string& why) {
  fail(Status::usage, "U002", "{}={}: {}", name, to_string(mode), why);
}

}  // namespace

void check_modes(const ResolvedModel& model, const Modes& modes) {
  for (const auto& [name, mode] : modes) {
    const int number = model.find(name);
    if (number < 0 || !model.symbols[static_cast<std::size_t>(number)].random())
      no_such_variable(model, name);
    const Symbol& s = model.symbols[static_cast<std::size_t>(number)];
    const bool parts = mode.kind == Mode::Kind::forced || mode.kind == Mode::Kind::mixed;
    if (s.length >= 0 && parts)
      does_not_fit(name, mode, "a length is either the data's or drawn, for the whole sequence");
    if (s.axes.empty() && mode.kind == Mode::Kind::forced)
      does_not_fit(name, mode, fmt::format("{} has no index, and so no steps", name));
    if (mode.pathwise && !s.normal())
      does_not_fit(name, mode, "only draws of a normal carry a pathwise gradient");
  }
}

}  // namespace taugrad
