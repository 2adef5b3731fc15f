// grad(e, v): the template of an expression, differentiated while it is recorded (R18).
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "autodiff/sweep.h"
#include "base/fail.h"
#include "language/templates/block_compiler.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/own.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

constexpr SweepOptions kUnnamed{.named = false};

/// The nodes under `root`.
std::vector<char> under(const Ast& ast, int root) {
  std::vector<char> inside(static_cast<std::size_t>(root) + 1, 0);
  inside.back() = 1;
  for (std::size_t id = inside.size(); id-- > 0;)
    if (inside[id])
      for (const int child : ast.nodes[id].children) inside[static_cast<std::size_t>(child)] = 1;
  return inside;
}

/// For each node, the letters that reductions around it bind.
std::vector<std::set<std::string>> bound_letters(const Ast& ast) {
  std::vector<std::set<std::string>> bound(ast.nodes.size());
  for (std::size_t id = bound.size(); id-- > 0;) {
    const AstNode& n = ast.nodes[id];
    for (const int child : n.children) {
      std::set<std::string>& inner = bound[static_cast<std::size_t>(child)];
      inner.insert(bound[id].begin(), bound[id].end());
      if (n.kind == AstNode::Kind::reduction && n.name != "conv")
        inner.insert(n.over.begin(), n.over.end());
    }
  }
  return bound;
}

}  // namespace

// The symbol by which it is differentiated.
int BlockCompiler::differentiable(const Ast& ast, const AstNode& v) {
  if (!reads(v))
    fail_at("E020", "grad(e, v) differentiates by a name with its position, or by a weight", v,
            "write the name as it stands in e, such as W[t-1]");
  const int symbol = model_.find(v.name);
  if (symbol < 0) read(ast, v);  // an unknown name says so itself
  if (symbol < 0 || model_.symbols[static_cast<std::size_t>(symbol)].length >= 0)
    fail_at(
        "E020",
        fmt::format("\"{}\" is a number known beforehand: nothing is differentiated by it", v.name),
        v, "write a variable, an input or a weight");
  if (model_.symbols[static_cast<std::size_t>(symbol)].category >= 0)
    fail_at("E020", fmt::format("\"{}\" is a category: nothing is differentiated by it", v.name),
            v);
  if (model_.symbols[static_cast<std::size_t>(symbol)].position >= 0)
    fail_at("E020",
            fmt::format("\"{}\" holds positions: nothing is differentiated by them", v.name), v);
  return symbol;
}

void BlockCompiler::check_differentiable(const Ast& ast, int root, const AstNode& v,
                                         int number) const {
  const Symbol& symbol = model_.symbols[static_cast<std::size_t>(number)];
  const std::vector<char> inside = under(ast, root);
  const std::vector<std::set<std::string>> bound = bound_letters(ast);
  bool mentioned = false;
  const std::vector<At> wanted = places_at(model_, ast, v, symbol);
  for (std::size_t id = 0; id < inside.size(); ++id) {
    if (!inside[id]) continue;
    const AstNode& n = ast.nodes[id];
    const Op* own = n.kind == AstNode::Kind::call ? own_function(n.name) : nullptr;
    if ((n.kind == AstNode::Kind::call && n.name == "dropout") || (own && own->traits.random))
      fail_at("E020", fmt::format("grad cannot differentiate through {}, which is drawn", n.name),
              n, "draw it outside of grad");
    // under a reduction over one of its letters it is another position
    const std::vector<int> letters = taugrad::letters_of(wanted);
    const bool same = std::none_of(letters.begin(), letters.end(), [&](int letter) {
      const std::string& name = model_.system.indices[static_cast<std::size_t>(letter)].name;
      return bound[id].contains(name) &&
             !bound[static_cast<std::size_t>(&v - ast.nodes.data())].contains(name);
    });
    mentioned = mentioned ||
                (same && reads(n) && n.name == v.name && n.places.size() == symbol.axes.size() &&
                 places_at(model_, ast, n, symbol) == wanted);
  }
  if (!mentioned)
    fail_at("E020",
            fmt::format("what is differentiated does not mention \"{}\" at this position", v.name),
            v, "make it a function: \"functions\": [\"e(w) = ..\"], and grad(e(W[t-1]), W[t-1])");
}

