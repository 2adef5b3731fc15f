// Values computed again for the gradient: the same bits, in less memory.
#include "rewrite/checkpoint.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <ranges>

#include "graph/verified.h"
#include "random_network.h"
#include "random_recurrence.h"
#include "rewrite/equal_nodes.h"
#include "rewrite/rounding.h"
#include "rewrite/segments.h"
#include "support_plan.h"

using namespace taugrad;
using namespace support;

namespace {

BatchContext batch_of(const Tape& tape, std::int64_t items, std::int64_t longest, bool ragged) {
  BatchContext batch;
  for (std::size_t which = 0; which < tape.length_names.size(); ++which) {
    batch.lengths.emplace_back();
    for (std::int64_t i = 0; i < items; ++i)
      batch.lengths.back().push_back(ragged ? longest - (5 * i) % longest : longest);
  }
  return batch;
}

struct Run {
  Values values;
  std::size_t bytes;  ///< but those of the leaves
  OperationCount operations;
};

template <class S>
Run run(const Work& work, const BatchContext& batch, std::int64_t items, bool again,
        ExecutorOptions options = {}, unsigned numbers = 7) {
  if (again) options.checkpoint = work.unfolded.loss().id;
  Executor<S> executor(work.tape(), work.outputs, options);
  Values values = execute(executor, work.tape(), work.outputs, batch, items, numbers);
  std::size_t bytes = executor.bytes();
  for (const NodeId leaf : executor.leaves())
    if (work.tape().extent_id(leaf) != kShared) bytes -= executor.leaf(leaf).size_bytes();
  return {std::move(values), bytes, executor.operations()};
}

/// Whether something is computed again.
bool is_cut(const Work& work) {
  const Rewritten other = checkpoint(work.tape(), work.outputs, work.unfolded.loss().id);
  for (NodeId id = 0; id < other.graph.size(); ++id)
    if (&other.graph.tape().op(id) == &kAfter) return true;
  return false;
}

Definition sized(const char* name, std::int64_t size) {
  Definition d = load_definition(name);
  for (auto& s : d.sizes) s.value = size;
  if (d.name != "elman") d.loss = {Text{"sum(h[t] * h[t])", {}}};
  return d;
}

}  // namespace

TEST_CASE("checkpoint: the shipped graphs keep their bits", "[checkpoint]") {
  int cut = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/graphs")) {
    if (entry.path().extension() != ".json") continue;
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    const Definition d = load_definition(name);
    const auto model = resolve(d);
    const bool grid = model->index_length.size() > 1;
    const Work work = work_of(d, grid ? 6 : 30);
    if (!work.unfolded.has_loss()) continue;
    const std::int64_t steps = grid ? 6 : 30;
    const BatchContext batch = batch_of(work.tape(), 11, steps, can_be_ragged(*model));
    cut += is_cut(work);
    CHECK(same_bits(run<float>(work, batch, 11, true).values,
                    run<float>(work, batch, 11, false).values));
    CHECK(same_bits(run<double>(work, batch, 11, true).values,
                    run<double>(work, batch, 11, false).values));
  }
  CHECK(cut >= 25);
}

TEST_CASE("checkpoint: random recurrences keep their bits", "[checkpoint]") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const Definition d = parse_definition(RecurrenceGenerator(seed).make(), "random");
    const Work work = work_of(d, 9);
    const BatchContext batch = batch_of(work.tape(), 4, 9, can_be_ragged(*resolve(d)));
    CHECK(same_bits(run<double>(work, batch, 4, true).values,
                    run<double>(work, batch, 4, false).values));
  }
}

// learnt initial states and edges, nets without inputs, products outside of functions, masks
TEST_CASE("checkpoint: random networks keep their bits", "[checkpoint]") {
  int without_inputs = 0, learnt = 0, cut = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string text = NetworkGenerator(seed).make();
    CAPTURE(seed, text);
    const Definition d = parse_definition(text, "random");
    without_inputs += d.inputs.empty();
    learnt += text.find("\"hp\"") != std::string::npos;
    const auto model = resolve(d);
    const std::int64_t steps = model->index_length.size() > 1 ? 5 : 11;
    const Work work = work_of(d, steps);
    const BatchContext batch = batch_of(work.tape(), 4, steps, can_be_ragged(*model));
    cut += is_cut(work);
    CHECK(same_bits(run<double>(work, batch, 4, true).values,
                    run<double>(work, batch, 4, false).values));
    const Rewritten other = checkpoint(work.tape(), work.outputs, work.unfolded.loss().id);
    verify(other.graph.tape());
  }
  CHECK(without_inputs > 40);
  CHECK(learnt > 20);
  CHECK(cut > 100);
}

