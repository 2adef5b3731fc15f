#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace taugrad {

/// A probability that may follow the updates u = 0, 1, .. of a training (scheduled sampling):
///   constant      from
///   linear        from + (to - from) min(u / scale, 1)
///   exponential   scale^u                                  scale in [0, 1]
///   sigmoid       scale / (scale + exp(u / scale))         scale >= 1: inverse sigmoid
struct Probability {
  enum class Shape : std::uint8_t { constant, linear, exponential, sigmoid };
  Shape shape = Shape::constant;
  double from = 1, to = 1;  ///< in [0, 1]
  double scale = 1;

  /// @param update  updates made before, >= 0
  double at(std::int64_t update) const;
  bool changes() const { return shape != Shape::constant; }
  bool operator==(const Probability&) const = default;
};

/// How a random variable's value comes about, which references read (R12). What the likelihood
/// scores is the data wherever they are given, whatever the mode; else the value.
struct Mode {
  enum class Kind : std::uint8_t {
    observed,  ///< the data: teacher forcing where the value feeds back            (eq 14-15)
    sampled,   ///< a draw: open loop
    greedy,    ///< the distribution's mode: the likeliest symbol, p >= 0.5, the mean
    mixed,     ///< the data with a probability, for each step and item anew, else a draw
    forced,    ///< `data_steps` positions of data, `free_steps` drawn, and so on (first index)
  };
  Kind kind = Kind::observed;
  Probability data = {};        ///< mixed: that the value is the data
  std::int64_t data_steps = 0;  ///< forced: >= 0
  std::int64_t free_steps = 0;  ///< forced: >= 0, and one of the two >= 1
  bool likeliest = false;       ///< mixed, forced: where not the data, the mode instead of a draw
  /// Of a normal variable: the gradient flows through its value to mean and std. Else no value that
  /// is not data carries a gradient.
  bool pathwise = false;

  static const Mode observed, sampled, greedy;
  static Mode mixed(double probability);
  static Mode mixed(const Probability& p);
  static Mode forced(std::int64_t data_steps, std::int64_t free_steps);

  /// Whether some value may be other than the data.
  bool draws() const { return kind != Kind::observed; }
  /// Whether the value at a position (counted from 1 along the first index) is the data for
  /// certain.
  bool is_data(std::int64_t position) const;
  bool takes_likeliest() const { return kind == Kind::greedy || likeliest; }
  bool operator==(const Mode&) const = default;
};
inline constexpr Mode Mode::observed{};
inline constexpr Mode Mode::sampled{.kind = Kind::sampled};
inline constexpr Mode Mode::greedy{.kind = Kind::greedy};

/// By random variable; those not named are observed.
using Modes = std::map<std::string, Mode>;

/// The mode that a text says: observed, sampled, greedy, mixed(P), forced(T, K), with P a number,
/// linear(FROM, TO, UPDATES), exponential(C) or sigmoid(K); the words `greedy` (mixed, forced) and
/// `pathwise` (all but observed) may follow inside the brackets: mixed(0.5, greedy),
/// sampled(pathwise). @throws Error (U002)
Mode mode_from(std::string_view text);
/// Such that mode_from gives the same mode.
std::string to_string(const Mode& mode);

/// The name of the input, not per example, that holds a mixed variable's probability: "mix:y". One
/// plan serves every value.
std::string mix_input(std::string_view variable);
/// The name of the input that holds a variable's data at positions where its value is not them:
/// "data:y". Where the value is the data, that input is "y" itself.
std::string data_input(std::string_view variable);
/// The variable whose data an input holds: "y" of "y" and of "data:y".
std::string data_of(std::string_view input);

}  // namespace taugrad
