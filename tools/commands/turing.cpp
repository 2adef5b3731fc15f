#include <fmt/core.h>
#include <unistd.h>

#include <chrono>
#include <deque>
#include <memory>

#include "base/fail.h"
#include "base/utf8.h"
#include "commands/commands.h"
#include "json/json_writer.h"
#include "output.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/render.h"
#include "taugrad/fold/fold.h"
#include "taugrad/turing/run.h"
#include "taugrad/unfold/unfold.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kShownSteps = 12;  // at the start, and as many at the end

struct Options {
  std::string machine, dtype = "exact", definition, view, output, format;
  std::optional<std::string> tape;
  std::int64_t steps = 10'000;
  bool all_steps = false;
};

// short fractions as they are
std::string value_text(const Rational& q) {
  std::string text = q.to_string();
  return text.size() <= 16 ? text : fmt::format("~{:.10g}", q.to_double());
}

std::string state_text(const TuringMachine& m, const TuringConfiguration& c) {
  return c.state < 0 ? "?" : m.states[static_cast<std::size_t>(c.state)];
}

// fmt pads by code points
std::string row(const TuringMachine& m, const TuringStep& s) {
  return fmt::format("{:>6} {:>6}  {:<12} {:<17} {:<17} {}{}\n", s.step, 3 * s.step,
                     state_text(m, s.machine), value_text(s.network.left),
                     value_text(s.network.right), to_text(m, s.machine),
                     s.agrees ? "" : "  NOT THE NETWORK");
}

/// The table: every step, or the first and the last ones.
class Trace {
 public:
  explicit Trace(bool all) : all_(all) {}
  void add(std::string row) {
    if (all_ || first_.size() < kShownSteps) {
      first_.push_back(std::move(row));
      return;
    }
    last_.push_back(std::move(row));
    if (last_.size() <= kShownSteps) return;
    last_.pop_front();
    ++left_out_;
  }
  std::string text() const {
    std::string out = fmt::format("{:>6} {:>6}  {:<12} {:<17} {:<17} {}\n", "step", "net", "state",
                                  "left stack", "right stack", "tape");
    for (const std::string& r : first_) out += r;
    if (left_out_ > 0) out += fmt::format("   ... {} steps (--all-steps shows them)\n", left_out_);
    for (const std::string& r : last_) out += r;
    return out + "\n";
  }

 private:
  bool all_;
  std::vector<std::string> first_;
  std::deque<std::string> last_;
  std::int64_t left_out_ = 0;
};

