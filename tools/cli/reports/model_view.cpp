#include "reports/model_view.h"

#include <fmt/core.h>

#include <cmath>
#include <vector>

#include "base/fail.h"
#include "output.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/model_picture.h"

namespace taugrad::cli {
namespace {

constexpr std::int64_t kMostConfirmed = 400;  // nodes

std::vector<int> nodes_of(const GraphicalModel& model, std::string_view list) {
  std::vector<int> numbers;
  int depth = 0;
  std::string label;
  for (const char c : std::string(list) + ",") {
    depth += c == '[' ? 1 : c == ']' ? -1 : 0;
    if (c == ' ') continue;
    if (c != ',' || depth > 0) {
      label += c;
      continue;
    }
    if (label.empty()) continue;
    const int n = model.find(label);
    if (n < 0)
      fail(Status::usage, "U002", "the model has no node {}; it has {} to {}", label,
           model.nodes.front().label(), model.nodes.back().label());
    numbers.push_back(n);
    label.clear();
  }
  return numbers;
}

/// "A,B;C|D": are A, B independent of C given D and the inputs?
bool independent(const GraphicalModel& model, const std::string& question) {
  const std::size_t bar = question.find('|'), semicolon = question.find(';');
  if (semicolon == std::string::npos || (bar != std::string::npos && bar < semicolon))
    fail(Status::usage, "U002",
         "--independent takes A;B or A;B|C, such as 'y[1];y[3]|y[2]', got {}", question);
  const std::string_view text = question;
  const auto end = bar == std::string::npos ? text.size() : bar;
  const std::vector<int> a = nodes_of(model, text.substr(0, semicolon)),
                         b = nodes_of(model, text.substr(semicolon + 1, end - semicolon - 1)),
                         given = end == text.size() ? std::vector<int>{}
                                                    : nodes_of(model, text.substr(end + 1));
  if (a.empty() || b.empty())
    fail(Status::usage, "U002", "--independent needs a node on both sides of the semicolon, got {}",
         question);
  return separated(model, a, b, given);
}

void tell(const GraphicalModel& m, const Context& context) {
  const double table = table_entries(m);
  note(context, fmt::format("{} nodes, {} edge{}: {}", m.nodes.size(), m.edges(),
                            m.edges() == 1 ? "" : "s", to_text(structure_of(m))));
  note(context,
       fmt::format("{} parameters; {}", m.parameters,
                   std::isinf(table) ? "no table would do: a variable holds numbers"
                                     : fmt::format("as tables {:.15g} free entries", table)));
}

int tell(const Confirmation& c, const GraphicalModel& m, const Context& context) {
  const auto name = [&](const Influence& p) {
    return fmt::format("{} -> {}: derivative {:.3g}, change {:.3g}",
                       m.nodes[static_cast<std::size_t>(p.from)].label(),
                       m.nodes[static_cast<std::size_t>(p.to)].label(), p.derivative, p.change);
  };
  std::int64_t edges = 0;
  for (const Influence& p : c.pairs) {
    edges += p.edge;
    if (p.felt() != p.edge) note(context, name(p) + (p.edge ? ": an edge, not felt" : ": NO EDGE"));
  }
  note(context,
       fmt::format("{} pairs measured: {} edges felt, {} others exactly 0{}", c.pairs.size(),
                   edges - c.unfelt, static_cast<std::int64_t>(c.pairs.size()) - edges - c.wrong,
                   c.ok() ? "" : fmt::format("; {} edges not felt, {} WRONG", c.unfelt, c.wrong)));
  return c.wrong == 0 ? 0 : static_cast<int>(Status::check_failed);
}

}  // namespace

void add_model(Command& c, ModelOptions& o) {
  c.flag("--states", "view model: keep the states that steps hand on", o.states).rare();
  c.flag("--confirm", "view model: measure every edge, and that there is no other", o.confirm)
      .rare();
  c.text("--independent", "A;B|C",
         "view model: is A independent of B given C and the inputs? Status 1: no", o.independent)
      .rare();
}

int show_model(const Definition& d, const ModelOptions& o, const Context& context,
               const std::function<void(const GraphicalModel&, const Picture&)>& deliver) {
  UnfoldOptions unfolding;
  unfolding.steps = o.steps.given() ? o.steps.steps : 3;
  unfolding.lengths = o.steps.lengths;
  const Unfolded u = unfold(d, unfolding);
  const GraphicalModel full = graphical_model(u);
  const GraphicalModel with_states =
      o.states ? graphical_model(u, {.states = true}) : GraphicalModel{};
  const GraphicalModel& shown = o.states ? with_states : full;
  int status = 0;
  bool answer = true;
  if (!o.independent.empty()) answer = independent(full, o.independent);
  if (o.confirm && full.nodes.size() > static_cast<std::size_t>(kMostConfirmed))
    fail(Status::resource, "R002",
         "the model has {} nodes, --confirm takes up to {}: take fewer steps", full.nodes.size(),
         kMostConfirmed);
  deliver(shown, picture_of(shown, {.most_steps = o.all_steps ? 0 : 8, .printed = o.printed}));
  tell(shown, context);
  if (o.confirm)
    status =
        tell(taugrad::confirm(d, unfolding.steps, {.lengths = unfolding.lengths}), full, context);
  if (!o.independent.empty()) {
    note(context, fmt::format("{}: {}", o.independent, answer ? "independent" : "dependent"));
    if (!answer) status = static_cast<int>(Status::check_failed);
  }
  return status;
}

}  // namespace taugrad::cli
