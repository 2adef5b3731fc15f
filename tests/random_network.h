#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// Definitions drawn at random, of all that a recurrence may be made of: one index or two, each
/// variable in a direction of its own, learnt initial states and edges, with inputs or without,
/// functions inside and outside of sums and products, masks, steps of Euler's method, pairs of
/// variables that read each other; a likelihood or a loss.
class NetworkGenerator {
 public:
  explicit NetworkGenerator(std::uint64_t seed) : random_(seed) {}

  /// The JSON text of a definition. @param wide  of layers worth more than one thread
  std::string make(bool wide = false) {
    weights_ = "\"W\": [\"m\",\"m\"], \"b\": [\"m\"]";
    used_z_ = used_s_ = used_g_ = false;
    two_ = !wide && chance(4);
    inputs_ = !chance(3);
    const int variables = 1 + pick(3);
    std::string equations;
    for (int v = 0; v < variables; ++v) equations += equation(v, variables);
    return finish(equations, name(variables - 1), wide);
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
  std::string at(int first, int second) const {
    return two_ ? "[" + shifted("i", first) + "," + shifted("j", second) + "]"
                : "[" + shifted("t", first) + "]";
  }
  std::string here() const { return at(0, 0); }
  int near() { return chance(2) ? 1 : 1 + pick(3); }

  // ---- references

  /// One that what moves along may make to itself.
  std::string settled(int v) {
    if (two_ && chance(2)) return name(v) + at(0, -near());
    return name(v) + at(sign_ * near(), chance(2) ? 0 : -pick(3));
  }
  /// A vector that is known: an input, an earlier variable, anywhere, or a weight.
  std::string known() {
    if (first_ == 0 || chance(4)) {
      if (!inputs_ || chance(4)) return z();
      return "(U @ x" + at(pick(5) - 2, pick(5) - 2) + ")";
    }
    const std::string u = name(pick(first_));
    switch (pick(two_ ? 2 : 5)) {
      case 2:
        return u + "[last]";
      case 3:
        return "mean[t](" + u + "[t])";
      case 4:
        return u + "[1]";
      default:
        return u + at(pick(5) - 2, pick(5) - 2);
    }
  }
  std::string z() {
    used_z_ = true;
    return "z";
  }
  std::string s() {
    used_s_ = true;
    return "s";
  }
  std::string g() {
    used_g_ = true;
    return "g";
  }

  // ---- equations

  /// A sum with products, of shape [m].
  std::string sum(int v, const std::string& before) {
    std::string text = "W @ " + before;
    if (!chance(3)) text = "b + " + text;
    if (inputs_ && chance(2)) text += " + U @ x" + at(pick(3) - 1, 0);
    if (chance(3)) text += " + Z @ " + known();
    if (chance(4)) text += " + 0.5 * " + settled(v) + " * " + known();
    if (chance(4)) text += " + " + partner(v);
    return text;
  }
  std::string partner(int v) { return "0.3 * " + settled(partner_ >= 0 ? partner_ : v); }

  std::string bounded(const std::string& a) {
    static constexpr std::string_view kFunctions[] = {"tanh(", "sigmoid(", "softmax(", "tanh("};
    return std::string(kFunctions[pick(4)]) + a + ")";
  }

  std::string right_side(int v) {
    const std::string before = settled(v), a = sum(v, before);
    switch (pick(12)) {
      case 0:
        return "relu(" + a + ")";
      case 1:  // Euler's method
        return before + " + 0.1 * " + bounded(a);
      case 2:
        return z() + " * tanh(" + a + ")";
      case 3:
        return s() + " * (W @ " + before + ")";
      case 4:
        return g() + " * (W @ " + before + ") + (1 - " + g() + ") * " + known();
      case 5:
        return "where(" + before + " > " + known() + ", " + bounded(a) + ", 0.5 * " + before + ")";
      case 6:
        return "where(" + std::string(two_ ? "i" : "t") + " == 2, b, tanh(b + " + a + "))";
      case 7:
        return "clamp(" + a + ", -1, 0.8)";
      case 8:
        return "sigmoid(" + a + ") * " + before + " + (1 - sigmoid(" + a + ")) * tanh(" + known() +
               " + W @ " + before + ")";
      case 9:
        return "abs(" + a + ") / (1 + " + before + " * " + before + ")";
      default:
        return bounded(a);
    }
  }

  std::string equation(int v, int variables) {
    if (partner_ == v) {  // reads back, in the same direction
      partner_ = v - 1;
    } else {
      first_ = v;
      sign_ = chance(2) ? 1 : -1;
      partner_ = v + 1 < variables && chance(3) ? v + 1 : -1;
    }
    std::string text = quoted(name(v) + here() + " = " + right_side(v));
    if (partner_ == v - 1 && v > 0) partner_ = -1;
    return text + boundaries(v);
  }

  /// States before the first step, and behind the last.
  std::string boundaries(int v) {
    std::string text;
    const std::string learnt = chance(2) ? "h" + name(v) : chance(2) ? "tanh(b)" : "0.5 * b";
    const auto state = [&](const std::string& position) {
      if (!chance(2)) return;
      text += quoted(name(v) + position + " = " + learnt);
      if (learnt[0] == 'h' && weights_.find("\"" + learnt + "\"") == std::string::npos)
        weights_ += ", \"" + learnt + "\": [\"m\"]";
    };
    if (two_) {
      state("[0,j]");
      if (text.empty()) state("[i,0]");
      return text;
    }
    state("[0]");
    state("[tau+1]");
    return text;
  }

  // ---- the rest of the definition

  std::string finish(std::string equations, const std::string& last, bool wide) {
    std::string loss;
    const int kind = pick(4);
    if (kind < 2 && inputs_) {
      equations += quoted("o" + here() + " = c + V @ " + last + here());
      equations +=
          quoted("y" + here() + (kind == 0 ? " ~ categorical(logits = o" : " ~ normal(mean = o") +
                 here() + (kind == 0 ? ")" : ", std = 0.7)"));
      weights_ += ", \"c\": [\"k\"], \"V\": [\"k\",\"m\"]";
    } else {
      loss = kind == 2 && !two_ ? last + "[last] * " + last + "[last]"
                                : last + here() + " * " + last + here();
      loss = ", \"loss\": \"sum(" + loss + ")\"";
    }
    equations.resize(equations.size() - 2);
    const auto mentions = [&](std::string_view word) {
      return equations.find(word) != std::string::npos;
    };
    const bool x = mentions("U @ x");
    if (x) weights_ += ", \"U\": [\"m\",\"n\"]";
    if (mentions("Z @ ")) weights_ += ", \"Z\": [\"m\",\"m\"]";
    if (used_z_) weights_ += ", \"z\": [\"m\"]";
    if (used_s_) weights_ += ", \"s\": []";
    if (used_g_) weights_ += ", \"g\": [1]";
    const std::string m = wide ? "48" : std::to_string(1 + pick(3));
    return std::string(R"({"name": "random", "index": )") +
           (two_ ? R"({"i": "rows", "j": "cols"})" : R"({"t": "tau"})") + R"(, "sizes": {"n": )" +
           std::to_string(1 + pick(2)) + R"(, "m": )" + m + R"(, "k": )" +
           std::to_string(1 + pick(4)) + R"(}, "inputs": {)" +
           (x ? "\"x" + here() + "\": [\"n\"]" : std::string()) + "},\n \"weights\": {" + weights_ +
           "},\n \"equations\": [" + equations + "]" + loss + "}";
  }

  std::mt19937_64 random_;
  std::string weights_;
  bool two_ = false, inputs_ = true;
  bool used_z_ = false, used_s_ = false, used_g_ = false;
  int sign_ = -1;
  int first_ = 0;     // of the variables that the present one may only read along their direction
  int partner_ = -1;  // reads the present one, and is read by it
};

}  // namespace support