// what a later segment only waits for dies where it is born: its place is not for another result
TEST_CASE("checkpoint: results that no later step reads keep their place within their step",
          "[checkpoint]") {
  const std::string_view bodies[] = {
      R"d("weights": {"b": [1], "W": [1,1], "h0": [1]},
         "equations": ["h[0] = h0", "h[t] = b * (W @ h[t-1])"])d",
      R"d("weights": {"W": [3,3], "h0": [3]},
         "equations": ["h[0] = h0", "h[t] = h[t-1] + 0.1 * tanh(W @ h[t-1])"])d",
      R"d("weights": {"g": [3], "W": [3,3], "h0": [3]},
         "equations": ["h[0] = h0", "h[t] = g * tanh(W @ h[t-1])"])d",
      R"d("weights": {"b": [3], "W": [3,3], "h0": [3]},
         "equations": ["h[0] = h0", "h[t] = relu(b + W @ h[t-1])"])d",
      R"d("weights": {"b": [3], "W": [3,3]},
         "equations": ["h[tau+1] = b", "h[t] = b * (W @ h[t+1])"])d"};
  for (const std::string_view body : bodies)
    for (const std::int64_t steps : {4, 5, 9, 16, 37, 60}) {
      CAPTURE(body, steps);
      const Definition d = test::define(R"d("index": {"t": "tau"}, "loss": "sum(h[t] * h[t])", )d" +
                                        std::string(body));
      const Work work = work_of(d, steps);
      const BatchContext batch = batch_of(work.tape(), 3, steps, true);
      CHECK(same_bits(run<double>(work, batch, 3, true).values,
                      run<double>(work, batch, 3, false).values));
      CHECK(same_bits(run<float>(work, batch, 3, true).values,
                      run<float>(work, batch, 3, false).values));
    }
  const Definition grid = test::define(
      R"d("index": {"i": "rows", "j": "cols"}, "loss": "sum(h[i,j] * h[i,j])",
         "weights": {"b": [3], "W": [3,3], "Z": [3,3], "e": [3], "f": [3]},
         "equations": ["h[0,j] = e", "h[i,0] = f",
                       "h[i,j] = b * tanh(W @ h[i-1,j] + Z @ h[i,j-1])"])d");
  for (const std::int64_t steps : {3, 4, 6}) {
    const Work work = work_of(grid, steps);
    const BatchContext batch = batch_of(work.tape(), 3, steps, false);
    CHECK(same_bits(run<double>(work, batch, 3, true).values,
                    run<double>(work, batch, 3, false).values));
  }
}

TEST_CASE("checkpoint: b (W h) of four steps", "[checkpoint]") {
  const Definition d = test::define(
      R"d("index": {"t": "tau"}, "weights": {"b": [1], "W": [1,1], "h0": [1]},
         "equations": ["h[0] = h0", "h[t] = b * (W @ h[t-1])"], "loss": "sum(h[t]*h[t])")d");
  RunOptions options;
  options.steps = 4;
  options.checkpoint = true;
  const Tensors weights{{"b", test::numbers({1}, {2})},
                        {"W", test::numbers({1, 1}, {1})},
                        {"h0", test::numbers({1}, {1})}};
  const Tensors got = test::evaluate(d, {}, weights, {"loss", "grad:b", "grad:W"}, options);
  test::check_values(got.at("grad:b"), {1}, {1252});
  test::check_values(got.at("grad:W"), {1, 1}, {2504});
}

TEST_CASE("checkpoint: lengths times segments beyond 2^31", "[checkpoint]") {
  const Definition d = test::define(
      R"d("index": {"t": "tau"}, "weights": {"a": [], "h0": []},
         "equations": ["h[0] = h0", "h[t] = a * h[t-1] + 0.5"], "loss": "h[last] * h[last]")d");
  const Work work = work_of(d, 560'000, false, false);
  const std::vector<char> needed(static_cast<std::size_t>(work.tape().size()), 1);
  const TapeSegments cuts = cut(work.tape(), needed, work.unfolded.loss().id);
  CHECK(std::int64_t{cuts.count} * cuts.count * cuts.count > (std::int64_t{1} << 31));
  const auto [least, most] = std::ranges::minmax(cuts.of);
  CHECK(least == -1);
  CHECK(most == cuts.count - 1);
}

// Equal nodes of the gradient are one before it is cut: apart, they would be added up in another
// order.
TEST_CASE("checkpoint: nodes that are equal only before the cut keep their bits", "[checkpoint]") {
  const Definition d = parse_definition(R"json({
    "name": "random", "index": {"t": "tau"}, "sizes": {"n": 1, "m": 1}, "inputs": {"x[t]": ["n"]},
    "weights": {"W": ["m", "m"], "b": ["m"], "U": ["m", "n"], "Z": ["m", "m"]},
    "equations": [
      "p[t] = clamp(W @ p[t-2] + 0.5 * p[t-3] * (U @ x[t+2]) + 0.3 * p[t-1], -1, 0.8)",
      "p[0] = 0.5 * b", "p[tau+1] = 0.5 * b",
      "q[t] = where(t == 2, b, tanh(b + b + W @ q[t-1] + U @ x[t] + Z @ p[t]))",
      "r[t] = clamp(W @ r[t-1] + Z @ p[t-1] + 0.3 * q[t-1], -1, 0.8)",
      "r[0] = 0.5 * b", "r[tau+1] = 0.5 * b"],
    "loss": "sum(r[last] * r[last])"})json",
                                        "random.json");
  for (const std::int64_t steps : {7, 8, 11, 16}) {
    const Work work = work_of(d, steps);
    CAPTURE(steps);
    CHECK(is_cut(work));
    for (const std::int64_t items : {1, 3, 5}) {
      const BatchContext batch = batch_of(work.tape(), items, steps, true);
      for (unsigned draw = 0; draw < 30; ++draw)
        CHECK(same_bits(run<double>(work, batch, items, true, {}, draw).values,
                        run<double>(work, batch, items, false, {}, draw).values));
    }
  }
}

