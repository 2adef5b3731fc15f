// The template of every equation, once the shapes are found.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/fail.h"
#include "language/templates/block_compiler.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

struct RuleResult {
  std::vector<Var> roots;
  int block = -1;
  std::vector<int> reductions;
};

class Compiler {
 public:
  explicit Compiler(ResolvedModel& model) : model_(model) {}

  void run(const std::vector<std::vector<int>>& components) {
    for (UnsolvedShape& u : solve_shapes(model_)) unsolved_.emplace(u.ast, std::move(u));
    for (const std::vector<int>& component : components)
      for (const int s : component) record_symbol(s);
    for (const Ast& term : model_.system.loss) collect(model_.system, [&] { record_loss(term); });
    for (const auto& [letter, condition] : model_.system.ends)
      collect(model_.system, [&, name = letter, ast = &condition] { record_end(name, *ast); });
  }

 private:
  const Symbol& symbol(int s) const { return model_.symbols[static_cast<std::size_t>(s)]; }
  Symbol& symbol(int s) { return model_.symbols[static_cast<std::size_t>(s)]; }
  Rule& rule(int r) { return model_.rules[static_cast<std::size_t>(r)]; }

  RuleResult record_rule(const Rule& r, Tape& tape, std::vector<Block>& blocks) {
    BlockCompiler compiler(model_, tape, blocks);
    RuleResult result;
    result.block = compiler.open(r.letters);
    std::vector<Value> values;
    for (const Ast& ast : r.equation->arguments) values.push_back(compiler.expression(ast));
    for (const Value& v : values) result.roots.push_back(compiler.tensor(v));
    check_arguments(r, values, result.roots);
    fit(r, values.front().category, result.roots);
    result.reductions = compiler.close(result.roots);
    return result;
  }

  // a boundary takes the variable's shape; the general equation has it
  void fit(const Rule& r, std::int64_t category, std::vector<Var>& roots) {
    const Symbol& s = symbol(r.symbol);
    if (is_categorical(s)) return fit_symbols(r, roots.front().shape()[0]);
    if ((s.category >= 0) != (category >= 0))
      fail_here(
          "E011", r,
          fmt::format("this equation gives \"{}\" a {}, another one a {}", s.name,
                      category < 0 ? "number" : "category", category < 0 ? "category" : "number"));
    Shape shape = roots.front().shape();
    if (roots.size() == 2) shape = broadcast(shape, roots.back().shape());
    if (shape == s.shape) return;
    bool fits = r.fixed > 0;
    try {
      fits = fits && broadcast(shape, s.shape) == s.shape;
    } catch (const Error&) {
      fits = false;
    }
    if (!fits && r.fixed == 0)
      fail_here("E010", r,
                fmt::format("no shape of \"{0}\" fits this equation: of {0} {1} it makes {2}",
                            s.name, to_string(s.shape), to_string(shape)),
                stated(s));
    if (!fits)
      fail_here("G019", r,
                fmt::format("this equation gives \"{}\" the shape {}, the others give {}", s.name,
                            to_string(shape), to_string(s.shape)));
    if (roots.size() == 1) roots.front() = broadcast_to(roots.front(), s.shape);
  }

  void fit_symbols(const Rule& r, std::int64_t category) {
    const Symbol& s = symbol(r.symbol);
    if (category != s.category)
      fail_here("G019", r,
                fmt::format("this equation gives \"{}\" {} symbols, the others give {}", s.name,
                            category, s.category));
  }

  [[noreturn]] void fail_here(const char* code, const Rule& r, const std::string& what,
                              const std::string& help = {}) const {
    fail_at(code, what, r.equation->text, 0, static_cast<int>(symbol(r.symbol).name.size()), help);
  }

