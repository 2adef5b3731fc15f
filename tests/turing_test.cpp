// Rows S18, S19: Turing machines as networks of saturated-linear units.                 (section 3)
#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "taugrad/base/error.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/turing/run.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;

namespace {

constexpr TuringArithmetic kAll[] = {TuringArithmetic::exact, TuringArithmetic::float64,
                                     TuringArithmetic::float32};

/// Writes m ones, walks back, counts them: m + 1 states that write, one that returns, one that
/// goes over the ones again.
TuringMachine depth_machine(int m) {
  TuringMachine d;
  d.name = "depth";
  d.symbols = {"0", "1"};
  for (int i = 0; i < m; ++i) d.states.push_back(fmt::format("write{}", i));
  for (const char* name : {"back", "count", "done"}) d.states.emplace_back(name);
  const int back = m, count = m + 1, done = m + 2;
  for (int i = 0; i + 1 < m; ++i) d.rules.push_back({i, 0, 1, TuringMove::right, i + 1});
  d.rules.push_back({m - 1, 0, 1, TuringMove::stay, back});
  d.rules.push_back({back, 1, 1, TuringMove::left, back});
  d.rules.push_back({back, 0, 0, TuringMove::right, count});
  d.rules.push_back({count, 1, 1, TuringMove::right, count});
  d.rules.push_back({count, 0, 0, TuringMove::stay, done});
  return d;
}

/// A machine on a tape of numbered cells: shares no code with the library's own.
struct Plain {
  const TuringMachine& m;
  std::map<int, int> tape = {};
  int head = 0, state = 0;
  bool step() {
    for (const TuringRule& r : m.rules)
      if (r.state == state && r.read == tape[head]) {
        tape[head] = r.write;
        head += static_cast<int>(r.move);
        state = r.next;
        tape[head];  // there from now on
        return true;
      }
    return false;
  }
  TuringConfiguration configuration() const {
    TuringConfiguration c{state, {}, {}};
    for (const auto& [at, s] : tape)
      if (at < head && (s != 0 || !c.left.empty())) c.left.push_back(s);
    for (auto it = tape.rbegin(); it != tape.rend(); ++it)
      if (it->first >= head && (it->second != 0 || !c.right.empty())) c.right.push_back(it->second);
    return c;
  }
};

TuringResult run_of(const TuringMachine& m, TuringArithmetic a = TuringArithmetic::exact) {
  return run(to_network(m), {.arithmetic = a, .steps = 1000});
}

}  // namespace

TEST_CASE("S18, S19: busy beavers in three network steps a step, with their ones", "[rows]") {
  struct Row {
    const char* name;
    std::size_t units;
    std::int64_t weights, network_steps, ones;
  };
  for (const Row& row : {Row{"busy_beaver_2", 42, 145, 18, 4}, Row{"busy_beaver_3", 56, 210, 42, 6},
                         Row{"busy_beaver_4", 70, 283, 321, 13}}) {
    INFO(row.name);
    const TuringNetwork n = to_network(load_machine(row.name));
    CHECK(n.units.size() == row.units);
    CHECK(n.weights == row.weights);
    for (const TuringArithmetic a : kAll) {
      const TuringResult r = run(n, {.arithmetic = a});
      CHECK(r.predicted == r.first_difference);
      if (a == TuringArithmetic::float32 && row.ones == 13) {
        CHECK_FALSE(r.agrees());  // 12 symbols take 24 bits, it has 23
        continue;
      }
      CHECK(r.agrees());
      CHECK(r.halted);
      CHECK(r.network_steps == row.network_steps);
      CHECK(r.network_steps == 3 * r.steps);
      CHECK(marks(r.network.configuration) == row.ones);
    }
  }
}

TEST_CASE("S18: the network of every shipped machine equals a machine on numbered cells",
          "[rows]") {
  for (const char* name :
       {"busy_beaver_2", "busy_beaver_3", "busy_beaver_4", "binary_increment", "there_and_back"}) {
    INFO(name);
    const TuringMachine m = load_machine(name);
    Plain plain{m};
    for (std::size_t i = 0; i < m.tape.size(); ++i) plain.tape[static_cast<int>(i)] = m.tape[i];
    std::int64_t seen = 0;
    run(to_network(m), {.watch = [&](const TuringStep& s) {
          if (s.step > 0) CHECK(plain.step());
          CHECK(s.network.configuration == plain.configuration());
          ++seen;
        }});
    CHECK(seen > 5);
    CHECK_FALSE(plain.step());
  }
}

