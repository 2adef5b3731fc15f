#include "reports/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "json/json_writer.h"
#include "language/resolve/resolved_model.h"

namespace taugrad::cli {
namespace {

/// The variable that a fetch like "h", "nll:y" or "grad:W" is about, or null.
const Symbol* symbol_of(const ResolvedModel& model, const std::string& fetch) {
  const int number = model.find(fetch.substr(fetch.rfind(':') + 1));
  return number < 0 ? nullptr : &model.symbols[static_cast<std::size_t>(number)];
}

std::vector<double> apart(const Tensor& a, const Tensor& b, std::int64_t steps, bool symbols) {
  std::vector<double> all;
  const std::int64_t each = steps == 0 ? 0 : a.size() / steps;
  for (std::int64_t t = 0; t < steps; ++t) {
    double sum = 0;
    for (std::int64_t i = t * each; i < (t + 1) * each; ++i) {
      const double off = a.at(i) - b.at(i);
      sum += symbols ? (off != 0 ? 1 : 0) : off * off;
    }
    all.push_back(symbols ? sum : std::sqrt(sum));
  }
  return all;
}

}  // namespace

Divergence divergence(const Definition& d, const Tensors& open, const Tensors& forced) {
  const auto model = resolve(d);
  Divergence found;
  for (const auto& [name, a] : open) {
    const Tensor& b = forced.at(name);
    if (a.dims() != b.dims())
      fail(Status::usage, "U002",
           "--divergence: \"{}\" is {} here and {} under teacher forcing; give the data with "
           "--inputs, so that they tell the lengths",
           name, dims_text(a.dims()), dims_text(b.dims()));
    const Symbol* s = symbol_of(*model, name);
    const bool steps = s != nullptr && !s->axes.empty() && name.find('[') == std::string::npos;
    const bool symbols = s != nullptr && s->category >= 0 && s->name == name;
    found[name] = apart(a, b, steps ? a.dims()[0] : 1, symbols);
  }
  return found;
}

std::string divergence_table(const Divergence& d) {
  std::size_t rows = 0;
  std::string text = "step  ";
  for (const auto& [name, values] : d) {
    text += fmt::format("  {:>12}", name);
    rows = std::max(rows, values.size());
  }
  text += "\n";
  for (std::size_t t = 0; t < rows; ++t) {
    text += fmt::format("{:<6}", t + 1);
    for (const auto& [name, values] : d)
      text += fmt::format("  {:>12}", t < values.size() ? fmt::format("{:.6g}", values[t]) : "");
    text += "\n";
  }
  return text;
}

std::string divergence_json(const Divergence& d) {
  json::Writer w;
  w.begin_object();
  for (const auto& [name, values] : d) {
    w.key(name).begin_array();
    for (const double x : values) w.value(x);
    w.end_array();
  }
  w.end_object();
  return w.text() + "\n";
}

}  // namespace taugrad::cli
