#include "reference/rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

// Nodes that follow from what is given to the graph: the others are numbers, lengths and draws.
std::vector<char> given_by_leaves(const Tape& tape) {
  std::vector<char> given(static_cast<std::size_t>(tape.size()), 0);
  for (NodeId id = 0; id < tape.size(); ++id) {
    char& mine = given[static_cast<std::size_t>(id)];
    mine = &tape.op(id) == &kInput || &tape.op(id) == &kWeight;
    for (const NodeId in : tape.inputs(id)) mine |= given[static_cast<std::size_t>(in)];
  }
  return given;
}

double moved(double x, double amplitude, std::mt19937_64& random) {
  return x + x * amplitude * (static_cast<double>(random() >> 11) * 0x1p-52 - 1);
}
std::complex<double> moved(std::complex<double> x, double amplitude, std::mt19937_64& random) {
  const double re = moved(x.real(), amplitude, random), im = moved(x.imag(), amplitude, random);
  return {re, im};
}

}  // namespace

template <class S>
Rounding<S>::Rounding(const Tape& tape, const Interpreter<S>& run)
    : amplitude_(static_cast<std::size_t>(tape.size()), 0) {
  const std::vector<char> given = given_by_leaves(tape);
  const auto raise = [&](NodeId id, double terms) {
    float& a = amplitude_[static_cast<std::size_t>(id)];
    a = std::max(a, static_cast<float>(std::numeric_limits<double>::epsilon() * std::sqrt(terms)));
  };
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (!run.needs(id)) continue;
    const std::span<const S> value = run.value(id);
    if (tape.op(id).traits.discrete && given[static_cast<std::size_t>(id)])
      decided_[id] = {value.begin(), value.end()};
    // a sum of n terms is off by sqrt(n) roundings of its parts
    std::size_t read = 1;
    for (const NodeId in : tape.inputs(id)) read += run.value(in).size();
    const std::size_t written = std::max<std::size_t>(1, value.size());
    const double terms = std::max(1.0, static_cast<double>(read) / static_cast<double>(written));
    raise(id, terms);
    for (const NodeId in : tape.inputs(id)) raise(in, terms);
  }
  for (NodeId id = 0; id < tape.size(); ++id) {
    const bool category = tape.attrs(id).has("category");
    if (!given[static_cast<std::size_t>(id)] || category || tape.op(id).traits.discrete)
      amplitude_[static_cast<std::size_t>(id)] = 0;
    // a negative number has a power for an integer, none beside it
    if (&tape.op(id) == &kPow) amplitude_[static_cast<std::size_t>(tape.inputs(id)[1])] = 0;
  }
}

template <class S>
void Rounding<S>::run_moved(Interpreter<S>& run, std::uint64_t trial) const {
  std::mt19937_64 random(trial);
  run.run([&](NodeId id, std::span<S> values) {
    if (const auto held = decided_.find(id); held != decided_.end())
      std::copy(held->second.begin(), held->second.end(), values.begin());
    const auto amplitude = static_cast<double>(amplitude_[static_cast<std::size_t>(id)]);
    if (amplitude == 0) return;
    for (S& x : values) x = moved(x, amplitude, random);
  });
}

template class Rounding<double>;
template class Rounding<std::complex<double>>;

}  // namespace taugrad
