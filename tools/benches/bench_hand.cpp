#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "evaluate/leaves/bind.h"
#include "evaluate/planner.h"
#include "hand/loops.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/evaluate/run.h"
#include "thread_clock.h"

// Milliseconds of the cores of four recurrences of a matrix state, forward and all gradients, in
// f32 on one thread, by its own clock: ours, typed as equations, beside loops written by hand for
// that one core, in the same run; the least of several samples, taken in turn; ours step by step
// and, where it is linear in a state that vectors read, in chunks. Queries, keys,
// values and gates are inputs, so that what surrounds the core - projections, norms - is in
// neither. Width 256: 4 heads of 64, Mamba 256 channels of 16. One JSON line a recurrence.
//   bench_hand [STEPS] [BATCH] [CORE] [CHUNK]   (256 8, all, 32)
namespace {

using namespace taugrad;

/// A core: its definition, what its inputs lie between, and the loops.
struct Core {
  const char* name;
  std::string definition;
  struct Input {
    const char* name;
    double lo, hi;
  };
  std::vector<Input> inputs;
  hand::Loops loops;
};

std::string heads(const std::string& inputs, const std::string& equations) {
  return R"j({"name": "core", "index": {"t": "tau"}, "sizes": {"heads": 4, "d": 64},
    "inputs": {"q[t]": ["heads", "d"], "k[t]": ["heads", "d"], "v[t]": ["heads", "d"], )j" +
         inputs + R"j(}, "equations": [)j" + equations + R"j(], "loss": "sum(o[t] * o[t]) / 2"})j";
}

std::vector<Core> cores() {
  return {
      {"mlstm",
       heads(
           R"j("i[t]": ["heads"], "f[t]": ["heads"])j",
           R"j("C[t] = reshape(f[t], heads, 1, 1) * C[t-1] + reshape(i[t], heads, 1, 1) * outer(v[t], k[t])",
              "u[t] = reshape(f[t], heads, 1) * u[t-1] + reshape(i[t], heads, 1) * k[t]",
              "o[t] = matvec(C[t], q[t]) / reshape(max(abs(vecdot(u[t], q[t])), 1), heads, 1)")j"),
       {{"q", -0.2, 0.2}, {"k", -0.2, 0.2}, {"v", -1, 1}, {"i", 0.1, 1}, {"f", 0.8, 0.999}},
       hand::mlstm},
      {"gla",
       heads(R"j("g[t]": ["heads", "d"])j",
             R"j("S[t] = reshape(g[t], heads, 1, d) * S[t-1] + outer(v[t], k[t])",
              "o[t] = matvec(S[t], q[t])")j"),
       {{"q", -0.2, 0.2}, {"k", -0.2, 0.2}, {"v", -1, 1}, {"g", 0.8, 0.999}},
       hand::gla},
      {"deltanet",
       heads(
           R"j("b[t]": ["heads"])j",
           R"j("S[t] = S[t-1] + reshape(b[t], heads, 1, 1) * outer(v[t] - matvec(S[t-1], k[t]), k[t])",
              "o[t] = matvec(S[t], q[t])")j"),
       {{"q", -0.2, 0.2}, {"k", -0.2, 0.2}, {"v", -1, 1}, {"b", 0.1, 0.9}},
       hand::deltanet},
      {"mamba",
       R"j({"name": "core", "index": {"t": "tau"}, "sizes": {"m": 256, "N": 16},
    "inputs": {"d[t]": ["m"], "c[t]": ["m"], "B[t]": ["N"], "R[t]": ["N"], "A": ["m", "N"]},
    "equations": ["S[t] = exp(-reshape(d[t], m, 1) * A) * S[t-1] + outer(d[t] * c[t], B[t])",
              "o[t] = S[t] @ R[t]"], "loss": "sum(o[t] * o[t]) / 2"})j",
       {{"d", 0.01, 0.1}, {"c", -1, 1}, {"B", -1, 1}, {"R", -1, 1}, {"A", 0.5, 4}},
       hand::mamba}};
}

