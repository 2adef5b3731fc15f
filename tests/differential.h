#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "magnitudes.h"
#include "plan/passes/passes.h"
#include "random_linear.h"
#include "random_network.h"
#include "rewrite/chunks/chunks.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/records.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"

/// Networks drawn at random, run in every way that must give the same: as the reference interpreter
/// does, plainly, with values computed again, without each pass and without any, on several
/// threads, each item alone; in chunks what is linear in a state, as one in eight is.
namespace support {

constexpr double kMostDifference = 1e-12;  ///< of the magnitudes on the way

/// By how much a way of running differs, and in which output.
struct Difference {
  std::string way, output;
  double size = 0;  ///< of the magnitudes on the way; infinite where bits differ that must agree
};

struct Comparison {
  std::string definition;
  int ways = 0;          ///< of running it, beside the reference
  bool cut = false;      ///< there is a loss, for whose gradient values are computed again
  bool chunked = false;  ///< some of it runs in chunks
  Difference worst;      ///< from the reference
  std::vector<Difference> failures;
};

class Differential {
 public:
  explicit Differential(std::uint64_t seed)
      : wide_(seed % 24 == 7),
        linear_(seed % 8 == 5),
        random_(~seed),
        numbers_(static_cast<unsigned>(seed)) {
    result_.definition = definition(seed);
  }
  static std::string definition(std::uint64_t seed) {
    return seed % 8 == 5 ? LinearGenerator(seed).make()
                         : NetworkGenerator(seed).make(seed % 24 == 7);
  }

  Comparison run() {
    unfold_it();
    draw_batch();
    want_ = interpret<double>(tape(), outputs_, batch_, items_, numbers_);
    sizes_ = magnitudes(tape(), outputs_, batch_, items_, numbers_);
    // where errors make a number of the way overflow, they tell nothing of the results' sizes
    for (std::size_t o = 0; o < sizes_.size(); ++o)
      for (const double w : want_.outputs[o])
        if (std::isfinite(w)) sizes_[o] = std::max(sizes_[o], std::abs(w));
    const Values plain = execute_with({.engine = {.threads = 1}});
    compare("plain", plain);
    for (const int threads : {2, 3})
      same("on " + std::to_string(threads) + " threads",
           execute_with({.engine = {.threads = threads}}), plain);
    same("computed again", again({.engine = {.threads = 1}}), plain);
    same("computed again on 3 threads", again({.engine = {.threads = 3}}), plain);
    leave_out_passes();
    run_alone(plain);
    run_in_chunks();
    return std::move(result_);
  }

 private:
  int pick(int count) { return static_cast<int>(random_() % static_cast<std::uint64_t>(count)); }
  Tape& tape() { return unfolded_->graph().tape(); }

  // ---- what is run

  void unfold_it() {
    const auto model = resolve(parse_definition(result_.definition, "random.json"));
    const bool grid = model->index_length.size() > 1;
    UnfoldOptions options;
    steps_ = wide_           ? 6
             : linear_       ? 1 + pick(14)
             : grid          ? 1 + pick(5)
             : pick(10) == 0 ? 40 + pick(9)
                             : 1 + pick(14);
    options.steps = steps_;
    options.ragged = ragged_ = can_be_ragged(*model);
    unfolded_ = unfold(model, options);
    choose_outputs();
    cut_in_chunks();
    take_gradient();
  }

  /// The loss and the gradients of the leaves; of the variables and their gradients none, some, or
  /// all.
  void choose_outputs() {
    const int share = pick(4);
    const auto chosen = [&] { return share == 3 || (share == 2 && pick(4) == 0); };
    for (NodeId id = 0; id < tape().size(); ++id) {
      const bool leaf = &tape().op(id) == &kWeight || &tape().op(id) == &kInput;
      const bool state = linear_ && tape().name(id) == "S";  // asked for, it stays as it is
      const bool asked = tape().is_value(id) && !state && chosen();
      if (asked) outputs_.push_back(id);
      if ((leaf || asked) && category_size(tape().var(id)) == 0) wrt_.push_back(id);
    }
    result_.cut = unfolded_->has_loss();
    if (result_.cut) outputs_.push_back(unfolded_->loss().id);
  }
  /// The forward part, before there is a gradient, with what is asked for as it stands there.
  void cut_in_chunks() {
    std::set<std::string> asked;
    const bool leaves = numbers_.seed / 16 % 2 == 0;  // as `run` asks for gradients, or `train`
    for (const NodeId id : wrt_)
      if (leaves || !tape().op(id).traits.leaf) asked.insert(std::string(tape().name(id)));
    for (const NodeId id : outputs_) asked.insert(std::string(tape().name(id)));
    chunk_ = 1 + numbers_.seed / 8 % 6;
    chunks_ = in_chunks(tape(), chunk_, asked);
    result_.chunked = !chunks_.states.empty();
    if (!result_.chunked) return;
    const auto moved = [&](NodeId id) { return chunks_.nodes[static_cast<std::size_t>(id)]; };
    for (const NodeId id : outputs_) chunk_outputs_.push_back(moved(id));
    add_gradient(chunks_.graph.tape(), moved, chunk_outputs_);
  }
  void take_gradient() {
    add_gradient(
        tape(), [](NodeId id) { return id; }, outputs_);
  }
  template <class Moved>
  void add_gradient(Tape& tape, const Moved& moved, std::vector<NodeId>& outputs) const {
    if (!result_.cut) return;
    Vars wrt;
    for (const NodeId id : wrt_) wrt.push_back(tape.var(moved(id)));
    const Gradients gradients = gradient(tape.var(moved(unfolded_->loss().id)), wrt);
    for (const Var& v : gradients.values()) outputs.push_back(v.id);
  }

