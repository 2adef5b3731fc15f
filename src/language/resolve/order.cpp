// The order of evaluation (R5): strongly connected components, each ordered along some index.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "language/resolve/components.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

/// One reference from an equation to a variable.
struct Read {
  int from = -1, to = -1;  // symbols: `from`'s equation reads `to`
  const Rule* rule = nullptr;
  const AstNode* node = nullptr;
  std::vector<At> places;
  std::map<int, int>
      reach;  // of a convolution's tap: how far beyond its first one it reads, by index number
};

constexpr std::int64_t kFarthest = 1'000'000'000;  // steps: an offset more stays an int

/// Steps between taps; 0 of what is refused when the equation is compiled.
std::int64_t dilation_of(const ResolvedModel& model, const Ast& ast, const AstNode& conv) {
  double dilation = 1;
  const std::size_t first = conv.children.size() - conv.named.size();
  for (std::size_t i = 0; i < conv.named.size(); ++i)
    if (conv.named[i] == "dilation")
      constant_value(ast, conv.children[first + i], model.system, dilation);
  const auto steps = static_cast<std::int64_t>(dilation >= 1 && dilation <= 1e6 ? dilation : 0);
  return static_cast<double>(steps) == dilation ? steps : 0;
}

/// For each node, how far the taps of the convolutions that it stands in reach.
std::vector<std::map<int, int>> tap_reaches(const ResolvedModel& model, const Ast& ast) {
  std::vector<std::map<int, int>> reach(ast.nodes.size());
  for (std::size_t id = ast.nodes.size(); id-- > 0;) {
    const AstNode& n = ast.nodes[id];
    for (const int child : n.children)
      if (!reach[id].empty()) reach[static_cast<std::size_t>(child)] = reach[id];
    if (n.kind != AstNode::Kind::reduction || n.name != "conv" || n.children.size() < 2) continue;
    const AstNode& kernel = ast.nodes[static_cast<std::size_t>(n.children[0])];
    const int weight = reads(kernel) ? model.find(kernel.name) : -1;
    if (weight < 0) continue;
    const Shape& shape = model.symbols[static_cast<std::size_t>(weight)].shape;
    const std::int64_t apart = dilation_of(model, ast, n);
    const int more = shape.rank() - static_cast<int>(n.over.size());
    if (apart == 0 || (more != 1 && more != 2)) continue;
    for (std::size_t k = 0; k < n.over.size(); ++k)
      for (std::size_t i = 0; i < model.system.indices.size(); ++i)
        if (model.system.indices[i].name == n.over[k]) {
          const std::int64_t taps = std::max<std::int64_t>(shape[static_cast<int>(k)], 1) - 1;
          int& far = reach[static_cast<std::size_t>(n.children[1])][static_cast<int>(i)];
          far = static_cast<int>(std::clamp(far + n.steps[k] * apart * std::min(taps, kFarthest),
                                            -kFarthest, kFarthest));
        }
  }
  return reach;
}

std::vector<Read> all_reads(ResolvedModel& model) {
  std::vector<Read> reads;
  for (const Rule& rule : model.rules)
    collect(model.system, [&] {
      for (const Ast& ast : rule.equation->arguments) {
        const std::vector<std::map<int, int>> reach = tap_reaches(model, ast);
        for (const AstNode& n : ast.nodes) {
          if (n.kind != AstNode::Kind::name && n.kind != AstNode::Kind::reference) continue;
          const int to = model.find(n.name);
          if (to < 0) continue;  // reported when the equation is compiled
          const Symbol& symbol = model.symbols[static_cast<std::size_t>(to)];
          if (symbol.kind != SymbolKind::variable || symbol.length >= 0) continue;
          Read read{rule.symbol, to, &rule,
                    &n,          {}, reach[static_cast<std::size_t>(&n - ast.nodes.data())]};
          if (n.places.size() == symbol.axes.size()) read.places = places_at(model, ast, n, symbol);
          reads.push_back(std::move(read));
        }
      }
    });
  return reads;
}

class Orderer {
 public:
  explicit Orderer(ResolvedModel& model) : model_(model), reads_(all_reads(model)) {}

