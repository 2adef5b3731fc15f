#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/resolved_model.h"
#include "language/templates/function_table.h"
#include "ops/own.h"

namespace taugrad {
namespace {

class Names {  // one namespace (R1)
 public:
  explicit Names(FlatDefinition& system) : system_(system) {}
  void declare(const std::string& name, const Text& text) {
    if (name == "last" || name == "inf" || is_function_name(name))
      return add("E004", fmt::format("\"{}\" is reserved", name), text, "choose another name");
    if (is_section(name))
      return add("E004", fmt::format("\"{}\" names a part of a definition, no variable", name),
                 text, "write it beside \"equations\", or choose another name");
    if (name.size() > 256)
      return add("G025", "a name has more than 256 characters", text, "shorten it");
    if (!seen_.insert(name).second)
      add("G013", fmt::format("\"{}\" is defined twice", name), text, "rename one of them");
  }
  void declare(const std::string& name, const Source& source) { declare(name, Text{name, source}); }
  // an input or a variable, which a tensor may stand for
  void declare_data(const std::string& name, const Text& text) {
    if (name == "item" || name == "lengths")
      return add(
          "E004",
          fmt::format("\"{}\" names the tensor that {}", name,
                      name == "item" ? "keys the draws of items" : "holds the lengths of items"),
          text, "choose another name");
    declare(name, text);
  }

