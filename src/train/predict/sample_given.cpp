// Sequences of a model whose inputs are given by items.
#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "evaluate/leaves/batch_data.h"
#include "evaluate/leaves/drawn_lengths.h"
#include "taugrad/evaluate/run.h"
#include "taugrad/train/sample.h"
#include "train/loop/stack.h"
#include "train/predict/given_inputs.h"
#include "train/predict/sample_check.h"
#include "train/predict/sample_length.h"

namespace taugrad {
namespace {

constexpr std::int64_t kTogether = 32;  ///< sequences of a run

class GivenSampler {
 public:
  GivenSampler(const Definition& d, const Tensors& weights, const Dataset& items,
               const SampleOptions& options)
      : definition_(d),
        model_(resolve(d)),
        weights_(weights),
        options_(options),
        given_(*model_, items) {
    how_.seed = options.seed;
    if (options.temperature > 0) how_.temperature = options.temperature;
    how_.top_k = options.top_k;
    how_.top_p = options.top_p;
    how_.modes = modes_of(*model_, options);
    for (std::size_t l = 0; l < model_->lengths.size(); ++l)
      if (!given_.tells(l) && model_->fixed_lengths[l] < 0 && !model_->is_derived(l) && !drawn(l))
        how_.lengths[model_->lengths[l]] = options.steps;
    for (const Symbol& s : model_->symbols) {
      if (!s.random()) continue;
      how_.fetch.push_back(s.name);
      // the likeliest symbol is one even where no symbol has a probability
      if (options.temperature == 0 && !s.normal()) how_.fetch.push_back("nll:" + s.name);
    }
  }

  std::vector<Tensors> operator()() {
    std::vector<Tensors> all;
    const auto total = static_cast<std::int64_t>(given_.inputs().examples.size()) * options_.count;
    for (std::int64_t from = 0; from < total; from += kTogether) {
      std::vector<std::size_t> items;
      std::vector<std::int64_t> keys;
      for (std::int64_t k = from; k < std::min(from + kTogether, total); ++k) {
        items.push_back(static_cast<std::size_t>(k / options_.count));
        keys.push_back(k);
      }
      add(items, keys, all);
    }
    return all;
  }

 private:
  bool drawn(std::size_t length) const {
    return std::ranges::any_of(
        model_->symbols, [&](const Symbol& s) { return s.length == static_cast<int>(length); });
  }

  void add(const std::vector<std::size_t>& items, const std::vector<std::int64_t>& keys,
           std::vector<Tensors>& all) {
    Tensors inputs = stacked(*model_, Items(given_.inputs()), items);
    inputs.emplace("item", Tensor::of({static_cast<std::int64_t>(keys.size())}, keys));
    BatchData data = read_batch(*model_, inputs, how_);
    if (draws_lengths(*model_, data, how_)) draw_lengths<float>(model_, data, weights_, how_);
    const Tensors values = run(definition_, inputs, weights_, how_).values;
    for (std::size_t i = 0; i < items.size(); ++i) {
      Tensors& item = all.emplace_back();
      for (const Symbol& s : model_->symbols) {
        if (!s.random()) continue;
        if (const auto nll = values.find("nll:" + s.name); nll != values.end())
          cut(nll->second, s, Dims{}, Dtype::f32, data, i, keys[i]);
        const Dims shape(s.shape.dims().begin(), s.shape.dims().end());
        Tensor own = cut(values.at(s.name), s, shape, s.category >= 0 ? Dtype::i64 : Dtype::f32,
                         data, i, keys[i]);
        if (s.length < 0) item.emplace(s.name, std::move(own));
      }
    }
  }

  /// The positions of one item of [index..., batch, elements...]. @throws Error (N004)
  Tensor cut(const Tensor& from, const Symbol& s, const Dims& shape, Dtype dtype,
             const BatchData& data, std::size_t item, std::int64_t key) const {
    Dims dims;
    std::vector<std::int64_t> longest;
    for (const int axis : s.axes) {
      const auto l = static_cast<std::size_t>(model_->index_length[static_cast<std::size_t>(axis)]);
      dims.push_back(data.lengths[l][item]);
      longest.push_back(data.longest[l]);
    }
    const std::vector<std::int64_t> own = dims;
    dims.insert(dims.end(), shape.begin(), shape.end());
    Tensor t(dims, dtype);
    std::int64_t positions = 1, size = 1;
    for (const std::int64_t n : shape) size *= n;
    for (const std::int64_t n : own) positions *= n;
    for (std::int64_t p = 0; p < positions; ++p) {
      std::int64_t rest = p, flat = 0, stride = 1;
      for (std::size_t a = own.size(); a-- > 0; stride *= longest[a], rest /= own[a])
        flat += rest % own[a] * stride;
      for (std::int64_t i = 0; i < size; ++i) {
        const double x = from.at((flat * data.items + static_cast<std::int64_t>(item)) * size + i);
        if (std::isnan(x)) no_distribution(s.name, own.empty() ? 0 : p + 1, key);
        t.set(p * size + i, x);
      }
    }
    return t;
  }

  const Definition& definition_;
  std::shared_ptr<const ResolvedModel> model_;
  const Tensors& weights_;
  const SampleOptions& options_;
  GivenInputs given_;
  RunOptions how_;
};

}  // namespace

std::vector<Tensors> sample(const Definition& d, const Tensors& weights, const Dataset& items,
                            const SampleOptions& options) {
  check_sampling(d, *resolve(d), options, true);
  check_weights_to_draw(weights);
  if (items.examples.empty())
    fail(Status::bad_input, "D002", "there is no item to draw a sequence for");
  return GivenSampler(d, weights, items, options)();
}

}  // namespace taugrad
