#include "evaluate/leaves/batch_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/fail.h"
#include "base/suggest.h"
#include "base/whole.h"
#include "evaluate/leaves/asked_lengths.h"
#include "evaluate/leaves/data_values.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

class Reader {
 public:
  Reader(const ResolvedModel& model, Tensors inputs, const RunOptions& options)
      : model_(model), options_(options) {
    data_.inputs = std::move(inputs);
    data_.longest.assign(model.lengths.size(), -1);
    for (std::size_t l = 0; l < model.lengths.size(); ++l)
      data_.longest[l] = model.fixed_lengths[l];
  }

  BatchData read() {
    for (const auto& [name, tensor] : data_.inputs) axes(name, tensor);
    read_lengths();
    defaults();
    add_stops(model_, options_.modes, data_);
    for (const auto& [name, tensor] : data_.inputs)
      if (!is_lengths(name) && name != "item" && !name.starts_with("cotangent:"))
        check_values(model_, data_, *symbol_of(name), tensor);
    return std::move(data_);
  }

 private:
  const Symbol* symbol_of(const std::string& name) {
    const bool cotangent = name.starts_with("cotangent:");
    const std::string variable = cotangent ? name.substr(10) : name;
    const int number = model_.find(variable);
    const Symbol* s = number < 0 ? nullptr : &model_.symbols[static_cast<std::size_t>(number)];
    if (cotangent && s && s->kind == SymbolKind::variable) return s;
    if (!cotangent && s && (s->kind == SymbolKind::input || s->random())) return s;
    std::vector<std::string> known{"lengths", "item"};
    for (const Symbol& other : model_.symbols)
      if (other.kind == SymbolKind::input || other.random()) known.push_back(other.name);
    Diagnostic d;
    d.code = "D016";
    const bool weight = s && s->kind == SymbolKind::weight;
    d.message = s && cotangent ? fmt::format("\"{}\" is {}, no variable: it takes no cotangent",
                                             variable, weight ? "a weight" : "an input")
                : s            ? fmt::format("\"{}\" is {}, not given here", variable,
                                  weight ? "a weight" : "computed")
                               : fmt::format("the definition has no input \"{}\"", name);
    d.help = s && cotangent ? fmt::format("its gradient is fetched as grad:{}", variable)
             : s            ? "give inputs and observed random variables only"
                            : did_you_mean(name, known);
    fail(Status::bad_input, d);
  }

  void axes(const std::string& name, const Tensor& tensor) {
    if (is_lengths(name) || name == "item") {
      if (tensor.dims().size() != 1)
        fail(Status::bad_input, "D011", "\"{}\" has shape {}, want [batch]", name,
             dims_text(tensor.dims()));
      return items(name, tensor.dims()[0]);
    }
    const Symbol& s = *symbol_of(name);
    if (!s.per_example) return shared_axes(name, s, tensor);
    const std::size_t rank = s.axes.size() + 1 + static_cast<std::size_t>(s.shape.rank());
    const std::string wanted = describe(s);
    if (tensor.dims().size() != rank)
      fail(Status::bad_input, "D011", "\"{}\" has shape {}, want {}", name,
           dims_text(tensor.dims()), wanted);
    for (std::size_t a = 0; a < s.axes.size(); ++a) {
      const auto l =
          static_cast<std::size_t>(model_.index_length[static_cast<std::size_t>(s.axes[a])]);
      if (model_.is_derived(l)) continue;  // its length follows: what it is told by comes first
      std::int64_t& known = data_.longest[l];
      if (known >= 0 && known != tensor.dims()[a])
        fail(Status::bad_input, "D011", "\"{}\" has {} positions along {}, {} has {}", name,
             tensor.dims()[a], model_.lengths[l],
             teller_[l].empty() ? "the definition" : "\"" + teller_[l] + "\"", known);
      known = tensor.dims()[a];
      teller_[l] = name;
    }
    items(name, tensor.dims()[s.axes.size()]);
    for (int a = 0; a < s.shape.rank(); ++a)
      if (tensor.dims()[s.axes.size() + 1 + static_cast<std::size_t>(a)] != s.shape[a])
        fail(Status::bad_input, "D011", "\"{}\" has shape {}, want {}", name,
             dims_text(tensor.dims()), wanted);
  }

  // a cotangent of what all items share                                                    (R6)
  static void shared_axes(const std::string& name, const Symbol& s, const Tensor& tensor) {
    const Dims wanted(s.shape.dims().begin(), s.shape.dims().end());
    if (tensor.dims() != wanted && !(wanted.empty() && tensor.dims() == Dims{1}))
      fail(Status::bad_input, "D011", "\"{}\" has shape {}, want {}: all items share \"{}\"", name,
           dims_text(tensor.dims()), dims_text(wanted), s.name);
  }

