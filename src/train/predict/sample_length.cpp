#include "train/predict/sample_length.h"

#include <cmath>

#include "base/fail.h"
#include "base/whole.h"
#include "taugrad/evaluate/run.h"

namespace taugrad {
namespace {

/// The steps of one item of [longest, batch, shape...], or all of its [batch, shape...].
Tensor item_of(const Tensor& all, const Symbol& s, std::int64_t item, std::int64_t steps) {
  Dims dims(s.shape.dims().begin(), s.shape.dims().end());
  const bool indexed = !s.axes.empty();
  if (indexed) dims.insert(dims.begin(), steps);
  Tensor one(dims, s.category >= 0 ? Dtype::i64 : Dtype::f32);
  const std::int64_t batch = all.dims()[indexed ? 1 : 0], size = s.shape.size();
  for (std::int64_t t = 0; t < (indexed ? steps : 1); ++t)
    for (std::int64_t i = 0; i < size; ++i) {
      const double value = all.at((t * batch + item) * size + i);
      if (std::isnan(value)) no_distribution(s.name, indexed ? t + 1 : 0, item);
      one.set(t * size + i, value);
    }
  return one;
}

/// @param nll  [longest, batch], or [batch]
void require_distribution(const Tensor& nll, const Symbol& s, std::int64_t item,
                          std::int64_t steps) {
  const bool indexed = !s.axes.empty();
  const std::int64_t batch = nll.dims()[indexed ? 1 : 0];
  for (std::int64_t t = 0; t < (indexed ? steps : 1); ++t)
    if (std::isnan(nll.at(t * batch + item))) no_distribution(s.name, indexed ? t + 1 : 0, item);
}

}  // namespace

void no_distribution(const std::string& variable, std::int64_t step, std::int64_t item) {
  fail(Status::numerical, "N004",
       "{}{} of sequence {} has no distribution: its arguments are NaN or infinite", variable,
       step > 0 ? fmt::format("[{}]", step) : "", item);
}

const Symbol* length_variable(const ResolvedModel& model) {
  for (const Symbol& s : model.symbols)
    if (s.length >= 0) return &s;
  return nullptr;
}

Modes modes_of(const ResolvedModel& model, const SampleOptions& options) {
  Modes modes;
  for (const Symbol& s : model.symbols)
    if (s.random()) modes[s.name] = options.temperature == 0 ? Mode::greedy : Mode::sampled;
  return modes;
}

std::vector<Tensors> sample_to_length(const Definition& d, const ResolvedModel& model,
                                      const Symbol& length, const Tensors& weights,
                                      const SampleOptions& options) {
  RunOptions o;
  o.seed = options.seed;
  if (options.temperature > 0) o.temperature = options.temperature;
  o.top_k = options.top_k;
  o.top_p = options.top_p;
  o.modes = modes_of(model, options);
  for (const Symbol& s : model.symbols)
    if (s.random()) o.fetch.push_back(s.name);
  // the likeliest symbol is one even where no symbol has a probability
  if (options.temperature == 0)
    for (const Symbol& s : model.symbols)
      if (s.random() && !s.normal()) o.fetch.push_back("nll:" + s.name);
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < options.count; ++i) items.push_back(i);
  const Tensors drawn = run(d, {{"item", Tensor::of({options.count}, items)}}, weights, o).values;
  std::vector<Tensors> all(items.size());
  for (const std::int64_t i : items) {
    const auto steps = whole_number(drawn.at(length.name), i).value_or(-1);
    if (steps < 0) no_distribution(length.name, 0, i);
    for (const Symbol& s : model.symbols)
      if (const auto nll = drawn.find("nll:" + s.name); nll != drawn.end())
        require_distribution(nll->second, s, i, steps);
    for (const Symbol& s : model.symbols)
      if (s.random() && s.length < 0)
        all[static_cast<std::size_t>(i)][s.name] = item_of(drawn.at(s.name), s, i, steps);
  }
  return all;
}

}  // namespace taugrad
