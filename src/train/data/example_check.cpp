#include "train/data/example_check.h"

#include <algorithm>

#include "base/fail.h"
#include "base/whole.h"
#include "evaluate/leaves/batch_data.h"
#include "evaluate/leaves/data_values.h"

namespace taugrad {
namespace {

class ExampleCheck {
 public:
  ExampleCheck(const ResolvedModel& model, const Example& e, std::size_t item)
      : model_(model), example_(e), item_(item) {}

  void operator()() const {
    lengths();
    for (const auto& [name, tensor] : example_.values) {
      const int s = model_.find(name);
      if (s < 0) refuse("D016", "has a tensor \"{}\", no name of the definition", name);
      const Symbol& symbol = model_.symbols[static_cast<std::size_t>(s)];
      if (symbol.kind != SymbolKind::input && !symbol.random())
        refuse("D016", "has a tensor \"{}\", which is no input and no random variable", name);
      axes(symbol, tensor);
      values(symbol, tensor);
    }
    for (const Symbol& s : model_.symbols)
      if ((s.kind == SymbolKind::input || (s.random() && s.length < 0)) &&
          !example_.values.contains(s.name))
        refuse("D005", "has no \"{}\"", s.name);
  }

 private:
  template <class... Args>
  [[noreturn]] void refuse(const char* code, fmt::format_string<Args...> text,
                           Args&&... args) const {
    Diagnostic d;
    d.code = code;
    d.message = fmt::format("item {} {}", item_, fmt::format(text, std::forward<Args>(args)...));
    if (example_.file) d.file = *example_.file;
    d.line = example_.line;
    fail(Status::bad_input, std::move(d));
  }

  void lengths() const {
    for (std::size_t l = 0; l < model_.lengths.size(); ++l) {
      const auto own = example_.lengths.find(model_.lengths[l]);
      if (own == example_.lengths.end() || own->second < 0)
        refuse("D014", "has no length \"{}\"", model_.lengths[l]);
      if (model_.fixed_lengths[l] >= 0 && model_.fixed_lengths[l] != own->second)
        refuse("D014", "has the length {} {}, the definition {}", model_.lengths[l], own->second,
               model_.fixed_lengths[l]);
    }
    for (const auto& [name, n] : example_.lengths)
      if (std::ranges::find(model_.lengths, name) == model_.lengths.end())
        refuse("D014", "has a length \"{}\", no length of the definition", name);
  }

  void axes(const Symbol& s, const Tensor& tensor) const {
    Dims wanted;
    for (const int axis : s.axes)
      wanted.push_back(example_.lengths.at(model_.lengths[static_cast<std::size_t>(
          model_.index_length[static_cast<std::size_t>(axis)])]));
    wanted.insert(wanted.end(), s.shape.dims().begin(), s.shape.dims().end());
    if (tensor.dims() != wanted)
      refuse("D011", "has \"{}\" of shape {}; its lengths and the definition want {}", s.name,
             dims_text(tensor.dims()), dims_text(wanted));
  }

  void values(const Symbol& s, const Tensor& tensor) const {
    if (s.length >= 0) {
      const auto own = whole_number(tensor, 0);
      const std::string& name = model_.lengths[static_cast<std::size_t>(s.length)];
      if (own != example_.lengths.at(name))
        refuse("D014", "says {} for \"{}\", its length {} is {}", tensor.at(0), s.name, name,
               example_.lengths.at(name));
    }
    if (s.position >= 0) positions(s, tensor);
    const auto missing = example_.missing.find(s.name);
    if (missing != example_.missing.end() && (!s.random() || !model_.loss.empty()))
      refuse("D021",
             "has no value at some positions of \"{}\": only targets may be left out, where "
             "no loss of the definition's own counts them",
             s.name);
    const std::int64_t size = std::max<std::int64_t>(s.shape.size(), 1);
    for (std::int64_t i = 0; i < tensor.size(); ++i)
      if (missing != example_.missing.end() &&
          std::ranges::binary_search(missing->second, i / size))
        continue;  // whatever stands there
      else if (!in_range(s, tensor.at(i)))
        refuse("D013", "holds {} in \"{}\", at number {}; {}", tensor.at(i), s.name, i,
               range_text(s));
  }

  void positions(const Symbol& s, const Tensor& tensor) const {
    std::vector<std::int64_t> at(s.axes.size());
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      std::int64_t rest = i;
      for (std::size_t a = at.size(); a-- > 0; rest /= tensor.dims()[a])
        at[a] = rest % tensor.dims()[a] + 1;
      check_position(model_, s, at, tensor.at(i), item_);
    }
  }

  const ResolvedModel& model_;
  const Example& example_;
  std::size_t item_;
};

}  // namespace

void require_example(const ResolvedModel& model, const Example& e, std::size_t item) {
  ExampleCheck(model, e, item)();
}

}  // namespace taugrad
