#include "cells.h"

#include <fmt/core.h>

namespace taugrad {

std::string CellPlace::name(const std::string& base) const {
  return fmt::format("{}_l{}{}", base, layer, reverse ? "_reverse" : "");
}

std::string CellPlace::before(const std::string& base) const {
  return name(base) + (reverse ? "[t+1]" : "[t-1]");
}

std::string CellPlace::after(const std::string& base) const {
  return name(base) + (reverse ? "[1]" : "[last]");
}

int gates(Cell cell) { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }

void add_functions(Definition& d, Cell cell) {
  if (cell == Cell::lstm) d.function("gate(a, j) = sigmoid(slice(a, j*m, (j+1)*m))");
  if (cell == Cell::gru) d.function("part(a, j) = slice(a, j*m, (j+1)*m)");
}

namespace {

/// b_ih + W_ih x[t]: the part of all gates that does not wait for the step before.
std::string from_input(const CellPlace& at) {
  return fmt::format("{} + {} @ {}", at.name("bias_ih"), at.name("weight_ih"), at.input);
}

std::string from_state(const CellPlace& at) {
  return fmt::format("{} + {} @ {}", at.name("bias_hh"), at.name("weight_hh"), at.before("h"));
}

void equation(Definition& d, const CellPlace& at, const std::string& variable,
              const std::string& right) {
  d.equation(at.name(variable) + "[t] = " + right);
}

void add_rnn(Definition& d, const LayerOptions& options, const CellPlace& at) {
  const char* f = options.nonlinearity == Nonlinearity::relu ? "relu" : "tanh";
  equation(d, at, "h", fmt::format("{}({} + {})", f, from_input(at), from_state(at)));
}

void add_lstm(Definition& d, const LayerOptions& options, const CellPlace& at) {
  const auto now = [&](const char* v) { return at.name(v) + "[t]"; };
  equation(d, at, "z", from_input(at) + " + " + from_state(at));
  equation(d, at, "i", fmt::format("gate({}, 0)", now("z")));
  equation(d, at, "f", fmt::format("gate({}, 1)", now("z")));
  equation(d, at, "g", fmt::format("tanh(slice({}, 2*m, 3*m))", now("z")));
  equation(d, at, "o", fmt::format("gate({}, 3)", now("z")));
  equation(d, at, "c",
           fmt::format("{} * {} + {} * {}", now("f"), at.before("c"), now("i"), now("g")));
  const std::string out = fmt::format("{} * tanh({})", now("o"), now("c"));
  equation(d, at, "h",
           options.projection ? fmt::format("{} @ ({})", at.name("weight_hr"), out) : out);
}

/// Cho et al. (2014): the reset gate works on the state, and what it leaves is multiplied.
void add_gru_reset_before(Definition& d, const CellPlace& at) {
  const auto part = [&](const char* v, int j) {
    return fmt::format("part({}[t], {})", at.name(v), j);
  };
  const std::string w = at.name("weight_hh"), b = at.name("bias_hh"), h = at.before("h");
  equation(d, at, "a", from_input(at));
  equation(d, at, "q", fmt::format("slice({}, 0, 2*m) + slice({}, 0, 2*m) @ {}", b, w, h));
  equation(d, at, "r", fmt::format("sigmoid({} + {})", part("a", 0), part("q", 0)));
  equation(d, at, "z", fmt::format("sigmoid({} + {})", part("a", 1), part("q", 1)));
  equation(d, at, "n",
           fmt::format("tanh({} + part({}, 2) + part({}, 2) @ ({}[t] * {}))", part("a", 2), b, w,
                       at.name("r"), h));
  equation(d, at, "h",
           fmt::format("(1 - {0}[t]) * {1}[t] + {0}[t] * {2}", at.name("z"), at.name("n"), h));
}

void add_gru(Definition& d, const CellPlace& at) {
  const auto gate = [&](const char* v, int j) {
    return fmt::format("part({}[t], {})", at.name(v), j);
  };
  const auto now = [&](const char* v) { return at.name(v) + "[t]"; };
  equation(d, at, "a", from_input(at));
  equation(d, at, "q", from_state(at));
  equation(d, at, "r", fmt::format("sigmoid({} + {})", gate("a", 0), gate("q", 0)));
  equation(d, at, "z", fmt::format("sigmoid({} + {})", gate("a", 1), gate("q", 1)));
  equation(d, at, "n", fmt::format("tanh({} + {} * {})", gate("a", 2), now("r"), gate("q", 2)));
  equation(d, at, "h",
           fmt::format("(1 - {0}) * {1} + {0} * {2}", now("z"), now("n"), at.before("h")));
}

}  // namespace

void add_cell(Definition& d, Cell cell, const LayerOptions& options, const CellPlace& at) {
  if (cell == Cell::rnn) add_rnn(d, options, at);
  if (cell == Cell::lstm) add_lstm(d, options, at);
  if (cell == Cell::gru) options.reset_before ? add_gru_reset_before(d, at) : add_gru(d, at);
}

}  // namespace taugrad
