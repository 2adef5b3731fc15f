// A definition from equations alone: what a name is, and which sizes agree, follows from how it is
// used.
#include "language/syntax/from_equations.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/shapes/shape_equations.h"
#include "language/syntax/syntax_help.h"
#include "language/templates/function_table.h"

namespace taugrad {
namespace {

class Inference {
 public:
  Inference(const std::vector<std::string>& equations, const std::vector<std::string>& loss) {
    std::vector<Diagnostic> problems;
    for (std::size_t i = 0; i < equations.size(); ++i) try {
        Text text{equations[i], {}};
        text.source.pointer = fmt::format("equation {}", i + 1);
        ParsedEquation e = parse_equation(text);
        if (is_section(e.name))
          sections_.push_back(section_from(std::move(e)));
        else
          parsed_.push_back(std::move(e));
      } catch (const Error& e) {
        problems.insert(problems.end(), e.diagnostics().begin(), e.diagnostics().end());
      }
    for (const std::string& term : loss) try {
        Text text{term, {}};
        text.source.pointer = "--loss";
        sections_.push_back({"loss", text, parse_expression(text)});
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
    for (const EquationSection& s : sections_) note_names(s.ast);
  }

  Definition run() {
    solve();
    Definition d("equations");
    for (const std::string& letter : letters_)
      d.indices.push_back({letter, letters_.size() == 1 ? "tau" : "n_" + letter, {}});
    name_sizes(d);
    for (const auto& [name, letters] : inputs_) {
      InputDeclaration input{{indexed(name, letters), {}}, {}, {}};
      if (const auto of = positions_.find(name); of != positions_.end())
        input.position = Text{of->second, {}};
      else if (categories_.contains(name))
        input.category = shape(meanings_.of(name).symbols).front();
      else
        input.shape = shape(meanings_.of(name).term);
      d.inputs.push_back(std::move(input));
    }
    for (const std::string& name : weights_) {
      WeightDeclaration w;
      w.name = {name, {}};
      w.shape = shape(meanings_.of(name).term);
      d.weights.push_back(std::move(w));
    }
    for (const ParsedEquation& e : parsed_) d.equations.push_back(e.text);
    for (const EquationSection& s : sections_) {
      if (s.name == "loss")
        d.loss.push_back(s.text);
      else
        add_end(d, s);
    }
    d.loss_is_list = d.loss.size() > 1;
    add_notes(d);
    return d;
  }

 private:
  // else told when the equations are compiled
  static void add_unknown_functions(const ParsedEquation& e, std::vector<Diagnostic>& problems) {
    for (const Ast& ast : e.arguments)
      for (const AstNode& n : ast.nodes)
        if (n.kind == AstNode::Kind::call && !is_function_name(n.name) &&
            own_function(n.name) == nullptr)
          problems.push_back(
              at_node("G012", fmt::format("unknown function \"{}\"", n.name), n,
                      unknown_function_help(
                          ast, n, false, [](const std::string& letter) { return letter == "t"; })));
  }

  void note_letter(const Place& p) {
    if (p.kind == Place::Kind::letter && p.letter != "tau" &&
        std::find(letters_.begin(), letters_.end(), p.letter) == letters_.end())
      letters_.push_back(p.letter);
  }

  static const Function* called(const AstNode& n) {
    return n.kind == AstNode::Kind::call ? find_function(n.name) : nullptr;
  }
  static bool size_argument(const AstNode& call, std::size_t k) {
    const bool calls = call.kind == AstNode::Kind::call || call.kind == AstNode::Kind::reduction;
    if (calls && k + call.named.size() >= call.children.size()) return true;  // axis=n
    const Function* f = called(call);
    return f != nullptr && static_cast<int>(k) >= f->sizes_from;
  }

  // W of W @ h, and of h @ W where h is no weight; a table of rows
  bool is_matrix(const Ast& ast, const AstNode& n, std::size_t k) const {
    if (const Function* f = called(n)) return f->matrix && k == 0;
    if (n.kind != AstNode::Kind::binary || n.name != "@" || k == 0)
      return n.kind == AstNode::Kind::binary && n.name == "@";
    const AstNode& left = ast.nodes[static_cast<std::size_t>(n.children[0])];
    return left.kind != AstNode::Kind::name || defined_.contains(left.name);
  }

  void note_names(const Ast& ast) {
    std::vector<char> size(ast.nodes.size(), 0), matrix(ast.nodes.size(), 0),
        symbol(ast.nodes.size(), 0), place(ast.nodes.size(), 0);
    for (int id = ast.root(); id >= 0; --id) {
      const AstNode& n = ast.nodes[static_cast<std::size_t>(id)];
      for (std::size_t k = 0; k < n.children.size(); ++k) {
        const auto child = static_cast<std::size_t>(n.children[k]);
        place[child] = place[static_cast<std::size_t>(id)] || n.kind == AstNode::Kind::reference;
        size[child] = size[child] || size_argument(n, k) ||
                      (size[static_cast<std::size_t>(id)] && n.kind != AstNode::Kind::reference);
        matrix[child] = matrix[child] || is_matrix(ast, n, k);
        const Function* f = called(n);
        if (n.kind == AstNode::Kind::reduction && n.name == "conv" && k == 0)
          kernels_.emplace(ast.nodes[child].name, static_cast<int>(n.over.size()) + 2);
        symbol[child] = symbol[child] || (f != nullptr && f->symbol == static_cast<int>(k));
      }
      for (const std::string& letter : n.over) note_letter({Place::Kind::letter, letter, 0});
      if (n.kind == AstNode::Kind::reference) {
        for (const Place& p : n.places) note_letter(p);
        if (!defined_.contains(n.name)) input(ast, n);
        note_positions(ast, n);
        if (!defined_.contains(n.name) && symbol[static_cast<std::size_t>(id)])
          categories_.insert(n.name);
      }
      if (n.kind != AstNode::Kind::name || defined_.contains(n.name) || n.name == "tau" ||
          n.name == "inf" || is_letter(n.name))
        continue;
      if (size[static_cast<std::size_t>(id)] || place[static_cast<std::size_t>(id)])
        sizes_.insert(n.name);
      else if (std::find(weights_.begin(), weights_.end(), n.name) == weights_.end())
        weights_.push_back(n.name);
      if (const std::string help = dotted_help(n.name); !help.empty())
        fail_at("G025", fmt::format("\"{}\" is not a name", n.name), n, help);
      if (matrix[static_cast<std::size_t>(id)]) matrices_.insert(n.name);
    }
  }
  bool is_letter(const std::string& name) const {
    return std::find(letters_.begin(), letters_.end(), name) != letters_.end();
  }

  void input(const Ast& ast, const AstNode& n) {
    if (std::any_of(inputs_.begin(), inputs_.end(),
                    [&](const auto& i) { return i.first == n.name; }))
      return;
    std::vector<std::string> letters;
    for (std::size_t a = 0; a < n.places.size(); ++a) {
      const Place& p = n.places[a];
      std::string letter = p.kind == Place::Kind::letter && p.letter != "tau" ? p.letter
                           : letters_.empty()                                 ? "t"
                                                                              : letters_.front();
      if (p.kind == Place::Kind::computed)
        if (const std::string inside = letter_in(ast, computed_root(n, a)); !inside.empty())
          letter = inside;
      letters.push_back(std::move(letter));
    }
    for (const std::string& letter : letters) note_letter({Place::Kind::letter, letter, 0});
    inputs_.emplace_back(n.name, letters);
  }
  // the first index that stands in arithmetic, or ""
  std::string letter_in(const Ast& ast, int root) const {
    const AstNode& n = ast.nodes[static_cast<std::size_t>(root)];
    if (n.kind == AstNode::Kind::name) return is_letter(n.name) ? n.name : std::string();
    for (const Place& p : n.places)
      if (p.kind == Place::Kind::letter && is_letter(p.letter)) return p.letter;
    for (const int child : n.children)
      if (const std::string found = letter_in(ast, child); !found.empty()) return found;
    return {};
  }
  // a of h[a[t]]: positions of the index of h
  void note_positions(const Ast& ast, const AstNode& n) {
    for (std::size_t a = 0; a < n.places.size(); ++a) {
      if (n.places[a].kind != Place::Kind::computed) continue;
      std::vector<int> open{computed_root(n, a)};
      while (!open.empty()) {
        const AstNode& inner = ast.nodes[static_cast<std::size_t>(open.back())];
        open.pop_back();
        open.insert(open.end(), inner.children.begin(), inner.children.end());
        if (inner.kind != AstNode::Kind::reference || defined_.contains(inner.name)) continue;
        const std::string own = letter_of_axis(n.name, a);
        positions_.emplace(inner.name, own.empty() ? "t" : own);
      }
    }
  }
  std::string letter_of_axis(const std::string& name, std::size_t axis) const {
    for (const ParsedEquation& e : parsed_)
      if (e.name == name && axis < e.places.size() && e.places[axis].kind == Place::Kind::letter &&
          is_letter(e.places[axis].letter))
        return e.places[axis].letter;
    for (const auto& [input, letters] : inputs_)
      if (input == name && axis < letters.size()) return letters[axis];
    return letters_.empty() ? std::string() : letters_.front();
  }

  // inputs and weights are vectors, or matrices where they stand so, unless that cannot be; what
  // broadcasts together is of one size
  void solve() {
    for (const std::string& letter : letters_)
      names_.indices.push_back({letter, letters_.size() == 1 ? "tau" : "n_" + letter, -1});
    for (const std::string& size : sizes_) names_.sizes[size] = 3;
    std::set<std::string> given(weights_.begin(), weights_.end());
    for (const auto& [name, letters] : inputs_)
      if (!categories_.contains(name) && !positions_.contains(name)) given.insert(name);
    for (const auto& [name, of] : positions_) meanings_.give(name, {shapes_.number(), -1});
    for (const std::string& name : given) meanings_.give(name, {shapes_.unknown(), -1});
    for (const auto& [name, letters] : inputs_)
      if (categories_.contains(name))
        meanings_.give(name, {shapes_.number(), shapes_.unknown(only_rank(1))});
    meanings_.define(variables());
    for (const EquationSection& s : sections_) meanings_.expression(s.ast);
    shapes_.propagate();
    for (const auto& [name, rank] : kernels_)
      if (given.contains(name)) shapes_.prefer(meanings_.of(name).term, rank);
    for (const std::string& name : matrices_) shapes_.prefer(meanings_.of(name).term, 2);
    for (const std::string& name : given) shapes_.prefer(meanings_.of(name).term, 1);
    shapes_.solve();
    shapes_.sizes().join();
  }

  std::map<std::string, std::vector<ShapeEquations::Rule>> variables() const {
    std::map<std::string, std::vector<ShapeEquations::Rule>> variables;
    for (const ParsedEquation& e : parsed_) {
      const bool fixed = std::any_of(e.places.begin(), e.places.end(), [&](const Place& p) {
        return p.kind != Place::Kind::letter || !is_letter(p.letter);
      });
      variables[e.name].push_back({&e, fixed});
    }
    return variables;
  }

  // n for the first input, m for the first variable, k for symbols; further ones in order
  void name_sizes(Definition& d) {
    for (const std::string& name : sizes_) d.sizes.push_back({name, 3, {}});
    const auto give = [&](int term, const char* name, std::int64_t value) {
      for (const int axis : shapes_.axes(term)) name_size(d, axis, name, value);
    };
    for (const auto& [name, letters] : inputs_)
      if (!categories_.contains(name)) give(meanings_.of(name).term, "n", 2);
    std::set<std::string> symbols = defined_;
    for (const auto& [name, letters] : inputs_) symbols.insert(name);
    for (const std::string& name : symbols)
      if (meanings_.is_category(name)) give(meanings_.of(name).symbols, "k", 3);
    const std::set<int> stated = stated_sizes();
    for (const ParsedEquation& e : parsed_)
      for (const int axis : shapes_.axes(meanings_.of(e.name).term))
        if (stated.contains(shapes_.sizes().find(axis))) name_size(d, axis, "m", 3);
    for (const std::string& name : weights_) give(meanings_.of(name).term, "p", 4);
  }

  // of the axes of inputs and weights; what no declaration states is found again when the equations
  // are compiled
  std::set<int> stated_sizes() {
    std::set<int> stated;
    std::vector<int> open;
    const auto add = [&](const std::string& name) {
      const std::vector<int>& axes = shapes_.axes(meanings_.of(name).term);
      open.insert(open.end(), axes.begin(), axes.end());
    };
    for (const auto& [name, letters] : inputs_) add(name);
    for (const std::string& name : weights_) add(name);
    while (!open.empty()) {
      const int axis = shapes_.sizes().find(open.back());
      open.pop_back();
      if (!stated.insert(axis).second) continue;
      const std::vector<int> parts = shapes_.sizes().parts_of(axis);
      open.insert(open.end(), parts.begin(), parts.end());
    }
    return stated;
  }

  void name_size(Definition& d, int axis, std::string name, std::int64_t value) {
    SizeSystem& sizes = shapes_.sizes();
    if (sizes.is_known(axis) || named_.contains(sizes.find(axis))) return;
    std::string& text = named_[sizes.find(axis)];  // also while its parts are named
    for (const int part : sizes.parts_of(axis)) {
      name_size(d, part, "p", 4);
      text += (text.empty() ? "" : " + ") + text_of(part);
    }
    if (!text.empty()) return;
    while (taken(d, name)) name += "1";
    text = name;
    d.sizes.push_back({name, std::max(value, sizes.value(axis)), {}});
  }

  std::string text_of(int axis) {
    SizeSystem& sizes = shapes_.sizes();
    if (const auto named = named_.find(sizes.find(axis)); named != named_.end())
      return named->second;
    return sizes.text(axis).empty() ? fmt::format("{}", sizes.value(axis)) : sizes.text(axis);
  }
  bool taken(const Definition& d, const std::string& name) const {
    return defined_.contains(name) || is_letter(name) ||
           std::find(weights_.begin(), weights_.end(), name) != weights_.end() ||
           std::any_of(inputs_.begin(), inputs_.end(),
                       [&](const auto& i) { return i.first == name; }) ||
           std::any_of(d.sizes.begin(), d.sizes.end(),
                       [&](const auto& s) { return s.name == name; });
  }
  std::vector<Text> shape(int term) {
    std::vector<Text> texts;
    for (const int axis : shapes_.axes(term)) texts.push_back({text_of(axis), {}});
    return texts;
  }
  static std::string indexed(const std::string& name, const std::vector<std::string>& letters) {
    return letters.empty() ? name : fmt::format("{}[{}]", name, fmt::join(letters, ","));
  }

  std::vector<ParsedEquation> parsed_;
  std::vector<EquationSection> sections_;
  std::set<std::string> defined_, sizes_, matrices_, categories_;
  std::map<std::string, int> kernels_;  // of convolutions: rank
  std::vector<std::string> letters_, weights_;
  std::vector<std::pair<std::string, std::vector<std::string>>> inputs_;
  std::map<std::string, std::string> positions_;  ///< inputs that hold positions: of which index
  FlatDefinition names_;
  ShapeSystem shapes_;
  ShapeEquations meanings_{shapes_, names_, true};
  std::map<int, std::string> named_;
};

}  // namespace

Definition definition_from_equations(const std::vector<std::string>& equations,
                                     const std::vector<std::string>& loss) {
  if (equations.empty()) fail(Status::bad_input, "E015", "there are no equations");
  return Inference(equations, loss).run();
}

}  // namespace taugrad
