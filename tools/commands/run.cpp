#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "output.h"
#include "recurrence/model.h"
#include "taugrad/exec/run.h"
#include "taugrad/io/tensors.h"

namespace taugrad::cli {
namespace {

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  std::string weights, inputs, output, dtype = "f32";
  std::vector<std::string> fetch;
  std::vector<std::pair<std::string, Mode>> modes;
  std::int64_t batch = -1, seed = 0, max_memory = 0;
  bool allow_unused = false;
};

// commas outside brackets separate: grad:W[3,2],loss
void split_fetch(const std::string& text, std::vector<std::string>& list) {
  std::string item;
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == ',' && depth == 0) {
      if (!item.empty()) list.push_back(item);
      item.clear();
    } else if (c != ' ') {
      item += c;
    }
  }
  if (!item.empty()) list.push_back(item);
}

void add_mode(const std::string& text, std::vector<std::pair<std::string, Mode>>& modes) {
  const auto eq = text.find('=');
  const std::string mode = eq == std::string::npos ? "" : text.substr(eq + 1);
  if (mode != "observed" && mode != "sampled")
    fail(Status::usage, "U002", "--mode takes y=observed or y=sampled, got {}", text);
  modes.emplace_back(text.substr(0, eq), mode == "sampled" ? Mode::sampled : Mode::observed);
}

// a tensor as rows of its last axis, each with the position of its first element
std::string table(const std::string& name, const Tensor& t) {
  std::string out = fmt::format("{}  {}\n", name, dims_text(t.dims()));
  constexpr std::int64_t kMost = 64;
  const std::int64_t columns = t.dims().empty() ? 1 : std::max<std::int64_t>(t.dims().back(), 1);
  const std::int64_t rows = t.size() / columns;
  for (std::int64_t r = 0; r < std::min(rows, kMost); ++r) {
    std::vector<std::int64_t> at;
    std::int64_t rest = r;
    for (std::size_t a = t.dims().size(); a-- > 1;) {
      at.insert(at.begin(), rest % t.dims()[a - 1]);
      rest /= t.dims()[a - 1];
    }
    out += fmt::format("  {:<12}", at.empty() ? "" : fmt::format("[{}]", fmt::join(at, ",")));
    for (std::int64_t c = 0; c < std::min<std::int64_t>(columns, 16); ++c)
      out += fmt::format(" {:>13.6g}", t.at(r * columns + c));
    out += columns > 16 ? fmt::format("  .. {} more\n", columns - 16) : "\n";
  }
  if (rows > kMost) out += fmt::format("  .. {} more rows\n", rows - kMost);
  return out;
}

int run_definition(const Options& o, const Context& context) {
  const Definition d = read_definition(o.definition, context);
  resolve(d, {.allow_unused = o.allow_unused});
  Tensors weights, inputs;
  std::vector<Diagnostic> warnings;
  if (!o.weights.empty()) weights = load_tensors(o.weights, &warnings);
  if (!o.inputs.empty()) inputs = load_tensors(o.inputs, &warnings);
  for (const std::string& file : {o.weights, o.inputs})
    if (!file.empty()) refuse_overwriting_input(file, o.output);
  for (const Diagnostic& w : warnings) warn(context, w);
  RunOptions options;
  options.fetch = o.fetch;
  options.dtype = o.dtype == "f64" ? Dtype::f64 : Dtype::f32;
  options.steps = o.steps.steps;
  options.lengths = o.steps.lengths;
  options.batch = o.batch;
  options.seed = static_cast<std::uint64_t>(o.seed);
  options.max_memory = static_cast<std::size_t>(o.max_memory) << 20;
  for (const auto& [name, mode] : o.modes) options.modes[name] = mode;
  const RunResult result = run(d, inputs, weights, options);
  for (const std::string& text : result.warnings) {
    Diagnostic w;
    w.code = "D101";
    w.message = text;
    warn(context, w);
  }
  if (!o.output.empty() && o.output != "-") {
    save_tensors(o.output, result.values);
    note(context, fmt::format("wrote {} tensors to {}", result.values.size(), o.output));
    return 0;
  }
  if (context.json || o.output == "-") {
    print(tensors_to_json(result.values));
    return 0;
  }
  std::vector<std::string> shown;  // in the order asked for
  for (const std::string& name : o.fetch)
    if (std::find(shown.begin(), shown.end(), name) == shown.end()) {
      shown.push_back(name);
      print(table(name, result.values.at(name)));
    }
  return 0;
}

void add_options(Command& c, const std::shared_ptr<Options>& o) {
  c.option({.name = "--fetch",
            .letter = "",
            .value = "LIST",
            .help = "what to compute: h, o, loss, nll:y, h[0], grad:W, grad:W[3], grad:W[3]@h, grad:x",
            .take = [o](const std::string& v) { split_fetch(v, o->fetch); }});
  c.text("--weights", "FILE", "safetensors or .json [drawn from --seed]", o->weights);
  c.text("--inputs", "FILE", "safetensors or .json: [index..., batch, shape...] by name", o->inputs);
  c.text("-o,--output", "FILE", "safetensors or .json [a table]", o->output);
  c.choice("--dtype", "of the work and of the results [f32]", o->dtype, {"f32", "f64"});
  add_steps(c, o->steps, "lengths that no tensor tells: 5, or s=7,t=5");
  c.integer("--batch", "B", "items, where no tensor tells [1]", o->batch, 0, 1'000'000'000);
  c.integer("--seed", "S", "of what is drawn [0]", o->seed, 0, INT64_MAX);
  c.option({.name = "--mode",
            .letter = "",
            .value = "y=MODE",
            .help = "how a random variable comes about: observed or sampled; repeatable",
            .take = [o](const std::string& v) { add_mode(v, o->modes); },
            .common = false});
  c.integer("--max-memory", "MIB", "refuse to take more [80 % of what is free]", o->max_memory, 1, 1 << 24).rare();
  c.flag("--allow-unused", "accept weights and inputs that no equation reads", o->allow_unused).rare();
}

}  // namespace

Command run_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "run";
  c.about = "Evaluates variables, losses and gradients of a definition";
  c.examples = {{"taugrad run elman --steps 4 --fetch h,loss,grad:W,'grad:W[3]' --dtype f64",
                 "weights and inputs drawn from --seed"},
                {"taugrad run lstm.json --weights w.safetensors --inputs x.safetensors --fetch out -o out.safetensors",
                 "tensors by name, time first"}};
  add_definition(c, o->definition);
  add_options(c, o);
  c.details =
      "A tensor for each input and each observed variable, by name; axes are [index..., batch,\n"
      "shape...]. `lengths` (I64, [batch]) says how long each item is; `lengths:INDEX` where there\n"
      "are several. A tensor cotangent:v replaces the loss by sum(cotangent:v * v). Gradients are of\n"
      "the loss summed over the batch. Steps past an item's length are zero in what comes out.";
  c.run = [o](const Context& context) {
    if (o->fetch.empty()) fail(Status::usage, "U006", "say what to compute, as in --fetch h,loss,grad:W");
    return run_definition(*o, context);
  };
  return c;
}

}  // namespace taugrad::cli
