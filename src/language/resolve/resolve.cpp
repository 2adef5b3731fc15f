#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/fail.h"
#include "base/system/memory_limit.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

constexpr std::size_t kMaxProblems = 20;

void throw_problems(const FlatDefinition& system) {
  if (system.problems.empty()) return;
  std::vector<Diagnostic> problems = system.problems;
  std::stable_sort(problems.begin(), problems.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.line, a.column, a.code, a.message, a.file) ==
           std::tie(b.line, b.column, b.code, b.message, b.file);
  };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
  if (problems.size() > kMaxProblems) {
    const char* least = problems.size() < kMostProblems ? "" : "at least ";
    const std::size_t more = problems.size() - kMaxProblems;
    problems.resize(kMaxProblems);
    problems.back().help += fmt::format("{}(and {}{} more problems)",
                                        problems.back().help.empty() ? "" : " ", least, more);
  }
  throw Error(Status::bad_input, std::move(problems));
}

/// Names, numbers and signs outside of brackets like those of h[t-1]: what becomes a node.
std::size_t words_of(std::string_view text) {
  std::size_t words = 0;
  int places = 0;
  bool inside = false;  // a name or a number
  for (const char c : text) {
    const bool letter = c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z');
    const bool sign = std::string_view("+-*/@<>=").find(c) != std::string_view::npos;
    if (places == 0 && ((letter && !inside) || sign)) ++words;
    inside = letter;
    places += c == '[' ? 1 : c == ']' ? -1 : 0;
  }
  return words;
}

/// What the model of a definition takes, asked for before its equations are read.
void require_for_equations(const Definition& d) {
  constexpr double kEquation = 1200, kWord = 500;  // bytes, measured on definitions of each kind
  std::size_t words = 0;
  for (const Text& e : d.equations) words += words_of(e.text);
  for (const Text& term : d.loss) words += words_of(term.text);
  const std::size_t equations = d.equations.size() + d.loss.size();
  require_memory(
      "reading equations",
      {{fmt::format("{} equations", equations), static_cast<double>(equations) * kEquation},
       {fmt::format("their {} words", words), static_cast<double>(words) * kWord}});
}

}  // namespace

void check_unused(ResolvedModel& model) {
  std::set<std::string, std::less<>> used;
  for_each_ast(model.system, [&](const Ast& ast) {
    for (const AstNode& n : ast.nodes) used.insert(n.name);
  });
  const auto report = [&](const char* what, const std::string& name, const Text& text) {
    if (used.contains(name)) return;
    model.system.problems.push_back(at_text(
        "E014", fmt::format("{} \"{}\" is not used", what, name), text, 0,
        static_cast<int>(text.text.size()), "remove it, or allow what is unused (allow_unused)"));
  };
  for (const FlatInput& i : model.system.inputs) report("input", i.name, i.text);
  for (const FlatWeight& w : model.system.weights)
    if (w.taken) report("weight", w.name, w.declaration.name);
}

namespace {

// Where a sequence ends by itself, nothing is known of a length that follows from its own. (R17)
void check_ends_derived(ResolvedModel& model) {
  for (const auto& [letter, condition] : model.system.ends)
    for (std::size_t i = 0; i < model.index_length.size(); ++i)
      if (model.system.indices[i].name == letter)
        for (std::size_t l = 0; l < model.lengths.size(); ++l)
          if (model.is_derived(l) && are_related(model, static_cast<int>(l), model.index_length[i]))
            collect(model.system, [&, &c = condition] {
              fail_at(
                  "E022",
                  fmt::format("\"ends\" of an index whose length {} goes with", model.lengths[l]),
                  c.nodes.back(),
                  "a derived length is known before the start: give the length that it is derived "
                  "from");
            });
}

}  // namespace

std::shared_ptr<const ResolvedModel> resolve(const Definition& d, const ResolveOptions& options) {
  require_for_equations(d);
  auto model = std::make_shared<ResolvedModel>();
  model->system = expand(d);
  if (model->system.equations.empty() && d.loss.empty() && model->system.problems.empty())
    fail(Status::bad_input, "E015", "\"{}\" has no equations", d.name);
  declare_symbols(*model);
  check_ends_derived(*model);
  const auto components = order(*model);
  compile(*model, components);
  if (!options.allow_unused && model->system.problems.empty()) check_unused(*model);
  throw_problems(model->system);
  return model;
}

}  // namespace taugrad
