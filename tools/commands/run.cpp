#include "taugrad/evaluate/run.h"

#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "language/resolve/resolved_model.h"
#include "options/definition_options.h"
#include "options/mode_options.h"
#include "options/subject.h"
#include "options/tensor_options.h"
#include "output.h"
#include "reports/divergence.h"
#include "reports/tensor_table.h"
#include "taugrad/evaluate/run_segment.h"
#include "taugrad/io/tensors.h"
#include "taugrad/language/describe.h"

namespace taugrad::cli {
namespace {

const std::vector<std::string> kTensors = {"safetensors", "json"}, kReports = {"json", "txt"};

struct Options {
  DefinitionOptions definition;
  StepOptions steps;
  std::string weights, inputs, fetch, output, dtype = "f32", state_in, state_out;
  std::int64_t batch = -1;
  double temperature = 1;
  std::uint64_t seed = 0;
  bool strict = false, divergence = false;
  RunOptions run;
};

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> names;
  std::string name;
  int depth = 0;  // a comma inside brackets belongs to a position: grad:W[3,2]
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list.compare(i, 2, "\\,") == 0) {  // of a name
      name += list[++i];
      continue;
    }
    depth += list[i] == '[' ? 1 : list[i] == ']' ? -1 : 0;
    if (list[i] != ',' || depth > 0) {
      name += list[i];
      continue;
    }
    if (!name.empty()) names.push_back(name);
    name.clear();
  }
  if (!name.empty()) names.push_back(name);
  return names;
}

// every variable, and the loss where there is one
std::vector<std::string> everything(const Definition& d) {
  std::vector<std::string> names;
  bool random = false;
  for (const auto& e : describe(d).entries) {
    if (e.kind == "variable") names.push_back(e.name.substr(0, e.name.find('[')));
    random = random || e.kind == "random";
  }
  if (random || !d.loss.empty()) names.emplace_back("loss");
  return names;
}

// an error in a tensor names the file that it came from
Error in_file(const Error& e, const Options& o) {
  std::vector<Diagnostic> problems = e.diagnostics();
  for (Diagnostic& d : problems)
    if (d.file.empty() && d.code.starts_with("D0"))
      d.file = d.message.find("weight \"") != std::string::npos       ? o.weights
               : d.message.find("the state has") != std::string::npos ? o.state_in
                                                                      : o.inputs;
  return Error(e.status(), std::move(problems));
}

bool draws(const Graph& g, const Options&) {
  const Tape& tape = g.tape();
  for (NodeId id = 0; id < tape.size(); ++id)
    if (tape.attrs(id).has("stream")) return true;
  return false;
}
bool draws(const Definition&, const Options& o) { return draws_values(o.run.modes); }

/// The seed is of draws, and of values where no file gives any.
template <class T>
void refuse_unread_seed(const T& of, const Options& o, const Context& context) {
  if (!draws(of, o))
    refuse_without_effect(context, {"--seed"},
                          "where tensors are given and nothing is drawn: it goes with a --mode, "
                          "such as y=sampled");
}

// `of` is a definition or a graph
template <class T>
RunResult run_on_files(const T& of, const Options& o, const Context& context) {
  const Tensors inputs = read_tensors(o.inputs, o.strict, context),
                weights = read_tensors(o.weights, o.strict, context);
  for (const auto& [name, tensor] : inputs)
    if (name.starts_with("cotangent:"))
      refuse_without_effect(context, {"--loss"},
                            "beside the tensor " + name + ", which replaces it");
  if (!inputs.empty() || !weights.empty()) refuse_unread_seed(of, o, context);
  try {
    return run(of, inputs, weights, o.run);
  } catch (const Error& e) {
    throw in_file(e, o);
  }
}