/// The plan of the loss and the gradients of all inputs, placed on its batch.
class Ours {
 public:
  Ours(const Core& core, const Tensors& inputs, std::int64_t steps, std::int64_t chunk)
      : model_(resolve(parse_definition(core.definition, "core.json"))),
        planned_(runtime::Planner<float>(
                     model_, [&](const Unfolded& u) { return asked(u, core); },
                     {.engine = {.threads = 1, .chunk = chunk}}, false)
                     .plan({.steps = steps})) {
    const runtime::LengthRules rules{model_->lengths, {steps}, planned_.longest, planned_.longest};
    const auto batch = runtime::describe_batch(planned_.sources, rules, inputs);
    planned_.executor.set_batch(batch.context, batch.items);
    for (const runtime::Source& s : planned_.sources)
      runtime::bind_source(planned_.executor, s, runtime::tensor_of(s, inputs));
  }
  void run() { planned_.executor.run(); }
  bool in_chunks() const { return !planned_.chunked.empty(); }
  /// Largest difference of any gradient from those given, by input in the order of the core, as a
  /// share of that input's largest.
  double apart(const std::vector<std::vector<float>>& gradients) const {
    double worst = 0;
    std::size_t output = 1;
    for (const std::vector<float>& all : gradients) {
      double largest = 0, difference = 0;
      for (std::size_t from = 0; from < all.size(); ++output) {
        const auto own = planned_.executor.value(output);
        for (std::size_t i = 0; i < own.size(); ++i) {
          const auto x = static_cast<double>(all[from + i]);
          largest = std::max(largest, std::abs(x));
          difference = std::max(difference, std::abs(x - static_cast<double>(own[i])));
        }
        from += own.size();
      }
      worst = std::max(worst, difference / largest);
    }
    return worst;
  }

 private:
  static runtime::Asked asked(const Unfolded& u, const Core& core) {
    runtime::Asked asked{{u.loss().id}, {plan::Table(1)}, u.graph().size() - 1};
    Vars wrt;
    for (const Core::Input& in : core.inputs) {
      if (u.find(in.name, {}) >= 0) {
        wrt.push_back(u.at(in.name));
        continue;
      }
      for (std::int32_t t = 1; t <= u.length("t"); ++t) wrt.push_back(u.at(in.name, t));
    }
    for (const Var& g : gradient(u.loss(), wrt).values()) asked.outputs.push_back(g.id);
    asked.lists[0].cells.assign(asked.outputs.size(), 0);
    return asked;
  }

  std::shared_ptr<const ResolvedModel> model_;
  runtime::Planned<float> planned_;
};

Tensors drawn(const Core& core, std::int64_t steps, std::int64_t batch) {
  Tensors inputs = random_inputs(parse_definition(core.definition, "core.json"),
                                 {.steps = steps, .batch = batch, .seed = 3});
  std::mt19937 random(5);
  for (const Core::Input& in : core.inputs) {
    Tensor& t = inputs.at(in.name);
    t = t.to(Dtype::f32);
    std::uniform_real_distribution<float> uniform(static_cast<float>(in.lo),
                                                  static_cast<float>(in.hi));
    for (float& e : t.values<float>()) e = uniform(random);
  }
  return inputs;
}

void measure(const Core& core, std::int64_t steps, std::int64_t batch, std::int64_t chunk) {
  const Tensors inputs = drawn(core, steps, batch);
  Ours ours(core, inputs, steps, 0), chunked(core, inputs, steps, chunk);
  hand::Data data{.steps = static_cast<int>(steps), .batch = static_cast<int>(batch)};
  for (const Core::Input& in : core.inputs) {
    const auto values = inputs.at(in.name).values<float>();
    data.inputs.emplace_back(values.begin(), values.end());
    data.gradients.emplace_back(values.size());
  }
  const auto milliseconds = [](const auto& f) {
    const double begun = thread_ms();
    f();
    return thread_ms() - begun;
  };
  double best[3] = {1e300, 1e300, 1e300};
  for (int sample = 0; sample < 9; ++sample) {
    best[0] = std::min(best[0], milliseconds([&] { ours.run(); }));
    best[1] = std::min(best[1], milliseconds([&] { core.loops(data); }));
    best[2] = std::min(best[2], milliseconds([&] { chunked.run(); }));
  }
  std::string in_chunks;
  if (chunked.in_chunks())
    in_chunks = fmt::format(
        ", \"chunk\": {}, \"chunked_ms\": {:.2f}, \"chunked_ratio\": {:.2f}, \"chunked_apart\": "
        "{:.1e}",
        chunk, best[2], best[2] / best[1], chunked.apart(data.gradients));
  fmt::print(
      "{{\"core\": \"{}\", \"steps\": {}, \"batch\": {}, \"ours_ms\": {:.2f}, \"by_hand_ms\": "
      "{:.2f}, \"ratio\": {:.2f}, \"apart\": {:.1e}{}}}\n",
      core.name, steps, batch, best[0], best[1], best[0] / best[1], ours.apart(data.gradients),
      in_chunks);
}

}  // namespace

int main(int count, char** words) {
  const std::int64_t steps = count > 1 ? std::atoll(words[1]) : 256,
                     batch = count > 2 ? std::atoll(words[2]) : 8,
                     chunk = count > 4 ? std::atoll(words[4]) : 32;
  for (const Core& core : cores())
    if (count <= 3 || words[3] == std::string("all") || core.name == std::string(words[3]))
      measure(core, steps, batch, chunk);
}
