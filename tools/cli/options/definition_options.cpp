#include "options/definition_options.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/system/memory_limit.h"
#include "base/utf8.h"
#include "language/resolve/resolved_model.h"
#include "options/subject.h"
#include "output.h"
#include "plan/passes/passes.h"
#include "train/state/words.h"

namespace taugrad::cli {
namespace {

constexpr std::int64_t kMostSteps = 1'000'000'000'000;

// "a=1,b=2": every piece before and after its '='
void each_assignment(const std::string& option, const std::string& text,
                     const std::function<void(const std::string&, const std::string&)>& take) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string piece = text.substr(at, end - at);
    const std::size_t equals = piece.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == piece.size())
      fail(Status::usage, "U002", "{} takes NAME=VALUE, got {}", option, printable(text));
    take(piece.substr(0, equals), piece.substr(equals + 1));
    at = end + 1;
  }
}

[[noreturn]] void unknown(const char* kind, const std::string& name,
                          const std::vector<std::string>& known, const Definition& d) {
  Diagnostic e;
  e.code = "U002";
  e.message = fmt::format("{} has no {} \"{}\"", d.name.empty() ? "the definition" : d.name, kind,
                          printable(name));
  e.help = did_you_mean(name, known);
  if (e.help.empty())
    e.help = known.empty() ? "it has none" : fmt::format("it has {}", fmt::join(known, ", "));
  fail(Status::usage, std::move(e));
}

// sizes that only imports speak of: they take the outer size of that name where one is declared
void collect_sizes_of_imports(const Definition& d, std::set<std::string>& names) {
  std::vector<ImportDeclaration> open = d.imports;
  std::set<std::string> seen;
  while (!open.empty()) {
    const ImportDeclaration i = open.back();
    open.pop_back();
    if (!seen.insert(i.from).second) continue;
    const Definition inner = load_definition(i.from);
    for (const SizeDeclaration& s : inner.sizes) names.insert(s.name);
    open.insert(open.end(), inner.imports.begin(), inner.imports.end());
  }
}

}  // namespace

void add_sizes(Command& c, DefinitionOptions& o) {
  c.option(
      {.name = "--size",
       .letter = "",
       .value = "NAME=N",
       .help = "sets a size; repeatable",
       .take = [&o](const std::string& text) {
         each_assignment("--size", text, [&](const std::string& name, const std::string& value) {
           o.sizes.emplace_back(name, parse_integer("--size " + name, value, 1, 2147483647));
         });
       }});
}

void add_equations(Command& c, DefinitionOptions& o, const std::string& instead_of) {
  c.option({.name = "--equation",
            .letter = "e",
            .value = "EQ",
            .help = "an equation instead of " + instead_of + "; repeatable",
            .take = [&o](const std::string& v) { o.equations.push_back(v); }});
}

void add_loss(Command& c, DefinitionOptions& o) {
  c.option({.name = "--loss",
            .letter = "",
            .value = "EXPR",
            .help = "the loss, in place of the definition's; repeatable: terms. Of a graph: a node",
            .take = [&o](const std::string& v) { o.loss.push_back(v); }});
}

void override_loss(Definition& d, const DefinitionOptions& o) {
  if (o.loss.empty()) return;
  d.loss.clear();
  for (const std::string& term : o.loss) {
    Text text{term, {}};
    text.source.pointer = "--loss";
    d.loss.push_back(std::move(text));
  }
  d.loss_is_list = d.loss.size() > 1;
}

void add_definition(Command& c, DefinitionOptions& o) {
  c.positional({.name = "DEF",
                .help = "a definition file, - for standard input, or a name in graphs/",
                .least = 0,
                .most = 1,
                .take = [&o](const std::string& v) { o.file_or_name = v; }});
  add_equations(c, o, "DEF");
  add_loss(c, o);
  add_sizes(c, o);
  c.option(
      {.name = "--set",
       .letter = "",
       .value = "NAME=X",
       .help = "sets a constant; repeatable",
       .take =
           [&o](const std::string& text) {
             each_assignment("--set", text, [&](const std::string& name, const std::string& value) {
               o.constants.emplace_back(
                   name, parse_number("--set " + name, value, "", [](double) { return true; }));
             });
           },
       .common = false});
  c.flag("--allow-unused", "accept weights and inputs that no equation reads", o.allow_unused)
      .rare();
}

// Of equations alone, sizes that they leave open are taken as they come; where those do not fit,
// somebody has to say which.
static void resolve_told(const Definition& d, const DefinitionOptions& o) try {
  resolve(d, {.allow_unused = o.allow_unused});
} catch (const Error& e) {
  if (o.equations.empty() || d.sizes.empty()) throw;
  std::vector<Diagnostic> told = e.diagnostics();
  std::vector<std::string> sizes;
  for (const SizeDeclaration& s : d.sizes) sizes.push_back(fmt::format("{} = {}", s.name, s.value));
  for (Diagnostic& t : told)
    if (t.code == "G020" && t.help.empty())
      t.help = fmt::format("sizes that the equations leave open are {}; state one by --size {}=..",
                           fmt::join(sizes, ", "), d.sizes.back().name);
  throw Error(e.status(), std::move(told));
}

