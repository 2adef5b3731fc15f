#include "evaluate/leaves/bind.h"

#include <algorithm>
#include <map>

#include "base/fail.h"
#include "taugrad/language/mode.h"
#include "taugrad/ops/records.h"

namespace taugrad::runtime {
namespace {

const char* kind(const Source& s) { return s.weight ? "weight" : "input"; }

/// [index..., batch, shape...], each axis as it has to be; -1: any size.
Dims wanted_axes(const Source& s) {
  Dims axes(static_cast<std::size_t>(s.index_axes), -1);
  if (s.per_example) axes.push_back(-1);
  axes.insert(axes.end(), s.shape.dims().begin(), s.shape.dims().end());
  return axes;
}

// "[index, batch, 2]"
std::string axes_text(const Source& s) {
  std::string axes;
  for (int i = 0; i < s.index_axes; ++i) axes += "index, ";
  if (s.per_example) axes += "batch, ";
  for (const std::int64_t d : s.shape.dims()) axes += fmt::format("{}, ", d);
  if (!axes.empty()) axes.resize(axes.size() - 2);
  return "[" + axes + "]";
}

void check_axes(const Source& s, const Tensor& t) {
  const Dims want = wanted_axes(s);
  bool fits = t.dims().size() == want.size() || (want.empty() && t.dims() == Dims{1});
  for (std::size_t i = 0; fits && i < want.size(); ++i)
    fits = want[i] < 0 || want[i] == t.dims()[i];
  if (fits) return;
  fail(Status::bad_input, "D011", "the {} \"{}\" has axes {}, want {}", kind(s), s.name,
       dims_text(t.dims()), axes_text(s));
}

void set_items(BatchDescription& batch, std::string& first, const std::string& name,
               std::int64_t items) {
  if (!first.empty() && items != batch.items)
    fail(Status::bad_input, "D012", "\"{}\" holds {} items, \"{}\" {}", first, batch.items, name,
         items);
  batch.items = items;
  if (first.empty()) first = name;
}

/// A tensor of whole numbers, one for each item; null where there is none.
const Tensor* whole_numbers(const Tensors& inputs, const std::string& name) {
  const auto found = inputs.find(name);
  if (found == inputs.end()) return nullptr;
  const Tensor& t = found->second;
  if (t.dtype() != Dtype::i64)
    fail(Status::bad_input, "D015", "\"{}\" has type {}, want i64", name, to_string(t.dtype()));
  if (t.dims().size() != 1)
    fail(Status::bad_input, "D011", "\"{}\" has axes {}, want [batch]", name, dims_text(t.dims()));
  return &t;
}

const Tensor* lengths_tensor(const LengthRules& rules, std::size_t which, const Tensors& inputs) {
  if (const Tensor* t = whole_numbers(inputs, "lengths:" + rules.names[which])) return t;
  return rules.names.size() == 1 ? whole_numbers(inputs, "lengths") : nullptr;
}

/// The length of items whose own is not given.
std::int64_t full_length(const std::vector<Source>& sources, const LengthRules& rules,
                         std::size_t which, const Tensors& inputs) {
  if (which < rules.full.size()) return rules.full[which];
  const std::int64_t steps = rules.steps[which];
  if (rules.names.size() == 1)
    for (const Source& s : sources) {
      if (!s.per_example || s.index_axes == 0) continue;
      const std::int64_t positions = tensor_of(s, inputs).dims()[0];
      if (steps >= 0 && positions > steps && lengths_tensor(rules, which, inputs) == nullptr)
        fail(Status::bad_input, "D014",
             "\"{}\" has {} positions, the graph {} steps: give lengths up to {}", s.name,
             positions, steps, steps);
      return steps >= 0 ? std::min(positions, steps) : positions;
    }
  return steps >= 0 ? steps : rules.longest[which];
}

/// Steps that say nothing of the items that have them are those of every item.
void require_every_step(const std::vector<Source>& sources, const LengthRules& rules,
                        const std::vector<std::int64_t>& lengths) {
  if (rules.names.size() != 1 || rules.longest[0] > 0) return;
  std::int64_t steps = 0;
  for (const Source& s : sources)
    for (const std::int32_t position : s.positions) steps = std::max<std::int64_t>(steps, position);
  for (const std::int64_t length : lengths)
    if (length < steps)
      fail(Status::bad_input, "D014",
           "an item has length {}, but the graph has {} steps for every item", length, steps);
}

std::vector<std::int64_t> own_lengths(const Tensor& t, const std::string& name, std::int64_t full) {
  const auto values = t.values<std::int64_t>();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] < 0 || values[i] > full)
      fail(Status::bad_input, "D014", "the length of item {} is {}, not in 0..{} (\"{}\")", i,
           values[i], full, name);
  return {values.begin(), values.end()};
}

/// 1 for each input that the likelihood of a Bernoulli variable reads as its target.
std::vector<char> bernoulli_targets(const Tape& tape) {
  std::vector<char> is(static_cast<std::size_t>(tape.size()), 0);
  for (NodeId id = 0; id < tape.size(); ++id) {
    if (&tape.op(id) != &kNllBernoulli && &tape.op(id) != &kNllBernoulliP) continue;
    NodeId target = tape.inputs(id)[1];
    for (const Op* op = &tape.op(target);
         op->traits.view || op == &kBroadcastTo || op == &kToItems || op == &kRestrictTo;
         op = &tape.op(target))
      target = tape.inputs(target)[0];
    is[static_cast<std::size_t>(target)] = &tape.op(target) == &kInput;
  }
  return is;
}

}  // namespace

