// A definition from equations alone: what a name is, and which sizes agree, follows from how it is used.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "recurrence/ast.h"
#include "recurrence/system.h"

namespace taugrad {
namespace {

constexpr int kNumber = -1;  // an expression without an axis

class Inference {
 public:
  explicit Inference(const std::vector<std::string>& equations) {
    std::vector<Diagnostic> problems;
    for (std::size_t i = 0; i < equations.size(); ++i) try {
        Text text{equations[i], {}};
        text.source.pointer = fmt::format("equation {}", i + 1);
        parsed_.push_back(parse_equation(text));
      } catch (const Error& e) {
        problems.insert(problems.end(), e.diagnostics().begin(), e.diagnostics().end());
      }
    if (!problems.empty()) {
      for (const ParsedEquation& e : parsed_) add_unknown_functions(e, problems);
      throw Error(Status::bad_input, std::move(problems));
    }
    for (const ParsedEquation& e : parsed_) defined_.insert(e.name);
    for (const ParsedEquation& e : parsed_)
      for (const Place& p : e.places) note_letter(p);
    for (const ParsedEquation& e : parsed_)
      for (const Ast& a : e.arguments) note_names(a);
  }

  Definition run() {
    for (int round = 0; round < 3; ++round)  // a variable's axis may be learnt after its first use
      for (const ParsedEquation& e : parsed_) equation(e);
    Definition d("equations");
    for (const std::string& letter : letters_)
      d.indices.push_back({letter, letters_.size() == 1 ? "tau" : "n_" + letter, {}});
    name_sizes(d);
    for (const auto& [name, letters] : inputs_) {
      InputDeclaration input{{indexed(name, letters), {}}, {}, {}};
      if (categories_.contains(name))
        input.category = shape(d, {slot(symbols_, name)}).front();
      else
        input.shape = shape(d, {axis_of(name)});
      d.inputs.push_back(std::move(input));
    }
    for (const std::string& name : weights_) {
      WeightDeclaration w;
      w.name = {name, {}};
      w.shape = matrices_.contains(name) ? shape(d, {rows_.at(name), columns_.at(name)}) : shape(d, {axis_of(name)});
      d.weights.push_back(std::move(w));
    }
    for (const ParsedEquation& e : parsed_) d.equations.push_back(e.text);
    tell(d);
    return d;
  }

 private:
  // else told when the equations are compiled
  static void add_unknown_functions(const ParsedEquation& e, std::vector<Diagnostic>& problems) {
    for (const Ast& ast : e.arguments)
      for (const AstNode& n : ast.nodes)
        if (n.kind == AstNode::Kind::call && !is_function_name(n.name))
          problems.push_back(at_node("G012", fmt::format("unknown function \"{}\"", n.name), n, did_you_mean(n.name, function_names())));
  }

  void note_letter(const Place& p) {
    if (p.kind == Place::Kind::letter && p.letter != "tau" && std::find(letters_.begin(), letters_.end(), p.letter) == letters_.end())
      letters_.push_back(p.letter);
  }

  static bool size_argument(const AstNode& call, std::size_t k) {
    if (call.kind != AstNode::Kind::call) return false;
    return (call.name == "one_hot" && k == 1) || (call.name == "slice" && k > 0) || (call.name == "reshape" && k > 0) ||
           call.name == "zeros" || call.name == "ones";
  }