  std::string describe(const Symbol& s) const {
    std::string text;
    for (const int axis : s.axes)
      text += model_.system.indices[static_cast<std::size_t>(axis)].length + ",";
    text += "batch";
    for (const std::int64_t n : s.shape.dims()) text += fmt::format(",{}", n);
    return "[" + text + "]";
  }

  void items(const std::string& name, std::int64_t count) {
    if (!counter_.empty() && data_.items != count)
      fail(Status::bad_input, "D012", "\"{}\" has a batch of {}, \"{}\" of {}", name, count,
           counter_, data_.items);
    data_.items = count;
    counter_ = name;
  }

  std::size_t length_named(const std::string& tensor) const {
    std::vector<std::size_t> open;
    for (std::size_t l = 0; l < model_.lengths.size(); ++l)
      if (model_.fixed_lengths[l] < 0 && !model_.is_derived(l)) open.push_back(l);
    if (tensor == "lengths") {
      if (open.size() != 1)
        fail(Status::bad_input, "D014",
             "the definition has {} lengths; name one, as in \"lengths:{}\"", open.size(),
             model_.system.indices.empty() ? "t" : model_.system.indices.front().name);
      return open.front();
    }
    const std::string name = tensor.substr(8);
    for (std::size_t i = 0; i < model_.index_length.size(); ++i)
      if (const int l = model_.index_length[i];
          model_.is_derived(l) && (model_.system.indices[i].name == name ||
                                   model_.lengths[static_cast<std::size_t>(l)] == name))
        fail(Status::bad_input, "D018",
             "\"{}\" gives a length that follows: it is {} for each item", tensor,
             model_.lengths[static_cast<std::size_t>(l)]);
    for (std::size_t l = 0; l < model_.lengths.size(); ++l)
      if (model_.lengths[l] == name) return l;
    for (std::size_t i = 0; i < model_.index_length.size(); ++i)
      if (model_.system.indices[i].name == name)
        return static_cast<std::size_t>(model_.index_length[i]);
    fail(Status::bad_input, "D014", "\"{}\" names no index", tensor);
  }

  void read_lengths() {
    data_.lengths.resize(model_.lengths.size());
    for (const auto& [name, tensor] : data_.inputs)
      if (is_lengths(name)) {
        const std::size_t l = length_named(name);
        if (tensor.dtype() != Dtype::i64)
          fail(Status::bad_input, "D014", "\"{}\" holds {}, want I64", name,
               to_string(tensor.dtype()));
        std::vector<std::int64_t> lengths(tensor.values<std::int64_t>().begin(),
                                          tensor.values<std::int64_t>().end());
        set_lengths(name, l, std::move(lengths));
      }
    for (const Symbol& s :
         model_.symbols) {  // tau ~ categorical(..): the data are the lengths (R14)
      const auto given = s.length >= 0 ? data_.inputs.find(s.name) : data_.inputs.end();
      if (given == data_.inputs.end()) continue;
      std::vector<std::int64_t> lengths = whole_numbers("D014", s.name, given->second);
      set_lengths(s.name, static_cast<std::size_t>(s.length), std::move(lengths));
    }
  }