  void check_arguments(const Rule& r, const std::vector<Value>& values,
                       const std::vector<Var>& roots) {
    if (!r.equation->random) return;
    for (const Value& v : values)
      if (v.category >= 0)
        fail_here("E011", r,
                  fmt::format("the arguments of {} are numbers, not categories",
                              r.equation->distribution));
    if (r.equation->distribution != "categorical") return;
    if (roots.front().shape().rank() != 1)
      fail_here("G020", r,
                fmt::format("categorical takes a vector of {}, got shape {}",
                            r.equation->keywords.front(), to_string(roots.front().shape())));
  }

  static bool is_categorical(const Symbol& s) {
    return s.distribution == DistributionKind::categorical_logits ||
           s.distribution == DistributionKind::categorical_p;
  }

  // too little is said, or nothing fits: which shape is to be stated
  void check_solved(const Ast& ast) const {
    const auto found = unsolved_.find(&ast);
    if (found == unsolved_.end()) return;
    const std::string& name = found->second.name;
    const AstNode* at = &ast.nodes[static_cast<std::size_t>(found->second.node)];
    if (name.empty())
      fail_at("E010", "no shape fits here", *at,
              "state the size of what stands here, such as zeros(m) + ..");
    const auto mention = std::find_if(ast.nodes.begin(), ast.nodes.end(), [&](const AstNode& n) {
      return n.name == name &&
             (n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference);
    });
    if (mention != ast.nodes.end()) at = &*mention;
    fail_at("E010", fmt::format("the shape of \"{}\" cannot be told from the equations", name), *at,
            stated(symbol(model_.find(name))));
  }

  // a boundary on the side that the equations come from
  std::string stated(const Symbol& s) const {
    if (s.axes.empty()) return fmt::format("state its size, such as {} = zeros(m) + ..", s.name);
    bool backwards = false;
    for (const int r : s.rules)
      for (const Ast& ast : model_.rules[static_cast<std::size_t>(r)].equation->arguments)
        for (const AstNode& n : ast.nodes)
          backwards =
              backwards || (n.name == s.name && !n.places.empty() &&
                            n.places[0].kind == Place::Kind::letter && n.places[0].offset > 0);
    const FlatIndex& first = model_.system.indices[static_cast<std::size_t>(s.axes[0])];
    std::string places = backwards ? first.length + "+1" : "0";
    for (std::size_t a = 1; a < s.axes.size(); ++a)
      places += "," + model_.system.indices[static_cast<std::size_t>(s.axes[a])].name;
    return fmt::format("state its size by a boundary, such as {}[{}] = zeros(m)", s.name, places);
  }

  void record_symbol(int number) {
    const std::string& name = symbol(number).name;
    for (const int r : symbol(number).rules) {
      if (broken(rule(r))) {
        check_alone(rule(r));
        model_.system.broken.insert(name);
        continue;
      }
      collect(
          model_.system,
          [&] {
            for (const Ast& ast : rule(r).equation->arguments) check_solved(ast);
            RuleResult result = record_rule(rule(r), model_.scratch(), model_.blocks);
            for (const Var& root : result.roots) symbol(number).per_example |= root.per_example();
            rule(r).block = result.block;
            rule(r).reductions = std::move(result.reductions);
          },
          name);
    }
  }

  // an error is told once, not again by everything that depends on it
  bool broken(const Ast& ast) const {
    return std::any_of(ast.nodes.begin(), ast.nodes.end(), [&](const AstNode& n) {
      const bool named = n.kind != AstNode::Kind::number && n.kind != AstNode::Kind::binary &&
                         n.kind != AstNode::Kind::negative;
      return named && model_.system.is_broken(n.name);
    });
  }
  bool broken(const Rule& r) const {
    return model_.system.is_broken(symbol(r.symbol).name) ||
           std::any_of(r.equation->arguments.begin(), r.equation->arguments.end(),
                       [&](const Ast& ast) { return broken(ast); });
  }

