#pragma once

#include <cstddef>
#include <vector>

#include "language/resolve/resolved_model.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

/// What items give to a model that draws or searches: the inputs alone, and the lengths that these
/// tell.
class GivenInputs {
 public:
  GivenInputs(const ResolvedModel& model, const Dataset& items) : told_(model.lengths.size()) {
    for (const Symbol& s : model.symbols)
      if (s.kind == SymbolKind::input)
        for (const int axis : s.axes)
          told_[static_cast<std::size_t>(model.index_length[static_cast<std::size_t>(axis)])] = 1;
    for (const Example& e : items.examples) {
      Example own;
      for (const auto& [name, t] : e.values) {
        const int s = model.find(name);
        if (s >= 0 && model.symbols[static_cast<std::size_t>(s)].kind == SymbolKind::input)
          own.values.emplace(name, t);
      }
      for (std::size_t l = 0; l < told_.size(); ++l)
        if (told_[l] != 0 && model.fixed_lengths[l] < 0 && !model.is_derived(l))
          own.lengths[model.lengths[l]] = e.lengths.at(model.lengths[l]);
      inputs_.examples.push_back(std::move(own));
    }
  }
  const Dataset& inputs() const { return inputs_; }
  bool tells(std::size_t length) const { return told_[length] != 0; }

 private:
  Dataset inputs_;
  std::vector<char> told_;
};

}  // namespace taugrad
