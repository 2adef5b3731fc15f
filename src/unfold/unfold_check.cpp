#include "unfold/unfold_check.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/fail.h"
#include "base/suggest.h"

namespace taugrad {
namespace {

[[noreturn]] void unknown(const char* what, const ResolvedModel& model, const std::string& name,
                          const std::vector<std::string>& known) {
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("{} has no {} \"{}\"", model.system.name, what, name);
  d.help = did_you_mean(name, known);
  fail(Status::usage, std::move(d));
}

void require_length(const std::string& name, std::int64_t length) {
  if (length < 0)
    fail(Status::usage, "U002", "the length \"{}\" is 0 or more, not {}", name, length);
}

void check_by_length_name(const ResolvedModel& model,
                          const std::map<std::string, std::int64_t>& lengths) {
  for (const auto& [name, length] : lengths) {
    if (std::ranges::find(model.lengths, name) == model.lengths.end())
      unknown("length", model, name, model.lengths);
    require_length(name, length);
  }
}

}  // namespace

void check_length_names(const ResolvedModel& model,
                        const std::map<std::string, std::int64_t>& lengths) {
  if (lengths.empty()) return;
  std::vector<std::string> known = model.lengths;
  for (const FlatIndex& i : model.system.indices) known.push_back(i.name);
  for (const auto& [name, length] : lengths) {
    if (std::ranges::find(known, name) == known.end())
      unknown("index or length", model, name, known);
    for (std::size_t i = 0; i < model.index_length.size(); ++i)
      if (model.system.indices[i].name == name && model.is_derived(model.index_length[i])) {
        Diagnostic d;
        d.code = "D018";
        d.message = fmt::format("the length of \"{}\" is {}: nobody gives it", name,
                                model.lengths[static_cast<std::size_t>(model.index_length[i])]);
        d.help = "give the length that it is derived from";
        fail(Status::usage, std::move(d));
      }
    require_length(name, length);
  }
}

void check_constant_mixes(const Modes& modes) {
  for (const auto& [name, mode] : modes)
    if (mode.kind == Mode::Kind::mixed && mode.data.changes())
      fail(Status::usage, "U002",
           "{}={} follows the updates of a training; here give a number, as in mixed(0.7)", name,
           to_string(mode));
}

void check_unfolding(const ResolvedModel& model, const UnfoldOptions& o) {
  if (!(std::isfinite(o.temperature) && o.temperature > 0))
    fail(Status::usage, "U002", "a temperature is finite and above 0, not {}", o.temperature);
  if (o.top_k < 0) fail(Status::usage, "U002", "top_k is 1 or more, or 0 for all, not {}", o.top_k);
  if (!(o.top_p > 0 && o.top_p <= 1))
    fail(Status::usage, "U002", "top_p is a share of the probability, in (0, 1], not {}", o.top_p);
  check_length_names(model, o.lengths);
  check_by_length_name(model, o.data_lengths);
  check_by_length_name(model, o.stands_for);
  for (const std::string& name : o.given) {
    const int number = model.find(name);
    if (number >= 0 && model.symbols[static_cast<std::size_t>(number)].random()) continue;
    std::vector<std::string> known;
    for (const Symbol& s : model.symbols)
      if (s.random()) known.push_back(s.name);
    unknown("random variable", model, name, known);
  }
}

}  // namespace taugrad