  /// Lengths, and the scales of leaves: one for all steps of an input, from 1e-8 to 1e8; of weights
  /// such that a recurrence goes on for a while.
  void draw_batch() {
    items_ = wide_ ? 12 : pick(12) == 0 ? 0 : 1 + pick(4);
    for (std::size_t which = 0; which < tape().length_names.size(); ++which) {
      batch_.lengths.emplace_back(static_cast<std::size_t>(items_), steps_);
      for (std::int64_t& length : batch_.lengths.back())
        if (ragged_) length = pick(static_cast<int>(steps_) + 1);
    }
    numbers_.scale.assign(static_cast<std::size_t>(tape().size()), 1);
    std::map<std::string, double, std::less<>> scales;
    for (NodeId id = 0; id < tape().size(); ++id) {
      const bool given = &tape().op(id) == &kInput, learnt = &tape().op(id) == &kWeight;
      if (!given && !learnt) continue;
      const auto [it, fresh] = scales.try_emplace(std::string(tape().name(id)), 1);
      if (fresh && pick(given ? 2 : 8) == 0)
        it->second = std::pow(10, given ? pick(17) - 8 : pick(5) - 3);
      // chunks multiply gates up before they meet a state
      if (linear_) it->second = std::clamp(it->second, 1e-2, 1e2);
      numbers_.scale[static_cast<std::size_t>(id)] = it->second;
    }
  }

  // ---- how it is run

  Values execute_with(const ExecutorOptions& options) {
    ++result_.ways;
    Executor<double> executor(tape(), outputs_, options);
    return execute(executor, tape(), outputs_, batch_, items_, numbers_);
  }
  Values again(ExecutorOptions options) {
    if (result_.cut) options.checkpoint = unfolded_->loss().id;
    return execute_with(options);
  }

  void leave_out_passes() {
    ExecutorOptions none{.engine = {.threads = 1}};
    const auto passes = plan::passes();
    const int both = pick(static_cast<int>(passes.size()));  // without it, and computed again
    for (std::size_t p = 0; p < passes.size(); ++p) {
      const std::string name(passes[p].name), way = "without " + name;
      const ExecutorOptions options{.engine = {.threads = 1, .without = {name}}};
      none.engine.without.push_back(name);
      const Values values = execute_with(options);
      compare(way, values);
      if (static_cast<int>(p) == both) same(way + ", computed again", again(options), values);
    }
    const Values values = execute_with(none);
    compare("without any pass", values);
    same("without any pass, computed again", again(none), values);
  }

  void run_alone(const Values& plain) {
    if (items_ == 0) return;
    const std::int64_t item = pick(static_cast<int>(items_));
    ++result_.ways;
    Executor<double> executor(tape(), outputs_, {.engine = {.threads = 1}});
    const Values one = execute(executor, tape(), outputs_, alone(batch_, item), 1, numbers_);
    same("an item alone", only_item(plain, tape(), outputs_, item), one);
  }

  void run_in_chunks() {
    if (!result_.chunked) return;
    Tape& tape = chunks_.graph.tape();
    Numbers numbers = numbers_;
    numbers.stands_for.assign(static_cast<std::size_t>(tape.size()), 0);
    for (std::size_t id = 0; id < chunks_.nodes.size(); ++id)
      if (this->tape().op(static_cast<NodeId>(id)).traits.leaf)
        numbers.stands_for[static_cast<std::size_t>(chunks_.nodes[id])] = static_cast<NodeId>(id);
    const auto run = [&](int threads) {
      ++result_.ways;
      Executor<double> executor(tape, chunk_outputs_, {.engine = {.threads = threads}});
      return execute(executor, tape, chunk_outputs_, batch_, items_, numbers);
    };
    const Values values = run(1);
    compare("in chunks of " + std::to_string(chunk_), values);
    same("in chunks on 3 threads", run(3), values);
  }

  // ---- what came of it

  void compare(const std::string& way, const Values& got) {
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const Rows &want = want_.outputs[o], &have = got.outputs[o];
      for (std::size_t i = 0; i < want.size(); ++i) {
        if (std::isinf(want[i]) || (std::isnan(want[i]) && !std::isfinite(have[i]))) continue;
        const double apart = std::abs(have[i] - want[i]) / sizes_[o];
        note({way, tape().label(outputs_[o]), std::isnan(apart) ? HUGE_VAL : apart});
      }
    }
  }
  void note(const Difference& d) {
    if (d.size > kMostDifference) fail(d);
    if (d.size > result_.worst.size) result_.worst = d;
  }

  void same(const std::string& way, const Values& got, const Values& want) {
    for (std::size_t o = 0; o < outputs_.size(); ++o)
      if (!same_bits({{got.outputs[o]}}, {{want.outputs[o]}}))
        fail({way, tape().label(outputs_[o]), HUGE_VAL});
  }
  /// The first of each way.
  void fail(const Difference& d) {
    for (const Difference& known : result_.failures)
      if (known.way == d.way) return;
    result_.failures.push_back(d);
  }

  bool wide_, linear_, ragged_ = false;
  std::mt19937_64 random_;
  Numbers numbers_;
  std::int64_t steps_ = 0, items_ = 0;
  BatchContext batch_;
  std::optional<Unfolded> unfolded_;
  std::vector<NodeId> outputs_, wrt_;
  std::int64_t chunk_ = 0;
  InChunks chunks_;
  std::vector<NodeId> chunk_outputs_;
  Values want_;
  std::vector<double> sizes_;  // by output: the magnitudes on the way
  Comparison result_;
};

}  // namespace support
