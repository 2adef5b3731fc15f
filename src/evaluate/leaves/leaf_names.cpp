#include "evaluate/leaves/leaf_names.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/utf8.h"
#include "taugrad/language/mode.h"
#include "taugrad/ops/records.h"

namespace taugrad::runtime {

void LeafNames::check_input(const std::string& name) const {
  const bool of_batch =
      name == "item" || (name == "lengths" && lengths.size() == 1) ||
      (name.starts_with("lengths:") && std::ranges::find(lengths, name.substr(8)) != lengths.end());
  if (of_batch || inputs.contains(name)) return;
  Diagnostic d;
  d.code = "D016";
  d.message = fmt::format("the graph has no input \"{}\"", printable(name));
  d.help = weights.contains(name) ? "it is a weight: give it among the weights"
                                  : did_you_mean(name, {inputs.begin(), inputs.end()});
  fail(Status::bad_input, std::move(d));
}

LeafNames leaf_names(const Tape& tape) {
  LeafNames names{.inputs = {}, .weights = {}, .lengths = tape.length_names};
  std::vector<char> seen;  // by number of the name: a sequence has a leaf for each step
  for (NodeId id = 0; id < tape.size(); ++id) {
    const bool input = &tape.op(id) == &kInput, weight = &tape.op(id) == &kWeight;
    if (!input && !weight) continue;
    const NameId number = tape.name_id(id);
    if (tape.is_value(id)) {
      if (number >= seen.size()) seen.resize(number + std::size_t{1}, 0);
      if (seen[number] != 0) continue;
      seen[number] = 1;
    }
    const std::string name =
        tape.is_value(id) ? std::string(tape.name(id)) : fmt::format("#{}", id);
    (input ? names.inputs : names.weights).insert(name);
    if (input) names.inputs.insert(data_of(name));
  }
  return names;
}

}  // namespace taugrad::runtime
