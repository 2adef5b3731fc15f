#include "taugrad/analysis/memory.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>

#include "analysis/states.h"
#include "base/fail.h"
#include "base/index.h"
#include "json/json_writer.h"
#include "language/resolve/resolved_model.h"
#include "runtime/stream.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad {
namespace {

using Column = std::vector<double>;

constexpr std::int64_t kMostSteps = std::int64_t{1} << 20;
constexpr std::int64_t kMostDefault = std::int64_t{1} << 16;

/// Fourier transform of 2^k numbers, in place (Cooley and Tukey).
void transform(std::vector<std::complex<double>>& v) {
  const std::size_t n = v.size();
  for (std::size_t i = 1, j = 0; i < n; ++i) {  // bits of the place in reverse order
    std::size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(v[i], v[j]);
  }
  for (std::size_t half = 1; half < n; half *= 2)
    for (std::size_t k = 0; k < half; ++k) {
      const auto turn =
          std::polar(1.0, std::numbers::pi * static_cast<double>(k) / static_cast<double>(half));
      for (std::size_t i = k; i < n; i += 2 * half) {
        const std::complex<double> odd = turn * v[i + half];
        v[i + half] = v[i] - odd;
        v[i] += odd;
      }
    }
}

/// One period, n = 2^k, of noise of mean 0 and variance 1 whose correlation with itself is the
/// same, -1/(n - 1), at every shift: all frequencies but 0 are equally strong, their phases drawn.
Column flat_noise(std::int64_t n, std::uint64_t seed) {
  Stream stream(seed, "memory");
  std::vector<std::complex<double>> spectrum(at(n), 0);
  const double size = 1 / std::sqrt(static_cast<double>(n - 1));
  for (std::int64_t f = 1; 2 * f < n; ++f) {
    spectrum[at(f)] = std::polar(size, 2 * std::numbers::pi * stream.uniform());
    spectrum[at(n - f)] = std::conj(spectrum[at(f)]);
  }
  spectrum[at(n / 2)] = stream.uniform() < 0.5 ? size : -size;
  transform(spectrum);
  Column u;
  for (const std::complex<double>& x : spectrum) u.push_back(x.real());
  return u;
}

class Memory {
 public:
  Memory(const Definition& d, const MemoryOptions& o) : definition_(d), options_(o) {
    model_ = resolve(d);
    check_input();
    choose_variables();
    check_numbers();
  }

  MemoryReport measure(const Tensors& weights) {
    noise_ = flat_noise(report_.steps, options_.seed);
    const Column kept = explained(orthonormal(states(weights)));
    for (std::int64_t lag = 0; lag < lags_; ++lag) {
      double sum = 0;  // x_e[t - lag] is the noise, shifted by the lag and the share of e
      for (std::int64_t e = 0; e < elements_; ++e)
        sum += kept[at((lag + shift_of(e)) % report_.steps)];
      report_.by_lag.push_back(sum);
      report_.capacity += sum;
    }
    return std::move(report_);
  }

 private:
  const Symbol* find(const std::string& name) const {
    const int number = model_->find(name);
    return number < 0 ? nullptr : &model_->symbols[at(number)];
  }

  void check_input() {
    report_.name = model_->system.name;
    std::vector<std::string> fitting;
    for (const Symbol& s : model_->symbols)
      if (s.kind == SymbolKind::input && s.category < 0 && s.position < 0 && s.axes.size() == 1)
        fitting.push_back(s.name);
    if (options_.input.empty() && fitting.size() != 1)
      fail(Status::usage, "U002",
           "\"{}\" has {} inputs with one index and numbers; name the one to remember",
           report_.name, fitting.size());
    report_.input = options_.input.empty() ? fitting.front() : options_.input;
    if (std::ranges::find(fitting, report_.input) == fitting.end())
      fail(Status::usage, "U002", "\"{}\" is not an input of \"{}\" with one index and numbers",
           report_.input, report_.name);
    elements_ = find(report_.input)->shape.size();
  }

  void choose_variables() {
    report_.of = options_.of;
    if (report_.of.empty())
      for (const std::string& name : analysis::state_names(unfold(model_, {.steps = 3})))
        if (along_input(find(name))) report_.of.push_back(name);
    if (report_.of.empty())
      fail(Status::bad_input, "G028",
           "no variable of \"{}\" with one index hands something from position to position",
           report_.name);
    for (const std::string& name : report_.of) {
      if (!along_input(find(name)))
        fail(Status::usage, "U002",
             "\"{}\" is not a variable of \"{}\" with numbers and the index of \"{}\"", name,
             report_.name, report_.input);
      report_.numbers += find(name)->shape.size();
    }
  }
  bool along_input(const Symbol* s) const {
    const auto length = [&](const Symbol* of) {
      return model_->index_length[at(of->axes.front())];
    };
    return s && s->kind == SymbolKind::variable && !s->random() && s->category < 0 &&
           s->axes.size() == 1 && length(s) == length(find(report_.input));
  }

