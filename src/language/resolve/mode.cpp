#include "taugrad/language/mode.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "base/fail.h"
#include "base/words.h"

namespace taugrad {
namespace {

[[noreturn]] void cannot_read(std::string_view text, const std::string& why) {
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("cannot read the mode \"{}\": {}", text, why);
  d.help =
      "a mode is observed, sampled, greedy, mixed(P) or forced(T,K); P is a number in 0..1, "
      "linear(FROM,TO,UPDATES), exponential(C) or sigmoid(K)";
  fail(Status::usage, std::move(d));
}

/// A word, and what stands in its brackets, parted by commas.
struct Call {
  std::string_view word;
  std::vector<std::string_view> arguments = {};
  bool brackets = false;
};

Call call_of(std::string_view text, std::string_view whole) {
  text = trimmed(text);
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos) return {text};
  if (!text.ends_with(')')) cannot_read(whole, "a bracket is not closed");
  Call c{trimmed(text.substr(0, open)), {}, true};
  const std::string_view inside = text.substr(open + 1, text.size() - open - 2);
  int depth = 0;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= inside.size(); ++i) {
    const char ch = i < inside.size() ? inside[i] : ',';
    depth += ch == '(' ? 1 : ch == ')' ? -1 : 0;
    if (depth < 0) cannot_read(whole, "a bracket too many");
    if (ch != ',' || depth > 0) continue;
    c.arguments.push_back(trimmed(inside.substr(from, i - from)));
    from = i + 1;
  }
  if (depth != 0) cannot_read(whole, "a bracket is not closed");
  return c;
}

/// Reads the arguments of one mode.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), call_(call_of(text, text)) {}

  Mode read() {
    Mode m = mode_of_word();
    take_words(m);
    if (m.kind == Mode::Kind::mixed)
      m.data = probability(only_argument("a probability, as in mixed(0.7)"));
    else if (m.kind == Mode::Kind::forced)
      take_steps(m);
    else if (call_.brackets && (!call_.arguments.empty() || m.kind == Mode::Kind::observed))
      cannot_read(text_, fmt::format("{} takes no numbers", call_.word));
    return m;
  }

 private:
  Mode mode_of_word() const {
    constexpr std::pair<std::string_view, Mode::Kind> kWords[] = {
        {"observed", Mode::Kind::observed}, {"sampled", Mode::Kind::sampled},
        {"greedy", Mode::Kind::greedy},     {"mixed", Mode::Kind::mixed},
        {"forced", Mode::Kind::forced},
    };
    for (const auto& [word, kind] : kWords)
      if (call_.word == word) return Mode{.kind = kind};
    cannot_read(text_, fmt::format("\"{}\" is no mode", call_.word));
  }

  void take_words(Mode& m) {
    const bool has_draws = m.kind == Mode::Kind::mixed || m.kind == Mode::Kind::forced;
    while (!call_.arguments.empty()) {
      const std::string_view last = call_.arguments.back();
      if (last == "pathwise" && !m.pathwise && m.draws())
        m.pathwise = true;
      else if (last == "greedy" && !m.likeliest && has_draws)
        m.likeliest = true;
      else
        return;
      call_.arguments.pop_back();
    }
  }

  std::string_view only_argument(const char* what) const {
    if (call_.arguments.size() != 1 || call_.arguments[0].empty())
      cannot_read(text_, fmt::format("{} takes {}", call_.word, what));
    return call_.arguments[0];
  }

  void take_steps(Mode& m) const {
    if (call_.arguments.size() != 2)
      cannot_read(text_, "forced takes the steps of data and the free ones, as in forced(10,5)");
    m.data_steps = steps(call_.arguments[0]);
    m.free_steps = steps(call_.arguments[1]);
    if (m.data_steps + m.free_steps == 0) cannot_read(text_, "one of the two must be 1 or more");
  }

  std::int64_t steps(std::string_view text) const {
    std::int64_t n = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size() || n < 0 || n > INT32_MAX)
      cannot_read(text_, fmt::format("\"{}\" is no number of steps", text));
    return n;
  }

  double number(std::string_view text, const char* what, double least, double most) const {
    double x = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
    if (error != std::errc() || end != text.data() + text.size() || !(x >= least && x <= most))
      cannot_read(text_, fmt::format("{} must be a number {}, not \"{}\"", what,
                                     most > 1e300 ? fmt::format(">= {}", least)
                                                  : fmt::format("in {}..{}", least, most),
                                     text));
    return x;
  }

  Probability probability(std::string_view text) const {
    const Call c = call_of(text, text_);
    Probability p;
    const auto want = [&](std::size_t count, const char* form) {
      if (c.arguments.size() != count)
        cannot_read(text_, fmt::format("{} takes {} number{}, as in {}", c.word, count,
                                       count == 1 ? "" : "s", form));
    };
    if (!c.brackets) {
      p.from = p.to = number(c.word, "the probability", 0, 1);
    } else if (c.word == "linear") {
      want(3, "linear(1,0.2,1000)");
      p = {Probability::Shape::linear, number(c.arguments[0], "FROM", 0, 1),
           number(c.arguments[1], "TO", 0, 1), number(c.arguments[2], "UPDATES", 1, 1e18)};
    } else if (c.word == "exponential") {
      want(1, "exponential(0.999)");
      p = {Probability::Shape::exponential, 1, 1, number(c.arguments[0], "C", 0, 1)};
    } else if (c.word == "sigmoid") {
      want(1, "sigmoid(500)");
      p = {Probability::Shape::sigmoid, 1, 1,
           number(c.arguments[0], "K", 1, std::numeric_limits<double>::max())};
    } else {
      cannot_read(text_, fmt::format("\"{}\" is no schedule", c.word));
    }
    return p;
  }

  std::string_view text_;
  Call call_;
};

