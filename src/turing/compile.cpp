// From a machine to the weights of a network: three layers in one vector of units.
#include <fmt/core.h>

#include <bit>

#include "base/fail.h"
#include "base/in_range.h"
#include "taugrad/turing/network.h"
#include "turing/exact_weight.h"

namespace taugrad {
namespace {

constexpr std::int64_t kMostUnits = 2048;  // W is dense
enum Side { kLeft = 0, kRight = 1 };

class Compiler {
 public:
  explicit Compiler(const TuringMachine& m)
      : m_(m),
        k_(static_cast<std::int64_t>(m.symbols.size())),
        states_(static_cast<std::int64_t>(m.states.size())),
        commands_(k_ * static_cast<std::int64_t>(m.rules.size())),
        base_(static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * k_)))),
        find_(states_ + 2 + 2 * k_),
        apply_(find_ + 2 + 2 * k_ + commands_),
        units_(apply_ + states_ + 2 * commands_) {
    if (m.rules.empty()) fail(Status::bad_input, "T002", "a machine has at least one rule");
    if (units_ > kMostUnits)
      fail(Status::resource, "R002", "{} would take {} units; at most {} are dealt with", m.name,
           units_, kMostUnits);
    weights_.resize(static_cast<std::size_t>(units_ * units_));
    bias_.resize(static_cast<std::size_t>(units_));
    names_.resize(static_cast<std::size_t>(units_));
  }

  TuringNetwork operator()() {
    read_tops();
    find_rule();
    apply_rule();
    TuringNetwork n;
    n.machine = m_;
    n.base = base_;
    n.bits = std::countr_zero(static_cast<std::uint64_t>(base_));
    n.first_state = apply_;
    n.first_gate = apply_ + states_;
    n.gates = commands_;
    n.units = std::move(names_);
    for (const Rational& w : weights_) n.weights += !w.is_zero();
    n.definition = definition(start(n));
    return n;
  }

 private:
  using Row = std::int64_t;
  // units: read layer, rule layer (tops carried along, then commands), last layer
  Row q(Row layer, Side s) const { return layer + s; }
  Row top(Row layer, Side s, std::int64_t a) const { return layer + 2 + s * k_ + a; }
  Row command(std::int64_t c) const { return find_ + 2 + 2 * k_ + c; }
  Row gate(Side s, std::int64_t c) const { return apply_ + states_ + s * commands_ + c; }

  Rational& w(Row to, Row from) { return weights_[static_cast<std::size_t>(to * units_ + from)]; }
  Rational& b(Row to) { return bias_[static_cast<std::size_t>(to)]; }
  void name(Row of, std::string text) { names_[static_cast<std::size_t>(of)] = std::move(text); }
  const std::string& state(std::int64_t i) const { return m_.states[static_cast<std::size_t>(i)]; }
  const std::string& symbol(std::int64_t a) const {
    return m_.symbols[static_cast<std::size_t>(a)];
  }
  static const char* side(Side s) { return s == kLeft ? "left" : "right"; }

  // states as they are; q = sum of its shares; s(B q - 2a)
  void read_tops() {
    for (Row i = 0; i < states_; ++i) {
      w(i, apply_ + i) = 1;
      name(i, "read " + state(i));
    }
    for (const Side s : {kLeft, kRight}) {
      name(q(states_, s), fmt::format("read {}", side(s)));
      for (std::int64_t c = 0; c < commands_; ++c) w(q(states_, s), gate(s, c)) = 1;
      for (std::int64_t a = 0; a < k_; ++a) {
        const Row t = top(states_, s, a);
        for (std::int64_t c = 0; c < commands_; ++c) w(t, gate(s, c)) = base_;
        b(t) = -2 * a;
        name(t, a == 0 ? fmt::format("read {} not empty", side(s))
                       : fmt::format("read {} at least {}", side(s), symbol(a)));
      }
    }
  }

  // 1 where the top is a, from its thresholds: t_a - t_{a+1}, and t_0 = 1 for the blank
  void require_top(Row to, Side s, std::int64_t a) {
    if (a == 0)
      b(to) += 1;
    else
      w(to, top(states_, s, a)) = 1;
    if (a + 1 < k_) w(to, top(states_, s, a + 1)) = -1;
  }

  // a bit for each rule and symbol on the left: state and top right and top left
  void find_rule() {
    for (const Side s : {kLeft, kRight}) {
      w(q(find_, s), q(states_, s)) = 1;
      name(q(find_, s), fmt::format("find {}", side(s)));
      for (std::int64_t a = 0; a < k_; ++a) {
        w(top(find_, s, a), top(states_, s, a)) = 1;
        name(top(find_, s, a),
             fmt::format("find {} {}", side(s), a == 0 ? "not empty" : symbol(a)));
      }
    }
    each_command([&](std::int64_t c, const TuringRule& r, std::int64_t left) {
      const Row to = command(c);
      w(to, r.state) = 1;
      b(to) = -2;
      require_top(to, kRight, r.read);
      require_top(to, kLeft, left);
      name(to, "find " + command_name(r, left));
    });
  }

  void apply_rule() {
    for (Row i = 0; i < states_; ++i) name(apply_ + i, "apply " + state(i));
    each_command([&](std::int64_t c, const TuringRule& r, std::int64_t left) {
      w(apply_ + r.next, command(c)) = 1;
      for (const Side s : {kLeft, kRight}) {
        w(gate(s, c), command(c)) = 1;  // s(v + c - 1)
        b(gate(s, c)) = -1;
        name(gate(s, c), fmt::format("apply {} {}", side(s), command_name(r, left)));
      }
      const Row l = gate(kLeft, c), right = gate(kRight, c);
      if (r.move == TuringMove::right) {
        w(l, q(find_, kLeft)) = power(1);
        push(l, r.write, 1);
        pop(right, kRight, 0);
      } else if (r.move == TuringMove::stay) {
        w(l, q(find_, kLeft)) = 1;
        pop(right, kRight, 1);
        push(right, r.write, 1);
      } else {
        pop(l, kLeft, 0);
        pop(right, kRight, 2);
        push(right, r.write, 2);
        push(right, left, 1);
      }
    });
  }

  // symbol a as the n-th from the top
  void push(Row to, std::int64_t a, int n) { b(to) += Rational(2 * a + 1) * power(n); }
  // the stack without its top, under n others
  void pop(Row to, Side s, int n) {
    w(to, q(find_, s)) = Rational(base_) * power(n);
    w(to, top(find_, s, 0)) = -power(n);
    for (std::int64_t a = 1; a < k_; ++a) w(to, top(find_, s, a)) = Rational(-2) * power(n);
  }

  template <class F>
  void each_command(F&& f) {
    std::int64_t c = 0;
    for (const TuringRule& r : m_.rules)
      for (std::int64_t left = 0; left < k_; ++left) f(c++, r, left);
  }
  std::string command_name(const TuringRule& r, std::int64_t left) const {
    return fmt::format("{} {} after {}", state(r.state), symbol(r.read), symbol(left));
  }
  Rational power(int n) const {  // B^-n
    Rational p(1);
    for (; n > 0; --n) p /= base_;
    return p;
  }

  // the first state, and the tape in one share of the right stack
  std::vector<Rational> start(const TuringNetwork& n) const {
    std::vector<Rational> h(static_cast<std::size_t>(units_));
    h[static_cast<std::size_t>(apply_)] = 1;
    h[static_cast<std::size_t>(gate(kRight, 0))] = stack_value(n, start_of(m_).right);
    return h;
  }

  Definition definition(const std::vector<Rational>& h0) const {
    Definition d(m_.name);
    d.about = fmt::format(
        "The Turing machine {} as saturated-linear units: three steps a step of the machine "
        "(section 3)",
        m_.name);
    d.index("t", "tau");
    d.size("m", units_);
    d.weights.push_back(exact_weight("W", {units_, units_}, weights_));
    d.weights.push_back(exact_weight("b", {units_}, bias_));
    d.weights.push_back(exact_weight("h0", {units_}, h0));
    d.equation("h[0] = h0");
    d.equation("h[t] = clamp(W @ h[t-1] + b, 0, 1)");
    return d;
  }

  const TuringMachine& m_;
  std::int64_t k_, states_, commands_, base_;
  Row find_, apply_, units_;
  std::vector<Rational> weights_, bias_;
  std::vector<std::string> names_;
};

}  // namespace

namespace {

// a machine that was not read from a file may say anything
void check_numbers(const TuringMachine& m) {
  for (const int s : m.tape) check_number("symbol", s, m.symbols.size());
  for (const TuringRule& r : m.rules) {
    for (const int state : {r.state, r.next}) check_number("state", state, m.states.size());
    for (const int symbol : {r.read, r.write}) check_number("symbol", symbol, m.symbols.size());
  }
}

}  // namespace

TuringNetwork to_network(const TuringMachine& m) {
  check_numbers(m);
  return Compiler(m)();
}

}  // namespace taugrad
