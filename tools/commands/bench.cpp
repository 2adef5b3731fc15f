#include <memory>

#include "base/fail.h"
#include "bench/benchmark.h"
#include "commands/commands.h"
#include "options/definition_options.h"
#include "output.h"
#include "runtime/thread_pool.h"

namespace taugrad::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  WorkloadOptions workload;
  BenchmarkOptions benchmark;
  std::string dtype = "f32";
};

void bench_one(const Workload& w, const BenchmarkOptions& o, bool first, const Context& context) {
  if (o.limit && o.profile) fail(Status::usage, "U006", "give --limit or --profile, not both");
  const BenchmarkResult result = measure(w, o);
  if (first) note(context, table_head());
  note(context, table_line(result));
  if (!result.profile.empty()) note(context, profile_table(result));
  print(json_line(result));
}

int bench(Options o, const Context& context) {
  if (o.benchmark.engine.threads == 0) o.benchmark.engine.threads = runtime::available_cores();
  o.benchmark.f64 = o.dtype == "f64";
  const bool equations = !o.workload.definition.equations.empty();
  if (equations && !o.names.empty())
    fail(Status::usage, "U006", "give workloads or equations, not both");
  if (equations)
    o.names = {""};
  else if (o.names.empty())
    o.names = workload_names();
  std::vector<Workload> workloads;  // all are read before the first is measured
  for (const std::string& name : o.names) workloads.push_back(workload(name, o.workload, context));
  for (const Workload& w : workloads) bench_one(w, o.benchmark, &w == workloads.data(), context);
  return 0;
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  c.positional({.name = "WORKLOAD",
                .help = "of those below, by name or W1..W8, or a definition [all eight]",
                .least = 0,
                .most = 100,
                .take = [o](const std::string& v) { o->names.push_back(v); }});
  c.flag("--profile", "where the time goes: kinds of steps, fused programs", o->benchmark.profile);
  c.flag("--limit", "only the matrix products of the plan", o->benchmark.limit);
  c.choice("--dtype", "of the work [f32]", o->dtype, {"f32", "f64"});
  c.number("--ms", "X", "time for each figure [2000]", o->benchmark.ms, "> 0",
           [](double x) { return x > 0; });
  add_workload(c, o->workload);
  add_checkpoint(c, o->benchmark.checkpoint);
  add_chunk(c, o->benchmark.engine);
}

}  // namespace

Command bench_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "bench";
  c.about = "Measures training steps: time, memory, where the time goes";
  c.examples = {{"taugrad bench lstm --threads 1 --profile", "a shipped workload"},
                {"taugrad bench own.json --steps 100 --batch 16", "a definition of yours"}};
  add_options(c, o);
  c.details =
      "Workloads: elman-char elman-large elman-tiny lstm gru lstm-2layer-char\n"
      "bilstm-varlen lstm-infer (W1 to W8). A line of JSON each on standard output:\n"
      "medians of single runs, in milliseconds: `fwd_ms` forward and loss, `fwd_bwd_ms`\n"
      "with the gradients of all weights; the graph is planned once, beforehand\n"
      "(`prepare_ms`). A definition without a loss runs forward only, its weights packed\n"
      "once. Subtract `base_rss_mb`, what the process held before, from `peak_rss_mb`.\n"
      "Bind the process to cores (taskset) for figures to compare. docs/bench.md says more.";
  add_engine(c, o->benchmark.engine);
  c.run = [o](const Context& context) { return bench(*o, context); };
  return c;
}

}  // namespace taugrad::cli
