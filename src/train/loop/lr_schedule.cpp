#include "taugrad/train/lr_schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/words.h"

namespace taugrad {
namespace {

constexpr double kMostUpdates = 1e12;

[[noreturn]] void unreadable(std::string_view text, const std::string& why) {
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("cannot read the schedule \"{}\": {}", text, why);
  d.help =
      "such as 'warmup(500) cosine(0.1)'; parts are warmup(N), constant, linear(F), cosine(F), "
      "exponential(F), inverse_sqrt(N), step(F, N), plateau(F, N)";
  fail(Status::usage, std::move(d));
}

std::vector<double> numbers_in(std::string_view list, std::string_view text) {
  std::vector<double> numbers;
  while (!list.empty()) {
    const std::string_view one = trimmed(list.substr(0, list.find(',')));
    double value = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), value);
    if (error != std::errc{} || end != one.data() + one.size() || !std::isfinite(value))
      unreadable(text, fmt::format("\"{}\" is not a number", one));
    numbers.push_back(value);
    list.remove_prefix(std::min(list.find(','), list.size() - 1) + 1);
  }
  return numbers;
}

}  // namespace

LrSchedule::LrSchedule(std::string_view text) : text_(text) {
  std::string_view rest = trimmed(text);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(" ("), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    std::vector<double> numbers;
    if (rest.starts_with('(')) {
      const std::size_t close = rest.find(')');
      if (close == std::string_view::npos) unreadable(text, "a bracket is not closed");
      numbers = numbers_in(rest.substr(1, close - 1), text);
      rest.remove_prefix(close + 1);
    }
    rest = trimmed(rest);
    parts_.push_back(part_from(word, numbers, text));
    if (parts_.back().kind != Kind::warmup) continue;
    if (warmup_ > 0) unreadable(text, "it warms up twice");
    warmup_ = parts_.back().every;
  }
}

LrSchedule::Part LrSchedule::part_from(std::string_view word, const std::vector<double>& numbers,
                                       std::string_view written) {
  struct Row {
    std::string_view word;
    Kind kind;
    const char* takes;  // F: a share in [0, 1]; N: a number of updates
  };
  static constexpr Row kRows[] = {{"warmup", Kind::warmup, "N"},
                                  {"constant", Kind::constant, ""},
                                  {"linear", Kind::linear, "F"},
                                  {"cosine", Kind::cosine, "F"},
                                  {"exponential", Kind::exponential, "F"},
                                  {"inverse_sqrt", Kind::inverse_sqrt, "N"},
                                  {"step", Kind::step, "FN"},
                                  {"plateau", Kind::plateau, "FN"}};
  const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.word == word; });
  if (row == std::end(kRows)) {
    std::vector<std::string> known;
    for (const Row& r : kRows) known.emplace_back(r.word);
    const std::string near = did_you_mean(std::string(word), known);
    unreadable(written, fmt::format("there is no \"{}\"{}", word, near.empty() ? "" : "; " + near));
  }
  const std::string_view takes = row->takes;
  if (numbers.size() != takes.size())
    unreadable(written,
               fmt::format("{} takes {} numbers, not {}", word, takes.size(), numbers.size()));
  Part p{row->kind};
  for (std::size_t i = 0; i < takes.size(); ++i) {
    const double x = numbers[i];
    if (takes[i] == 'F' && !(x >= 0 && x <= 1))
      unreadable(written, fmt::format("{} is no share in [0, 1]", x));
    if (takes[i] == 'F' && x == 0 && row->kind == Kind::exponential)
      unreadable(written, "an exponential never comes to 0");
    if (takes[i] == 'N' && !(x >= 1 && x <= kMostUpdates && x == std::floor(x)))
      unreadable(written, fmt::format("{} is no number of updates, 1 or more", x));
    if (takes[i] == 'F')
      p.to = x;
    else
      p.every = static_cast<std::int64_t>(x);
  }
  return p;
}

double LrSchedule::factor_of(const Part& p, double progress, std::int64_t update,
                             const PlateauState& plateau) const {
  const std::int64_t after = std::max<std::int64_t>(update - warmup_, 0);
  switch (p.kind) {
    case Kind::warmup:
      return update < p.every ? static_cast<double>(update + 1) / static_cast<double>(p.every) : 1;
    case Kind::constant:
      return 1;
    case Kind::linear:
      return progress >= 1 ? p.to : 1 - (1 - p.to) * progress;
    case Kind::cosine:
      return progress >= 1 ? p.to
                           : p.to + (1 - p.to) * (1 + std::cos(std::numbers::pi * progress)) / 2;
    case Kind::exponential:
      return std::pow(p.to, progress);
    case Kind::inverse_sqrt:
      return std::sqrt(static_cast<double>(p.every) / static_cast<double>(p.every + after));
    case Kind::step:
      return std::pow(p.to, static_cast<double>(after / p.every));
    case Kind::plateau:
      return plateau.factor;
  }
  return 1;
}

double LrSchedule::factor(std::int64_t update, std::int64_t total,
                          const PlateauState& plateau) const {
  const std::int64_t span = total - 1 - warmup_;
  const double done = static_cast<double>(std::max<std::int64_t>(update - warmup_, 0));
  const double progress = span > 0            ? std::min(done / static_cast<double>(span), 1.0)
                          : update >= warmup_ ? 1
                                              : 0;
  double factor = 1;
  for (const Part& p : parts_) factor *= factor_of(p, progress, update, plateau);
  return factor;
}

bool LrSchedule::has_plateau() const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& p) { return p.kind == Kind::plateau; });
}

void LrSchedule::measured(double loss, PlateauState& plateau) const {
  if (!plateau.best || loss < *plateau.best) {
    plateau.best = loss;
    plateau.waited = 0;
    return;
  }
  ++plateau.waited;
  for (const Part& p : parts_)
    if (p.kind == Kind::plateau && plateau.waited >= p.every) {
      plateau.factor *= p.to;
      plateau.waited = 0;
    }
}

}  // namespace taugrad