bool BlockCompiler::is_per_example(const Ast& ast, int root) const {
  const std::vector<char> inside = under(ast, root);
  for (std::size_t id = 0; id < inside.size(); ++id) {
    if (!inside[id]) continue;
    const AstNode& n = ast.nodes[id];
    if (n.kind == AstNode::Kind::reduction && n.name != "conv") return true;
    if (n.kind == AstNode::Kind::name && model_.system.is_length(n.name)) return true;
    const int symbol = reads(n) ? model_.find(n.name) : -1;
    if (symbol >= 0 && model_.symbols[static_cast<std::size_t>(symbol)].per_example) return true;
  }
  return false;
}

Value BlockCompiler::grad(const Ast& ast, const AstNode& n) {
  if (n.children.size() != 2)
    fail_at("G015", "grad takes 2 arguments: grad(sum(pow(W[t-1] @ k[t], 2)), W[t-1])", n);
  const AstNode& v = ast.nodes[static_cast<std::size_t>(n.children[1])];
  const int symbol = differentiable(ast, v);
  const std::size_t before = lifted_.size();
  differentiated_ = true;
  const Value by = read(ast, v);  // its positions are sound
  check_differentiable(ast, n.children[0], v, symbol);
  // Of what all items share, a sum over the items would be the gradient: each item reads a value of
  // its own.
  if (!by.var.per_example() && (before > 0 || is_per_example(ast, n.children[0])))
    lifted_.push_back(
        {.kind = model_.symbols[static_cast<std::size_t>(symbol)].kind == SymbolKind::weight
                     ? Slot::Kind::copy
                     : Slot::Kind::read,
         .symbol = symbol,
         .places = places_at(model_, ast, v, model_.symbols[static_cast<std::size_t>(symbol)])});
  const Recorder f = [this, copy = std::make_shared<const Ast>(ast), root = n.children[0]] {
    const Value e = record(*copy, root).back();
    const AstNode& at = copy->nodes[static_cast<std::size_t>(root)];
    if (e.category >= 0 || (!e.is_number && e.var.shape().rank() != 0))
      fail_at("E020", "grad differentiates a number", at,
              e.category >= 0 ? "" : "take the sum of its elements, or one of them");
    return e;
  };
  const Recorder x = [this, copy = std::make_shared<const Ast>(ast), at = n.children[1]] {
    return read(*copy, copy->nodes[static_cast<std::size_t>(at)]);
  };
  Var result = partial(f, {}, x);
  if (!result) result = constant(tape_, 0, by.var.shape(), kShared);
  lifted_.resize(before);
  // a view that tells pictures where a gradient ends
  std::string by_text = v.name;
  for (const At& p : places_at(model_, ast, v, model_.symbols[static_cast<std::size_t>(symbol)]))
    by_text += (by_text == v.name ? "[" : ",") + to_string(model_, p);
  if (by_text != v.name) by_text += "]";
  return {.var = apply(kCopy, {&result, 1}, {{"by", by_text}})};
}

bool BlockCompiler::flows(Var from, Var to) const {
  if (from.id > to.id) return false;
  return depends_on(tape_, {&from, 1}, to.id)[static_cast<std::size_t>(to.id)] != 0;
}

