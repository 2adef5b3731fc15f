#pragma once

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace support {

/// Definitions drawn at random: one or two indices, one to four variables that read each other at
/// offsets -3..3, boundaries, states at the end, sums over steps, a likelihood.
class RecurrenceGenerator {
 public:
  explicit RecurrenceGenerator(std::uint64_t seed) : random_(seed) {}

  /// The JSON text of a definition.
  std::string make() {
    two_ = chance(3);
    sign_ = chance(2) ? 1 : -1;
    const int variables = 1 + pick(4);
    std::string equations;
    for (int v = 0; v < variables; ++v) equations += equation(v);
    const std::string last = name(variables - 1);
    equations += quoted("o" + here() + " = c + V @ " + last + here());
    equations += chance(2) ? quoted("y" + here() + " ~ categorical(logits = o" + here() + ")")
                           : quoted("y" + here() + " ~ normal(mean = o" + here() + ", std = 0.7)");
    equations.resize(equations.size() - 2);
    return std::string(R"({"name": "random", "index": )") +
           (two_ ? R"({"i": "rows", "j": "cols"})" : R"({"t": "tau"})") +
           R"(, "sizes": {"n": 2, "m": 3, "k": 4}, "inputs": {"x)" + here() + R"(": ["n"]},
 "weights": {"W": ["m","m"], "Z": ["m","m"], "U": ["m","n"], "b": ["m"], "V": ["k","m"], "c": ["k"]},
 "equations": [)" +
           equations + "]}";
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
  bool chance(int one_in) { return pick(one_in) == 0; }
  static std::string name(int variable) {
    return std::string(1, static_cast<char>('p' + variable));
  }
  static std::string quoted(const std::string& text) { return "\"" + text + "\", "; }
  static std::string shifted(std::string_view letter, int by) {
    return std::string(letter) + (by == 0  ? ""
                                  : by > 0 ? "+" + std::to_string(by)
                                           : std::to_string(by));
  }
  std::string here() const { return two_ ? "[i,j]" : "[t]"; }
  std::string at(int first, int second) const {
    return two_ ? "[" + shifted("i", first) + "," + shifted("j", second) + "]"
                : "[" + shifted("t", first) + "]";
  }

  /// A reference that a variable may make to itself: back along the first index, or along the
  /// second.
  std::string settled(int v) {
    if (two_ && chance(2)) return name(v) + at(0, -(1 + pick(3)));
    return name(v) + at(sign_ * (1 + pick(3)), pick(7) - 3);
  }
  /// A reference to anything that comes before variable v.
  std::string earlier(int v) {
    if (v == 0) return "(U @ x" + at(pick(7) - 3, pick(7) - 3) + ")";
    const std::string u = name(pick(v));
    switch (pick(two_ ? 2 : 5)) {
      case 2:
        return u + "[last]";
      case 3:
        return "sum[t](" + u + "[t])";
      case 4:
        return u + "[1]";
      default:
        return u + at(pick(7) - 3, pick(7) - 3);
    }
  }

  /// A function of a vector that keeps its shape, or is a number. Those that jump, or whose slope
  /// has no bound (floor, mod, unit), magnify rounding and have tests of their own.
  std::string function_of(const std::string& e) {
    static const std::string forms[] = {
        "softplus(#)",
        "log_sigmoid(#)",
        "silu(#)",
        "gelu(#)",
        "elu(#)",
        "leaky_relu(#, 0.2)",
        "sin(#)",
        "cos(#)",
        "erf(#)",
        "log1p(abs(#))",
        "expm1(-abs(#))",
        "max(#, 0.1)",
        "min(#, b)",
        "clamp(#, -0.5, b + 1)",
        "norm(#)",
        "logsumexp(#)",
        "cumsum(#)",
        "softmax(#, axis=0)",
        "rms_norm(#, b)",
        "layer_norm(#)",
        "prod(#)",
        "at(#, 1)",
        "sum(outer(#, b), axis=1)",
        "max(outer(#, b), axis=0)",
        "matvec(outer(#, b), #)",
        "solve(eye(m) + 0.1 * outer(#, #), #)",
        "logdet(eye(m) + 0.1 * outer(#, #))",
        "reshape(reshape(#, 1, m, 1) @ reshape(b, 1, 1, m) @ reshape(#, m, 1), m)"};
    std::string text = forms[pick(static_cast<int>(std::size(forms)))];
    for (std::size_t at = 0; (at = text.find('#', at)) != std::string::npos; at += e.size())
      text.replace(at, 1, e);
    return text;
  }

  std::string equation(int v) {
    static const std::string bounded[] = {"tanh", "tanh", "tanh", "sin", "erf"};
    std::string text = name(v) + here() + " = " + bounded[pick(5)] + "(b + W @ " + settled(v) +
                       " + U @ x" + at(pick(7) - 3, 0);
    if (chance(2)) text += " + Z @ " + earlier(v);
    if (chance(2)) text += " + 0.5 * " + settled(v) + " * " + earlier(v);
    if (chance(2)) text += " + 0.3 * " + function_of(chance(2) ? settled(v) : earlier(v));
    text = quoted(text + ")");
    if (!two_ && chance(3)) text += quoted(name(v) + "[0] = tanh(b)");
    if (!two_ && chance(3)) text += quoted(name(v) + "[tau+1] = 0.5 * b");
    return text;
  }

  std::mt19937_64 random_;
  bool two_ = false;
  int sign_ = -1;
};

}  // namespace support