  // of an equation that reads a broken one, what is wrong whatever the other's shape is told all
  // the same
  void check_alone(const Rule& r) {
    if (const std::size_t before = model_.system.problems.size();
        check_names(r), model_.system.problems.size() > before)
      return;
    for (const Ast& ast : r.equation->arguments)
      for (const AstNode& n : ast.nodes)
        if (n.kind == AstNode::Kind::call && model_.system.is_broken(n.name)) return;
    static const std::set<std::string, std::less<>> own = {"G012", "G015", "G017", "E003",
                                                           "E005", "E007", "E012"};
    try {
      const Graph graph;
      std::vector<Block> blocks;
      record_rule(r, graph.tape(), blocks);
    } catch (const Error& e) {
      for (const Diagnostic& d : e.diagnostics())
        if (own.contains(d.code)) model_.system.problems.push_back(d);
    }
  }

  void check_names(const Rule& r) {
    const FlatDefinition& s = model_.system;
    for (const Ast& ast : r.equation->arguments)
      for (const AstNode& n : ast.nodes) {
        if ((n.kind != AstNode::Kind::name && n.kind != AstNode::Kind::reference) ||
            model_.find(n.name) >= 0 || s.is_broken(n.name) || s.sizes.contains(n.name) ||
            s.constants.contains(n.name) || s.is_length(n.name) || s.index(n.name) ||
            n.name == "inf")
          continue;
        model_.system.problems.push_back(
            at_node("G014", fmt::format("\"{}\" is not defined", n.name), n));
      }
  }

  // letters that stand in a term outside any reduction over them
  std::vector<int> free_letters(const Ast& ast) const {
    std::set<int> free;
    std::vector<std::set<std::string>> bound(ast.nodes.size());
    for (int id = ast.root(); id >= 0; --id) {
      const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
      for (const int child : n.children) {
        std::set<std::string>& inner = bound[static_cast<std::size_t>(child)];
        inner.insert(bound[static_cast<std::size_t>(id)].begin(),
                     bound[static_cast<std::size_t>(id)].end());
        if (n.kind == AstNode::Kind::reduction && n.name != "conv")
          inner.insert(n.over.begin(), n.over.end());
      }
      const auto note = [&](const std::string& letter) {
        for (std::size_t i = 0; i < model_.system.indices.size(); ++i)
          if (model_.system.indices[i].name == letter &&
              !bound[static_cast<std::size_t>(id)].contains(letter))
            free.insert(static_cast<int>(i));
      };
      for (const Place& p : n.places)
        if (p.kind == Place::Kind::letter) note(p.letter);
      if (n.kind == AstNode::Kind::name && model_.find(n.name) < 0) note(n.name);
    }
    return {free.begin(), free.end()};
  }

  void record_loss(const Ast& term) {
    if (broken(term)) return;
    LossTerm loss{free_letters(term), -1};
    BlockCompiler compiler(model_, model_.scratch(), model_.blocks);
    loss.block = compiler.open(loss.letters);
    check_solved(term);
    const Value v = compiler.expression(term);
    if (v.category >= 0) fail_at("E011", "a loss is a number, not a category", term.nodes.back());
    compiler.close({sum(compiler.tensor(v))});
    model_.loss.push_back(loss);
  }

  void record_end(const std::string& letter, const Ast& condition) {
    if (broken(condition)) return;
    int index = 0;
    while (model_.system.indices[static_cast<std::size_t>(index)].name != letter) ++index;
    BlockCompiler compiler(model_, model_.scratch(), model_.blocks);
    const int block = compiler.open({index});
    check_solved(condition);
    const Value v = compiler.expression(condition);
    if (compiler.tensor(v).shape().rank() != 0)
      fail_at(
          "E013",
          fmt::format("\"ends\" of {} must be one number: it stops where that is not 0", letter),
          condition.nodes.back());
    compiler.close({compiler.tensor(v)});
    model_.ends.emplace_back(index, block);
  }

  ResolvedModel& model_;
  std::map<const Ast*, UnsolvedShape> unsolved_;
};

}  // namespace

void compile(ResolvedModel& model, const std::vector<std::vector<int>>& components) {
  Compiler(model).run(components);
}

}  // namespace taugrad
