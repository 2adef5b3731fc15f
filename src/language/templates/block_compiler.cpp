#include "language/templates/block_compiler.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/syntax/syntax_help.h"
#include "language/templates/calls.h"
#include "taugrad/ops/ops.h"
#include "taugrad/ops/records.h"

namespace taugrad {
namespace {

// reductions within reductions, those of functions included: bounds all that recurse over blocks
constexpr std::size_t kMostNested = 16;

// a builder's error, told at the place in the equation
[[noreturn]] void retell(const Error& e, const AstNode& n) {
  const Diagnostic& d = e.diagnostics().front();
  fail_at(d.code, d.message.substr(0, d.message.find('\n')), n, d.help);
}

}  // namespace

int BlockCompiler::open(std::vector<int> letters) {
  flush();
  blocks_.emplace_back();
  frames_.push_back({static_cast<int>(blocks_.size()) - 1, std::move(letters)});
  return frames_.back().block;
}

void BlockCompiler::flush() {
  if (!frames_.empty())
    for (NodeId id = flushed_; id < tape_.size(); ++id)
      blocks_[static_cast<std::size_t>(frames_.back().block)].nodes.push_back(id);
  flushed_ = tape_.size();
}

std::vector<int> BlockCompiler::close(const std::vector<Var>& roots) {
  flush();
  Block& block = blocks_[static_cast<std::size_t>(frames_.back().block)];
  for (const Var& v : roots) block.roots.push_back(v.id);
  if (differentiated_) prune(frames_.back().block);
  std::sort(block.slots.begin(), block.slots.end(),
            [](const Slot& a, const Slot& b) { return a.leaf < b.leaf; });
  frames_.pop_back();
  return std::exchange(reductions_, {});
}

Value BlockCompiler::expression(const Ast& ast) { return record(ast, ast.root()).back(); }

Var BlockCompiler::tensor(const Value& v) {
  return v.is_number ? constant(tape_, v.number) : v.var;
}

void BlockCompiler::numeric(const Value& v, const AstNode& n) const {
  if (v.category >= 0)
    fail_at("E011", fmt::format("\"{}\" does not work on a category", n.name), n,
            "use one_hot(y, k) or embed(E, y); categories can be compared with == and !=");
}

// the nodes under `root`, children first; the inside of a reduction is a block of its own
std::vector<Value> BlockCompiler::record(const Ast& ast, int root) {
  std::vector<char> needed(static_cast<std::size_t>(root) + 1, 0);
  needed[static_cast<std::size_t>(root)] = 1;
  for (int id = root; id >= 0; --id) {
    const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const bool conv = n.kind == AstNode::Kind::reduction && n.name == "conv";
    const bool reads_place = n.kind == AstNode::Kind::call && (n.name == "nll" || n.name == "grad");
    if (reads_place || n.kind == AstNode::Kind::reference ||
        (n.kind == AstNode::Kind::reduction && !conv))
      continue;
    for (std::size_t c = 0; c < n.children.size(); ++c)
      if (!conv || c == 0) needed[static_cast<std::size_t>(n.children[c])] = 1;
  }
  std::vector<Value> values(static_cast<std::size_t>(root) + 1);
  for (int id = 0; id <= root; ++id) {
    if (!needed[static_cast<std::size_t>(id)]) continue;
    const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
    try {
      values[static_cast<std::size_t>(id)] = node(ast, n, values);
    } catch (const Error& e) {
      if (!e.diagnostics().front().excerpt.empty()) throw;
      retell(e, n);
    }
  }
  return values;
}

Value BlockCompiler::node(const Ast& ast, const AstNode& n, const std::vector<Value>& values) {
  const auto child = [&](std::size_t i) -> const Value& {
    return values[static_cast<std::size_t>(n.children[i])];
  };
  switch (n.kind) {
    case AstNode::Kind::number:
      return {.is_number = true, .number = n.number};
    case AstNode::Kind::name:
    case AstNode::Kind::reference:
      return read(ast, n);
    case AstNode::Kind::negative: {
      const Value& a = child(0);
      numeric(a, n);
      if (a.is_number) return {.is_number = true, .number = -a.number};
      return {.var = -a.var};
    }
    case AstNode::Kind::binary:
      return binary(n, child(0), child(1));
    case AstNode::Kind::reduction:
      if (n.name == "conv") {
        const Calls call(*this, model_, ast, n);
        call.check(*find_function(n.name));
        return conv(ast, n, child(0), static_cast<int>(call.dilation()));
      }
      return reduction(ast, n);
    case AstNode::Kind::call: {
      std::vector<Value> arguments;
      if (n.name == "nll") {
        if (n.children.size() != 1) fail_at("G015", "nll takes 1 argument: nll(y[t])", n);
        const AstNode& target = ast.nodes[static_cast<std::size_t>(n.children[0])];
        const int symbol =
            target.kind == AstNode::Kind::name || target.kind == AstNode::Kind::reference
                ? model_.find(target.name)
                : -1;
        if (symbol < 0 || !model_.symbols[static_cast<std::size_t>(symbol)].random())
          fail_at("E011", "nll takes a random variable", target,
                  "write nll(y[t]) for a y[t] declared with ~");
        return read_symbol(ast, symbol, target, Slot::Kind::nll);
      }
      if (n.name == "grad") return grad(ast, n);
      for (std::size_t i = 0; i < n.children.size(); ++i) arguments.push_back(child(i));
      return Calls(*this, model_, ast, n).run(arguments);
    }
  }
  return {};
}

Value BlockCompiler::read(const Ast& ast, const AstNode& n) {
  const int symbol = model_.find(n.name);
  if (symbol >= 0 && model_.symbols[static_cast<std::size_t>(symbol)].length < 0)
    return read_symbol(ast, symbol, n, Slot::Kind::read);
  if (n.kind == AstNode::Kind::name) return letter_or_length(n);
  std::vector<std::string> known = model_.system.left_out;
  for (const Symbol& s : model_.symbols) known.push_back(s.name);
  fail_at("G014", fmt::format("\"{}\" is not defined", n.name), n, did_you_mean(n.name, known));
}

Value BlockCompiler::letter_or_length(const AstNode& n) {
  const FlatDefinition& s = model_.system;
  if (const auto size = s.sizes.find(n.name); size != s.sizes.end())
    return {.is_number = true, .number = static_cast<double>(size->second)};
  if (const auto c = s.constants.find(n.name); c != s.constants.end())
    return {.is_number = true, .number = c->second};
  for (std::size_t l = 0; l < model_.lengths.size(); ++l)
    if (model_.lengths[l] == n.name)
      return {.var =
                  slot({.kind = Slot::Kind::length, .symbol = static_cast<int>(l)}, {}, true, -1)};
  if (n.name == "inf")
    return {.is_number = true, .number = std::numeric_limits<double>::infinity()};
  for (std::size_t i = 0; i < s.indices.size(); ++i)
    if (s.indices[i].name == n.name) {
      const std::vector<int>& letters = frames_.back().letters;
      if (std::find(letters.begin(), letters.end(), static_cast<int>(i)) == letters.end())
        fail_at(
            "E007",
            fmt::format("index \"{}\" stands neither on the left side nor in a reduction", n.name),
            n);
      return {.var =
                  slot({.kind = Slot::Kind::index, .symbol = static_cast<int>(i)}, {}, false, -1)};
    }
  std::vector<std::string> known = function_names();
  for (const Symbol& symbol : model_.symbols) known.push_back(symbol.name);
  for (const auto& [name, value] : s.sizes) known.push_back(name);
  known.insert(known.end(), s.left_out.begin(), s.left_out.end());
  std::string hint = did_you_mean(n.name, known);
  if (hint.empty()) hint = dotted_help(n.name);
  fail_at(
      "G014", fmt::format("\"{}\" is not defined", n.name), n,
      hint.empty()
          ? "declare it as an input, a weight, a size or a constant, or define it by an equation"
          : hint);
}

std::vector<At> BlockCompiler::places(const Ast& ast, const AstNode& n, const Symbol& symbol) {
  std::vector<At> result = places_at(model_, ast, n, symbol);
  const std::vector<int>& letters = frames_.back().letters;
  for (const int letter : letters_of(result))
    if (std::find(letters.begin(), letters.end(), letter) == letters.end()) {
      const std::string& name = model_.system.indices[static_cast<std::size_t>(letter)].name;
      fail_at(
          "E007",
          fmt::format("index \"{}\" stands neither on the left side nor in a reduction", name), n,
          fmt::format("reduce over it, as in sum[{}](..), or read a fixed position such as last",
                      name));
    }
  return result;
}

Value BlockCompiler::read_symbol(const Ast& ast, int number, const AstNode& n, Slot::Kind kind) {
  const Symbol& symbol = model_.symbols[static_cast<std::size_t>(number)];
  Slot s{.kind = symbol.kind == SymbolKind::weight ? Slot::Kind::copy : kind,
         .symbol = number,
         .places = places(ast, n, symbol)};
  if (kind == Slot::Kind::nll) return {.var = slot(std::move(s), {}, true, -1)};
  // an item's own position is another one for each
  const Var leaf = slot(s, symbol.shape, symbol.per_example || has_data(s.places), symbol.category);
  if (symbol.position >= 0) return {.var = stop_gradient(leaf)};
  return {.var = lifted(s, leaf), .category = symbol.category};
}

Var BlockCompiler::slot(Slot s, const Shape& shape, bool per_example, std::int64_t category) {
  flush();
  Block& block = blocks_[static_cast<std::size_t>(frames_.back().block)];
  for (const Slot& other : block.slots)
    if (other.kind == s.kind && other.symbol == s.symbol && other.places == s.places &&
        s.kind != Slot::Kind::reduction && s.kind != Slot::Kind::dropout)
      return tape_.var(other.leaf);
  const Var leaf = category >= 0 ? tape_.leaf(kInput, {}, kEveryItem, {{"category", category}})
                   : per_example ? tape_.leaf(kInput, shape, kEveryItem)
                                 : tape_.leaf(kWeight, shape, kShared);
  s.leaf = leaf.id;
  block.slots.push_back(std::move(s));
  return leaf;
}

Value BlockCompiler::binary(const AstNode& n, const Value& a, const Value& b) {
  const bool equality = n.name == "==" || n.name == "!=";
  if (!equality) {
    numeric(a, n);
    numeric(b, n);
  }
  if (a.is_number && b.is_number) {
    const double x = a.number, y = b.number;
    const double z = n.name == "+"    ? x + y
                     : n.name == "-"  ? x - y
                     : n.name == "*"  ? x * y
                     : n.name == "/"  ? x / y
                     : n.name == "<"  ? x < y
                     : n.name == "<=" ? x <= y
                     : n.name == ">"  ? x > y
                     : n.name == ">=" ? x >= y
                     : n.name == "==" ? x == y
                                      : x != y;
    if (n.name == "@")
      fail_at("G020", "@ takes vectors and matrices, not numbers", n, "write * for numbers");
    return {.is_number = true, .number = z};
  }
  if (n.name == "@") return product(n, a, b);
  const Var x = tensor(a), y = tensor(b);
  if (n.name == "+") return {.var = x + y};
  if (n.name == "-") return {.var = x - y};
  if (n.name == "*") return {.var = x * y};
  if (n.name == "/") return {.var = x / y};
  if (n.name == "<") return {.var = less(x, y)};
  if (n.name == "<=") return {.var = less_equal(x, y)};
  if (n.name == ">") return {.var = greater(x, y)};
  if (n.name == ">=") return {.var = greater_equal(x, y)};
  return {.var = n.name == "==" ? equal(x, y) : not_equal(x, y)};
}

Value BlockCompiler::product(const AstNode& n, const Value& a, const Value& b) {
  if (a.is_number || b.is_number)
    fail_at("G020", "@ takes vectors and matrices, not numbers", n, "write * for numbers");
  return {.var = matmul(a.var, b.var)};
}

int BlockCompiler::index_called(const std::string& letter, const AstNode& n) const {
  for (std::size_t i = 0; i < model_.system.indices.size(); ++i)
    if (model_.system.indices[i].name == letter) return static_cast<int>(i);
  fail_at("G014", fmt::format("\"{}\" is not an index", letter), n);
}

Value BlockCompiler::reduction(const Ast& ast, const AstNode& n) {
  const Function* function = find_function(n.name);
  if (function == nullptr || !function->over_index)
    fail_at("E012", fmt::format("\"{}\" does not go over an index", n.name), n,
            "sum, mean, max, min, prod, norm, logsumexp and conv do");
  if (!n.named.empty())
    fail_at("G015",
            fmt::format("{}[..] has no argument \"{}\": it goes over positions, element by element",
                        n.name, n.named[0]),
            n);
  if (n.children.size() != 1) fail_at("G015", fmt::format("{}[..] takes 1 argument", n.name), n);
  if (frames_.size() > kMostNested)
    fail_at("E002", fmt::format("reductions are nested deeper than {}", kMostNested), n,
            "give the inner ones variables of their own");
  std::vector<int> over;
  for (const std::string& letter : n.over) over.push_back(index_called(letter, n));
  Recorder body = [this, &ast, root = n.children[0]] { return record(ast, root).back(); };
  if (seen_)  // it may outlive this expression
    body = [this, copy = std::make_shared<const Ast>(ast), root = n.children[0]] {
      return record(*copy, root).back();
    };
  return {.var = reduced(n.name, over, body, n)};
}

// Inside, a letter is the reduction's own, also where the left side has it.
Var BlockCompiler::reduced(const std::string& kind, const std::vector<int>& over,
                           const Recorder& body, const AstNode& n) {
  std::vector<Reduced>* seen = std::exchange(seen_, nullptr);
  std::vector<int> letters = frames_.back().letters;
  letters.insert(letters.end(), over.begin(), over.end());
  const int block = open(letters);
  const Value inner = body();
  numeric(inner, n);
  const Var root = tensor(inner);
  std::vector<int> inside = close({root});
  blocks_[static_cast<std::size_t>(block)].reduction = kind;
  blocks_[static_cast<std::size_t>(block)].over = over;
  reductions_ = std::move(inside);
  reductions_.push_back(block);
  const Var result = slot({.kind = Slot::Kind::reduction, .symbol = block}, root.shape(), true, -1);
  seen_ = seen;
  if (seen) seen->push_back({result.id, kind, over, body, n});
  return result;
}

}  // namespace taugrad
