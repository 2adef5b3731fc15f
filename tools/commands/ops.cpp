#include <fmt/core.h>

#include <memory>

#include "base/fail.h"
#include "base/suggest.h"
#include "commands/commands.h"
#include "graph/attributes.h"
#include "json/json_writer.h"
#include "output.h"
#include "taugrad/graph/op.h"
#include "taugrad/language/functions.h"

namespace taugrad::cli {
namespace {

std::vector<std::string> traits_of(const Op& op) {
  const Traits& t = op.traits;
  std::vector<std::string> words;
  const auto add = [&](bool has, const char* word) {
    if (has) words.emplace_back(word);
  };
  add(t.leaf, "leaf");
  add(t.elementwise, "elementwise");
  add(t.linear, "linear");
  add(t.bilinear, "bilinear");
  add(t.chooses, "chooses");
  add(t.view, "view");
  add(t.discrete, "discrete");
  add(t.random, "random");
  return words;
}

// of a category the number of its symbols
std::string_view kind_of(std::string_view name, std::string_view kind) {
  return name == "category" ? "integer" : kind.empty() ? "any" : kind;
}

std::string as_text(const std::vector<const Op*>& ops, bool with_attributes) {
  std::string text;
  for (const Op* op : ops) {
    const std::string arity = op->arity == kAnyArity ? "n" : fmt::format("{}", op->arity);
    text += fmt::format("{:<20} {:>2}  {}\n", op->name, arity, op->about);
    if (!with_attributes) continue;
    for (const auto& [name, kind] : attributes_of(*op))
      text += fmt::format("{:<23}  attribute {}: {}\n", "", name, kind_of(name, kind));
  }
  return text;
}

std::string functions_text() {
  std::string text;
  for (const FunctionText& f : function_texts())
    text += fmt::format("{}\n    {}\n", f.usage, f.about);
  return text;
}

std::string functions_json() {
  json::Writer w;
  w.begin_object().key("functions").begin_array();
  for (const FunctionText& f : function_texts())
    w.begin_object()
        .field("name", f.name)
        .field("usage", f.usage)
        .field("about", f.about)
        .field("over_index", f.over_index)
        .end_object();
  w.end_array().end_object();
  return w.text() + "\n";
}

std::string as_json(const std::vector<const Op*>& ops) {
  json::Writer w;
  w.begin_object().key("ops").begin_array();
  for (const Op* op : ops) {
    w.begin_object().field("name", op->name).key("inputs");
    op->arity == kAnyArity ? w.value("any") : w.value(op->arity);
    w.field("about", op->about)
        .field("differentiable", op->vjp != nullptr)
        .key("attributes")
        .begin_object();
    for (const auto& [name, kind] : attributes_of(*op)) w.field(name, kind_of(name, kind));
    w.end_object().key("traits").begin_array();
    for (const std::string& t : traits_of(*op)) w.value(t);
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.text() + "\n";
}

std::vector<const Op*> chosen(const std::vector<std::string>& names) {
  std::vector<const Op*> ops;
  if (names.empty()) ops.assign(registry().begin(), registry().end());
  for (const std::string& name : names) {
    const Op* op = find_op(name);
    if (op == nullptr) {
      std::vector<std::string> known;
      for (const Op* o : registry()) known.emplace_back(o->name);
      Diagnostic d;
      d.code = "U001";
      d.message = fmt::format("unknown op {}", name);
      d.help = did_you_mean(name, known);
      fail(Status::usage, std::move(d));
    }
    ops.push_back(op);
  }
  return ops;
}

}  // namespace

Command ops_command() {
  auto names = std::make_shared<std::vector<std::string>>();
  Command c;
  c.name = "ops";
  c.about = "Lists the operations that graphs are made of";
  c.examples = {{"taugrad ops tanh matmul --json",
                 "operations of graphs: all, or some of them with their attributes; for programs"},
                {"taugrad ops --functions", "what equations are written with"}};
  c.positional({.name = "OP",
                .help = "only these",
                .least = 0,
                .most = 1000000,
                .take = [names](const std::string& v) { names->push_back(v); }});
  auto functions = std::make_shared<bool>(false);
  c.flag("--functions", "the functions of equations instead", *functions);
  c.run = [names, functions](const Context& context) {
    if (*functions) {
      print(context.json ? functions_json() : functions_text());
      return 0;
    }
    const std::vector<const Op*> ops = chosen(*names);
    print(context.json ? as_json(ops) : as_text(ops, !names->empty()));
    return 0;
  };
  return c;
}

}  // namespace taugrad::cli
