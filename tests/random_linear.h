#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace support {

/// Definitions drawn at random whose states are matrices, or a stack of them, and linear in those
/// before: gates that are numbers, rows, columns or none, products that are added, delta rules,
/// first states that are learnt, in either direction, read in several ways at several steps.
class LinearGenerator {
 public:
  explicit LinearGenerator(std::uint64_t seed) : random_(seed) {}

  /// The JSON text of a definition.
  std::string make() {
    heads_ = chance(3);
    forward_ = !chance(4);
    equations_ = equation("k[t] = " + line("Wk", "wk"));
    equations_ += ", " + equation("v[t] = " + line("Wv", "wv"));
    equations_ += ", " + equation("q[t] = " + line("Wk", "wk"));
    if (chance(4)) equations_ += ", " + equation((forward_ ? "S[0] = M" : "S[tau+1] = M"));
    equations_ += ", " + equation("S[t] = " + update());
    equations_ += ", " + equation("r[t] = " + read());
    equations_ += ", " + equation(chance(2) ? "y[t] = tanh(r[t]) + 0.5 * v[t]" : "y[t] = r[t]");
    const std::string a =
        equations_.find("a[t]") == std::string::npos ? "" : ", \"a[t]\": [" + of_heads("") + "]";
    return R"j({"name": "linear", "index": {"t": "tau"}, "sizes": {"n": 2, "H": 2, "K": )j" +
           std::to_string(2 + pick(2)) + R"j(, "V": )j" + std::to_string(2 + pick(2)) +
           R"j(}, "inputs": {"x[t]": ["n"])j" + a + "},\n \"weights\": {" + weights() +
           "},\n \"equations\": [" + equations_ + R"j(], "loss": "sum(y[t] * y[t])"})j";
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
  bool chance(int one_in) { return pick(one_in) == 0; }
  static std::string equation(const std::string& text) { return "\"" + text + "\""; }
  std::string before() const { return forward_ ? "S[t-1]" : "S[t+1]"; }
  std::string axes() const { return heads_ ? "H, " : ""; }
  std::string of_heads(const std::string& shape) const {
    return heads_ ? shape.empty() ? "\"H\"" : "\"H\", " + shape : shape;
  }

  std::string weights() const {
    std::string all;
    const auto add = [&](std::string_view use, const std::string& name, const std::string& shape) {
      if (equations_.find(use) == std::string::npos) return;
      all += (all.empty() ? "\"" : ", \"") + name + "\": [" + of_heads(shape) + "]";
    };
    add("Wk @", "Wk", "\"K\", \"n\"");
    add("Wv @", "Wv", "\"V\", \"n\"");
    add("wk", "wk", "\"K\"");
    add("wv", "wv", "\"V\"");
    add("= M", "M", "\"V\", \"K\"");
    add("c +", "c", "");
    return all;
  }

  /// A vector, or one for each head.
  std::string line(const std::string& matrix, const std::string& weight) {
    const std::string product = matrix + " @ x[t" + (chance(4) ? "-1]" : "]");
    switch (pick(6)) {
      case 0:
        return "unit(" + product + ")";
      case 1:
        return "tanh(" + weight + " * (" + product + "))";
      case 2:
        return "softmax(" + product + ")";
      case 3:
        return weight + " / (1 + sum(x[t] * x[t]))";
      default:
        return product;
    }
  }
  /// A number, or one for each head, as it goes with a state.
  std::string number() {
    static constexpr std::string_view kNumbers[] = {"a[t]", "sigmoid(a[t])", "(c + 0.5)",
                                                    "(a[t] * a[t-1])"};
    const std::string n(kNumbers[pick(4)]);
    return heads_ ? "reshape(" + n + ", H, 1, 1)" : n;
  }
  std::string kept() {
    switch (pick(6)) {
      case 0:
        return before();
      case 1:
        return "reshape(sigmoid(k[t]), " + axes() + "1, K) * " + before();
      case 2:
        return "reshape(tanh(v[t]), " + axes() + "V, 1) * " + before();
      case 3:
        return before() + " / (2 + " + number() + ")";
      default:
        return number() + " * " + before();
    }
  }
  std::string times(const std::string& state, const std::string& q) const {
    return heads_ ? "matvec(" + state + ", " + q + ")" : state + " @ " + q;
  }
  std::string update() {
    const std::string s = kept(), b = chance(2) ? "" : number() + " * ";
    switch (pick(4)) {
      case 0:  // a delta rule
        return s + " + " + b + "outer(v[t] - " + times("(" + s + ")", "k[t]") + ", k[t])";
      case 1:
        return s + " - " + b + "outer(" + times(before(), "q[t]") + ", k[t]) + outer(v[t], k[t])";
      case 2:
        return s + " + " + b + "outer(v[t], k[t]) - outer(v[t] * v[t], q[t])";
      default:
        return b + "outer(v[t], k[t]) - " + s;
    }
  }
  std::string read() {
    switch (pick(4)) {
      case 0:
        return "sum(S[t] * reshape(q[t], " + axes() + "1, K), axis=-1)";
      case 1:
        return times("S[t]", "q[t]") + " + " + times(before(), "k[t]");
      case 2:
        return times("S[t]", "tanh(q[t])") + " + " + times("S[t-2]", "q[t]");
      default:
        return times("S[t]", "q[t]");
    }
  }

  std::mt19937_64 random_;
  std::string equations_;
  bool heads_ = false, forward_ = true;
};

}  // namespace support
