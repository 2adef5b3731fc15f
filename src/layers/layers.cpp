#include "taugrad/layers/layers.h"

#include <fmt/core.h>

#include <cmath>

#include "base/fail.h"
#include "cells.h"

namespace taugrad {
namespace {

const char* cell_name(Cell cell) {
  return cell == Cell::lstm ? "lstm" : cell == Cell::gru ? "gru" : "rnn";
}

template <class... Args>
void require_option(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) fail(Status::usage, "U002", text, std::forward<Args>(args)...);
}

void check(Cell cell, const LayerOptions& o) {
  require_option(o.n >= 1 && o.n <= kMaxLayerSize, "size n is {}, want 1 to {}", o.n,
                 kMaxLayerSize);
  require_option(o.m >= 1 && o.m <= kMaxLayerSize, "size m is {}, want 1 to {}", o.m,
                 kMaxLayerSize);
  require_option(o.layers >= 1 && o.layers <= kMaxLayers, "layers is {}, want 1 to {}", o.layers,
                 kMaxLayers);
  require_option(std::isfinite(o.dropout) && o.dropout >= 0 && o.dropout < 1,
                 "dropout is {}, want 0 <= dropout < 1", o.dropout);
  require_option(o.dropout == 0 || o.layers > 1,
                 "dropout is between layers, and here is one: give more layers, or no dropout");
  require_option(o.projection == 0 || cell == Cell::lstm,
                 "projection is of the lstm, not of the {}", cell_name(cell));
  require_option(o.projection >= 0 && (o.projection == 0 || o.projection < o.m),
                 "projection is {}, want less than m = {}", o.projection, o.m);
  require_option(!o.given_state || !o.learned_state,
                 "the state before the first step is learned or given, not both");
  require_option(!o.reset_before || cell == Cell::gru, "a reset gate is of the gru, not of the {}",
                 cell_name(cell));
  require_option(o.nonlinearity == Nonlinearity::tanh || cell == Cell::rnn,
                 "a nonlinearity is chosen for the rnn, not for the {}", cell_name(cell));
}

Expr size_of(const std::string& text) { return Expr(text, 9); }

std::string times(int count, const std::string& size) {
  return count == 1 ? size : fmt::format("{}*{}", count, size);
}

/// Where the directions of all layers stand, layer by layer, forward then reverse.
std::vector<CellPlace> places(const LayerOptions& o) {
  const std::string state = o.projection ? "p" : "m";
  std::vector<CellPlace> all;
  for (int l = 0; l < o.layers; ++l) {
    CellPlace at{l, false, "x[t]", "n", state};
    if (l > 0) {
      at.input = fmt::format("u_l{}[t]", l);
      at.input_size = times(o.bidirectional ? 2 : 1, state);
    }
    all.push_back(at);
    at.reverse = true;
    if (o.bidirectional) all.push_back(at);
  }
  return all;
}

void add_weights(Definition& d, Cell cell, const LayerOptions& o, const CellPlace& at) {
  const Expr rows = size_of(times(gates(cell), "m"));
  const Expr state = size_of(at.state_size);
  d.weight(at.name("weight_ih"), {rows, size_of(at.input_size)});
  d.weight(at.name("weight_hh"), {rows, state});
  d.weight(at.name("bias_ih"), {rows});
  d.weight(at.name("bias_hh"), {rows});
  if (o.projection) d.weight(at.name("weight_hr"), {state, size_of("m")});
  if (!o.learned_state) return;
  d.weight(at.name("h0"), {state});
  if (cell == Cell::lstm) d.weight(at.name("c0"), {size_of("m")});
}

/// The state before the first step of this direction.
void add_boundary(Definition& d, Cell cell, const CellPlace& at) {
  const char* position = at.reverse ? "[tau+1] = " : "[0] = ";
  d.equation(at.name("h") + position + at.name("h0"));
  if (cell == Cell::lstm) d.equation(at.name("c") + position + at.name("c0"));
}

/// Of the states that are given for an item, row number `row` is that of this direction.
void add_given(Definition& d, Cell cell, const CellPlace& at, std::size_t row) {
  const char* position = at.reverse ? "[tau+1] = " : "[0] = ";
  d.equation(at.name("h") + position + fmt::format("at(h0, {})", row));
  if (cell == Cell::lstm) d.equation(at.name("c") + position + fmt::format("at(c0, {})", row));
}

/// "concat(h_l0[t], h_l0_reverse[t])": what layer l gives to what reads it.
std::string output_of(const LayerOptions& o, int l) {
  const std::string forward = fmt::format("h_l{}[t]", l);
  return o.bidirectional ? fmt::format("concat({}, h_l{}_reverse[t])", forward, l) : forward;
}

void add_layer_input(Definition& d, const LayerOptions& o, int l) {
  const std::string below = output_of(o, l - 1);
  d.equation(fmt::format("u_l{}[t] = ", l) +
             (o.dropout > 0 ? fmt::format("dropout({}, rate)", below) : below));
}

void add_final(Definition& d, const std::vector<CellPlace>& all, const char* state) {
  std::string parts;
  for (const CellPlace& at : all) parts += (parts.empty() ? "" : ", ") + at.after(state);
  d.equation(fmt::format("{}_n = stack({})", state, parts));
}

}  // namespace

Definition recurrent_layers(Cell cell, const LayerOptions& o) {
  check(cell, o);
  Definition d(cell_name(cell));
  d.about = fmt::format("{} layer{} of {}{}, with PyTorch's names of weights", o.layers,
                        o.layers == 1 ? "" : "s", cell_name(cell),
                        o.bidirectional ? " in both directions" : "");
  const IndexHandle t = d.index("t", "tau");
  const Expr n = d.size("n", o.n);
  d.size("m", o.m);
  if (o.projection) d.size("p", o.projection);
  if (o.dropout > 0 && o.layers > 1) d.constant("rate", o.dropout);
  d.input("x", {t}, {n});
  add_functions(d, cell);
  const std::vector<CellPlace> all = places(o);
  for (const CellPlace& at : all) add_weights(d, cell, o, at);
  if (o.given_state) {
    const Expr rows(static_cast<double>(all.size()));
    d.input("h0", {rows, size_of(all[0].state_size)});
    if (cell == Cell::lstm) d.input("c0", {rows, size_of("m")});
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const CellPlace& at = all[i];
    if (at.layer > 0 && !at.reverse) add_layer_input(d, o, at.layer);
    if (o.learned_state) add_boundary(d, cell, at);
    if (o.given_state) add_given(d, cell, at, i);
    add_cell(d, cell, o, at);
  }
  d.equation("out[t] = " + output_of(o, o.layers - 1));
  add_final(d, all, "h");
  if (cell == Cell::lstm) add_final(d, all, "c");
  return d;
}

}  // namespace taugrad
