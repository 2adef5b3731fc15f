#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/fail.h"
#include "base/limits.h"
#include "base/suggest.h"
#include "language/syntax/flat_definition.h"
#include "language/templates/function_table.h"

namespace taugrad {
namespace {

class Expander {
 public:
  Expander(FlatDefinition& system, const std::vector<Text>& texts, Expansion& spent)
      : spent_(spent) {
    for (const Text& text : texts)
      collect(
          system, [&] { add(parse_function(text)); }, text.text);
    // callees first, so that every body is expanded once
    for (auto& [name, f] : functions_)
      collect(
          system, [&, &name = name] { visit(name); }, name);
  }

  /// Replaces every call of a definition's function by its body; arguments are shared, not copied.
  Ast expanded(const Ast& ast) const {
    Ast out;
    std::vector<int> to(ast.nodes.size());
    for (std::size_t id = 0; id < ast.nodes.size(); ++id) {
      AstNode n = ast.nodes[id];
      for (int& child : n.children) child = to[static_cast<std::size_t>(child)];
      const auto f = n.kind == AstNode::Kind::call ? functions_.find(n.name) : functions_.end();
      to[id] = f == functions_.end() ? push(out, std::move(n)) : inline_call(out, n, f->second);
    }
    keep_root_last(out, to.empty() ? -1 : to.back());
    return out;
  }

 private:
  enum class State { fresh, open, done };
  struct Entry {
    ParsedFunction function;
    State state = State::fresh;
  };

  void add(ParsedFunction f) {
    const Function* ours = find_function(f.name);
    if ((ours != nullptr && !ours->given_up) || f.name == "last" || f.name == "inf")
      fail_at("E004", fmt::format("\"{}\" is reserved", f.name), f.text, 0,
              static_cast<int>(f.name.size()), "choose another name");
    for (const AstNode& n : f.body.nodes)
      if (n.kind == AstNode::Kind::reference || n.kind == AstNode::Kind::reduction)
        fail_at("E006", "a function sees no indices", n, "pass the indexed value as an argument");
    const std::string name = f.name;
    if (!functions_.emplace(name, Entry{std::move(f), State::fresh}).second)
      fail(Status::bad_input, "G013", "function \"{}\" is defined twice", name);
  }

  void visit(const std::string& start) {
    std::vector<std::string> stack{start};
    while (!stack.empty()) {
      Entry& entry = functions_.at(stack.back());
      entry.state = State::open;
      bool waits = false;
      for (const AstNode& n : entry.function.body.nodes) {
        const auto callee =
            n.kind == AstNode::Kind::call ? functions_.find(n.name) : functions_.end();
        if (callee == functions_.end() || callee->second.state == State::done) continue;
        if (callee->second.state == State::open)
          fail_at("E006", fmt::format("function \"{}\" calls itself", n.name), n,
                  "functions are expanded at the call; write a recurrence instead");
        stack.push_back(n.name);
        waits = true;
        break;
      }
      if (waits) continue;
      entry.function.body = expanded(entry.function.body);
      entry.state = State::done;
      stack.pop_back();
    }
  }

  int push(Ast& out, AstNode n) const {
    spent_.add_node(n);
    out.nodes.push_back(std::move(n));
    return out.root();
  }

  int inline_call(Ast& out, const AstNode& call, const Entry& entry) const {
    const ParsedFunction& f = entry.function;
    if (!call.named.empty())
      fail_at("G015",
              fmt::format("{} has no argument \"{}\": it is a function of the definition", f.name,
                          call.named[0]),
              call);
    if (call.children.size() != f.parameters.size())
      fail_at("G015",
              fmt::format("{} takes {} argument{}, got {}", f.name, f.parameters.size(),
                          f.parameters.size() == 1 ? "" : "s", call.children.size()),
              call);
    std::vector<int> to(f.body.nodes.size());
    for (std::size_t id = 0; id < f.body.nodes.size(); ++id) {
      AstNode n = f.body.nodes[id];
      for (int& child : n.children) child = to[static_cast<std::size_t>(child)];
      const auto p = n.kind == AstNode::Kind::name
                         ? std::find(f.parameters.begin(), f.parameters.end(), n.name)
                         : f.parameters.end();
      to[id] = p != f.parameters.end()
                   ? call.children[static_cast<std::size_t>(p - f.parameters.begin())]
                   : push(out, std::move(n));
    }
    return to.back();
  }

  // a body that is only a parameter leaves an earlier node as the root
  static void keep_root_last(Ast& out, int root) {
    if (root < 0 || root == out.root()) return;
    out.nodes.resize(static_cast<std::size_t>(root) + 1);
  }

  Expansion& spent_;
  std::map<std::string, Entry> functions_;
};

}  // namespace

void Expansion::add_node(const AstNode& n) {
  if (++nodes > static_cast<std::size_t>(limits::kFoldedNodes))
    fail_at("G022", fmt::format("the definition grows beyond {} nodes", limits::kFoldedNodes), n,
            "functions and imports are expanded at every mention");
}

void expand_functions(FlatDefinition& system, const std::vector<Text>& functions,
                      Expansion& spent) {
  const Expander expander(system, functions, spent);
  for (ParsedEquation& e : system.equations)
    for (Ast& ast : e.arguments)
      collect(
          system, [&] { ast = expander.expanded(ast); }, e.name);
  for (Ast& ast : system.loss)
    collect(
        system, [&] { ast = expander.expanded(ast); }, "loss");
  for (auto& [letter, ast] : system.ends)
    collect(
        system, [&, &ast = ast] { ast = expander.expanded(ast); }, "ends");
}

}  // namespace taugrad
