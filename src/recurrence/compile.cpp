// Shapes, component by component, and the template of every equation.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/fail.h"
#include "recurrence/block_compiler.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

struct RuleResult {
  std::vector<Var> roots;  ///< empty while a shape is not known yet
  std::int64_t category = -1;
  int block = -1;
  std::vector<int> reductions;
};

class Compiler {
 public:
  explicit Compiler(Model& model) : model_(model) {}

  void run(const std::vector<std::vector<int>>& components) {
    for (const std::vector<int>& component : components) {
      infer(component);
      for (const int s : component) record_symbol(s);
    }
    for (const Ast& term : model_.system.loss) collect(model_.system, [&] { record_loss(term); });
    for (const auto& [letter, condition] : model_.system.ends)
      collect(model_.system, [&, name = letter, ast = &condition] { record_end(name, *ast); });
  }

 private:
  /// What inference goes by: shapes that follow, then guesses (W @ h[t-1] is a vector), then h[0] = 0.
  enum class Trust { equations, guesses, boundaries };

  const Symbol& symbol(int s) const { return model_.symbols[static_cast<std::size_t>(s)]; }
  Symbol& symbol(int s) { return model_.symbols[static_cast<std::size_t>(s)]; }
  Rule& rule(int r) { return model_.rules[static_cast<std::size_t>(r)]; }

  RuleResult try_rule(const Rule& r, Tape& tape, std::vector<Block>& blocks) {
    BlockCompiler compiler(model_, tape, blocks, trust_ != Trust::equations);
    RuleResult result;
    result.block = compiler.open(r.letters);
    std::vector<Value> values;
    for (const Ast& ast : r.equation->arguments) values.push_back(compiler.expression(ast));
    const bool known = std::all_of(values.begin(), values.end(), [](const Value& v) { return v.known(); });
    if (known)
      for (const Value& v : values) result.roots.push_back(compiler.tensor(v));
    result.category = values.front().category;
    check_arguments(r, values, result.roots);
    if (known && !r.equation->random && symbol(r.symbol).shape_known && tape_is_final(tape)) fit(r, result);
    result.reductions = compiler.close(result.roots);
    return result;
  }
  bool tape_is_final(const Tape& tape) const { return &tape == model_.scratch.get(); }

  // a boundary takes the variable's shape; the general equation has it
  void fit(const Rule& r, RuleResult& result) {
    const Symbol& s = symbol(r.symbol);
    Var& root = result.roots.front();
    if (root.shape() == s.shape) return;
    bool fits = r.fixed > 0;
    try {
      fits = fits && broadcast(root.shape(), s.shape) == s.shape;
    } catch (const Error&) {
      fits = false;
    }
    if (!fits)
      fail_at(r.fixed > 0 ? "G019" : "G020",
              fmt::format("this equation gives \"{}\" the shape {}, the others give {}", s.name, to_string(root.shape()), to_string(s.shape)),
              r.equation->text, 0, static_cast<int>(s.name.size()));
    root = broadcast_to(root, s.shape);
  }

  void check_arguments(const Rule& r, const std::vector<Value>& values, const std::vector<Var>& roots) {
    if (!r.equation->random) return;
    for (const Value& v : values)
      if (v.category >= 0)
        fail_at("E011", fmt::format("the arguments of {} are numbers, not categories", r.equation->distribution), r.equation->text, 0,
                static_cast<int>(r.equation->name.size()));
    if (roots.empty() || r.equation->distribution != "categorical") return;
    if (roots.front().shape().rank() != 1)
      fail_at("G020", fmt::format("categorical takes a vector of {}, got shape {}", r.equation->keywords.front(), to_string(roots.front().shape())),
              r.equation->text, 0, static_cast<int>(r.equation->name.size()));
  }

