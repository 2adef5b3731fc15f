#include <algorithm>
#include <memory>

#include "base/fail.h"
#include "commands/commands.h"
#include "language/resolve/resolved_model.h"
#include "options/definition_options.h"
#include "output.h"
#include "taugrad/layers/layers.h"

namespace taugrad::cli {
namespace {

struct Options {
  std::string cell;  // of PyTorch's, or of recurrent_cells()
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

std::vector<std::string> cell_names() {
  std::vector<std::string> names = texts_of(kCells);
  for (const RecurrentCell& cell : recurrent_cells()) names.emplace_back(cell.name);
  return names;
}

bool is_pytorch_cell(const std::string& name) {
  return std::ranges::any_of(kCells, [&](const auto& w) { return w.text == name; });
}

Definition made_by_import(const Options& o, const Context& context) {
  refuse_without_effect(
      context,
      {"--nonlinearity", "--projection", "--learned-state", "--given-state", "--reset-before"},
      "on " + o.cell + ": it is of rnn, lstm or gru");
  return recurrent_layers(o.cell, {.sizes = {o.definition.sizes.begin(), o.definition.sizes.end()},
                                   .layers = static_cast<int>(o.layers),
                                   .bidirectional = o.bidirectional,
                                   .dropout = o.dropout});
}

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

std::string cells_help() {
  std::string text = "Cells:", line;
  for (const RecurrentCell& cell : recurrent_cells()) {
    if (line.size() + cell.name.size() > 72) {
      text += line + "\n      ";
      line.clear();
    }
    line += " " + std::string(cell.name);
  }
  return text + line + ".\n";
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
    fail(Status::usage, "U006",
         "`taugrad define` needs a cell (rnn, lstm, gru, ..) or -e EQUATION");
  const bool pytorch = is_pytorch_cell(o.cell);
  if (pytorch && o.cell != "rnn")
    refuse_without_effect(context, {"--nonlinearity"},
                          "on the " + o.cell + ": the rnn has a choice");
  Definition d = pytorch ? made_by_layers(o) : made_by_import(o, context);
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
      {"taugrad define mlstm --layers 2 --size n=32 --size heads=4",
       "a recurrence of docs/recurrences.md; weights l0.Wq, ..., l1.bo"},
      {"taugrad define -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])'",
       "the full definition of an equation, its sizes inferred"}};
  c.positional({.name = "CELL",
                .help = "rnn, lstm, gru, or a cell of those below",
                .least = 0,
                .most = 1,
                .take = [o](const std::string& v) {
                  check_word(cell_names(), "the cell", v);
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
  c.details = cells_help() +
              "The layers read x[t] of size n and give out[t]; final states are h_n and, of the\n"
              "lstm, c_n, both [layers*directions, m], layer by layer, forward then reverse.\n"
              "Of the other cells they are imports l0, l0_reverse, l1, ..; --size sets any size\n"
              "of the cell.\n"
              "Left of @ in an equation stand matrices, x[t] is an input, other unknown names\n"
              "are vectors; --size sets what is inferred.";
  add_max_memory(c);
  c.run = [o](const Context& context) { return run(*o, context); };
  return c;
}

}  // namespace taugrad::cli
