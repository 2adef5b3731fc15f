#include "reference/not_finite.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

// Where an infinity or a NaN comes from.
namespace taugrad {
namespace {

bool finite(float x) { return std::isfinite(x); }
bool finite(double x) { return std::isfinite(x); }
bool finite(const std::complex<double>& z) { return finite(z.real()) && finite(z.imag()); }

double part(double x) { return x; }
double part(const std::complex<double>& z) { return finite(z.real()) ? z.imag() : z.real(); }

template <class S>
bool all_finite(std::span<const S> values) {
  return std::all_of(values.begin(), values.end(), [](const S& x) { return finite(x); });
}

}  // namespace

template <class S>
std::optional<NotFinite> source_of_not_finite(const Tape& tape, const Interpreter<S>& run,
                                              NodeId from) {
  if (all_finite(run.value(from))) return {};
  std::vector<char> guilty(static_cast<std::size_t>(from) + 1, 0);
  guilty.back() = 1;
  NodeId first = from;
  for (NodeId id = from; id >= 0; --id) {
    if (!guilty[static_cast<std::size_t>(id)]) continue;
    bool inherited = false;
    for (const NodeId in : tape.inputs(id)) {
      if (all_finite(run.value(in))) continue;
      guilty[static_cast<std::size_t>(in)] = 1;
      inherited = true;
    }
    if (!inherited) first = id;
  }
  const std::span<const S> value = run.value(first);
  const auto bad = std::find_if(value.begin(), value.end(), [](const S& x) { return !finite(x); });
  const std::int64_t size = std::max<std::int64_t>(1, tape.shape(first).size());
  NotFinite found;
  found.node = first;
  found.label = tape.label(first);
  found.op = tape.op(first).name;
  found.item = run.item_of(first, (bad - value.begin()) / size);
  found.value = part(*bad);
  return found;
}

template std::optional<NotFinite> source_of_not_finite(const Tape&, const Interpreter<float>&,
                                                       NodeId);
template std::optional<NotFinite> source_of_not_finite(const Tape&, const Interpreter<double>&,
                                                       NodeId);
template std::optional<NotFinite> source_of_not_finite(const Tape&,
                                                       const Interpreter<std::complex<double>>&,
                                                       NodeId);

std::string NotFinite::text() const {
  const std::string where = item >= 0 ? fmt::format("{}, item {}", label, item) : label;
  const char* number = std::isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf";
  return fmt::format("not finite at {}: {} gives {}", where, op, number) +
         (of.empty() ? "" : fmt::format(", and so {}", of));
}

}  // namespace taugrad