const Tensor& tensor_of(const Source& source, const Tensors& tensors) {
  auto found = tensors.find(source.name);
  if (found == tensors.end()) found = tensors.find(data_of(source.name));  // what is scored, data:y
  if (found == tensors.end()) {
    Diagnostic d;
    d.code = "D010";
    d.message = fmt::format("the {} \"{}\" is missing", kind(source), source.name);
    d.help = fmt::format("a tensor of axes {}", axes_text(source));
    fail(Status::bad_input, std::move(d));
  }
  check_axes(source, found->second);
  return found->second;
}

std::vector<Source> sources_of(const Tape& tape, std::span<const NodeId> leaves) {
  const std::vector<char> bernoulli = bernoulli_targets(tape);
  std::vector<Source> sources;
  std::map<std::pair<bool, std::string_view>, std::size_t> number;
  for (const NodeId id : leaves) {
    const bool weight = &tape.op(id) == &kWeight;
    const bool named = tape.is_value(id);
    const auto index = named ? tape.index(id) : std::span<const std::int32_t>();
    auto [it, fresh] = number.try_emplace({weight, tape.name(id)}, sources.size());
    if (!named) it->second = sources.size();  // a leaf that stands alone
    if (fresh || !named)
      sources.push_back({named ? std::string(tape.name(id)) : fmt::format("#{}", id),
                         weight,
                         tape.extent_id(id) != kShared,
                         tape.shape(id),
                         tape.attrs(id).integer_or("category", 0),
                         false,
                         static_cast<int>(index.size()),
                         {},
                         {}});
    Source& source = sources[it->second];
    source.bernoulli |= bernoulli[static_cast<std::size_t>(id)] != 0;
    if (source.index_axes != static_cast<int>(index.size()) || !(source.shape == tape.shape(id)) ||
        std::any_of(index.begin(), index.end(), [](std::int32_t i) { return i < 1; }))
      fail(Status::bad_input, "G020", "the leaves of \"{}\" do not fit one tensor", source.name);
    source.leaves.push_back(id);
    source.positions.insert(source.positions.end(), index.begin(), index.end());
  }
  return sources;
}

LengthRules length_rules(const Tape& tape, std::vector<std::int64_t> full) {
  if (full.size() > tape.length_names.size())
    fail(Status::usage, "U022", "{} lengths are given, the graph has {}", full.size(),
         tape.length_names.size());
  for (const std::int64_t length : full)
    if (length < 0) fail(Status::usage, "U022", "a length is 0 or more, not {}", length);
  std::vector<std::int64_t> steps = tape.longest;
  steps.resize(tape.length_names.size(), -1);
  LengthRules rules{tape.length_names, std::move(full),
                    std::vector<std::int64_t>(tape.length_names.size()), std::move(steps)};
  for (std::size_t i = 0; i < rules.full.size(); ++i)
    if (rules.steps[i] >= 0 && rules.full[i] > rules.steps[i])
      fail(Status::usage, "U022", "items of length {} = {} do not fit a graph of {} steps",
           rules.names[i], rules.full[i], rules.steps[i]);
  for (std::size_t e = kEveryItem; e < tape.extent_count(); ++e)
    for (const Extent::Bound& b : tape.extent(static_cast<ExtentId>(e)).bounds) {
      auto& longest = rules.longest[static_cast<std::size_t>(b.which)];
      longest = std::max<std::int64_t>(longest, b.at_least);
    }
  return rules;
}

BatchDescription describe_batch(const std::vector<Source>& sources, const LengthRules& rules,
                                const Tensors& inputs) {
  BatchDescription batch;
  std::string first;
  for (const Source& s : sources) {
    if (s.weight) continue;
    const Tensor& t = tensor_of(s, inputs);
    if (s.per_example)
      set_items(batch, first, s.name, t.dims()[static_cast<std::size_t>(s.index_axes)]);
  }
  for (std::size_t i = 0; i < rules.names.size(); ++i)
    if (const Tensor* t = lengths_tensor(rules, i, inputs))
      set_items(batch, first, "lengths", t->size());
  const Tensor* item = whole_numbers(inputs, "item");
  if (item != nullptr) set_items(batch, first, "item", item->size());
  if (item != nullptr)
    batch.context.item.assign(item->values<std::int64_t>().begin(),
                              item->values<std::int64_t>().end());
  for (std::size_t i = 0; i < rules.names.size(); ++i) {
    const std::int64_t full = full_length(sources, rules, i, inputs);
    const Tensor* t = lengths_tensor(rules, i, inputs);
    if (t != nullptr) require_every_step(sources, rules, own_lengths(*t, rules.names[i], full));
    batch.context.lengths.push_back(
        t != nullptr ? own_lengths(*t, rules.names[i], full)
                     : std::vector<std::int64_t>(static_cast<std::size_t>(batch.items), full));
  }
  return batch;
}

}  // namespace taugrad::runtime