  static std::vector<std::int64_t> whole_numbers(const char* code, const std::string& name,
                                                 const Tensor& tensor) {
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
      const std::optional<std::int64_t> whole = whole_number(tensor, i);
      if (!whole)
        fail(Status::bad_input, code, "\"{}\" is {} for item {}, want a whole number of 64 bits",
             name, tensor.at(i), i);
      all.push_back(*whole);
    }
    return all;
  }

  void set_lengths(const std::string& name, std::size_t l, std::vector<std::int64_t> lengths) {
    for (std::size_t i = 0; i < lengths.size(); ++i)
      if (lengths[i] < 0 || (data_.longest[l] >= 0 && lengths[i] > data_.longest[l]))
        fail(Status::bad_input, "D014", "\"{}\": item {} has length {}, want 0..{}", name, i,
             lengths[i], data_.longest[l] >= 0 ? std::to_string(data_.longest[l]) : "");
    if (!data_.lengths[l].empty() && data_.lengths[l] != lengths)
      fail(Status::bad_input, "D014", "\"{}\" contradicts other lengths", name);
    data_.lengths[l] = std::move(lengths);
  }

  void defaults() {
    if (counter_.empty()) data_.items = options_.batch >= 0 ? options_.batch : 1;
    if (options_.batch >= 0 && options_.batch != data_.items)
      fail(Status::usage, "U007", "the batch is {}, but \"{}\" has {} items", options_.batch,
           counter_, data_.items);
    AskedLengths steps(model_, options_, data_);
    steps.apply();
    for (std::size_t l = 0; l < model_.lengths.size(); ++l) {
      if (model_.is_derived(l)) {
        data_.told.push_back(true);
        continue;
      }
      data_.told.push_back(
          !data_.goes_past_data(l) &&
          (model_.fixed_lengths[l] >= 0 || data_.longest[l] >= 0 || !data_.lengths[l].empty()));
      if (data_.longest[l] < 0) data_.longest[l] = steps.asked(l);
      if (data_.longest[l] < 0 && !data_.lengths[l].empty())
        data_.longest[l] = *std::max_element(data_.lengths[l].begin(), data_.lengths[l].end());
      if (data_.longest[l] < 0 && steps.is_drawn(l)) data_.longest[l] = 0;  // until it is
      if (data_.longest[l] < 0)
        fail(Status::bad_input, "G022",
             "nothing tells the length \"{}\"; say how many steps, or give a tensor over it",
             model_.lengths[l]);
      if (data_.lengths[l].empty())
        data_.lengths[l].assign(static_cast<std::size_t>(data_.items), data_.longest[l]);
    }
    derive_lengths_of_items(model_, data_);
    for (const auto& [name, tensor] : data_.inputs) check_derived_axes(name, tensor);
    if (const auto item = data_.inputs.find("item"); item != data_.inputs.end())
      data_.keys = whole_numbers("D015", "item", item->second);
    else
      for (std::int64_t i = 0; i < data_.items; ++i) data_.keys.push_back(i);
    for (const auto& [name, tensor] : data_.inputs)
      if (name.starts_with("cotangent:")) data_.cotangents.push_back(name.substr(10));
  }

  // an axis of a derived length is as long as what follows from the padded axis (R17)
  void check_derived_axes(const std::string& name, const Tensor& tensor) {
    if (is_lengths(name) || name == "item") return;
    const Symbol& s = *symbol_of(name);
    for (std::size_t a = 0; s.per_example && a < s.axes.size(); ++a) {
      const int l = model_.index_length[static_cast<std::size_t>(s.axes[a])];
      const std::int64_t wanted = data_.longest[static_cast<std::size_t>(l)];
      if (model_.is_derived(l) && tensor.dims()[a] != wanted)
        fail(Status::bad_input, "D011", "\"{}\" has {} positions along {}, which is {} here", name,
             tensor.dims()[a], model_.lengths[static_cast<std::size_t>(l)], wanted);
    }
  }

  const ResolvedModel& model_;
  const RunOptions& options_;
  BatchData data_;
  std::map<std::size_t, std::string> teller_;
  std::string counter_;
};

}  // namespace

void derive_lengths_of_items(const ResolvedModel& model, BatchData& data) {
  derive_lengths(model, data.longest);
  std::vector<std::int64_t> own(model.lengths.size());
  for (std::size_t l = 0; l < model.lengths.size(); ++l)
    if (model.is_derived(l)) data.lengths[l].assign(static_cast<std::size_t>(data.items), 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(data.items); ++i) {
    for (std::size_t l = 0; l < model.lengths.size(); ++l) own[l] = data.lengths[l][i];
    derive_lengths(model, own);
    for (std::size_t l = 0; l < model.lengths.size(); ++l) data.lengths[l][i] = own[l];
  }
}

BatchData read_batch(const ResolvedModel& model, Tensors inputs, const RunOptions& options) {
  check_length_names(model, options.lengths);
  return Reader(model, std::move(inputs), options).read();
}

std::vector<std::vector<std::int32_t>> groups_of(const BatchData& data, bool together) {
  std::vector<std::vector<std::int32_t>> groups;
  const bool alike = std::all_of(
      data.data_lengths.begin(), data.data_lengths.end(), [](const std::vector<std::int64_t>& l) {
        return std::adjacent_find(l.begin(), l.end(), std::not_equal_to<>()) == l.end();
      });
  if ((together && alike) || data.items == 0) {
    groups.emplace_back();
    for (std::int64_t i = 0; i < data.items; ++i)
      groups.back().push_back(static_cast<std::int32_t>(i));
    return groups;
  }
  std::map<std::vector<std::int64_t>, std::vector<std::int32_t>> by_lengths;
  for (std::int64_t i = 0; i < data.items; ++i) {
    std::vector<std::int64_t> key;
    for (const auto& lengths : data.lengths) key.push_back(lengths[static_cast<std::size_t>(i)]);
    for (const auto& lengths : data.data_lengths)
      if (!lengths.empty()) key.push_back(lengths[static_cast<std::size_t>(i)]);
    by_lengths[key].push_back(static_cast<std::int32_t>(i));
  }
  for (auto& [key, items] : by_lengths) groups.push_back(std::move(items));
  return groups;
}

}  // namespace taugrad