 private:
  void add(const char* code, std::string message, const Text& text, const char* help) {
    system_.problems.push_back(
        at_text(code, std::move(message), text, 0, static_cast<int>(text.text.size()), help));
  }
  FlatDefinition& system_;
  std::set<std::string> seen_;
};

bool plain_name(const std::string& s) {
  if (s.empty() || (s[0] >= '0' && s[0] <= '9')) return false;
  return std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

constexpr const char* kNameHelp = "names are letters, digits and _, and do not start with a digit";

void check_plain(const std::string& name, const Source& source) {
  if (!plain_name(name) || name == "__metadata__")  // a safetensors file keeps that one for itself
    fail_at("G025", fmt::format("\"{}\" is not a name", name), Text{name, source}, 0,
            static_cast<int>(name.size()), kNameHelp);
}

// Arithmetic of other lengths, in normal form: equal expressions are one length.              (R17)
void derive(const FlatDefinition& system, const IndexDeclaration& declared, FlatIndex& index) {
  using Kind = PositionForm::Term::Kind;
  ResolvedModel scope;
  scope.system.sizes = system.sizes;
  scope.system.constants = system.constants;
  std::copy_if(system.indices.begin(), system.indices.end(),
               std::back_inserter(scope.system.indices),
               [](const FlatIndex& i) { return !i.derived && !i.length.empty(); });
  number_lengths(scope);
  const PositionForm form = position_form(scope, *index.derived, index.derived->root(), -1);
  const AstNode& root = index.derived->nodes.back();
  each_term(form, [&](const PositionForm::Term& t) {
    if (t.kind != Kind::length && t.kind != Kind::quotient)
      fail_at("E022",
              fmt::format("the length of \"{}\" is made of other lengths, \"{}\" is none",
                          declared.name, t.text),
              root, "write the name of a length, as in (tau + 1) / 2");
    if (t.times < 0)
      fail_at("E022",
              fmt::format("the length of \"{}\" falls where \"{}\" grows", declared.name, t.text),
              root, "a length that is derived grows with those that it is made of");
  });
  if (const PositionForm::Term* same = form.single();
      same && same->kind == Kind::length && form.offset == 0) {
    index.length = same->text;
    index.derived = nullptr;
  } else if (form.is_number()) {
    index.fixed = std::max<std::int64_t>(form.offset, 0);
    index.length = std::to_string(index.fixed);
    index.derived = nullptr;
  } else {
    index.length = to_string(form);
  }
}

void add_indices(FlatDefinition& system, const Definition& d, Names& names) {
  std::set<std::string> lengths;
  for (const IndexDeclaration& i : d.indices)
    collect(
        system,
        [&] {
          check_plain(i.name, i.source);
          names.declare(i.name, i.source);
          FlatIndex index{i.name, i.length, -1};
          const bool digits =
              !i.length.empty() && std::all_of(i.length.begin(), i.length.end(),
                                               [](char c) { return c >= '0' && c <= '9'; });
          if (digits)
            index.fixed = size_value({i.length, i.source}, {});
          else if (const auto size = system.sizes.find(i.length); size != system.sizes.end())
            index.fixed = size->second;
          else if (!plain_name(i.length)) {
            index.derived = std::make_shared<const Ast>(parse_expression({i.length, i.source}));
            index.length.clear();
          } else {
            check_plain(i.length, i.source);
            if (lengths.insert(i.length).second) names.declare(i.length, i.source);
          }
          system.indices.push_back(index);
        },
        i.name);
  for (FlatIndex& index : system.indices)
    if (index.derived)
      collect(
          system,
          [&] {
            derive(system,
                   *std::find_if(d.indices.begin(), d.indices.end(),
                                 [&](const auto& i) { return i.name == index.name; }),
                   index);
          },
          index.name);
  // what is wrong is told; the index stays, so that nothing else is wrong for want of it
  for (FlatIndex& index : system.indices)
    if (index.derived && index.length.empty()) {
      index.derived = nullptr;
      index.fixed = 0;
      index.length = "0";
    }
}

void check_letters(const FlatDefinition& system, const ParsedName& n, const Text& text) {
  std::set<std::string> seen;
  for (const std::string& letter : n.indices) {
    if (!system.index(letter))
      fail_at("G014", fmt::format("\"{}\" is not an index", letter), text, 0,
              static_cast<int>(text.text.size()),
              fmt::format("declare it: \"index\": {{\"{}\": \"tau\"}}", letter));
    if (!seen.insert(letter).second)
      fail_at("G013", fmt::format("index \"{}\" stands twice", letter), text, 0,
              static_cast<int>(text.text.size()));
  }
}

std::vector<std::int64_t> shape_values(const std::vector<Text>& shape, const FlatDefinition& system,
                                       const Text& name) {
  if (shape.size() > 4)
    fail_at("G021",
            fmt::format("\"{}\" has {} axes; tensors have at most 4", name.text, shape.size()),
            name, 0, static_cast<int>(name.text.size()));
  std::vector<std::int64_t> dims;
  for (const Text& axis : shape) dims.push_back(size_value(axis, system.sizes));
  try {
    checked_elements(dims);
  } catch (const Error& e) {
    Diagnostic diagnostic = e.diagnostics().front();
    fail_at(diagnostic.code, fmt::format("\"{}\": {}", name.text, diagnostic.message), name, 0,
            static_cast<int>(name.text.size()));
  }
  return dims;
}

// "x[t]", an index list and all
ParsedName declared_name(const Text& text) {
  try {
    return parse_declared_name(text);
  } catch (const Error& e) {
    std::vector<Diagnostic> problems = e.diagnostics();
    for (Diagnostic& d : problems)
      if (d.code == "E001") d.code = "G025", d.help = kNameHelp;
    throw Error(Status::bad_input, std::move(problems));
  }
}

void add_declarations(FlatDefinition& system, const Definition& d, Names& names) {
  for (const InputDeclaration& i : d.inputs)
    collect(
        system,
        [&] {
          const ParsedName n = declared_name(i.name);
          check_plain(n.name, i.name.source);
          names.declare_data(n.name, i.name);
          check_letters(system, n, i.name);
          FlatInput input{n.name, n.indices, shape_values(i.shape, system, i.name), -1, i.name};
          if (i.category) input.category = size_value(*i.category, system.sizes);
          if (i.position) {
            if (!system.index(i.position->text))
              fail_at("G014",
                      fmt::format("\"{}\" holds positions of \"{}\", which is not an index", n.name,
                                  i.position->text),
                      i.name, 0, static_cast<int>(n.name.size()),
                      "write \"position(t)\" for an index t");
            input.position = i.position->text;
            input.after = i.position_after;
          }
          system.inputs.push_back(std::move(input));
        },
        i.name.text);
  for (const WeightDeclaration& w : d.weights)
    collect(
        system,
        [&] {
          const ParsedName n = declared_name(w.name);
          check_plain(n.name, w.name.source);
          names.declare(n.name, w.name);
          check_letters(system, n, w.name);
          system.weights.push_back({n.name, n.indices, shape_values(w.shape, system, w.name), w});
        },
        w.name.text);
}

void add_equations(FlatDefinition& system, const Definition& d, Names& names) {
  std::set<std::string> defined;
  for (const Text& text : d.equations)
    collect(
        system,
        [&] {
          ParsedEquation e = parse_equation(text);
          check_plain(e.name, text.source);
          // a length may be defined by "tau ~ categorical(..)" (R14)
          if (defined.insert(e.name).second && !system.is_length(e.name))
            names.declare_data(e.name, text);
          system.equations.push_back(std::move(e));
        },
        text.text);
  for (const Text& text : d.loss)
    collect(system, [&] { system.loss.push_back(parse_expression(text)); });
  for (const auto& [letter, text] : d.ends)
    collect(system, [&, &letter = letter, &text = text] {
      if (!system.index(letter))
        fail_at("G014", fmt::format("\"ends\" names \"{}\", which is not an index", letter), text,
                0, static_cast<int>(text.text.size()));
      if (std::ranges::any_of(system.ends, [&](const auto& e) { return e.first == letter; }))
        fail_at("E013", fmt::format("\"ends\" of {} is said twice", letter), text, 0,
                static_cast<int>(text.text.size()), "join the conditions, as in max(a, b)");
      system.ends.emplace_back(letter, parse_expression(text));
    });
}

}  // namespace

bool is_section(std::string_view name) { return name == "loss" || name == "ends"; }
bool is_function_name(std::string_view name) { return find_function(name) != nullptr; }
std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& f : functions()) names.emplace_back(f.name);
  for (const Op* op : registry().last(own_ops())) names.emplace_back(op->name);
  return names;
}
const Op* own_function(std::string_view name) {
  return is_function_name(name) ? nullptr : find_own_op(name);
}

