#include "taugrad/train/predict.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <numeric>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/drawing.h"
#include "taugrad/ops/ops.h"
#include "train/loop/batch_plan.h"

namespace taugrad {
namespace {

/// One thing that is asked of every position of a variable.
struct Asked {
  enum class Kind { value, likeliest, probability, deviation, nll };
  std::string text;
  int symbol = -1;
  Kind kind = Kind::value;
};

std::vector<std::string> usual_fetches(const ResolvedModel& model) {
  std::vector<std::string> fetches;
  for (const Symbol& s : model.symbols) {
    if (!s.random() || s.length >= 0) continue;
    fetches.push_back(s.name);
    fetches.push_back((s.normal() ? "std:" : "p:") + s.name);
  }
  if (!fetches.empty()) return fetches;
  for (const Symbol& s : model.symbols)
    if (s.kind == SymbolKind::variable) fetches.push_back(s.name);
  return fetches;
}

Asked asked_for(const ResolvedModel& model, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string prefix = colon == std::string::npos ? "" : text.substr(0, colon);
  Asked a{text, model.find(colon == std::string::npos ? text : text.substr(colon + 1))};
  const Symbol* s = a.symbol < 0 ? nullptr : &model.symbols[static_cast<std::size_t>(a.symbol)];
  const bool random = s != nullptr && s->random() && s->length < 0;
  bool ok = s != nullptr && s->kind == SymbolKind::variable && (random || prefix.empty());
  if (prefix.empty())
    a.kind = random ? Asked::Kind::likeliest : Asked::Kind::value;
  else if (prefix == "p")
    a.kind = Asked::Kind::probability, ok = ok && !s->normal();
  else if (prefix == "std")
    a.kind = Asked::Kind::deviation, ok = ok && s->normal();
  else if (prefix == "nll")
    a.kind = Asked::Kind::nll;
  else
    ok = false;
  if (ok) return a;
  Diagnostic d;
  d.code = "U020";
  d.message = fmt::format("cannot predict \"{}\"", text);
  std::vector<std::string> known;
  for (const Symbol& other : model.symbols)
    if (other.kind == SymbolKind::variable) known.push_back(other.name);
  d.help = did_you_mean(text, known);
  if (d.help.empty())
    d.help = "a variable; of a random one p:NAME (probabilities), std:NAME (of a normal), nll:NAME";
  fail(Status::usage, std::move(d));
}

Var probability(const Symbol& s, Var argument) {
  switch (s.distribution) {
    case DistributionKind::categorical_logits:
      return softmax(argument);
    case DistributionKind::bernoulli_logits:
      return sigmoid(argument);
    default:
      return argument;
  }
}

/// A model unfolded to some lengths, with the nodes that are asked for.
class PredictPlan {
 public:
  PredictPlan(const std::shared_ptr<const ResolvedModel>& model,
              const std::vector<std::int64_t>& lengths, bool ragged,
              const std::vector<Asked>& asked, const std::set<std::string>& unknown,
              const PredictOptions& options)
      : model_(*model), asked_(asked) {
    UnfoldOptions how = unfold_options(*model, lengths, ragged, options.modes);
    for (const std::string& name : unknown) how.given.erase(name);
    const Unfolded u = unfold(model, how);
    for (std::size_t a = 0; a < asked.size(); ++a) add(u, a);
    std::vector<NodeId> nodes;
    for (const Output& o : outputs_) nodes.push_back(o.node);
    plan_ = std::make_unique<BatchPlan>(u, nodes, ExecutorOptions{.engine = options.engine});
  }
  void bind(const Tensors& weights) { plan_->bind(weights); }

  void run(const Items& data, const std::vector<std::size_t>& items, const BatchRun& how,
           std::vector<Tensors>& results) {
    plan_->run(data, items, how);
    for (std::size_t o = 0; o < outputs_.size(); ++o) {
      const std::span<const float> values = plan_->executor().value(o);
      const std::span<const std::int32_t> rows = plan_->executor().output_items(o);
      if (rows.empty() && outputs_[o].shared)
        for (const std::size_t item : items) store(outputs_[o], values, results[item]);
      const std::size_t size = rows.empty() ? 0 : values.size() / rows.size();
      for (std::size_t r = 0; r < rows.size(); ++r)
        store(outputs_[o], values.subspan(r * size, size),
              results[items[static_cast<std::size_t>(rows[r])]]);
    }
  }

 private:
  struct Output {
    std::size_t asked;
    std::vector<std::int32_t> at;
    NodeId node;
    bool shared;
  };

  void add(const Unfolded& u, std::size_t number) {
    const Asked& a = asked_[number];
    const Symbol& s = model_.symbols[static_cast<std::size_t>(a.symbol)];
    Tape& tape = u.graph().tape();
    std::vector<std::pair<std::vector<std::int32_t>, NodeId>> nodes;
    const auto note = [&](const auto& at, NodeId id) {
      const bool inside = std::all_of(at.begin(), at.end(), [](std::int32_t p) { return p >= 1; });
      if (inside) nodes.emplace_back(std::vector<std::int32_t>(at.begin(), at.end()), id);
    };
    a.kind == Asked::Kind::value ? u.each_value(s.name, note) : u.each_nll(s.name, note);
    for (const auto& node : nodes) {
      Var v = tape.var(node.second);
      const auto input = [&](std::size_t k) { return tape.var(tape.inputs(node.second)[k]); };
      // a likelihood's inputs: of a normal the value, mean and std; else argument and value
      if (a.kind == Asked::Kind::likeliest) v = s.normal() ? input(1) : likeliest(s, input(0));
      if (a.kind == Asked::Kind::probability) v = probability(s, input(0));
      if (a.kind == Asked::Kind::deviation) v = input(2);
      outputs_.push_back({number, node.first, v.id, !v.per_example()});
    }
  }

