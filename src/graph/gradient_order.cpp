#include "graph/gradient_order.h"

#include <algorithm>
#include <iterator>

#include "graph/position_text.h"
#include "graph/tables.h"

namespace taugrad {
namespace {

int order_now(const Tape& tape) {
  const GradientOrders& orders = gradient_order_table(tape);
  return orders.empty() ? 0 : orders.back().order;
}

}  // namespace

int gradient_order(const Tape& tape, NodeId id) {
  const GradientOrders& orders = gradient_order_table(tape);
  const auto after = std::ranges::upper_bound(orders, id, {}, &OrderFrom::first);
  return after == orders.begin() ? 0 : std::prev(after)->order;
}

std::vector<char> gradient_orders(const Tape& tape) {
  std::vector<char> of(static_cast<std::size_t>(tape.size()), 0);
  const GradientOrders& orders = gradient_order_table(tape);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const NodeId end = i + 1 < orders.size() ? orders[i + 1].first : tape.size();
    std::fill(of.begin() + orders[i].first, of.begin() + std::max(end, orders[i].first),
              static_cast<char>(orders[i].order));
  }
  return of;
}

bool has_gradient_orders(const Tape& tape) {
  const GradientOrders& orders = gradient_order_table(tape);
  return std::ranges::any_of(
      orders, [&](const OrderFrom& o) { return o.order > 0 && o.first < tape.size(); });
}

void set_gradient_order(Tape& tape, int order) {
  GradientOrders& orders = gradient_order_table(tape);
  if (!orders.empty() && orders.back().first == tape.size()) orders.pop_back();  // of no node
  if (order != order_now(tape)) orders.push_back({tape.size(), order});
}

void set_gradient_orders(Tape& tape, const std::vector<char>& orders) {
  GradientOrders& table = gradient_order_table(tape);
  table.clear();
  for (std::size_t id = 0; id < orders.size(); ++id)
    if (orders[id] != (table.empty() ? 0 : table.back().order))
      table.push_back({static_cast<NodeId>(id), orders[id]});
  set_gradient_order(tape, 0);
}

GradientOrderScope::GradientOrderScope(Tape& tape, int order)
    : tape_(tape), before_(order_now(tape)) {
  set_gradient_order(tape, std::min(order, kMostOrder));
}

void know_as(Tape& tape, NodeId id, std::string_view text) {
  const auto position = read_position(text);
  if (!position) return tape.know_as(id, tape.intern_name(text), 0);
  const std::vector<std::string> letters(position->letters.begin(), position->letters.end());
  tape.know_as(id, tape.intern_name(position->name, letters), tape.intern_index(position->index));
}

}  // namespace taugrad