std::string to_string(const Probability& p) {
  switch (p.shape) {
    case Probability::Shape::constant:
      return fmt::format("{}", p.from);
    case Probability::Shape::linear:
      return fmt::format("linear({},{},{})", p.from, p.to, p.scale);
    case Probability::Shape::exponential:
      return fmt::format("exponential({})", p.scale);
    case Probability::Shape::sigmoid:
      return fmt::format("sigmoid({})", p.scale);
  }
  return {};
}

}  // namespace

double Probability::at(std::int64_t update) const {
  const auto u = static_cast<double>(update);
  switch (shape) {
    case Shape::constant:
      return from;
    case Shape::linear:
      return std::lerp(from, to, std::min(u / scale, 1.0));
    case Shape::exponential:
      return std::pow(scale, u);
    case Shape::sigmoid:
      return scale / (scale + std::exp(u / scale));
  }
  return from;
}

Mode Mode::mixed(double probability) {
  if (!(probability >= 0 && probability <= 1))
    fail(Status::usage, "U002", "a probability is in 0..1, not {}", probability);
  return mixed(Probability{.from = probability, .to = probability});
}

Mode Mode::mixed(const Probability& p) { return {.kind = Kind::mixed, .data = p}; }

Mode Mode::forced(std::int64_t data_steps, std::int64_t free_steps) {
  if (data_steps < 0 || free_steps < 0 || data_steps + free_steps == 0)
    fail(Status::usage, "U002", "forced: steps of data and free ones are >= 0, one of them >= 1");
  return {.kind = Kind::forced, .data_steps = data_steps, .free_steps = free_steps};
}

bool Mode::is_data(std::int64_t position) const {
  if (kind != Kind::forced) return kind == Kind::observed;
  return position >= 1 && (position - 1) % (data_steps + free_steps) < data_steps;
}

Mode mode_from(std::string_view text) { return Reader(text).read(); }

std::string to_string(const Mode& m) {
  std::string inside;
  const auto add = [&](const std::string& word) { inside += (inside.empty() ? "" : ",") + word; };
  if (m.kind == Mode::Kind::mixed) add(to_string(m.data));
  if (m.kind == Mode::Kind::forced) add(fmt::format("{},{}", m.data_steps, m.free_steps));
  if (m.likeliest) add("greedy");
  if (m.pathwise) add("pathwise");
  constexpr std::string_view kWords[] = {"observed", "sampled", "greedy", "mixed", "forced"};
  const std::string_view word = kWords[static_cast<std::size_t>(m.kind)];
  return inside.empty() ? std::string(word) : fmt::format("{}({})", word, inside);
}

namespace {
constexpr std::string_view kData = "data:";
}

std::string mix_input(std::string_view variable) { return fmt::format("mix:{}", variable); }
std::string data_input(std::string_view variable) { return fmt::format("{}{}", kData, variable); }
std::string data_of(std::string_view input) {
  return std::string(input.starts_with(kData) ? input.substr(kData.size()) : input);
}

}  // namespace taugrad
