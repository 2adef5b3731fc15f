// Every pass can be left out, and any number of threads computes the same.
#include <catch2/catch.hpp>
#include <filesystem>

#include "plan/describe.h"
#include "support_plan.h"

using namespace taugrad;
using namespace support;

namespace {

BatchContext ragged_batch(const Tape& tape, std::int64_t items, std::int64_t longest, bool ragged) {
  BatchContext batch;
  for (std::size_t which = 0; which < tape.length_names.size(); ++which) {
    batch.lengths.emplace_back();
    const std::int64_t most = tape.longest[which] < 0 ? longest : tape.longest[which];
    for (std::int64_t i = 0; i < items; ++i)
      batch.lengths.back().push_back(ragged ? (most + 3 * i) % (most + 1) : most);
  }
  return batch;
}

template <class S>
Values values_of(const Work& work, const BatchContext& batch, std::int64_t items,
                 const ExecutorOptions& options) {
  Executor<S> executor(work.tape(), work.outputs, options);
  return execute(executor, work.tape(), work.outputs, batch, items, 7);
}

/// Passes that only move leave every bit as it is. (What is merged is read more than once, which
/// decides where sums are taken.)
bool keeps_bits(plan::Pass pass) {
  return pass != plan::Pass::merge && pass != plan::Pass::outer && pass != plan::Pass::accumulate &&
         pass != plan::Pass::fuse;
}

Definition wide_lstm() {
  Definition d = load_definition("lstm");
  for (auto& s : d.sizes) s.value = s.name == "m" ? 96 : 40;
  d.loss = {Text{"mean(h[t] * h[t])", {}}};
  return d;
}

}  // namespace

TEST_CASE("plan: without any one pass the shipped graphs have the same values and gradients",
          "[plan]") {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(TAUGRAD_SOURCE_DIR) + "/graphs"))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  REQUIRE(names.size() > 40);
  for (const std::string& name : names) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    const bool ragged = can_be_ragged(*resolve(d));
    const Work work = work_of(d, 4, true);
    const BatchContext batch = ragged_batch(work.tape(), 3, 4, ragged);
    const Values all = values_of<double>(work, batch, 3, {});
    for (const plan::PassInfo& pass : plan::passes()) {
      CAPTURE(pass.name);
      const Values some =
          values_of<double>(work, batch, 3, {.engine = {.without = {std::string(pass.name)}}});
      CHECK(difference(some, all) <= 1e-12);
      if (keeps_bits(pass.pass)) CHECK(same_bits(some, all));
    }
  }
}

TEST_CASE("plan: without a pass a plan is another one", "[plan]") {
  const Definition d = taugrad::test::define(
      R"j("index": {"t": "tau"}, "sizes": {"n": 2, "m": 3}, "inputs": {"x[t]": ["n"]},
    "weights": {"U": ["m","n"], "W": ["m","m"], "Z": ["m","m"], "Y": ["m","m"], "V": ["m","2*m"]},
    "equations": ["g[t] = sigmoid(U @ x[t] + W @ h[t-1])", "f[t] = tanh(transpose(Z) @ h[t-1])",
      "h[t] = tanh(V @ concat(g[t] * f[t], f[t] * f[t]))"], "loss": "sum(softmax(Y @ h[t]) * h[t])")j");
  const Work work = work_of(d, 5);
  const plan::Plan<float> all = plan_of(work);
  for (const plan::PassInfo& pass : plan::passes()) {
    if (pass.pass == plan::Pass::period) continue;  // the same plan, sooner: period_test
    if (pass.pass == plan::Pass::levels) continue;  // of trees: levels_test
    CAPTURE(pass.name);
    const plan::Plan<float> some = plan_of(work, plan::PassSet().without(pass.pass));
    CHECK((plan::lines_of(some) != plan::lines_of(all) || some.slots.size() > all.slots.size()));
  }
  CHECK_THROWS_AS(plan::PassSet().without("fuze"), Error);
}

TEST_CASE("plan: any number of threads computes the same bits, by items", "[plan][threads]") {
  const Work work = work_of(wide_lstm(), 12, true);
  const BatchContext batch = ragged_batch(work.tape(), 13, 12, true);
  const Values one = values_of<float>(work, batch, 13, {.engine = {.threads = 1}});
  for (const int threads : {2, 3, 5})
    CHECK(same_bits(values_of<float>(work, batch, 13, {.engine = {.threads = threads}}), one));
}

TEST_CASE("plan: any number of threads computes the same bits, by columns", "[plan][threads]") {
  Definition d = load_definition("elman");
  for (auto& s : d.sizes) s.value = s.name == "m" ? 1000 : 37;
  const Work work = work_of(d, 3, true);
  const BatchContext batch = ragged_batch(work.tape(), 1, 3, false);
  const Values one = values_of<float>(work, batch, 1, {.engine = {.threads = 1}});
  for (const int threads : {2, 3, 5})
    CHECK(same_bits(values_of<float>(work, batch, 1, {.engine = {.threads = threads}}), one));
}
