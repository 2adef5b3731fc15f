#include "reference/check_text.h"

#include <fmt/core.h>

#include <ostream>
#include <string_view>

#include "base/utf8.h"
#include "taugrad/base/tensor.h"

namespace taugrad {
namespace {

// "W[3] at [0,2], item 1"
std::string place_of(const std::string& name, const std::vector<std::int64_t>& index,
                     std::int64_t item) {
  std::string text = printable(name);
  if (!index.empty()) text += fmt::format(" at {}", dims_text(index));
  return item >= 0 ? fmt::format("{}, item {}", text, item) : text;
}
std::string place_of(const VariableCheck& v) {
  if (v.worst.element < 0) return printable(v.name) + " along a random direction";
  return place_of(v.name, v.index, v.item);
}

std::string not_judged(const VariableCheck& v) {
  std::string text;
  if (v.kinks > 0) text += fmt::format("  {} at a kink", v.kinks);
  if (v.hidden > 0) text += fmt::format("  {} hidden by rounding", v.hidden);
  if (v.unmeasured > 0) text += fmt::format("  {} not measured", v.unmeasured);
  return text;
}

std::string row_of(const VariableCheck& v) {
  return fmt::format("{:<18} {:>9} {:>9}  {:>9.2g}  {:>14.8g} {:>14.8g}{}{}\n", printable(v.name),
                     v.entries, v.checked, v.worst.error, v.worst.analytic, v.worst.numeric,
                     not_judged(v), v.ok ? "" : "  WRONG");
}

// 1234567 as 1,234,567
std::string grouped(std::int64_t n) {
  const std::string digits = std::to_string(n);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string entries(std::int64_t n) { return n == 1 ? "1 entry" : fmt::format("{} entries", n); }

std::string kinks(const CheckReport& r) {
  if (r.kinks() == 0) return "";
  std::string text =
      fmt::format("{} at a kink, where both sides have their own derivative", entries(r.kinks()));
  for (const VariableCheck& v : r.variables)
    if (!v.kink_at.empty())
      return text + fmt::format(": {} bends at {}\n", printable(v.name), printable(v.kink_at));
  return text + "\n";
}

std::string covered(const CheckReport& r, std::string_view no_limit) {
  const char* method = r.method == Method::central ? "4-point differences" : "complex step";
  if (!r.sampled())
    return fmt::format(
        "{} of {} entries of {} variables checked, order {}, by {}, in {} "
        "evaluations\n",
        r.checked, r.entries, r.variables.size(), r.order, method, r.runs);
  const auto all = std::ssize(r.variables);
  const std::string directions =
      r.directions == all ? "a direction through every variable"
                          : fmt::format("a direction through {} of them{}", grouped(r.directions),
                                        r.together ? ", one through all at once" : "");
  std::string text = fmt::format(
      "checked {} of {} entries of {} variables and {}, order {}, by {}, in {} evaluations\n",
      grouped(r.checked), grouped(r.entries), grouped(all), directions, r.order, method,
      grouped(r.runs));
  if (r.out_of_time) text += fmt::format("the time is over; {} has no limit\n", no_limit);
  return text;
}

std::string faults(const CheckReport& r, std::string_view perturb) {
  std::string text;
  for (const OpFault& f : r.faults) {
    const bool spoiled = r.perturbed && r.perturbed->node == f.node;
    text += fmt::format(
        "wrong: the vjp of {} at {}{}: by {}: gradient {:.17g}, measured {:.17g}\n", f.op,
        printable(f.label), spoiled ? fmt::format(" (spoiled by {})", perturb) : "",
        place_of(f.input_label, f.index, f.item), f.entry.analytic, f.entry.numeric);
  }
  if (r.perturbed && r.ok())
    text += fmt::format("the vjp of {} at {} was spoiled, and no derivative here shows it\n",
                        r.perturbed->op, printable(r.perturbed->label));
  return text;
}

// of a graph of a million nodes nobody reads a line for each
constexpr std::size_t kMostRows = 500;

}  // namespace

std::string check_table(const CheckReport& r) {
  std::string text = fmt::format("{:<18} {:>9} {:>9}  {:>9}  {:>14} {:>14}\n", "variable",
                                 "entries", "checked", "error", "gradient", "numeric");
  std::size_t rows = 0;
  for (const VariableCheck& v : r.variables)
    if (rows < kMostRows || !v.ok) text += row_of(v), ++rows;
  if (rows < r.variables.size())
    text += fmt::format("{} more agree\n",
                        grouped(std::ssize(r.variables) - static_cast<std::int64_t>(rows)));
  return text + "\n";
}

std::string check_summary(const CheckReport& r, bool of_command) {
  std::string text = covered(r, of_command ? "--seconds 0" : "seconds = 0");
  if (const VariableCheck* w = r.worst())
    text += fmt::format("worst: {}: gradient {:.17g}, measured {:.17g}, error {:.1e}\n",
                        place_of(*w), w->worst.analytic, w->worst.numeric, w->worst.error);
  if (r.together && !r.together->ok)
    text += fmt::format("along a direction through all: gradient {:.17g}, measured {:.17g}\n",
                        r.together->analytic, r.together->numeric);
  text += faults(r, of_command ? "--perturb" : "perturb");
  text += kinks(r);
  if (r.hidden() > 0)
    text +=
        fmt::format("{} hidden by the rounding on the way, and not proven\n", entries(r.hidden()));
  if (r.unmeasured() > 0)
    text += fmt::format("{} nearer to a pole than the shortest step, and not proven\n",
                        entries(r.unmeasured()));
  if (r.vacuous())
    return text + (r.kinks() + r.hidden() + r.unmeasured() > 0
                       ? "nothing is proven: no entry could be judged here\n"
                       : "nothing is proven: every derivative is 0; the loss depends on none of "
                         "these here\n");
  return text + (r.ok() ? "every gradient agrees\n" : "GRADIENTS DISAGREE\n");
}

std::ostream& operator<<(std::ostream& out, const CheckReport& r) {
  if (r.not_finite) return out << r.not_finite->text() << "\n";
  return out << check_table(r) << check_summary(r);
}

}  // namespace taugrad