void override_sizes(Definition& d, const DefinitionOptions& o) {
  std::set<std::string> of_imports;
  if (!o.sizes.empty() && !d.imports.empty()) collect_sizes_of_imports(d, of_imports);
  for (const auto& [name, value] : o.sizes) {
    const auto it = std::find_if(d.sizes.begin(), d.sizes.end(),
                                 [&name = name](const auto& s) { return s.name == name; });
    if (it != d.sizes.end()) {
      it->value = value;
      continue;
    }
    if (of_imports.contains(name)) {
      d.sizes.push_back({name, value, {}});
      continue;
    }
    std::vector<std::string> known(of_imports.begin(), of_imports.end());
    for (const auto& s : d.sizes) known.push_back(s.name);
    unknown("size", name, known, d);
  }
}

Definition read_definition(const DefinitionOptions& o, const Context& context) {
  if (o.file_or_name.empty() == o.equations.empty()) {
    Diagnostic e;
    e.code = "U006";
    e.message = o.equations.empty()
                    ? "a definition is needed: a file, a name in graphs/, or -e EQUATION"
                    : "give a definition or equations, not both";
    e.help =
        o.equations.empty() ? "for example elman, or -e 'h[t] = tanh(W @ h[t-1] + U @ x[t])'" : "";
    fail(Status::usage, std::move(e));
  }
  require_definition(o);
  if (o.equations.empty()) tell_shadowed(o.file_or_name, context);
  return finished_definition(o.equations.empty() ? load_definition(o.file_or_name)
                                                 : definition_from_equations(o.equations, o.loss),
                             o, context);
}

Definition finished_definition(Definition d, const DefinitionOptions& o, const Context& context) {
  if (o.equations.empty()) override_loss(d, o);
  override_sizes(d, o);
  for (const auto& [name, value] : o.constants) {
    const auto it = std::find_if(d.constants.begin(), d.constants.end(),
                                 [&name = name](const auto& c) { return c.name == name; });
    if (it == d.constants.end()) {
      std::vector<std::string> known;
      for (const auto& c : d.constants) known.push_back(c.name);
      unknown("constant", name, known, d);
    }
    it->value = value;
  }
  const auto set = [&](const std::string& line) {  // who says a size needs no word of it
    return std::ranges::any_of(o.sizes,
                               [&](const auto& s) { return line.starts_with(s.first + " = "); });
  };
  for (const std::string& line : d.notes)
    if (!set(line)) note(context, line);
  resolve_told(d, o);
  return d;
}

void check_steps(const Definition& d, const StepOptions& o) {
  for (const auto& [name, steps] : o.lengths) {
    std::vector<std::string> known;
    for (const IndexDeclaration& i : d.indices) known.insert(known.end(), {i.name, i.length});
    if (std::find(known.begin(), known.end(), name) == known.end())
      unknown("index or length", name, known, d);
  }
}

void add_max_memory(Command& c) {
  c.option({.name = "--max-memory",
            .letter = "",
            .value = "SIZE",
            .help = "refuse to use more: MiB, or 500M, 2G",
            .take = [](const std::string& v) { set_memory_limit(parse_memory("--max-memory", v)); },
            .common = false});
}

void add_plan_options(Command& c, EngineOptions& o) {
  c.choice("--precision", "bf16: products read operands rounded to bfloat16 and add up in f32",
           o.precision, kPrecisions)
      .rare();
  c.option({.name = "--without",
            .letter = "",
            .value = "PASS",
            .help = "leaves out a pass of the plan (`show --plan` lists them); repeatable",
            .take =
                [&o](const std::string& v) {
                  plan::PassSet().without(v);
                  o.without.push_back(v);
                },
            .common = false});
}

void add_engine(Command& c, EngineOptions& o) {
  add_max_memory(c);
  c.option({.name = "--threads",
            .letter = "",
            .value = "N",
            .help = "threads to run on; results are the same [all cores]",
            .take =
                [&o](const std::string& v) {
                  o.threads = static_cast<int>(parse_integer("--threads", v, 1, 1024));
                },
            .common = false});
  add_plan_options(c, o);
}

void add_checkpoint(Command& c, bool& checkpoint) {
  static constexpr Word<bool> kWords[] = {{"none", false}, {"sqrt", true}};
  c.choice("--checkpoint",
           "sqrt: memory for about 2 sqrt(steps) of them, a third more time; the same bits",
           checkpoint, kWords)
      .rare();
}

void add_chunk(Command& c, EngineOptions& o) {
  c.option(
      {.name = "--chunk",
       .letter = "",
       .value = "N",
       .help = "recurrences linear in a state, N steps at once as products [0: step by step]",
       .take = [&o](const std::string& v) { o.chunk = parse_integer("--chunk", v, 0, kMostSteps); },
       .common = false});
}

void add_steps(Command& c, StepOptions& o, const std::string& help) {
  c.option({.name = "--steps",
            .letter = "",
            .value = "N",
            .help = help,
            .take = [&o](const std::string& text) {
              if (text.find('=') == std::string::npos) {
                o.steps = parse_integer("--steps", text, 0, kMostSteps);
                return;
              }
              each_assignment(
                  "--steps", text, [&](const std::string& name, const std::string& value) {
                    o.lengths[name] = parse_integer("--steps " + name, value, 0, kMostSteps);
                  });
            }});
}

}  // namespace taugrad::cli