// The gradient of f by v, all else constant: in the open block, and through each reduction in a
// reduction of its own. An empty Var: nothing flows.
Var BlockCompiler::partial(const Recorder& f, const Recorder& seed, const Recorder& v) {
  std::vector<Reduced> seen;
  std::vector<Reduced>* outer = std::exchange(seen_, &seen);
  const Var y = tensor(f());
  const Var ybar = seed ? tensor(seed()) : Var{};
  const Var x = tensor(v());
  Vars wrt{x}, terms;
  for (const Reduced& r : seen) wrt.push_back(tape_.var(r.leaf));
  const Gradients g = gradient(std::span(&y, 1),
                               ybar ? std::span(&ybar, 1) : std::span<const Var>{}, wrt, kUnnamed);
  if (flows(x, y)) terms.push_back(g[0]);
  const std::vector<int> own = letters_under(x);
  const std::size_t count = seen.size();  // it grows
  for (std::size_t k = 0; k < count; ++k) {
    const Reduced r = seen[k];
    const auto bound = [&](const std::vector<int>& letters) {
      return std::any_of(r.over.begin(), r.over.end(), [&](int i) {
        return std::find(letters.begin(), letters.end(), i) != letters.end();
      });
    };
    if (!flows(wrt[k + 1], y) || bound(own)) continue;  // inside, its letter is another one
    if (bound(letters_under(g[k + 1])))
      fail_at("E020", "grad goes through a reduction over a letter that also stands outside of it",
              r.at, "reduce over another index of the same length");
    if (const Var term = through(
            r, [=, this] { return Value{.var = cotangent(f, seed, k)}; }, v))
      terms.push_back(term);
  }
  seen_ = outer;
  if (outer) outer->insert(outer->end(), seen.begin(), seen.end());
  return terms.empty() ? Var{} : terms.size() == 1 ? terms[0] : add_n(terms);
}

// What flows into reduction number `reduction` of f.
Var BlockCompiler::cotangent(const Recorder& f, const Recorder& seed, std::size_t reduction) {
  std::vector<Reduced> seen;
  std::vector<Reduced>* outer = std::exchange(seen_, &seen);
  const Var y = tensor(f());
  const Var ybar = seed ? tensor(seed()) : Var{};
  const Var leaf = tape_.var(seen[reduction].leaf);
  const Gradients g = gradient(
      std::span(&y, 1), ybar ? std::span(&ybar, 1) : std::span<const Var>{}, {&leaf, 1}, kUnnamed);
  seen_ = outer;
  if (outer) outer->insert(outer->end(), seen.begin(), seen.end());
  return g[0];
}

// d/dv of red[s](body): the sum over s of what each term gets of its cotangent.
Var BlockCompiler::through(const Reduced& r, const Recorder& bar, const Recorder& v) {
  const auto any = std::make_shared<bool>(false);
  const Recorder seed = [this, r, bar] {
    const Var share = tensor(bar());
    if (r.kind == "sum" || r.kind == "mean") return Value{.var = share};
    return Value{.var = share * weight_of_term(r, tensor(r.body()))};
  };
  const Recorder share = [this, r, seed, v, any] {
    const Var p = partial(r.body, seed, v);
    *any = *any || p;
    return Value{.var = p ? p : constant(tape_, 0)};
  };
  const Var sum = reduced(r.kind == "mean" ? "mean" : "sum", r.over, share, r.at);
  return *any ? sum : Var{};
}

// d red / d term, element by element.
Var BlockCompiler::weight_of_term(const Reduced& r, Var term) {
  if (r.kind != "max" && r.kind != "min" && r.kind != "logsumexp" && r.kind != "norm")
    fail_at("E020", fmt::format("grad does not go through {}[..]", r.kind), r.at,
            "it goes through sum, mean, max, min, logsumexp and norm over an index");
  const Var all = reduced(r.kind, r.over, r.body, r.at);
  if (r.kind == "max" || r.kind == "min") return first_of_equal(r, term, all);
  const Var zero = constant(tape_, 0);
  if (r.kind == "norm") {
    const Var share = term / all;
    return where(greater(all, zero), share, zero);
  }
  // Of a large sum the rounding moves all shares by one factor: they are divided by what they add
  // up to.
  const Recorder near = [this, r] {
    const Var here = tensor(r.body());
    return Value{.var = exp(here - reduced(r.kind, r.over, r.body, r.at))};
  };
  const Var total = reduced("sum", r.over, near, r.at);
  const Var share = exp(term - all) / total;
  return where(greater(all, constant(tape_, -INFINITY)), share, zero);
}

// 1 for the first term that is the largest, else 0 (R9)
Var BlockCompiler::first_of_equal(const Reduced& r, Var term, Var all) {
  const Recorder place = [this, r] {
    const Var here = tensor(r.body());
    const Var same = equal(here, reduced(r.kind, r.over, r.body, r.at));
    const Var below = constant(tape_, -1e15);
    return Value{.var = where(same, -number_of_term(r.over), below)};
  };
  const Var first = reduced("max", r.over, place, r.at);
  const Var largest = equal(term, all);
  return equal(-number_of_term(r.over), first) * largest;
}