  std::vector<std::vector<int>> components() {
    std::vector<int> every;
    for (std::size_t s = 0; s < model_.symbols.size(); ++s)
      if (model_.symbols[s].kind == SymbolKind::variable) every.push_back(static_cast<int>(s));
    std::vector<int> all(reads_.size());
    for (std::size_t r = 0; r < all.size(); ++r) all[r] = static_cast<int>(r);
    const auto top = split(every, all);
    std::vector<Knot> open = knots(top, all);
    while (!open.empty()) {  // every turn settles at least one read: it ends
      const Knot knot = std::move(open.back());
      open.pop_back();
      std::vector<int> left;
      if (!settle(knot.reads, left)) {
        collect(
            model_.system, [&] { report(knot.reads); },
            name(reads_[static_cast<std::size_t>(knot.reads.front())].from));
        continue;
      }
      for (Knot& part : knots(split(knot.symbols, left), left)) open.push_back(std::move(part));
    }
    return top;
  }

 private:
  std::vector<std::vector<int>> split(const std::vector<int>& symbols,
                                      const std::vector<int>& reads) const {
    std::map<int, int> number;
    for (std::size_t i = 0; i < symbols.size(); ++i) number[symbols[i]] = static_cast<int>(i);
    std::vector<std::vector<int>> edges(symbols.size());
    for (const int r : reads) {
      const Read& read = reads_[static_cast<std::size_t>(r)];
      if (number.contains(read.from) && number.contains(read.to))
        edges[static_cast<std::size_t>(number[read.from])].push_back(number[read.to]);
    }
    std::vector<std::vector<int>> parts = strong_components(edges);
    for (auto& part : parts)
      for (int& s : part) s = symbols[static_cast<std::size_t>(s)];
    return parts;
  }

  /// Symbols that depend on each other, and the reads inside that are not settled yet.
  struct Knot {
    std::vector<int> symbols, reads;
  };