  void check_numbers() {
    lags_ = options_.lags > 0 ? options_.lags : 2 * report_.numbers;
    const std::int64_t elements = std::max<std::int64_t>(elements_, 1);
    const std::int64_t largest = std::max<std::int64_t>(lags_, report_.numbers);
    const std::int64_t enough = elements * std::max<std::int64_t>(lags_, report_.numbers + 1) + 1;
    const std::int64_t wanted =
        options_.steps > 0 ? options_.steps
                           : std::max(std::min(100 * elements * largest, kMostDefault), enough);
    if (wanted < enough || wanted > kMostSteps)
      fail(
          Status::usage, "U002",
          "{} lags of {} numbers and a state of {} take at least {} steps, not {}; {} are the most",
          lags_, elements_, report_.numbers, enough, wanted, kMostSteps);
    report_.steps = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(wanted)));
    if (!(options_.scale > 0) || !std::isfinite(options_.scale))
      fail(Status::usage, "U002", "the scale must be > 0");
  }

  /// Element e of the input is the noise, later by its share of the period.
  std::int64_t shift_of(std::int64_t e) const { return e * report_.steps / elements_; }
  double input(std::int64_t e, std::int64_t t) const {
    const std::int64_t n = report_.steps;
    return noise_[at(((t - shift_of(e)) % n + n) % n)];
  }

  /// The numbers of the state over the measured steps, a column each. Before them the network runs
  /// for as many steps as there are lags, and some more, to forget where it began.
  std::vector<Column> states(const Tensors& weights) const {
    const std::int64_t before = lags_ + 100, steps = before + report_.steps;
    Tensors inputs = random_inputs(definition_, {.steps = steps, .seed = options_.seed});
    Tensor& x = inputs.at(report_.input);
    for (std::int64_t t = 0; t < steps; ++t)
      for (std::int64_t e = 0; e < elements_; ++e)
        x.set(t * elements_ + e, options_.scale * input(e, t - before));
    RunOptions run_options;
    run_options.fetch = report_.of;
    run_options.dtype = Dtype::f64;
    run_options.steps = steps;
    run_options.engine = options_.engine;
    const Tensors values =
        run(definition_, inputs,
            weights.empty() ? initial_weights(definition_, {.seed = options_.seed}) : weights,
            run_options)
            .values;
    std::vector<Column> columns;
    for (const std::string& name : report_.of) {
      const Tensor& v = values.at(name);
      const std::int64_t size = find(name)->shape.size();
      for (std::int64_t i = 0; i < size; ++i) {
        columns.emplace_back();
        for (std::int64_t t = before; t < steps; ++t) {
          columns.back().push_back(v.at(t * size + i));
          if (!std::isfinite(columns.back().back()))
            fail(Status::numerical, "N003", "{}[{}] is not finite after {} steps", name,
                 t - before + 1, t + 1);
        }
      }
    }
    return columns;
  }

  static double dot(const Column& a, const Column& b) {
    double sums[8] = {};  // independent of one another: several in flight at once
    for (std::size_t i = 0; i < a.size(); ++i) sums[i % 8] += a[i] * b[i];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  }

  /// An orthonormal basis of the centred columns (Gram and Schmidt, twice); what depends on earlier
  /// columns to ten digits adds nothing.
  static std::vector<Column> orthonormal(std::vector<Column> columns) {
    std::vector<Column> basis;
    for (Column& c : columns) {
      double mean = 0;
      for (const double x : c) mean += x / static_cast<double>(c.size());
      for (double& x : c) x -= mean;
      const double whole = std::sqrt(dot(c, c));
      for (int round = 0; round < 2; ++round)
        for (const Column& q : basis) {
          const double share = dot(q, c);
          for (std::size_t i = 0; i < c.size(); ++i) c[i] -= share * q[i];
        }
      const double rest = std::sqrt(dot(c, c));
      if (!(rest > 1e-10 * whole)) continue;
      for (double& x : c) x /= rest;
      basis.push_back(std::move(c));
    }
    return basis;
  }

  /// [shift]: R^2 of the regression of the noise, later by that much, on the state: the sum over
  /// the basis of squared correlations, each for all shifts at once by its Fourier transform.
  Column explained(const std::vector<Column>& basis) const {
    const auto n = static_cast<double>(report_.steps);
    std::vector<std::complex<double>> u(noise_.begin(), noise_.end());
    transform(u);
    Column sum(noise_.size(), 0);
    for (const Column& q : basis) {
      std::vector<std::complex<double>> v(q.begin(), q.end());
      transform(v);
      for (std::size_t f = 0; f < v.size(); ++f) v[f] = std::conj(v[f]) * u[f];
      transform(v);
      for (std::size_t i = 0; i < v.size(); ++i) sum[i] += std::pow(v[i].real() / n, 2);
    }
    const double size = dot(noise_, noise_);
    for (double& x : sum) x /= size;
    return sum;
  }

  const Definition& definition_;
  const MemoryOptions& options_;
  std::shared_ptr<const ResolvedModel> model_;
  MemoryReport report_;
  std::int64_t elements_ = 1, lags_ = 0;
  Column noise_;
};

}  // namespace

MemoryReport memory_capacity(const Definition& d, const Tensors& weights,
                             const MemoryOptions& options) {
  return Memory(d, options).measure(weights);
}

std::string to_json(const MemoryReport& r) {
  json::Writer w;
  w.begin_object().field("format", "taugrad-memory").field("version", 1).field("name", r.name);
  w.field("input", r.input).key("of").begin_array();
  for (const std::string& name : r.of) w.value(std::string_view(name));
  w.end_array().field("numbers", r.numbers).field("steps", r.steps);
  w.field("capacity", r.capacity).key("by_lag").begin_array();
  for (const double x : r.by_lag) w.value(x);
  w.end_array().end_object();
  return w.text() + "\n";
}

}  // namespace taugrad