// a segment of a sequence, which goes on with what the one before has handed on
RunResult run_piece(const Definition& d, const Options& o, const Context& context) {
  refuse_without_effect(context, {"--divergence", "--chunk"}, "on a segment");
  const Tensors inputs = read_tensors(o.inputs, o.strict, context),
                weights = read_tensors(o.weights, o.strict, context),
                state = read_tensors(o.state_in, o.strict, context);
  if (weights.empty() && inputs.empty())
    fail(Status::usage, "U006", "a segment needs --inputs or --weights: nothing is drawn for it");
  refuse_unread_seed(d, o, context);
  try {
    SegmentResult result = run_segment(d, inputs, weights, state, o.run);
    if (!o.state_out.empty()) save_tensors(o.state_out, result.state);
    return result;
  } catch (const Error& e) {
    throw in_file(e, o);
  }
}

// the same in teacher forcing, and how far apart the two are
std::string compared(const Definition& d, Options o, const RunResult& open,
                     const Context& context) {
  o.run.modes.clear();
  const Divergence apart = divergence(d, open.values, run_on_files(d, o, context).values);
  const bool json = context.json || o.output == "-";
  return format_of(o.output, kReports, json ? "json" : "txt") == "json" ? divergence_json(apart)
                                                                        : divergence_table(apart);
}

// --temperature and --top-k are of draws
void refuse_without_draws(const Definition& d, const Options& o, const Context& context) {
  const auto model = resolve(d);
  bool draws = false, symbols = false, numbers = false;
  for (const auto& [name, mode] : o.run.modes) {
    const int number = model->find(name);
    if (number < 0 || !mode.draws() || mode.takes_likeliest()) continue;
    draws = true;
    const bool symbol = model->symbols[static_cast<std::size_t>(number)].category >= 0;
    (symbol ? symbols : numbers) = true;
  }
  if (!draws)
    refuse_without_effect(context, {"--temperature", "--top-k"},
                          "where nothing is drawn: it goes with a --mode, such as y=sampled");
  if (!symbols) refuse_without_effect(context, {"--top-k"}, "where no symbol is drawn");
  if (symbols && !numbers && o.run.top_k == 1)
    refuse_without_effect(context, {"--temperature"},
                          "beside --top-k 1, which takes the likeliest");
}

RunResult run_graph(const Graph& g, Options& o, const std::string& loss, const Context& context) {
  refuse_without_effect(
      context, {"--divergence", "--temperature", "--top-k", "--state-in", "--state-out", "--chunk"},
      kOnGraph);
  o.run.loss = loss;
  o.run.fetch = split(o.fetch);
  return run_on_files(g, o, context);
}

RunResult run_definition(const Definition& d, Options& o, const Context& context) {
  refuse_without_draws(d, o, context);
  o.run.fetch = o.fetch.empty() ? everything(d) : split(o.fetch);
  check_steps(d, o.steps);
  o.run.steps = o.steps.steps;
  o.run.lengths = o.steps.lengths;
  o.run.temperature = o.temperature;
  if (o.divergence && (o.run.modes.empty() || o.inputs.empty()))
    fail(Status::usage, "U006",
         "--divergence compares with teacher forcing: it needs a --mode, such as y=greedy, and the "
         "data, --inputs FILE");
  if (!o.state_in.empty() || !o.state_out.empty()) return run_piece(d, o, context);
  return run_on_files(d, o, context);
}

void tell_warnings(const RunResult& result, const Options& o, const Context& context) {
  for (const std::string& text : result.warnings) {
    Diagnostic w;
    w.code = "D103";
    w.message = text;
    warn(context, w);
  }
  if (o.strict && !result.not_finite.empty()) throw Error(Status::numerical, result.not_finite);
  for (const Diagnostic& w : result.not_finite) warn(context, w);
}

int run_subject(Options o, const Context& context) {
  format_of(o.output, o.divergence ? kReports : kTensors, "");
  if (!o.state_out.empty()) format_of(o.state_out, kTensors, "");
  const Subject s = read_subject(o.definition, context);
  if (o.weights.empty()) o.weights = s.weights_file;
  o.run.dtype = o.dtype == "f64" ? Dtype::f64 : Dtype::f32;
  o.run.batch = o.batch;
  o.run.seed = o.seed;
  const RunResult result =
      s.graph ? run_graph(*s.graph, o, s.loss, context) : run_definition(*s.definition, o, context);
  tell_warnings(result, o, context);
  if (o.divergence)
    deliver(o.output, compared(*s.definition, o, result, context));
  else if (o.output.empty() || o.output == "-")
    print(context.json || o.output == "-" ? tensors_to_json(result.values)
                                          : tensor_table(result.values));
  else
    save_tensors(o.output, result.values);
  return 0;
}