FlatDefinition expand_within(const Definition& d,
                             const std::map<std::string, std::int64_t>& given_sizes,
                             Expansion& spent) {
  FlatDefinition system;
  system.name = d.name;
  system.file = d.file;
  Names names(system);
  for (const SizeDeclaration& s : d.sizes) {
    collect(system, [&] { check_plain(s.name, s.source); });
    names.declare(s.name, s.source);
    const auto given = given_sizes.find(s.name);
    system.sizes[s.name] = given != given_sizes.end() ? given->second : s.value;
  }
  for (const ConstantDeclaration& c : d.constants) {
    collect(system, [&] { check_plain(c.name, c.source); });
    names.declare(c.name, c.source);
    if (!std::isfinite(c.value))
      collect(system, [&] {
        fail_at("G003",
                fmt::format("the constant \"{}\" is {}: a definition holds finite numbers", c.name,
                            c.value),
                Text{c.name, c.source}, 0, static_cast<int>(c.name.size()));
      });
    system.constants[c.name] = c.value;
  }
  add_indices(system, d, names);
  add_declarations(system, d, names);
  for (const ImportDeclaration& i : d.imports) names.declare(i.prefix, i.source);
  add_equations(system, d, names);
  expand_functions(system, d.functions, spent);
  expand_imports(system, d, spent);
  return system;
}

FlatDefinition expand(const Definition& d) {
  Expansion spent;
  FlatDefinition system = expand_within(d, {}, spent);
  take_needed(system);
  return system;
}

}  // namespace taugrad