  void store(const Output& o, std::span<const float> values, Tensors& item) const {
    Tensor& t = item.at(asked_[o.asked].text);
    std::int64_t flat = 0;
    for (std::size_t a = 0; a < o.at.size(); ++a) {
      if (o.at[a] > t.dims()[a]) return;
      flat = flat * t.dims()[a] + o.at[a] - 1;
    }
    for (std::size_t i = 0; i < values.size(); ++i)
      t.set(flat * static_cast<std::int64_t>(values.size()) + static_cast<std::int64_t>(i),
            static_cast<double>(values[i]));
  }

  const ResolvedModel& model_;
  const std::vector<Asked>& asked_;
  std::vector<Output> outputs_;
  std::unique_ptr<BatchPlan> plan_;
};

Tensor empty_result(const ResolvedModel& model, const Asked& a, const Example& e) {
  const Symbol& s = model.symbols[static_cast<std::size_t>(a.symbol)];
  Dims dims;
  for (const int axis : s.axes)
    dims.push_back(e.lengths.at(model.lengths[static_cast<std::size_t>(
        model.index_length[static_cast<std::size_t>(axis)])]));
  const bool category = s.category >= 0;
  if (category && a.kind == Asked::Kind::probability) dims.push_back(s.category);
  if (!category && a.kind != Asked::Kind::nll)
    dims.insert(dims.end(), s.shape.dims().begin(), s.shape.dims().end());
  const bool symbols =
      category && (a.kind == Asked::Kind::likeliest || a.kind == Asked::Kind::value);
  return Tensor(dims, symbols ? Dtype::i64 : Dtype::f32);
}

// of a target that is not given there is none
void forget_likelihoods(const std::vector<Asked>& asked, const ResolvedModel& model,
                        const std::vector<Example>& examples, std::vector<Tensors>& results) {
  for (const Asked& a : asked) {
    if (a.kind != Asked::Kind::nll) continue;
    const std::string& name = model.symbols[static_cast<std::size_t>(a.symbol)].name;
    for (std::size_t i = 0; i < examples.size(); ++i)
      if (const auto missing = examples[i].missing.find(name); missing != examples[i].missing.end())
        for (const std::int64_t place : missing->second)
          results[i].at(a.text).set(place, std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace

std::vector<Tensors> predict(const Definition& d, const Tensors& weights, const PredictData& items,
                             const PredictOptions& given) {
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  PredictOptions options = given;
  if (options.batch < 1) fail(Status::usage, "U002", "the batch must be >= 1");
  if (items.data.examples.empty()) fail(Status::bad_input, "D002", "there is no item to predict");
  for (const std::string& name : items.unknown) {
    Mode& mode = options.modes.try_emplace(name, Mode::greedy).first->second;
    if (mode.kind != Mode::Kind::sampled && mode.kind != Mode::Kind::greedy)
      fail(Status::usage, "U002", "\"{}\" is not in the data: its mode is sampled or greedy", name);
  }
  check_modes(*model, options.modes);
  std::vector<Asked> asked;
  for (const std::string& text : options.fetch.empty() ? usual_fetches(*model) : options.fetch)
    asked.push_back(asked_for(*model, text));
  Tensors narrow;
  for (const auto& [name, w] : weights) narrow.emplace(name, w.to(Dtype::f32));
  BatchRun how{.seed = options.seed};
  for (const auto& [name, mode] : options.modes)
    if (mode.kind == Mode::Kind::mixed) how.mixes[name] = mode.data.from;
  const Items all(items.data);
  const Batching batching(model, all);
  const std::vector<Example>& examples = items.data.examples;
  std::vector<Tensors> results(examples.size());
  for (std::size_t i = 0; i < examples.size(); ++i)
    for (const Asked& a : asked) results[i].emplace(a.text, empty_result(*model, a, examples[i]));
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return all.work(a) > all.work(b); });
  std::unique_ptr<PredictPlan> plan;
  std::vector<std::int64_t> lengths;
  for (std::size_t from = 0; from < order.size();) {
    const std::size_t to = std::min(from + static_cast<std::size_t>(options.batch), order.size());
    const std::vector<std::size_t> batch(order.begin() + static_cast<std::ptrdiff_t>(from),
                                         order.begin() + static_cast<std::ptrdiff_t>(to));
    for (const std::vector<std::size_t>& group : batching.groups(all, batch)) {
      const std::vector<std::int64_t> wanted = batching.lengths_for(all, group);
      if (!plan || wanted != lengths) {
        plan = std::make_unique<PredictPlan>(model, wanted, batching.ragged(), asked, items.unknown,
                                             options);
        plan->bind(narrow);
        lengths = wanted;
      }
      plan->run(all, group, how, results);
    }
    from = to;
  }
  forget_likelihoods(asked, *model, examples, results);
  return results;
}

}  // namespace taugrad