TEST_CASE("S18: the definition alone, unfolded to 18 steps and run by the executor", "[rows]") {
  const TuringNetwork n = to_network(load_machine("busy_beaver_2"));
  const std::string text = to_json(n.definition);
  const Definition d = parse_definition(text, "beaver.json");  // as a file holds it
  CHECK(to_json(d) == text);
  CHECK(unfold(d, {.steps = 18}).find("h", {18}) >= 0);
  const RunOptions options{.fetch = {"h"}, .dtype = Dtype::f64, .steps = 18};
  const Tensor h = run(d, {}, initial_weights(d), options).values.at("h");
  const auto units = static_cast<std::int64_t>(n.units.size());
  std::vector<Rational> last;
  for (std::int64_t i = 0; i < units; ++i) last.emplace_back(h.at(17 * units + i));
  const TuringReading r = read_network(n, last);
  CHECK(n.machine.states[static_cast<std::size_t>(r.configuration.state)] == "H");
  CHECK(marks(r.configuration) == 4);
  CHECK(r.left == *Rational::parse("15/16"));
}

TEST_CASE("S18: depth test: right in rationals to 40 symbols, wrong in float64 from 26 on",
          "[rows]") {
  for (const int m : {20, 25, 26, 40}) {
    INFO(m << " ones");
    const TuringNetwork n = to_network(depth_machine(m));
    const TuringResult exact = run(n);
    CHECK(exact.agrees());
    CHECK(exact.halted);
    CHECK(marks(exact.network.configuration) == m);
    CHECK(exact.steps == 3 * m + 2);
    const TuringResult f64 = run(n, {.arithmetic = TuringArithmetic::float64});
    CHECK(f64.agrees() == (m <= 25));
    CHECK(f64.predicted == f64.first_difference);
  }
}

TEST_CASE("S18: floats fail exactly where the depth of a stack says", "[rows]") {
  for (const char* name : {"there_and_back", "binary_increment"})
    for (const std::size_t m : {1, 9, 10, 11, 12, 16, 17, 18, 24, 25, 26, 27, 28, 40})
      for (const TuringArithmetic a : kAll) {
        TuringMachine machine = load_machine(name);
        machine.tape.assign(m, static_cast<int>(machine.symbols.size()) - 1);
        const TuringResult r = run_of(machine, a);
        INFO(name << ", " << m << " ones, arithmetic " << static_cast<int>(a));
        CHECK(r.predicted == r.first_difference);
        if (a == TuringArithmetic::exact) CHECK(r.halted);
        if (machine.symbols.size() == 2 && a == TuringArithmetic::float64)
          CHECK(r.agrees() == (m <= 25));
      }
}

TEST_CASE("S18: a machine of one's own: binary increment", "[rows]") {
  TuringMachine m = load_machine("binary_increment");
  for (unsigned value = 0; value < 40; value += 3) {
    m.tape.clear();
    for (int bit = 5; bit >= 0; --bit) m.tape.push_back(1 + static_cast<int>(value >> bit & 1));
    const TuringResult r = run_of(m);
    CHECK(r.agrees());
    unsigned sum = 0;
    const TuringConfiguration& c = r.network.configuration;
    for (const int s : c.left) sum = 2 * sum + static_cast<unsigned>(s - 1);
    for (auto s = c.right.rbegin(); s != c.right.rend() && *s != 0; ++s)
      sum = 2 * sum + static_cast<unsigned>(*s - 1);
    CHECK(sum == value + 1);
  }
}

TEST_CASE("machines that stay, run for ever, or find no rule", "[turing]") {
  const auto machine = [](const char* rules) {
    return parse_machine(
        fmt::format("{{\"name\": \"m\", \"symbols\": [\"0\", \"a\", \"b\", \"c\", \"d\"], "
                    "\"states\": [\"A\"], \"rules\": [{}]}}",
                    rules),
        "m.json");
  };
  const TuringResult runs = run(to_network(machine("\"A 0 -> d R A\"")), {.steps = 300});
  CHECK(runs.agrees());
  CHECK_FALSE(runs.halted);
  CHECK(runs.deepest == 300);
  const TuringResult stays =
      run_of(machine("\"A 0 -> a S A\", \"A a -> b S A\", \"A b -> c L A\""));
  CHECK(stays.agrees());
  CHECK(stays.halted == false);  // leftwards for ever
  TuringMachine none = machine("\"A 0 -> a R A\"");
  none.tape = {2};
  CHECK(run_of(none).steps == 0);
  CHECK(run_of(none).halted);
}

TEST_CASE("stacks as numbers: there and back, and what is no stack", "[turing]") {
  const TuringNetwork n = to_network(load_machine("binary_increment"));
  CHECK(n.base == 8);
  const std::vector<int> stack{2, 0, 1, 1, 2, 0};
  CHECK(stack_of(n, stack_value(n, stack)) == stack);
  CHECK(stack_value(n, {}).is_zero());
  for (const char* q : {"1", "-1/8", "1/4", "7/8", "1/24"})
    CHECK_FALSE(stack_of(n, *Rational::parse("1/16") + *Rational::parse(q)));
}

TEST_CASE("a machine of too many rules is over a limit", "[turing]") {
  TuringMachine m = depth_machine(300);
  try {
    to_network(m);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.status() == Status::resource);
    CHECK(e.diagnostics().front().code == "R002");
  }
}
