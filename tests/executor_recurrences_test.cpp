// The executor against the reference interpreter on unfolded definitions: the shipped ones and
// random ones.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "language/resolve/resolved_model.h"
#include "random_recurrence.h"
#include "support_executor.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace support;

namespace {

/// Everything that has a name, the loss, and the gradients of the weights and of their copies.
std::vector<NodeId> outputs_of(const Unfolded& u) {
  std::vector<NodeId> outputs;
  const Tape& tape = u.graph().tape();
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.is_value(id)) outputs.push_back(id);
  if (!u.has_loss()) return outputs;
  outputs.push_back(u.loss().id);
  Vars wrt;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.op(id).name == "weight" || tape.op(id).name == "copy")
      wrt.push_back(u.graph().tape().var(id));
  const Gradients g = gradient(u.loss(), wrt);
  for (const Var& v : g.values()) outputs.push_back(v.id);
  return outputs;
}

BatchContext ragged_batch(const Tape& tape, std::int64_t items, std::int64_t longest, bool ragged,
                          std::mt19937_64& random) {
  BatchContext batch;
  for (std::size_t which = 0; which < tape.length_names.size(); ++which) {
    batch.lengths.emplace_back(static_cast<std::size_t>(items), longest);
    for (std::int64_t& length : batch.lengths.back())
      if (ragged)
        length = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(longest + 1));
  }
  return batch;
}

void compare(const Definition& d, std::int64_t steps, unsigned seed) {
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  UnfoldOptions options;
  options.steps = steps;
  options.ragged = can_be_ragged(*model);
  const Unfolded u = unfold(model, options);
  const std::vector<NodeId> outputs = outputs_of(u);
  const Tape& tape = u.graph().tape();
  Executor<double> wide(tape, outputs);
  Executor<float> narrow(tape, outputs);
  std::mt19937_64 random(seed);
  const std::int64_t items = 1 + static_cast<std::int64_t>(random() % 4);
  const BatchContext batch = ragged_batch(tape, items, steps, options.ragged, random);
  const Values v = execute(wide, tape, outputs, batch, items, seed);
  REQUIRE(difference(v, interpret<double>(tape, outputs, batch, items, seed)) <= 1e-12);
  // some recurrences blow rounding up
  REQUIRE(difference(execute(narrow, tape, outputs, batch, items, seed),
                     interpret<float>(tape, outputs, batch, items, seed)) <= 2e-4);
  for (std::int64_t i = 0; i < items; ++i)
    REQUIRE(same_bits(only_item(v, tape, outputs, i),
                      execute(wide, tape, outputs, alone(batch, i), 1, seed)));
}

}  // namespace

TEST_CASE("executor: every shipped definition equals the reference interpreter", "[executor]") {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/graphs"))
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() > 20);
  for (const std::string& file : files) {
    CAPTURE(file);
    for (const std::int64_t steps : {1, 4}) compare(load_definition(file), steps, 11);
  }
}

TEST_CASE("executor: sums over more steps than a region takes", "[executor]") {
  for (const char* name : {"elman", "output_recurrent"})
    for (const unsigned seed : {1u, 2u, 3u}) compare(load_definition(name), 600, seed);
}

TEST_CASE("executor: random recurrences equal the reference interpreter", "[executor][random]") {
  for (unsigned seed = 0; seed < 10000; ++seed) {
    const std::string text = RecurrenceGenerator(seed).make();
    CAPTURE(seed, text);
    compare(parse_definition(text, "random.json"), 1 + seed % 5, seed);
  }
}