  void note_names(const Ast& ast) {
    std::vector<char> size(ast.nodes.size(), 0), matrix(ast.nodes.size(), 0), symbol(ast.nodes.size(), 0);
    for (int id = ast.root(); id >= 0; --id) {
      const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
      for (std::size_t k = 0; k < n.children.size(); ++k) {
        const auto child = static_cast<std::size_t>(n.children[k]);
        size[child] = size[child] || size_argument(n, k) || (size[static_cast<std::size_t>(id)] && n.kind != AstNode::Kind::reference);
        matrix[child] = matrix[child] || (n.kind == AstNode::Kind::binary && n.name == "@" && k == 0) || (n.name == "embed" && k == 0);
        symbol[child] = symbol[child] || (n.name == "embed" && k == 1) || (n.name == "one_hot" && k == 0);
      }
      for (const std::string& letter : n.over) note_letter({Place::Kind::letter, letter, 0});
      if (n.kind == AstNode::Kind::reference) {
        for (const Place& p : n.places) note_letter(p);
        if (!defined_.contains(n.name)) input(n);
        if (!defined_.contains(n.name) && symbol[static_cast<std::size_t>(id)]) categories_.insert(n.name);
      }
      if (n.kind != AstNode::Kind::name || defined_.contains(n.name) || n.name == "tau" || is_letter(n.name)) continue;
      if (size[static_cast<std::size_t>(id)])
        sizes_.insert(n.name);
      else if (std::find(weights_.begin(), weights_.end(), n.name) == weights_.end())
        weights_.push_back(n.name);
      if (matrix[static_cast<std::size_t>(id)]) matrices_.insert(n.name);
    }
  }
  bool is_letter(const std::string& name) const { return std::find(letters_.begin(), letters_.end(), name) != letters_.end(); }

  void input(const AstNode& n) {
    if (std::any_of(inputs_.begin(), inputs_.end(), [&](const auto& i) { return i.first == n.name; })) return;
    std::vector<std::string> letters;
    for (const Place& p : n.places)
      letters.push_back(p.kind == Place::Kind::letter && p.letter != "tau" ? p.letter : letters_.empty() ? "t" : letters_.front());
    for (const std::string& letter : letters) note_letter({Place::Kind::letter, letter, 0});
    inputs_.emplace_back(n.name, letters);
  }

  // axes are numbers in a union-find: those that must agree become one size
  int fresh() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int find(int a) {
    while (parent_[static_cast<std::size_t>(a)] != a) a = parent_[static_cast<std::size_t>(a)] = parent_[static_cast<std::size_t>(parent_[static_cast<std::size_t>(a)])];
    return a;
  }
  int join(int a, int b) {
    if (a == kNumber || b == kNumber) return a == kNumber ? b : a;
    parent_[static_cast<std::size_t>(find(b))] = find(a);
    return find(a);
  }
  int slot(std::map<std::string, int>& table, const std::string& name) {
    if (!table.contains(name)) table[name] = fresh();
    return table[name];
  }
  int axis_of(const std::string& name) { return axis_.contains(name) ? axis_[name] : slot(axis_, name); }

  void equation(const ParsedEquation& e) {
    std::vector<int> axes;
    for (const Ast& a : e.arguments) axes.push_back(expression(a));
    if (e.distribution == "categorical") {
      categories_.insert(e.name);
      if (axes[0] != kNumber) slot(symbols_, e.name), join(symbols_[e.name], axes[0]);
      return;
    }
    for (const int a : axes) {
      if (a == kNumber) continue;
      if (axis_.contains(e.name))
        join(axis_[e.name], a);
      else
        axis_[e.name] = a;
    }
  }

  int value_of(const AstNode& n) {
    if (categories_.contains(n.name) || is_letter(n.name) || n.name == "tau" || sizes_.contains(n.name)) return kNumber;
    if (defined_.contains(n.name)) return axis_.contains(n.name) ? axis_[n.name] : kNumber;
    return axis_of(n.name);
  }

  int expression(const Ast& ast) {
    std::vector<int> axis(ast.nodes.size(), kNumber);
    const auto at = [&](int id) -> const AstNode& { return ast.nodes[static_cast<std::size_t>(id)]; };
    for (std::size_t id = 0; id < ast.nodes.size(); ++id) {
      const AstNode& n = ast.nodes[id];
      const auto child = [&](std::size_t k) { return axis[static_cast<std::size_t>(n.children[k])]; };
      if (n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference) {
        if (n.kind == AstNode::Kind::name && matrices_.contains(n.name)) continue;
        axis[id] = value_of(n);
      } else if (n.kind == AstNode::Kind::binary && n.name == "@") {
        const AstNode& left = at(n.children[0]);
        if (left.kind != AstNode::Kind::name || !matrices_.contains(left.name)) continue;
        join(slot(columns_, left.name), child(1));
        axis[id] = slot(rows_, left.name);
      } else if (n.kind == AstNode::Kind::call && n.name == "embed" && n.children.size() == 2) {
        const AstNode& table = at(n.children[0]);
        if (table.kind != AstNode::Kind::name) continue;
        join(slot(rows_, table.name), slot(symbols_, at(n.children[1]).name));
        axis[id] = slot(columns_, table.name);
      } else if (n.kind == AstNode::Kind::call && n.name == "one_hot" && n.children.size() == 2) {
        axis[id] = slot(hot_, at(n.children[1]).name);
        join(axis[id], slot(symbols_, at(n.children[0]).name));
      } else if (n.kind == AstNode::Kind::call && (n.name == "sum" || n.name == "mean" || n.name == "max" || n.name == "nll")) {
        continue;
      } else if (n.kind == AstNode::Kind::call && (n.name == "concat" || n.name == "slice")) {
        axis[id] = slot(hot_, fmt::format("{}:{}", n.origin->text, id));
      } else {
        for (std::size_t k = 0; k < n.children.size(); ++k) axis[id] = join(axis[id], child(k));
      }
    }
    return axis.back();
  }

