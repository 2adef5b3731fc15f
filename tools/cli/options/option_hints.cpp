#include "options/option_hints.h"

#include <string_view>

namespace taugrad::cli {
namespace {

struct Hint {
  std::string_view code;
  std::string_view said;  ///< somewhere in the message or the help
  std::string_view option;
};

constexpr Hint kHints[] = {
    {"R001", "max_memory", "--batch, --steps, --dtype f32, --max-memory"},
    {"U002", "Graphviz makes other pictures", "the form without -o: | dot -Tpng > FILE.png"},
    {"G023", "say which node it is", "--loss NAME"},
    {"U020", "to take for the loss", "--loss NAME"},
    {"G012", "register_op", "`taugrad ops` lists them; one of your own: --load FILE"},
    {"G022", "how many steps", "--steps 5"},
    {"U007", "the batch is", "--batch"},
    {"U007", "steps are", "--steps; modes: --mode y=sampled, y=forced(3,3)"},
    {"U007", "\"nesterov\" of the optimizer) has no effect without", "--nesterov --momentum 0.9"},
    {"U007", "\"coupled\" of the optimizer) has no effect without",
     "--coupled-decay --weight-decay 0.01"},
    {"U007", "\"decayed\" of the optimizer", "--decay-of NAMES --weight-decay 0.01"},
    {"U007", "leaves no weight to train", "--freeze some of them"},
    {"D016", "ignore_unknown", "--ignore-unknown"},
    {"E014", "allow_unused", "--allow-unused"},
    {"E017", "the number of steps", "--steps"},
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

Diagnostic with_option(Diagnostic d) {
  for (const Hint& hint : kHints) {
    if (d.code != hint.code || !(has(d.help, hint.said) || has(d.message, hint.said))) continue;
    if (has(d.help, hint.option)) continue;
    d.help += d.help.empty() ? "" : "; ";
    d.help += hint.option;
  }
  return d;
}

}  // namespace taugrad::cli