  // the parts that have reads inside
  std::vector<Knot> knots(const std::vector<std::vector<int>>& parts,
                          const std::vector<int>& reads) const {
    std::vector<Knot> result(parts.size());
    std::map<int, std::size_t> part_of;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      result[p].symbols = parts[p];
      for (const int symbol : parts[p]) part_of[symbol] = p;
    }
    for (const int r : reads) {
      const Read& read = reads_[static_cast<std::size_t>(r)];
      const auto from = part_of.find(read.from), to = part_of.find(read.to);
      if (from != part_of.end() && to != part_of.end() && from->second == to->second)
        result[from->second].reads.push_back(r);
    }
    std::erase_if(result, [](const Knot& k) { return k.reads.empty(); });
    return result;
  }

  // axis of a symbol that runs along `index`: the one declared with it, else the only one of its
  // length
  int axis_along(int symbol, int index) const {
    const std::vector<int>& axes = model_.symbols[static_cast<std::size_t>(symbol)].axes;
    int found = -1;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      if (axes[a] == index) return static_cast<int>(a);
      if (length_of(axes[a]) == length_of(index)) found = found == -1 ? static_cast<int>(a) : -2;
    }
    return found < 0 ? -1 : found;
  }
  int length_of(int index) const { return model_.index_length[static_cast<std::size_t>(index)]; }

  // offset of a read along an index, where the left side and the read both move with one letter
  bool offset_along(const Read& read, int index, int& offset) const {
    const int from = axis_along(read.from, index), to = axis_along(read.to, index);
    if (from < 0 || to < 0 || read.places.empty()) return false;
    const At& left = read.rule->places[static_cast<std::size_t>(from)];
    const At& right = read.places[static_cast<std::size_t>(to)];
    reach_ = 0;
    if (const int moves = data_move(right, left); moves != 0) {
      offset = moves;
      return true;
    }
    if (left.kind != Place::Kind::letter || right.kind != Place::Kind::letter ||
        left.index != right.index)
      return false;
    offset = right.offset;
    const auto taps = read.reach.find(left.index);
    reach_ = taps == read.reach.end() ? 0 : taps->second;
    return true;
  }

  /// Of data positions, which way all of them lie (R17): -1 before the left side, 1 behind it, 0
  /// anywhere.
  int data_move(const At& right, const At& left) const {
    const PositionForm::Term* data = right.form ? right.form->single() : nullptr;
    if (!data || data->kind != PositionForm::Term::Kind::data || left.kind != Place::Kind::letter)
      return 0;
    const Symbol& held = model_.symbols[static_cast<std::size_t>(data->number)];
    // a[t+k] + c of positions before t + k
    for (std::size_t a = 0; a < held.axes.size(); ++a) {
      const At& at = data->places[a];
      if (held.axes[a] != held.position || at.kind != Place::Kind::letter || at.index != left.index)
        continue;
      const std::int64_t added = right.form->offset, moved = at.offset + added;
      if (at.offset != 0 && added > 0) continue;  // beyond the data it is 0 + c, inside
      if (!held.after && moved <= 0) return -1;
      if (held.after && moved >= 0) return 1;
    }
    return 0;
  }

  /// The position inputs on whose order the order of a component rests.
  void note_ordered(const std::vector<int>& rest, int index) const {
    for (const int r : rest) {
      const Read& read = reads_[static_cast<std::size_t>(r)];
      const int from = axis_along(read.from, index), to = axis_along(read.to, index);
      const At& right = read.places[static_cast<std::size_t>(to)];
      if (data_move(right, read.rule->places[static_cast<std::size_t>(from)]) != 0)
        model_.symbols[static_cast<std::size_t>(right.form->single()->number)].ordered = true;
    }
  }

  bool settle(const std::vector<int>& rest, std::vector<int>& left) const {
    for (std::size_t index = 0; index < model_.system.indices.size(); ++index) {
      bool back = true, forward = true, carried = true;
      left.clear();
      for (const int r : rest) {
        int offset = 0;
        if (!(carried = offset_along(reads_[static_cast<std::size_t>(r)], static_cast<int>(index),
                                     offset)))
          break;
        const int low = std::min(offset, offset + reach_), high = std::max(offset, offset + reach_);
        back = back && high <= 0;
        forward = forward && low >= 0;
        if (low <= 0 && high >= 0) left.push_back(r);
      }
      // taps on both sides of a step and on it stay open: something must be settled
      if (!carried || left.size() == rest.size() || (!back && !forward)) continue;
      note_ordered(rest, static_cast<int>(index));
      return true;
    }
    return false;
  }

  [[noreturn]] void report(const std::vector<int>& rest) const {
    bool zero = true;
    for (const int r : rest) {
      const Read& read = reads_[static_cast<std::size_t>(r)];
      for (std::size_t a = 0; a < read.places.size(); ++a)
        zero = zero && read.places[a].kind == Place::Kind::letter && read.places[a].offset == 0 &&
               a < read.rule->places.size() && read.rule->places[a].kind == Place::Kind::letter;
    }
    const std::vector<int> cycle = shortest_cycle(rest);
    const Read& first = reads_[static_cast<std::size_t>(cycle.front())];
    std::string path = name(first.from);
    for (const int r : cycle) path += " -> " + name(reads_[static_cast<std::size_t>(r)].to);
    if (zero)
      fail_at("G016",
              fmt::format("{} depends on itself at the same position: {}", name(first.from), path),
              *first.node,
              fmt::format("read an earlier step on the way, such as {}[t-1]", name(first.to)));
    fail_at("E009", fmt::format("no order of evaluation found for {}", path), *first.node,
            "all references in a cycle must move one way along one index; fixed positions, last, "
            "arithmetic such as 2*t and reductions cannot "
            "stand in it; data positions can where they lie before t, or as \"position(t) > t\" "
            "behind it; no tap of a convolution may reach the step itself "
            "(some such systems have an order that is not looked for)");
  }
  const std::string& name(int symbol) const {
    return model_.symbols[static_cast<std::size_t>(symbol)].name;
  }

  // breadth first from each symbol: reads of a shortest cycle
  std::vector<int> shortest_cycle(const std::vector<int>& rest) const {
    std::vector<int> best;
    std::map<int, std::vector<int>> reads_of;
    for (const int r : rest) reads_of[reads_[static_cast<std::size_t>(r)].from].push_back(r);
    int budget = 64;  // enough to name one cycle in a very large knot
    for (const auto& [start, reads] : reads_of) {
      if (--budget < 0 && !best.empty()) break;
      std::map<int, int> by;  // symbol -> read that reached it
      std::vector<int> queue{start};
      for (std::size_t q = 0; q < queue.size() && !by.contains(start); ++q)
        for (const int r : reads_of[queue[q]]) {
          const Read& read = reads_[static_cast<std::size_t>(r)];
          if (by.emplace(read.to, r).second) queue.push_back(read.to);
        }
      if (!by.contains(start)) continue;
      std::vector<int> cycle;
      int at = start;
      do {
        cycle.push_back(by.at(at));
        at = reads_[static_cast<std::size_t>(by.at(at))].from;
      } while (at != start);
      std::reverse(cycle.begin(), cycle.end());
      if (best.empty() || cycle.size() < best.size()) best = cycle;
    }
    return best;
  }

  ResolvedModel& model_;
  std::vector<Read> reads_;
  mutable int reach_ = 0;
};

}  // namespace

std::vector<std::vector<int>> order(ResolvedModel& model) { return Orderer(model).components(); }

}  // namespace taugrad