/// Tells how far a long run is: one rewritten line on a terminal, else a line every 10 seconds.
class StepProgress {
 public:
  explicit StepProgress(const Context& context)
      : quiet_(context.quiet || context.json), terminal_(::isatty(STDERR_FILENO) == 1) {}
  ~StepProgress() {
    if (open_) print_error("\r\x1b[K");
  }
  void show(std::int64_t step, std::int64_t most) {
    if (quiet_ || Clock::now() - shown_ < std::chrono::milliseconds(terminal_ ? 200 : 10'000))
      return;
    shown_ = Clock::now();
    open_ = terminal_;
    print_error(fmt::format("{}step {} of at most {}{}", terminal_ ? "\r" : "", step, most,
                            terminal_ ? "\x1b[K" : "\n"));
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_, terminal_, open_ = false;
  Clock::time_point shown_ = Clock::now();
};

TuringArithmetic arithmetic_of(const Options& o) {
  return o.dtype == "f64"   ? TuringArithmetic::float64
         : o.dtype == "f32" ? TuringArithmetic::float32
                            : TuringArithmetic::exact;
}

std::string head(const TuringNetwork& n, const Options& o) {
  const TuringMachine& m = n.machine;
  return fmt::format(
      "{}: {} states, {} symbols, {} rules\n"
      "network: {} units, {} weights that are not 0; in {}\n\n",
      m.name, m.states.size(), m.symbols.size(), m.rules.size(), n.units.size(), n.weights,
      o.dtype == "exact" ? "exact rationals" : o.dtype);
}

std::string verdict(const TuringNetwork& n, const TuringResult& r, const Options& o) {
  const TuringMachine& m = n.machine;
  std::string text = fmt::format("{} {} after {} steps, {} of the network; {} cells not blank\n",
                                 r.halted ? "halted in" : "still in", state_text(m, r.machine),
                                 r.steps, r.network_steps, marks(r.machine));
  if (r.predicted >= 0)
    text += fmt::format(
        "predicted: {} fails at step {}, where {} symbols on a stack take {} bits; it has {}\n",
        o.dtype, r.predicted, r.deepest, r.deepest * n.bits, fraction_bits(arithmetic_of(o)));
  if (r.agrees()) return text + "the network agrees with the machine at every step\n";
  return text + fmt::format("THE NETWORK DIFFERS from step {} on\n", r.first_difference);
}

void write(json::Writer& w, const TuringNetwork& n, const TuringStep& s) {
  w.begin_object().field("step", s.step).field("state", state_text(n.machine, s.machine));
  w.field("tape", to_text(n.machine, s.machine)).field("left", s.network.left.to_string());
  w.field("right", s.network.right.to_string()).field("agrees", s.agrees).end_object();
}

void write(json::Writer& w, const char* key, std::int64_t step) {
  w.key(key);
  step < 0 ? w.null() : w.value(step);
}

void finish(json::Writer& w, const TuringNetwork& n, const TuringResult& r, const Options& o) {
  const TuringMachine& m = n.machine;
  w.field("machine", m.name).field("dtype", o.dtype).field("units", n.units.size());
  w.field("weights", n.weights).field("steps", r.steps).field("network_steps", r.network_steps);
  w.field("halted", r.halted).field("state", state_text(m, r.machine));
  w.field("tape", to_text(m, r.machine)).field("marks", marks(r.machine));
  w.field("deepest", r.deepest).field("agrees", r.agrees());
  write(w, "first_difference", r.first_difference);
  write(w, "predicted", r.predicted);
}

int run_machine(const TuringNetwork& n, const Options& o, const Context& context) {
  Trace trace(o.all_steps);
  json::Writer w;
  w.begin_object();
  const bool json = o.format == "json";
  if (json && o.all_steps) w.key("trace").begin_array();
  TuringResult r;
  {
    StepProgress progress(context);
    r = run(n,
            {.arithmetic = arithmetic_of(o), .steps = o.steps, .watch = [&](const TuringStep& s) {
               progress.show(s.step, o.steps);
               if (!json && !context.quiet) trace.add(row(n.machine, s));
               if (json && o.all_steps) write(w, n, s);
             }});
  }
  if (json && o.all_steps) w.end_array();
  finish(w, n, r, o);
  if (json)
    deliver(o.output, w.end_object().text() + "\n");
  else
    deliver(o.output, (context.quiet ? "" : head(n, o) + trace.text()) + verdict(n, r, o));
  if (!r.halted && r.agrees()) note(context, "it has not halted; --steps N goes further");
  return r.agrees() ? 0 : static_cast<int>(Status::check_failed);
}

void draw(const Definition& d, const Options& o) {
  const auto text = [&](const Picture& p) { return o.format == "svg" ? to_svg(p) : to_dot(p); };
  if (o.view == "folded") {
    deliver(o.output, text(picture_of(folded(d), {.title = d.name, .about = d.about})));
    return;
  }
  const Unfolded u = unfold(d, {.steps = 3});  // one step of the machine
  deliver(o.output, text(picture_of(u, GraphPictureOptions{})));
}

/// The format of -o, the suffixes of both outputs being right.
std::string chosen_format(const Options& o, const Context& context) {
  format_of(o.definition, {"json"}, "");
  if (!o.view.empty()) return format_of(o.output, {"dot", "svg"}, "dot");
  if (!o.definition.empty() && !o.output.empty())
    fail(Status::usage, "U006",
         "--definition runs nothing that -o could take; leave one out, or add --view");
  return format_of(o.output, {"json", "txt"}, context.json ? "json" : "txt");
}

int turing(Options o, const Context& context) {
  o.format = chosen_format(o, context);
  if (!o.definition.empty() || !o.view.empty())
    refuse_without_effect(context, {"--steps", "--dtype", "--all-steps"},
                          "beside --definition and --view, which run nothing");
  if (o.definition.empty() && !o.view.empty())
    refuse_without_effect(context, {"--tape"},
                          "on a drawing, which has no values: it is of a run and of --definition");
  TuringMachine m = load_machine(o.machine);
  if (o.tape) m.tape = parse_tape(m, *o.tape);
  const TuringNetwork n = to_network(m);
  if (!o.definition.empty()) deliver(o.definition, to_json(n.definition));
  if (!o.view.empty()) draw(n.definition, o);
  if (!o.definition.empty() || !o.view.empty()) return 0;
  return run_machine(n, o, context);
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  c.positional({.name = "MACHINE",
                .help = "a file, or the name of one in graphs/machines/",
                .take = [o](const std::string& v) { o->machine = v; }});
  c.option({.name = "--tape",
            .letter = "",
            .value = "SYMBOLS",
            .help = "what the tape holds from the head on, such as 1011",
            .take = [o](const std::string& v) { o->tape = v; }});
  c.integer("--steps", "N", "steps of the machine, at most [10000]", o->steps, 0, 1'000'000'000);
  c.choice("--dtype", "arithmetic of the network [exact]", o->dtype, {"exact", "f64", "f32"});
  c.flag("--all-steps", "print every step, where else the middle of more than 24 is left out",
         o->all_steps);
  c.output("--definition", "FILE", "write the network as a definition; nothing is run",
           o->definition);
  c.choice("--view", "draw the network instead: folded, or over one step of the machine", o->view,
           {"folded", "unfolded"});
  c.output("-o,--output", "FILE",
           "where to write, by its suffix: .json, .txt; with --view .dot, .svg", o->output);
}

}  // namespace

Command turing_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "turing";
  c.about = "Compiles a Turing machine into a network, and runs both side by side";
  c.examples = {{"taugrad turing busy_beaver_4", "exact: 321 steps of the network, 13 ones"},
                {"taugrad turing binary_increment --tape 111 --definition increment.json",
                 "the network as a definition, for show, run and unfold"}};
  add_options(c, o);
  c.details =
      "The network is h[t] = clamp(W @ h[t-1] + b, 0, 1) with rational weights; the tape lies in\n"
      "two of its values, as stacks; three of its steps are one of the machine. It is unfolded\n"
      "and run by the reference interpreter, in exact rationals or in floats, and compared with\n"
      "the machine after each step. Exit status 1 where they differ, as floats must where a\n"
      "stack has more bits than their fraction. docs/turing.md has the form of a machine.";
  c.run = [o](const Context& context) { return turing(*o, context); };
  return c;
}

}  // namespace taugrad::cli
