// The unfolded network beside its machine.
#include "taugrad/turing/run.h"

#include <algorithm>
#include <map>

#include "base/fail.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/unfold/unfold.h"
#include "turing/exact_weight.h"

namespace taugrad {
namespace {

constexpr std::int64_t kStepLayers = 3;

template <class S>
S scalar_of(const Rational& x) {
  if constexpr (std::is_same_v<S, Rational>)
    return x;
  else
    return static_cast<S>(x.to_double());
}
Rational exact(const Rational& x) { return x; }
Rational exact(double x) { return Rational(x); }

/// A few steps of the machine as one unfolded graph; run over and over, each from where the last
/// one ended.
template <class S>
class Stretch {
 public:
  explicit Stretch(const TuringNetwork& n)
      : length_(stretch_of(n)),
        unfolded_(unfold(n.definition, {.steps = kStepLayers * length_})),
        interpreter_(unfolded_.graph().tape(), ends()) {
    BatchContext batch;
    batch.item = {0};
    batch.lengths.assign(unfolded_.graph().tape().length_names.size(), {kStepLayers * length_});
    interpreter_.set_batch(std::move(batch), 1);
    for (const WeightDeclaration& w : n.definition.weights) set(w.name.text, exact_values(w));
  }

  std::int64_t length() const { return length_; }
  void run() { interpreter_.run(); }
  /// h after step i = 1..length of this stretch.
  std::vector<Rational> after(std::int64_t i) const {
    std::vector<Rational> h;
    for (const S& x : interpreter_.value(end(i))) h.push_back(exact(x));
    return h;
  }
  void start_from_end() { set("h0", after(length_)); }

 private:
  // what a graph holds is bounded: a copy of W for each step of the network
  static std::int64_t stretch_of(const TuringNetwork& n) {
    const auto units = static_cast<std::int64_t>(n.units.size());
    return std::clamp<std::int64_t>(1'000'000 / (kStepLayers * units * units), 1, 32);
  }
  NodeId end(std::int64_t i) const {
    return unfolded_.at("h", static_cast<std::int32_t>(kStepLayers * i)).id;
  }
  std::vector<NodeId> ends() const {
    std::vector<NodeId> ids;
    for (std::int64_t i = 1; i <= length_; ++i) ids.push_back(end(i));
    return ids;
  }
  void set(const std::string& weight, const std::vector<Rational>& values) {
    const std::span<S> to = interpreter_.leaf(unfolded_.weight(weight).id);
    std::transform(values.begin(), values.end(), to.begin(), scalar_of<S>);
  }

  std::int64_t length_;
  Unfolded unfolded_;
  Interpreter<S> interpreter_;
};

/// Where floats must fail, from the machine alone. In v + c, 1 <= v + c < 2, the last bit of a
/// stack of d symbols has place d log2 B; one that does not fit is rounded. Blanks at the bottom
/// are lost without harm: they stand for nothing, and are rounded down.
class Prediction {
 public:
  Prediction(const TuringNetwork& n, TuringArithmetic arithmetic)
      : fraction_(fraction_bits(arithmetic)), symbols_(fraction_ / n.bits) {}
  bool fails(const TuringConfiguration& c) const { return fraction_ > 0 && deepest(c) > symbols_; }
  /// The start is not a sum: there the value itself is rounded.
  bool fails_at_start(const TuringNetwork& n, const TuringConfiguration& c) const {
    if (fraction_ == 0) return false;
    const double q = stack_value(n, c.right).to_double();
    return stack_of(n, Rational(fraction_ < 52 ? double(static_cast<float>(q)) : q)) != c.right;
  }
  static std::int64_t deepest(const TuringConfiguration& c) {
    return static_cast<std::int64_t>(std::max(c.left.size(), c.right.size()));
  }

 private:
  std::int64_t fraction_, symbols_;
};

template <class S>
class Run {
 public:
  Run(const TuringNetwork& n, const TuringRunOptions& options)
      : n_(n), options_(options), prediction_(n, options.arithmetic) {}

  TuringResult operator()() {
    Stretch<S> stretch(n_);
    result_.machine = start_of(n_.machine);
    std::vector<Rational> h0 = exact_values(n_.definition.weights.back());
    for (Rational& x : h0) x = exact(scalar_of<S>(x));
    look(h0);
    std::int64_t at = stretch.length();
    for (bool first = true; goes_on(); ++at) {
      if (at == stretch.length()) {
        if (!first) stretch.start_from_end();
        stretch.run();
        at = 0;
        first = false;
      }
      step(n_.machine, result_.machine);
      ++result_.steps;
      result_.network_steps += kStepLayers;
      look(stretch.after(at + 1));
    }
    return std::move(result_);
  }

 private:
  bool goes_on() {
    result_.halted = n_.machine.rule(result_.machine.state, result_.machine.read()) == nullptr;
    return !result_.halted && result_.agrees() && result_.steps < options_.steps;
  }

  void look(const std::vector<Rational>& h) {
    result_.network = read_network(n_, h);
    result_.deepest = std::max(result_.deepest, Prediction::deepest(result_.machine));
    if (result_.predicted < 0 &&
        (result_.steps == 0 ? prediction_.fails_at_start(n_, result_.machine)
                            : prediction_.fails(result_.machine)))
      result_.predicted = result_.steps;
    const bool agrees = result_.network.configuration == result_.machine;
    if (!agrees) result_.first_difference = result_.steps;
    if (options_.watch) options_.watch({result_.steps, result_.machine, result_.network, agrees});
  }

  const TuringNetwork& n_;
  const TuringRunOptions& options_;
  Prediction prediction_;
  TuringResult result_;
};

}  // namespace

int fraction_bits(TuringArithmetic a) {
  return a == TuringArithmetic::float64 ? 52 : a == TuringArithmetic::float32 ? 23 : 0;
}

TuringResult run(const TuringNetwork& n, const TuringRunOptions& options) {
  if (n.machine.states.empty() || n.units.empty() || n.bits < 1)
    fail(Status::usage, "U021", "a network that was made of no machine");
  switch (options.arithmetic) {
    case TuringArithmetic::float64:
      return Run<double>(n, options)();
    case TuringArithmetic::float32:
      return Run<float>(n, options)();
    case TuringArithmetic::exact:
      break;
  }
  return Run<Rational>(n, options)();
}

}  // namespace taugrad