  // n for the first input, m for the first variable, k for symbols; further ones in order
  void name_sizes(Definition& d) {
    for (const std::string& name : sizes_) {
      d.sizes.push_back({name, 3, {}});
      if (hot_.contains(name)) named_[find(hot_[name])] = name;
    }
    const auto give = [&](int axis, std::string name, std::int64_t value) {
      if (named_.contains(find(axis))) return;
      while (taken(d, name)) name += "1";
      named_[find(axis)] = name;
      d.sizes.push_back({name, value, {}});
    };
    for (const auto& [name, letters] : inputs_)
      if (!categories_.contains(name)) give(axis_of(name), "n", 2);
    for (const auto& [name, axis] : symbols_) give(axis, "k", 3);
    for (const ParsedEquation& e : parsed_)
      if (axis_.contains(e.name)) give(axis_[e.name], "m", 3);
    for (const std::string& name : weights_)
      for (const int axis : matrices_.contains(name) ? std::vector<int>{slot(rows_, name), slot(columns_, name)} : std::vector<int>{axis_of(name)})
        give(axis, "p", 4);
  }
  bool taken(const Definition& d, const std::string& name) const {
    return defined_.contains(name) || is_letter(name) || std::find(weights_.begin(), weights_.end(), name) != weights_.end() ||
           std::any_of(inputs_.begin(), inputs_.end(), [&](const auto& i) { return i.first == name; }) ||
           std::any_of(d.sizes.begin(), d.sizes.end(), [&](const auto& s) { return s.name == name; });
  }
  std::vector<Text> shape(const Definition&, const std::vector<int>& axes) {
    std::vector<Text> texts;
    for (const int a : axes) texts.push_back({named_.at(find(a)), {}});
    return texts;
  }
  static std::string indexed(const std::string& name, const std::vector<std::string>& letters) {
    return letters.empty() ? name : fmt::format("{}[{}]", name, fmt::join(letters, ","));
  }

  static void tell(Definition& d) {
    for (const InputDeclaration& i : d.inputs) d.notes.push_back(i.category ? fmt::format("{}: an input, one of {} symbols", i.name.text, i.category->text)
                                   : fmt::format("{}: an input of {}", i.name.text, i.shape.front().text));
    for (const WeightDeclaration& w : d.weights) {
      std::vector<std::string> axes;
      for (const Text& t : w.shape) axes.push_back(t.text);
      d.notes.push_back(fmt::format("{}: a weight of [{}]", w.name.text, fmt::join(axes, ", ")));
    }
    for (const SizeDeclaration& s : d.sizes) d.notes.push_back(fmt::format("{} = {} (change it with --size {}=..)", s.name, s.value, s.name));
  }

  std::vector<ParsedEquation> parsed_;
  std::set<std::string> defined_, sizes_, matrices_, categories_;
  std::vector<std::string> letters_, weights_;
  std::vector<std::pair<std::string, std::vector<std::string>>> inputs_;
  std::vector<int> parent_;
  std::map<std::string, int> axis_, rows_, columns_, symbols_, hot_;
  std::map<int, std::string> named_;
};

}  // namespace

Definition definition_from_equations(const std::vector<std::string>& equations) {
  if (equations.empty()) fail(Status::bad_input, "E015", "there are no equations");
  return Inference(equations).run();
}

}  // namespace taugrad