void add_values(Command& c, const std::shared_ptr<Options>& o) {
  c.text("--weights", "FILE", "weights by name, safetensors or .json", o->weights);
  c.text("--inputs", "FILE", "inputs and observed variables, time-major; lengths", o->inputs);
  c.text("--fetch", "LIST", "h,loss,nll:y,grad:W,grad:W[3],grad:x [all variables, loss]", o->fetch);
  c.output("-o,--output", "FILE", "safetensors, or JSON for .json and - [a table]", o->output);
  c.text("--state-in", "FILE", "go on with a state: the inputs are a segment of a sequence",
         o->state_in);
  c.output("--state-out", "FILE", "what the next segment goes on with", o->state_out);
  c.choice("--dtype", "of the work and the results [f32]", o->dtype, {"f32", "f64"});
  add_steps(c, o->steps, "length, or s=7,t=5, where no tensor tells");
  c.integer("--batch", "B", "items, where no tensor tells [1]", o->batch, 0, 2147483647);
  c.option({.name = "--seed",
            .letter = "",
            .value = "S",
            .help = "of drawn inputs, weights and samples [0]",
            .take = [o](const std::string& v) { o->seed = parse_seed("--seed", v); }});
  add_modes(c, o->run.modes);
  c.flag("--divergence", "with --mode: how far from teacher forcing, step by step", o->divergence)
      .rare();
  c.number("--temperature", "X", "draws are of the density to the power 1/X [1]", o->temperature,
           "> 0", [](double x) { return x > 0; })
      .rare();
  c.integer("--top-k", "K", "draws are of the K likeliest categories [all]", o->run.top_k, 1,
            2147483647)
      .rare();
  add_engine(c, o->run.engine);
  add_checkpoint(c, o->run.checkpoint);
  add_chunk(c, o->run.engine);
  add_strict(c, o->strict);
}

}  // namespace

Command run_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "run";
  c.about = "Evaluates variables, losses and gradients";
  c.examples = {
      {"taugrad run elman --steps 3 --fetch h,loss,grad:W,grad:W[2]",
       "on inputs and weights drawn from --seed"},
      {"taugrad run lstm.json --weights w.safetensors --inputs x.safetensors --fetch out,grad:x "
       "--dtype f64 -o out.safetensors",
       "on tensors of yours"},
      {"taugrad run lstm.json --weights w.safetensors --inputs part2.safetensors --fetch out "
       "--state-in s1.safetensors --state-out s2.safetensors",
       "a segment after another, with the bits of the whole sequence"}};
  add_subject(c, o->definition);
  add_values(c, o);
  c.details =
      std::string(
          "Tensors of an item have axes [index..., batch, shape...]; `lengths` (I64, [batch])\n"
          "holds the items' own lengths, `lengths:s` where there are several indices.\n"
          "grad:W is the gradient of the loss summed over the batch, grad:W[3] that of the\n"
          "copy of step 3, grad:W[3]@h the share of equation h; a tensor `cotangent:v` among\n"
          "the inputs replaces the loss by sum(cotangent * v).\n"
          "Of a graph, tensors go to its leaves by name; its nodes are fetched by name and\n"
          "position, or by number (#17), a comma in a name is \\,; its loss is the node `loss`\n"
          "or --loss NAME.\n"
          "--state-out writes what equations read at earlier steps, h[t], x[t-4], and `steps`\n"
          "(I64, [batch]); --state-in goes on from there. An item whose `steps` is 0 begins\n"
          "anew. What reads `last`, tau, t+1 or goes over all t is refused by name (G040).\n") +
      kModesHelp;
  c.run = [o](const Context& context) { return run_subject(*o, context); };
  return c;
}

}  // namespace taugrad::cli
