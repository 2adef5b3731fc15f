// Layers of the recurrences of graphs/: imports of their definitions, one a layer and direction.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "base/words.h"
#include "taugrad/layers/layers.h"

namespace taugrad {
namespace {

constexpr RecurrentCell kCells[] = {{"antisymmetric_rnn", "h", "m"},
                                    {"clockwork", "h", "m"},
                                    {"comba", "y", "n"},
                                    {"cornn", "h", "m"},
                                    {"deltanet", "y", "n"},
                                    {"deltaproduct", "y", "n"},
                                    {"esn", "y", "k"},
                                    {"gated_deltanet", "y", "n"},
                                    {"gla", "y", "n"},
                                    {"gru_reset_before", "h", "m"},
                                    {"hgrn2", "y", "n"},
                                    {"indrnn", "h", "m"},
                                    {"jordan", "y", "k"},
                                    {"kda", "y", "n"},
                                    {"linear_attention", "y", "n"},
                                    {"lmu", "h", "m"},
                                    {"lru", "y", "n"},
                                    {"lstm_1997", "h", "m"},
                                    {"lstm_peephole", "h", "m"},
                                    {"mamba", "y", "n"},
                                    {"mamba2", "y", "n"},
                                    {"mamba3", "y", "n"},
                                    {"mesanet", "y", "n"},
                                    {"mgu", "h", "m"},
                                    {"min_gru", "h", "m"},
                                    {"min_lstm", "h", "m"},
                                    {"mlstm", "h", "heads*d_v"},
                                    {"neural_turing_machine", "y", "k"},
                                    {"ode_rnn", "h", "m"},
                                    {"phased_lstm", "h", "m"},
                                    {"qrnn", "h", "m"},
                                    {"retnet", "y", "n"},
                                    {"rg_lru", "h", "n"},
                                    {"rwkv4", "y", "n"},
                                    {"rwkv7", "y", "n"},
                                    {"s4d", "y", "n"},
                                    {"s5", "y", "n"},
                                    {"slstm", "y", "heads*m"},
                                    {"sru", "h", "n"},
                                    {"stack_rnn", "y", "m + k"},
                                    {"titans", "y", "n"},
                                    {"ttt_linear", "y", "n"}};

const RecurrentCell& find_cell(std::string_view name) {
  std::vector<std::string> known;
  for (const RecurrentCell& c : kCells) known.emplace_back(c.name);
  return kCells[check_word(known, "the cell", name)];
}

/// The sizes of the cell, those of `given` in their place.
void set_sizes(Definition& d, const Definition& cell,
               const std::map<std::string, std::int64_t>& given) {
  d.sizes = cell.sizes;
  for (const auto& [name, value] : given) {
    const auto size = std::ranges::find(d.sizes, name, &SizeDeclaration::name);
    if (size == d.sizes.end()) {
      std::string all;
      for (const SizeDeclaration& s : cell.sizes) all += (all.empty() ? "" : ", ") + s.name;
      fail(Status::usage, "U002", "{} has no size {}; its sizes are {}", cell.name, name, all);
    }
    if (value < 1 || value > kMaxLayerSize)
      fail(Status::usage, "U002", "size {} is {}, want 1 to {}", name, value, kMaxLayerSize);
    size->value = value;
  }
}

std::string import_name(int layer, bool reverse) {
  return fmt::format("l{}{}", layer, reverse ? "_reverse" : "");
}

/// Size of what layer number `layer` reads.
std::string input_size(const RecurrentCell& cell, const StackOptions& o, int layer) {
  const int directions = o.bidirectional ? 2 : 1;
  if (layer == 0) return "n";
  if (cell.width != "n") return fmt::format("{}*({})", directions, cell.width);
  return fmt::format("{:.0f}*n", std::pow(directions, layer));
}

ImportDeclaration import_of(const RecurrentCell& cell, const Definition& d, const StackOptions& o,
                            int layer, bool reverse) {
  ImportDeclaration i{.prefix = import_name(layer, reverse), .from = std::string(cell.name)};
  if (layer > 0) i.sizes.emplace_back("n", Text(input_size(cell, o, layer)));
  for (const InputDeclaration& input : d.inputs) {
    const bool below = layer > 0 && input.name.text == "x[t]";
    i.inputs.emplace_back(input.name.text,
                          below ? Text(fmt::format("u_l{}[t]", layer)) : Text(input.name.text));
  }
  if (reverse) i.reverse.emplace_back("t");
  return i;
}

std::string output_of(const RecurrentCell& cell, const StackOptions& o, int layer) {
  const auto of = [&](bool reverse) {
    return fmt::format("{}.{}[t]", import_name(layer, reverse), cell.output);
  };
  return o.bidirectional ? fmt::format("concat({}, {})", of(false), of(true)) : of(false);
}

void check(const RecurrentCell& cell, const StackOptions& o) {
  if (o.layers < 1 || o.layers > kMaxLayers)
    fail(Status::usage, "U002", "layers is {}, want 1 to {}", o.layers, kMaxLayers);
  if (o.bidirectional && cell.width == "n" && o.layers > 30)
    fail(Status::usage, "U002", "{} layers of {} in both directions double their width each time",
         o.layers, cell.name);
  if (!std::isfinite(o.dropout) || o.dropout < 0 || o.dropout >= 1)
    fail(Status::usage, "U002", "dropout is {}, want 0 <= dropout < 1", o.dropout);
  if (o.dropout > 0 && o.layers == 1)
    fail(Status::usage, "U002",
         "dropout is between layers, and here is one: give more layers, or no dropout");
}

}  // namespace

std::span<const RecurrentCell> recurrent_cells() { return kCells; }

Definition recurrent_layers(std::string_view name, const StackOptions& o) {
  const RecurrentCell& cell = find_cell(name);
  check(cell, o);
  const Definition one = load_definition(name);
  Definition d{std::string(name)};
  d.about = fmt::format("{} layer{} of {}{}", o.layers, o.layers == 1 ? "" : "s", name,
                        o.bidirectional ? " in both directions" : "");
  d.indices = one.indices;
  set_sizes(d, one, o.sizes);
  d.inputs = one.inputs;
  if (o.dropout > 0) d.constant("rate", o.dropout);
  for (int layer = 0; layer < o.layers; ++layer) {
    if (layer > 0) {
      const std::string below = output_of(cell, o, layer - 1);
      d.equation(fmt::format("u_l{}[t] = ", layer) +
                 (o.dropout > 0 ? fmt::format("dropout({}, rate)", below) : below));
    }
    d.import(import_of(cell, d, o, layer, false));
    if (o.bidirectional) d.import(import_of(cell, d, o, layer, true));
  }
  d.equation("out[t] = " + output_of(cell, o, o.layers - 1));
  return d;
}

}  // namespace taugrad