// Terms in the order in which they are reduced: the last letter fastest.
Var BlockCompiler::number_of_term(const std::vector<int>& over) {
  Var number;
  for (const int index : over) {
    const Var at = slot({.kind = Slot::Kind::index, .symbol = index}, {}, false, -1);
    const int length = model_.index_length[static_cast<std::size_t>(index)];
    number = number
                 ? number * slot({.kind = Slot::Kind::length, .symbol = length}, {}, true, -1) + at
                 : at;
  }
  return number;
}

// The letters on which a node of the open block depends.
std::vector<int> BlockCompiler::letters_under(Var v) const {
  const auto letters_in = [this](const Block& block, const std::vector<NodeId>& roots,
                                 auto&& self) -> std::set<int> {
    std::set<NodeId> needed(roots.begin(), roots.end());
    std::set<int> letters;
    for (auto id = needed.empty() ? NodeId{-1} : *needed.rbegin(); id >= 0; --id) {
      if (!needed.contains(id)) continue;
      const auto slot = std::find_if(block.slots.begin(), block.slots.end(),
                                     [&](const Slot& s) { return s.leaf == id; });
      if (slot == block.slots.end()) {
        needed.insert(tape_.inputs(id).begin(), tape_.inputs(id).end());
        continue;
      }
      for (const int letter : taugrad::letters_of(slot->places)) letters.insert(letter);
      if (slot->kind == Slot::Kind::index) letters.insert(slot->symbol);
      if (slot->kind != Slot::Kind::reduction) continue;
      const Block& inner = blocks_[static_cast<std::size_t>(slot->symbol)];
      std::set<int> inside = self(inner, inner.roots, self);
      for (const int letter : inner.over) inside.erase(letter);
      letters.insert(inside.begin(), inside.end());
    }
    return letters;
  };
  const std::set<int> letters =
      letters_in(blocks_[static_cast<std::size_t>(frames_.back().block)], {v.id}, letters_in);
  return {letters.begin(), letters.end()};
}

// What all items share, for each of them: where a gradient per example goes back to it.
Var BlockCompiler::lifted(const Slot& slot, Var leaf) {
  const bool wanted = std::any_of(lifted_.begin(), lifted_.end(), [&](const Slot& l) {
    return l.kind == slot.kind && l.symbol == slot.symbol && l.places == slot.places;
  });
  if (!wanted) return leaf;
  Var& lift = lifts_[{frames_.back().block, leaf.id}];
  if (!lift) lift = to_items(leaf, kEveryItem);
  return lift;
}

// Of a gradient, the value itself often needs no place: what no root needs goes.
void BlockCompiler::prune(int number) {
  Block& block = blocks_[static_cast<std::size_t>(number)];
  std::set<NodeId> needed(block.roots.begin(), block.roots.end());
  std::set<NodeId> leaves;
  for (const Slot& slot : block.slots) leaves.insert(slot.leaf);
  for (auto id = block.nodes.rbegin(); id != block.nodes.rend(); ++id)
    if (needed.contains(*id) && !leaves.contains(*id))
      needed.insert(tape_.inputs(*id).begin(), tape_.inputs(*id).end());
  std::erase_if(block.nodes, [&](NodeId id) { return !needed.contains(id); });
  std::erase_if(block.slots, [&](const Slot& slot) { return !needed.contains(slot.leaf); });
  if (frames_.size() > 1) return;
  // the reductions that are left, those within them included
  std::vector<int> open{number}, left;
  while (!open.empty()) {
    const int b = open.back();
    open.pop_back();
    for (const Slot& slot : blocks_[static_cast<std::size_t>(b)].slots)
      if (slot.kind == Slot::Kind::reduction) {
        open.push_back(slot.symbol);
        left.push_back(slot.symbol);
      }
  }
  for (const int b : reductions_)
    if (std::find(left.begin(), left.end(), b) == left.end())
      blocks_[static_cast<std::size_t>(b)] = {};
  std::erase_if(reductions_,
                [&](int b) { return std::find(left.begin(), left.end(), b) == left.end(); });
}

}  // namespace taugrad