TEST_CASE("verify holds for rewritten graphs, whose ops no file can name", "[checkpoint]") {
  for (const char* name : {"elman", "lstm", "gru", "grid_lines", "bidirectional"}) {
    CAPTURE(name);
    const Work work = work_of(load_definition(name), 6);
    if (!work.unfolded.has_loss()) continue;
    const NodeId last = work.unfolded.loss().id;
    const Rewritten again = checkpoint(work.tape(), work.outputs, last);
    verify(again.graph.tape());
    const Rewritten rounded = round_operands(work.tape(), work.outputs, last);
    verify(rounded.graph.tape());
    verify(checkpoint(rounded.graph.tape(), rounded.outputs, rounded.last).graph.tape());
    verify(merge_equal_nodes(work.tape(), work.outputs, last).graph.tape());
  }
  CHECK(verify_rewritings);  // and after every pass, in all tests
}

TEST_CASE("checkpoint: blocks of rows go on from segment to segment, on any threads",
          "[checkpoint]") {
  const Work work = work_of(sized("lstm", 64), 100);
  const BatchContext batch = batch_of(work.tape(), 7, 100, true);  // blocks of 256 rows
  const Run plain = run<float>(work, batch, 7, false, {.engine = {.threads = 1}});
  for (const int threads : {1, 2, 3})
    CHECK(same_bits(run<float>(work, batch, 7, true, {.engine = {.threads = threads}}).values,
                    plain.values));
  for (const char* pass : {"outer", "time", "fuse"})
    CHECK(same_bits(run<float>(work, batch, 7, true, {.engine = {.without = {pass}}}).values,
                    run<float>(work, batch, 7, false, {.engine = {.without = {pass}}}).values));
}

// S25
TEST_CASE("checkpoint: memory of about 2 sqrt(tau) steps, less than twice the work",
          "[checkpoint]") {
  for (const char* name : {"elman", "rnn", "lstm", "gru"}) {
    for (const std::int64_t steps : {100, 400}) {
      CAPTURE(name, steps);
      const Work work = work_of(sized(name, 48), steps);
      const BatchContext batch = batch_of(work.tape(), 64, steps, false);
      const Run all = run<float>(work, batch, 64, false), few = run<float>(work, batch, 64, true);
      CHECK(same_bits(few.values, all.values));
      const double steps_kept = static_cast<double>(few.bytes) / static_cast<double>(all.bytes) *
                                static_cast<double>(steps);
      CAPTURE(all.bytes, few.bytes);
      CHECK(steps_kept <= 1.3 * 2 * std::sqrt(static_cast<double>(steps)));
      // the forward part is about a third of all
      CHECK(static_cast<double>(few.operations.per_item) <
            1.4 * static_cast<double>(all.operations.per_item));
    }
  }
}

TEST_CASE("memory: packed weights that change lie where those of earlier steps lay", "[memory]") {
  const Work work = work_of(sized("lstm", 64), 20);
  const BatchContext batch = batch_of(work.tape(), 9, 20, true);
  const Run kept =
      run<float>(work, batch, 9, false, {.engine = {.threads = 1}, .weights_change = false});
  const std::size_t matrix = 64 * 256 * sizeof(float);  // W_hh forward, and then transposed
  for (const int threads : {1, 2, 3}) {
    const Run changing = run<float>(work, batch, 9, false, {.engine = {.threads = threads}});
    CHECK(same_bits(changing.values, kept.values));
    CHECK(changing.bytes + matrix <= kept.bytes);
    CHECK(changing.bytes + 2 * matrix > kept.bytes);
  }
}
