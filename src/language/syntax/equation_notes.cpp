#include <fmt/ranges.h>

#include <string>
#include <vector>

#include "language/syntax/from_equations.h"

namespace taugrad {
namespace {

std::string listed(const std::vector<Text>& shape) {
  std::vector<std::string> axes;
  for (const Text& t : shape) axes.push_back(t.text);
  return fmt::format("[{}]", fmt::join(axes, ", "));
}

}  // namespace

void add_notes(Definition& d) {
  for (const InputDeclaration& i : d.inputs) {
    const std::string shape = i.shape.size() == 1 ? i.shape.front().text : listed(i.shape);
    if (i.position) {
      d.notes.push_back(
          fmt::format("{}: an input that holds positions of {}", i.name.text, i.position->text));
      continue;
    }
    d.notes.push_back(
        i.category ? fmt::format("{}: an input, one of {} symbols", i.name.text, i.category->text)
                   : fmt::format("{}: an input of {}", i.name.text, shape));
  }
  for (const WeightDeclaration& w : d.weights) {
    d.notes.push_back(fmt::format("{}: a weight of {}", w.name.text, listed(w.shape)));
    if (d.inputs.empty() && w.name.text == "x")
      d.notes.push_back("x: no input, for it has no index; write x[t] for an input at every step");
  }
  for (const Text& term : d.loss) d.notes.push_back("the loss: " + term.text);
  for (const SizeDeclaration& s : d.sizes)
    d.notes.push_back(
        fmt::format("{} = {} (change it with --size {}=..)", s.name, s.value, s.name));
}

}  // namespace taugrad
