#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "definition_options.h"
#include "language/resolve/resolved_model.h"
#include "output.h"
#include "taugrad/layers/layers.h"

namespace taugrad::cli {
namespace {

struct Options {
  std::string cell;
  DefinitionOptions definition;
  std::int64_t layers = 1, projection = 0;
  bool bidirectional = false, learned_state = false;
  std::string output;
  Nonlinearity nonlinearity = Nonlinearity::tanh;
  double dropout = 0;
  bool given_state = false, reset_before = false;
};

constexpr Word<Cell> kCells[] = {{"rnn", Cell::rnn}, {"lstm", Cell::lstm}, {"gru", Cell::gru}};
constexpr Word<Nonlinearity> kNonlinearities[] = {{"tanh", Nonlinearity::tanh},
                                                  {"relu", Nonlinearity::relu}};

Definition made_by_layers(const Options& o) {
  LayerOptions l;
  l.layers = static_cast<int>(o.layers);
  l.bidirectional = o.bidirectional;
  l.nonlinearity = o.nonlinearity;
  l.dropout = o.dropout;
  l.projection = o.projection;
  l.learned_state = o.learned_state;
  l.given_state = o.given_state;
  l.reset_before = o.reset_before;
  for (const auto& [name, value] : o.definition.sizes) {
    if (name != "n" && name != "m")
      fail(Status::usage, "U002",
           "--size sets n, the size of x[t], or m, the size of a state; got {}", name);
    (name == "n" ? l.n : l.m) = value;
  }
  return recurrent_layers(value_of(kCells, "the cell", o.cell), l);
}

int run(const Options& o, const Context& context) {
  format_of(o.output, {"json"}, "");
  if (!o.definition.equations.empty()) {
    refuse_without_effect(context,
                          {"--layers", "--bidirectional", "--nonlinearity", "--dropout",
                           "--projection", "--learned-state", "--given-state", "--reset-before"},
                          "on equations: it is of a cell's layers");
    DefinitionOptions equations = o.definition;
    equations.file_or_name = o.cell;
    deliver(o.output, to_json(read_definition(equations, context)));
    return 0;
  }
  if (o.cell.empty())
    fail(Status::usage, "U006", "`taugrad define` needs a cell (rnn, lstm or gru) or -e EQUATION");
  if (o.cell != "rnn")
    refuse_without_effect(context, {"--nonlinearity"},
                          "on the " + o.cell + ": the rnn has a choice");
  Definition d = made_by_layers(o);
  override_loss(d, o.definition);
  if (!o.definition.loss.empty()) resolve(d);
  deliver(o.output, to_json(d));
  return 0;
}

}  // namespace

Command define_command() {
  auto o = std::make_shared<Options>();
  Command c;
  c.name = "define";
  c.about = "Prints the definition of recurrent layers, or of equations, as JSON";
  c.examples = {
      {"taugrad define lstm --layers 2 --bidirectional --size n=8 --size m=16 -o lstm.json",
       "PyTorch's weight names and layouts: weight_ih_l0, ..., weight_hh_l1_reverse"},
      {"taugrad define -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])'",
       "the full definition of an equation, its sizes inferred"}};
  c.positional({.name = "CELL",
                .help = "rnn, lstm or gru",
                .least = 0,
                .most = 1,
                .take = [o](const std::string& v) {
                  value_of(kCells, "the cell", v);
                  o->cell = v;
                }});
  c.integer("--layers", "L", "layers on top of each other [1]", o->layers, 1, 1000);
  c.flag("--bidirectional", "both directions in every layer", o->bidirectional);
  add_sizes(c, o->definition);
  c.choice("--nonlinearity", "of the rnn cell [tanh]", o->nonlinearity, kNonlinearities);
  c.number("--dropout", "P", "dropout between layers, in 0..1 [0]", o->dropout, "in [0, 1)",
           [](double p) { return p >= 0 && p < 1; });
  c.integer("--projection", "P", "size of the lstm's projected state [0: none]", o->projection, 0,
            2147483647);
  c.flag("--learned-state", "weights for the state before the first step", o->learned_state);
  c.flag("--given-state", "inputs h0, c0: each item's state before the first step", o->given_state);
  c.flag("--reset-before", "of the gru: the reset gate works before the product", o->reset_before);
  add_equations(c, o->definition, "a cell");
  add_loss(c, o->definition);
  c.output("-o,--output", "FILE", "where to write [standard output]", o->output);
  c.details =
      "The layers read x[t] of size n and give out[t]; final states are h_n and, of the\n"
      "lstm, c_n, both [layers*directions, m], layer by layer, forward then reverse.\n"
      "Left of @ in an equation stand matrices, x[t] is an input, other unknown names\n"
      "are vectors; --size sets what is inferred.";
  add_max_memory(c);
  c.run = [o](const Context& context) { return run(*o, context); };
  return c;
}

}  // namespace taugrad::cli
