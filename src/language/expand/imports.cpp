#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

constexpr std::size_t kMaxDepth = 16;       // imports within imports
constexpr std::size_t kMaxImports = 1'000;  // altogether

Text import_text(const ImportDeclaration& i, const std::string& what) { return {what, i.source}; }

[[noreturn]] void fail_import(const ImportDeclaration& i, const char* code, std::string message,
                              std::string help = {}) {
  Diagnostic d = at_text(code, std::move(message), import_text(i, i.prefix), 0, 1, std::move(help));
  d.excerpt.clear();
  d.caret = -1;
  throw Error(Status::bad_input, std::move(d));
}

bool bare_name(const std::string& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// One imported system on its way into the outer one.
class Import {
 public:
  Import(FlatDefinition& outer, const ImportDeclaration& declaration, FlatDefinition inner,
         Expansion& spent)
      : outer_(outer),
        declaration_(declaration),
        inner_(std::move(inner)),
        spent_(spent),
        prefix_(declaration.prefix + ".") {
    map_indices();
    for (const std::string& letter : declaration.reverse) {
      if (!inner_.index(letter))
        fail_import(declaration, "G014",
                    fmt::format("\"reverse\" names \"{}\", which is not an index of {}", letter,
                                declaration.from));
      reversed_.insert(letter);
    }
    for (const FlatInput& i : inner_.inputs)
      if (reversed_.contains(i.position))
        fail_import(declaration, "E021",
                    fmt::format("\"reverse\" meets \"{}\", which holds positions of \"{}\"", i.name,
                                i.position));
    find_axes();
    bind_inputs();
    bind_weights();
  }

  void add_to_outer() {
    for (const auto& [name, value] : inner_.sizes) outer_.sizes[prefix_ + name] = value;
    for (const auto& [name, value] : inner_.constants) outer_.constants[prefix_ + name] = value;
    for (FlatWeight w : inner_.weights) {
      if (bound_weights_.contains(w.name)) continue;
      w.name = prefix_ + w.name;
      for (std::string& letter : w.letters) letter = letters_.at(letter);
      outer_.weights.push_back(std::move(w));
    }
    for (ParsedEquation e : inner_.equations) {
      if (inner_.is_length(e.name)) continue;  // the length is the outer definition's affair
      collect(
          outer_,
          [&] {
            rewrite_places(e.places, e.name, nullptr, e.text);
            e.name = prefix_ + e.name;
            for (Ast& a : e.arguments) a = rewritten(a);
            outer_.equations.push_back(std::move(e));
          },
          prefix_ + e.name);
    }
    for (BoundInput b : inner_.bound) {
      b.name = prefix_ + b.name;
      collect(outer_, [&] { b.given = rewritten(b.given); });
      outer_.bound.push_back(std::move(b));
    }
    for (const std::string& name : inner_.broken) outer_.broken.insert(prefix_ + name);
    outer_.problems.insert(outer_.problems.end(), inner_.problems.begin(), inner_.problems.end());
  }

 private:
  void map_indices() {
    for (const auto& [in, out] : declaration_.index) {
      if (!inner_.index(in))
        fail_import(declaration_, "G014",
                    fmt::format("{} has no index \"{}\"", declaration_.from, in));
      if (!outer_.index(out))
        fail_import(declaration_, "G014", fmt::format("\"{}\" is not an index here", out));
      letters_[in] = out;
    }
    for (const FlatIndex& i : inner_.indices) {
      if (!letters_.contains(i.name)) {
        if (!outer_.index(i.name))
          fail_import(
              declaration_, "G014",
              fmt::format("index \"{}\" of {} has no counterpart here", i.name, declaration_.from),
              fmt::format("add \"index\": {{\"{}\": \"..\"}} to the import", i.name));
        letters_[i.name] = i.name;
      }
      lengths_[i.length] = outer_.index(letters_[i.name])->length;
    }
    for (const FlatIndex& i : inner_.indices)
      if (i.derived) check_derived(i);
  }

  // A length that follows from others follows here from theirs, too. (R17)
  void check_derived(const FlatIndex& i) const {
    ResolvedModel scope;
    scope.system.indices = outer_.indices;
    number_lengths(scope);
    Ast derived = *i.derived;
    for (AstNode& n : derived.nodes) {
      if (n.kind != AstNode::Kind::name) continue;
      if (const auto length = lengths_.find(n.name); length != lengths_.end())
        n.name = length->second;
      const auto size = inner_.sizes.find(n.name);
      const auto constant = inner_.constants.find(n.name);
      if (size == inner_.sizes.end() && constant == inner_.constants.end()) continue;
      n.kind = AstNode::Kind::number;
      n.number = size != inner_.sizes.end() ? static_cast<double>(size->second) : constant->second;
    }
    const std::string& here = outer_.index(letters_.at(i.name))->length;
    const PositionForm wanted = position_form(scope, derived, derived.root(), -1, true);
    std::string text = to_string(wanted);
    if (const PositionForm::Term* same = wanted.single();
        same && wanted.offset == 0 && same->kind == PositionForm::Term::Kind::length)
      text = same->text;
    if (here != text)
      fail_import(
          declaration_, "E022",
          fmt::format("index \"{}\" of {} has the length {}, its counterpart here {}", i.name,
                      declaration_.from, text, here),
          fmt::format("declare an index of the length \"{}\" and name it in \"index\"", text));
  }

  void find_axes() {
    for (const FlatInput& i : inner_.inputs) axes_[i.name] = i.letters;
    for (const FlatWeight& w : inner_.weights) axes_[w.name] = w.letters;
    for (const ParsedEquation& e : inner_.equations) {
      std::vector<std::string>& axes = axes_[e.name];
      axes.resize(std::max(axes.size(), e.places.size()));
      for (std::size_t a = 0; a < e.places.size(); ++a)
        if (e.places[a].kind == Place::Kind::letter && inner_.index(e.places[a].letter))
          axes[a] = e.places[a].letter;
    }
    for (auto& [name, axes] : axes_)
      for (std::string& letter : axes)
        if (letter.empty() && inner_.indices.size() == 1) letter = inner_.indices[0].name;
  }

  void bind_inputs() {
    for (const auto& [name, text] : declaration_.inputs) {
      const ParsedName n = parse_declared_name({name, text.source});
      const FlatInput* input = inner_.input(n.name);
      if (!input)
        fail_at("G014", fmt::format("{} has no input \"{}\"", declaration_.from, n.name), text, 0,
                1);
      if (n.indices.size() != input->letters.size())
        fail_at("E007",
                fmt::format("input \"{}\" of {} has {} ind{}", n.name, declaration_.from,
                            input->letters.size(), input->letters.size() == 1 ? "ex" : "ices"),
                text, 0, 1);
      Ast given = parse_expression(text);
      if (is_constant(given)) {
        given = filled(std::move(given), input->shape);
      } else {
        outer_.bound.push_back(
            {prefix_ + n.name, declaration_.from, input->shape, input->category, given, text});
      }
      bound_inputs_[n.name] = {n.indices, std::move(given)};
    }
  }

  bool is_constant(const Ast& given) const {
    return std::ranges::all_of(given.nodes, [&](const AstNode& n) {
      const bool named = n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference;
      return n.kind != AstNode::Kind::call && n.kind != AstNode::Kind::reduction &&
             (!named || outer_.sizes.contains(n.name) || outer_.constants.contains(n.name) ||
              outer_.index(n.name) || outer_.is_length(n.name));
    });
  }

  // a number in the place of a vector: given + zeros(n)
  static Ast filled(Ast given, const std::vector<std::int64_t>& shape) {
    if (shape.empty()) return given;
    const AstNode origin = given.nodes.back();
    AstNode zeros = node_like(origin, AstNode::Kind::call, "zeros"),
            sum = node_like(origin, AstNode::Kind::binary, "+");
    const int number = given.root();
    for (const std::int64_t size : shape) {
      AstNode n = node_like(origin, AstNode::Kind::number, {});
      n.number = static_cast<double>(size);
      given.nodes.push_back(std::move(n));
      zeros.children.push_back(given.root());
    }
    given.nodes.push_back(std::move(zeros));
    sum.children = {number, given.root()};
    given.nodes.push_back(std::move(sum));
    return given;
  }

  void bind_weights() {
    for (const auto& [in, out] : declaration_.weights) {
      const FlatWeight* weight = inner_.weight(in);
      if (!weight)
        fail_import(declaration_, "G014",
                    fmt::format("{} has no weight \"{}\"", declaration_.from, in));
      const FlatWeight* given = outer_.weight(out);
      if (!given && weight->letters.empty()) {  // a variable, whose shape is not known yet
        const Text text = import_text(declaration_, out);
        outer_.bound.push_back(
            {prefix_ + in, declaration_.from, weight->shape, -1, parse_expression(text), text});
      }
      if (given && weight->letters.size() == given->letters.size() && weight->shape != given->shape)
        fail_import(declaration_, "G024",
                    fmt::format("weight \"{}\" is [{}], but {} needs [{}] for \"{}\"", out,
                                fmt::join(given->shape, ","), declaration_.from,
                                fmt::join(weight->shape, ","), in));
      bound_weights_[in] = out;
    }
  }

  bool is_length_here(const std::string& name) const { return lengths_.contains(name); }

  // What is computed, or data, does not change places with tau+1-p.
  void refuse_reversed(const std::string& axis, const AstNode& node) const {
    if (reversed_.contains(axis))
      fail_at("E021", "\"reverse\" meets a position that is computed or data", node,
              "reverse an index that only offsets, numbers and last read");
  }

  // letters and lengths to the outer ones; under `reverse` p and tau+1-p change places (R11)
  void rewrite_places(std::vector<Place>& places, const std::string& name, const AstNode* node,
                      const Text& text) const {
    const auto axes = axes_.find(name);
    for (std::size_t a = 0; a < places.size(); ++a) {
      Place& p = places[a];
      if (p.kind == Place::Kind::letter && is_length_here(p.letter) && !inner_.index(p.letter))
        p.kind = Place::Kind::end;
      if (p.kind == Place::Kind::computed) {
        refuse_reversed(
            axes == axes_.end() || a >= axes->second.size() ? std::string() : axes->second[a],
            *node);
        continue;
      }
      const std::string axis =
          axes != axes_.end() && a < axes->second.size() ? axes->second[a] : std::string();
      const bool reversed = reversed_.contains(axis);
      if (p.kind == Place::Kind::letter) {
        if (!inner_.index(p.letter)) continue;  // reported when names are resolved
        if (reversed_.contains(p.letter) != reversed) {
          const char* message = "a reversed and an unreversed index meet here";
          if (node) fail_at("E007", message, *node, "reverse both or neither");
          fail_at("E007", message, text, 0, 1, "reverse both or neither");
        }
        if (reversed) p.offset = -p.offset;
        p.letter = letters_.at(p.letter);
      } else if (p.kind == Place::Kind::number && reversed) {
        p = {Place::Kind::end, "last", 1 - p.offset};
      } else if (p.kind == Place::Kind::end) {
        p.letter = "last";
        if (reversed) p = {Place::Kind::number, "", 1 - p.offset};
      }
    }
  }

  static int push(Ast& out, AstNode n) {
    out.nodes.push_back(std::move(n));
    return out.root();
  }

  // A place as arithmetic that stands in `out`; `root`: of one that is arithmetic already.
  int arithmetic(Ast& out, const AstNode& at, const Place& p, int root,
                 const std::string& length) const {
    AstNode number = node_like(at, AstNode::Kind::number, std::to_string(std::abs(p.offset)));
    number.number = std::abs(p.offset);
    int base = root;
    if (p.kind == Place::Kind::letter)
      base = push(out, node_like(at, AstNode::Kind::name, p.letter));
    if (p.kind == Place::Kind::end) base = push(out, node_like(at, AstNode::Kind::name, length));
    if (p.offset == 0 && base >= 0) return base;
    const int offset = push(out, std::move(number));
    if (base < 0 && p.offset >= 0) return offset;
    AstNode sum = node_like(at, base < 0 ? AstNode::Kind::negative : AstNode::Kind::binary,
                            p.offset < 0 ? "-" : "+");
    sum.children = base < 0 ? std::vector<int>{offset} : std::vector<int>{base, offset};
    return push(out, std::move(sum));
  }

  // The expression that an input is bound to, with the places that the inner reference reads for
  // its letters.
  int read_bound(Ast& out, const AstNode& n, const std::string& name) const {
    const auto& [indices, expression] = bound_inputs_.at(name);
    std::vector<std::string> from;  // outer letters in the place of the inner ones
    for (const std::string& letter : indices)
      from.push_back(letters_.contains(letter) ? letters_.at(letter) : letter);
    if (n.places.size() != from.size())
      fail_at("E007", fmt::format("input \"{}\" has {} indices", name, from.size()), n);
    const std::vector<char> in_place = inside_places(expression);
    std::vector<int> to(expression.nodes.size());
    for (std::size_t id = 0; id < expression.nodes.size(); ++id) {
      AstNode m = expression.nodes[id];
      spent_.add_node(m);
      for (int& child : m.children) child = to[static_cast<std::size_t>(child)];
      const auto letter =
          m.kind == AstNode::Kind::name ? std::find(from.begin(), from.end(), m.name) : from.end();
      if (letter == from.end()) {
        substitute(m, from, n);
        to[id] = push(out, std::move(m));
        continue;
      }
      const auto k = static_cast<std::size_t>(letter - from.begin());
      const bool plain = n.places[k].kind == Place::Kind::letter && n.places[k].offset == 0;
      if (!in_place[id] && !plain)
        fail_at("E007",
                fmt::format("\"{}\" as a number in a bound input cannot be read at {}", from[k],
                            to_string(n.places[k])),
                n);
      const int root = n.places[k].kind == Place::Kind::computed ? computed_root(n, k) : -1;
      to[id] = arithmetic(out, m, n.places[k], root,
                          outer_.index(from[k]) ? outer_.index(from[k])->length : std::string());
    }
    return to.back();
  }

  static std::vector<char> inside_places(const Ast& ast) {
    std::vector<char> inside(ast.nodes.size(), 0);
    for (std::size_t id = ast.nodes.size(); id-- > 0;)
      for (const int child : ast.nodes[id].children)
        inside[static_cast<std::size_t>(child)] =
            inside[id] || ast.nodes[id].kind == AstNode::Kind::reference;
    return inside;
  }

  // replaces letter `from[k]` of a reference by the place that `n` reads
  static void substitute(AstNode& m, const std::vector<std::string>& from, const AstNode& n) {
    std::vector<int> children;
    std::size_t child = 0;
    for (Place& p : m.places) {
      if (p.kind == Place::Kind::computed) children.push_back(m.children[child++]);
      const auto letter = p.kind == Place::Kind::letter
                              ? std::find(from.begin(), from.end(), p.letter)
                              : from.end();
      if (letter == from.end()) continue;
      const auto k = static_cast<std::size_t>(letter - from.begin());
      const int offset = p.offset;
      p = n.places[k];
      p.offset += offset;
      if (p.kind == Place::Kind::computed) children.push_back(computed_root(n, k));
    }
    if (m.kind == AstNode::Kind::reference) m.children = std::move(children);
  }

  int name_node(Ast& out, AstNode n) const {
    if (bound_inputs_.contains(n.name)) return read_bound(out, n, n.name);
    if (const auto w = bound_weights_.find(n.name); w != bound_weights_.end()) {
      n.name = w->second;
    } else if (inner_.index(n.name) && n.kind == AstNode::Kind::name) {
      return index_value(out, std::move(n));
    } else if (is_length_here(n.name)) {
      n.name = lengths_.at(n.name);
    } else if (n.name == "last") {  // of the axis on which it stands, in arithmetic
    } else if (inner_.input(n.name)) {
      fail_at(
          "G014",
          fmt::format("input \"{}\" of import \"{}\" is not bound", n.name, declaration_.prefix), n,
          fmt::format("add \"inputs\": {{\"{}\": \"..\"}} to the import",
                      inner_.input(n.name)->text.text));
    } else {
      n.name = prefix_ + n.name;
    }
    out.nodes.push_back(std::move(n));
    return out.root();
  }

  // t as a number; reversed it is tau + 1 - t
  int index_value(Ast& out, AstNode n) const {
    const bool reversed = reversed_.contains(n.name);
    const std::string length = outer_.index(letters_.at(n.name))->length;
    n.name = letters_.at(n.name);
    AstNode t = n;
    if (!reversed) {
      out.nodes.push_back(std::move(t));
      return out.root();
    }
    AstNode end = n, one = n, plus = n, minus = n;
    end.name = length;
    one.kind = AstNode::Kind::number;
    one.number = 1;
    const int at = static_cast<int>(out.nodes.size());
    plus.kind = minus.kind = AstNode::Kind::binary;
    plus.name = "+";
    plus.children = {at, at + 1};
    minus.name = "-";
    minus.children = {at + 2, at + 3};
    for (AstNode* part : {&end, &one, &plus, &t, &minus}) out.nodes.push_back(std::move(*part));
    return out.root();
  }

  Ast rewritten(const Ast& ast) const {
    Ast out;
    std::vector<int> to(ast.nodes.size());
    const std::vector<char> in_place = inside_places(ast);
    for (std::size_t id = 0; id < ast.nodes.size(); ++id) {
      AstNode n = ast.nodes[id];
      spent_.add_node(n);
      for (int& child : n.children) child = to[static_cast<std::size_t>(child)];
      if (in_place[id] && n.kind == AstNode::Kind::name && reversed_.contains(n.name))
        fail_at("E021", "\"reverse\" meets a position that is computed or data", n,
                "reverse an index that only offsets, numbers and last read");
      if (n.kind == AstNode::Kind::reference) rewrite_places(n.places, n.name, &n, *n.origin);
      for (std::size_t k = 0; k < n.over.size(); ++k) {
        if (reversed_.contains(n.over[k])) n.steps[k] = -n.steps[k];
        if (inner_.index(n.over[k])) n.over[k] = letters_.at(n.over[k]);
      }
      if (n.kind == AstNode::Kind::name || n.kind == AstNode::Kind::reference) {
        to[id] = name_node(out, std::move(n));
      } else {
        out.nodes.push_back(std::move(n));
        to[id] = out.root();
      }
    }
    return out;
  }

  FlatDefinition& outer_;
  const ImportDeclaration& declaration_;
  FlatDefinition inner_;
  Expansion& spent_;
  std::string prefix_;
  std::map<std::string, std::string> letters_, lengths_, bound_weights_;
  std::set<std::string> reversed_;
  std::map<std::string, std::vector<std::string>> axes_;
  std::map<std::string, std::pair<std::vector<std::string>, Ast>> bound_inputs_;
};

FlatDefinition load_import(const FlatDefinition& outer, const Definition& d,
                           const ImportDeclaration& i, Expansion& spent) {
  std::vector<std::string>& trail = spent.trail;
  if (!bare_name(i.from))
    fail_import(
        i, "E008", fmt::format("\"from\" must be a bare name, got \"{}\"", i.from),
        "imports are looked up beside the file and among the shipped definitions, never by path");
  if (std::find(trail.begin(), trail.end(), i.from) != trail.end())
    fail_import(
        i, "E008",
        fmt::format("imports go round in a cycle: {} -> {}", fmt::join(trail, " -> "), i.from));
  if (trail.size() >= kMaxDepth) fail_import(i, "E008", "imports are nested too deep");
  if (++spent.imports > kMaxImports)
    fail_import(i, "G022", fmt::format("the definition takes more than {} imports", kMaxImports));
  const Definition inner = load_import_of(d, i.from);
  std::map<std::string, std::int64_t> sizes;
  for (const SizeDeclaration& s : inner.sizes) {
    const auto given = std::find_if(i.sizes.begin(), i.sizes.end(),
                                    [&](const auto& g) { return g.first == s.name; });
    if (given != i.sizes.end())
      sizes[s.name] = size_value(given->second, outer.sizes);
    else if (const auto same = outer.sizes.find(s.name); same != outer.sizes.end())
      sizes[s.name] = same->second;
  }
  for (const auto& [name, text] : i.sizes)
    if (std::none_of(inner.sizes.begin(), inner.sizes.end(),
                     [&, key = name](const auto& s) { return s.name == key; }))
      fail_at("G014", fmt::format("{} has no size \"{}\"", i.from, name), text, 0, 1);
  trail.push_back(i.from);
  FlatDefinition system = expand_within(inner, sizes, spent);
  trail.pop_back();
  return system;
}

}  // namespace

void expand_imports(FlatDefinition& system, const Definition& d, Expansion& spent) {
  for (const ImportDeclaration& i : d.imports)
    collect(
        system,
        [&] {
          Import import(system, i, load_import(system, d, i, spent), spent);
          import.add_to_outer();
        },
        i.prefix);
}

}  // namespace taugrad