  // what one more look at an equation tells of its variable's shape
  bool learn(const Rule& r, const RuleResult& result) {
    if (result.roots.empty()) return false;
    Symbol& s = symbol(r.symbol);
    Shape shape = result.roots.front().shape();
    const bool categorical = r.equation->random && r.equation->distribution == "categorical";
    const std::int64_t category = categorical ? (shape.rank() == 1 ? shape[0] : 0) : result.category;
    if (categorical) shape = Shape{};
    if (result.roots.size() == 2) shape = broadcast(result.roots[0].shape(), result.roots[1].shape());
    const bool per_example = !s.axes.empty() || s.random() ||
                             std::any_of(result.roots.begin(), result.roots.end(), [](Var v) { return v.per_example(); });
    if (trust_ != Trust::boundaries && r.fixed > 0 && shape.rank() == 0 && !s.shape_known) return false;
    if (s.shape_known) shape = broadcast(s.shape, shape);
    const bool changed = !s.shape_known || !(s.shape == shape) || s.category != category || s.per_example != (per_example || s.per_example);
    if (!s.shape_known) s.per_example = per_example;
    s.per_example = s.per_example || per_example;
    s.shape = shape;
    s.category = category;
    s.shape_known = true;
    return changed;
  }

  // what the equations do not tell is a number: zero before the first step is one               (R4)
  void infer(const std::vector<int>& component) {
    const Readers who = readers(component);
    bool sound = true;
    for (const Trust trust : {Trust::equations, Trust::guesses, Trust::boundaries}) {
      trust_ = trust;
      sound = infer_known(component, who);
    }
    if (!sound) return;
    bool assumed = false;
    for (const int number : component)
      if (Symbol& s = symbol(number); !s.shape_known && !is_categorical(s)) {
        s.shape_known = assumed = true;
        s.per_example = !s.axes.empty() || s.random();
      }
    if (assumed) infer_known(component, who);
  }

  static bool is_categorical(const Symbol& s) {
    return s.distribution == DistributionKind::categorical_logits || s.distribution == DistributionKind::categorical_p;
  }

  /// Of each symbol of a component, who reads it: places in the component.
  using Readers = std::vector<std::vector<std::size_t>>;
  Readers readers(const std::vector<int>& component) {
    std::map<int, std::size_t> place;
    for (std::size_t i = 0; i < component.size(); ++i) place[component[i]] = i;
    Readers result(component.size());
    for (std::size_t i = 0; i < component.size(); ++i)
      for (const int r : symbol(component[i]).rules)
        for (const Ast& ast : rule(r).equation->arguments)
          for (const AstNode& n : ast.nodes)
            if (const auto read = place.find(model_.find(n.name)); read != place.end()) result[read->second].push_back(i);
    return result;
  }

  // looks again only where something that is read has changed; false where an equation has an error
  bool infer_known(const std::vector<int>& component, const Readers& readers) {
    std::vector<char> due(component.size(), 1), sound(component.size(), 1);
    bool changed = true;
    for (std::size_t round = 0; changed && round < 2 * component.size() + 4; ++round) {
      changed = false;
      for (std::size_t i = 0; i < component.size(); ++i) {
        if (!std::exchange(due[i], 0)) continue;
        bool fine = true;
        if (look(component[i], fine)) {
          changed = true;
          due[i] = 1;
          for (const std::size_t reader : readers[i]) due[reader] = 1;
        }
        sound[i] = fine;
      }
    }
    return std::find(sound.begin(), sound.end(), 0) == sound.end();
  }

  // one look at the equations of a symbol; true where they tell more than was known
  bool look(int number, bool& fine) {
    bool changed = false;
    const std::vector<int>& rules = symbol(number).rules;  // the general equation tells first: a boundary fits into it
    for (auto r = rules.rbegin(); r != rules.rend(); ++r) try {
        Tape tape;
        std::vector<Block> blocks;
        changed = learn(rule(*r), try_rule(rule(*r), tape, blocks)) || changed;
      } catch (const Error&) {
        fine = false;  // told when the template is recorded: here it may come of a guess
      }
    return changed;
  }

  void record_symbol(int number) {
    const std::string& name = symbol(number).name;
    for (const int r : symbol(number).rules) {
      if (broken(rule(r))) {
        check_alone(rule(r));
        model_.system.broken.insert(name);
        continue;
      }
      collect(model_.system, [&] {
        RuleResult result = try_rule(rule(r), *model_.scratch, model_.blocks);
        if (result.roots.empty())
          fail_at("E010", fmt::format("the shape of \"{}\" cannot be told from the equations", name), rule(r).equation->text, 0,
                  static_cast<int>(name.size()), fmt::format("give a boundary, such as {}[0] = zeros(m)", name));
        rule(r).block = result.block;
        rule(r).reductions = std::move(result.reductions);
      }, name);
    }
  }

  // an error is told once, not again by everything that depends on it
  bool broken(const Ast& ast) const {
    return std::any_of(ast.nodes.begin(), ast.nodes.end(), [&](const AstNode& n) {
      const bool named = n.kind != AstNode::Kind::number && n.kind != AstNode::Kind::binary && n.kind != AstNode::Kind::negative;
      return named && model_.system.is_broken(n.name);
    });
  }
  bool broken(const Rule& r) const {
    return model_.system.is_broken(symbol(r.symbol).name) ||
           std::any_of(r.equation->arguments.begin(), r.equation->arguments.end(), [&](const Ast& ast) { return broken(ast); });
  }

  // of an equation that reads a broken one, what is wrong whatever the other's shape is told all the same
  void check_alone(const Rule& r) {
    if (const std::size_t before = model_.system.problems.size(); check_names(r), model_.system.problems.size() > before) return;
    for (const Ast& ast : r.equation->arguments)
      for (const AstNode& n : ast.nodes)
        if (n.kind == AstNode::Kind::call && model_.system.is_broken(n.name)) return;
    static const std::set<std::string, std::less<>> own = {"G012", "G015", "G017", "E003", "E005", "E007", "E012"};
    trust_ = Trust::equations;
    try {
      Tape tape;
      std::vector<Block> blocks;
      try_rule(r, tape, blocks);
    } catch (const Error& e) {
      for (const Diagnostic& d : e.diagnostics())
        if (own.contains(d.code)) model_.system.problems.push_back(d);
    }
  }

  void check_names(const Rule& r) {
    const System& s = model_.system;
    for (const Ast& ast : r.equation->arguments)
      for (const AstNode& n : ast.nodes) {
        if ((n.kind != AstNode::Kind::name && n.kind != AstNode::Kind::reference) || model_.find(n.name) >= 0 || s.is_broken(n.name) ||
            s.sizes.contains(n.name) || s.constants.contains(n.name) || s.is_length(n.name) || s.index(n.name))
          continue;
        model_.system.problems.push_back(at_node("G014", fmt::format("\"{}\" is not defined", n.name), n));
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
        inner.insert(bound[static_cast<std::size_t>(id)].begin(), bound[static_cast<std::size_t>(id)].end());
        if (n.kind == AstNode::Kind::reduction && n.name != "conv") inner.insert(n.over.begin(), n.over.end());
      }
      const auto note = [&](const std::string& letter) {
        for (std::size_t i = 0; i < model_.system.indices.size(); ++i)
          if (model_.system.indices[i].name == letter && !bound[static_cast<std::size_t>(id)].contains(letter)) free.insert(static_cast<int>(i));
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
    BlockCompiler compiler(model_, *model_.scratch, model_.blocks);
    loss.block = compiler.open(loss.letters);
    const Value v = compiler.expression(term);
    if (!v.known()) fail_at("E010", "the shape of this loss term cannot be told", term.nodes.back());
    if (v.category >= 0) fail_at("E011", "a loss is a number, not a category", term.nodes.back());
    compiler.close({sum(compiler.tensor(v))});
    model_.loss.push_back(loss);
  }

  void record_end(const std::string& letter, const Ast& condition) {
    if (broken(condition)) return;
    int index = 0;
    while (model_.system.indices[static_cast<std::size_t>(index)].name != letter) ++index;
    BlockCompiler compiler(model_, *model_.scratch, model_.blocks);
    const int block = compiler.open({index});
    const Value v = compiler.expression(condition);
    if (!v.known() || compiler.tensor(v).shape().rank() != 0)
      fail_at("E013", fmt::format("\"ends\" of {} must be one number: it stops where that is not 0", letter), condition.nodes.back());
    compiler.close({compiler.tensor(v)});
    model_.ends.emplace_back(index, block);
  }

  Model& model_;
  Trust trust_ = Trust::boundaries;
};

}  // namespace

void compile(Model& model, const std::vector<std::vector<int>>& components) { Compiler(model).run(components); }

}  // namespace taugrad
