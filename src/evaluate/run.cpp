#include "taugrad/evaluate/run.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/fail.h"
#include "evaluate/evaluation.h"
#include "evaluate/fetch.h"
#include "evaluate/leaves/drawn_lengths.h"
#include "evaluate/memory_estimate.h"
#include "evaluate/not_finite.h"
#include "evaluate/planner.h"
#include "taugrad/autodiff/gradient.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

/// One run in floats of type S: groups of items one after another, their results put together.
template <class S>
class Run {
 public:
  Run(std::shared_ptr<const ResolvedModel> model, const BatchData& data, const Tensors& weights,
      const RunOptions& options)
      : model_(model),
        data_(data),
        evaluation_(model, data, weights, options),
        fetches_(parsed(*model, options.fetch)),
        planner_(
            std::move(model), [this](const Unfolded& u) { return asked(u); },
            ExecutorOptions{.engine = options.engine}, options.checkpoint, reach(),
            asked_names(fetches_)) {}

  bool lacks_chunks() const { return planner_.lacks_chunks(); }

  /// Fetches of copies that no step reads: zeros, as a rule a slip of the pen.
  std::vector<std::string> unread() const {
    std::vector<std::string> names;
    for (const Fetch& f : fetches_)
      if (f.symbol >= 0 && f.has_brackets && !found_.contains(f.text) &&
          model_->symbols[static_cast<std::size_t>(f.symbol)].kind == SymbolKind::weight)
        names.push_back(f.text);
    return names;
  }

  Tensors operator()() {
    for (const Fetch& f : fetches_)
      places_.push_back(&(results_[f.text] = Tensor(result_dims(f), dtype())));
    const bool together = can_be_ragged(*model_) &&
                          std::none_of(fetches_.begin(), fetches_.end(), [&](const Fetch& f) {
                            return needs_equal_lengths(*model_, f);
                          });
    for (const std::vector<std::int32_t>& items : groups_of(data_, together)) group(items);
    for (const Fetch& f : fetches_)
      if (is_data(f)) copy_data(f);
    return std::move(results_);
  }

  /// Results that are not finite, each with what it first comes from.                     (N004)
  std::vector<Diagnostic> not_finite(const Tensors& results) {
    std::vector<Diagnostic> found;
    for (const Fetch& f : fetches_) {
      const Tensor& t = results.at(f.text);
      const std::int64_t at = first_not_finite(t);
      if (at < 0) continue;
      const std::size_t axes = f.loss || f.has_brackets ? 0 : symbol(f).axes.size();
      const ResultPlace place = place_in(t.dims(), axes, per_example(f), at);
      found.push_back(told(f.text, t.at(at), place, is_data(f) ? std::nullopt : source(f, place)));
    }
    return found;
  }

 private:
  static std::vector<Fetch> parsed(const ResolvedModel& model,
                                   const std::vector<std::string>& texts) {
    std::vector<Fetch> fetches;
    for (const std::string& text : texts) fetches.push_back(parse_fetch(model, text));
    return fetches;
  }
  static std::set<std::string> asked_names(const std::vector<Fetch>& fetches) {
    std::set<std::string> names;
    for (const Fetch& f : fetches) names.insert({f.name, f.edge});
    return names;
  }
  std::int64_t reach() const {
    std::int64_t reach = 0;
    for (const Fetch& f : fetches_) reach = std::max(reach, reach_of(f));
    return reach;
  }

  const Symbol& symbol(const Fetch& f) const {
    return model_->symbols[static_cast<std::size_t>(f.symbol)];
  }

  // What is summed over the items may come from any of them: they are looked at one by one.
  std::optional<NotFinite> source(const Fetch& f, const ResultPlace& place) {
    constexpr std::int64_t kMostItems = 1000;
    const std::int64_t first = std::max<std::int64_t>(place.item, 0);
    const std::int64_t end = place.item < 0 ? std::min(data_.items, kMostItems) : first + 1;
    for (std::int64_t item = first; item < end; ++item)
      if (auto found = source_in(f, static_cast<std::int32_t>(item))) return found;
    return std::nullopt;
  }
  std::optional<NotFinite> source_in(const Fetch& f, std::int32_t item) {
    const Unfolded u = evaluation_.unfolded({item});
    std::vector<NodeId> outputs;
    std::vector<std::int64_t> any;
    for (const Wanted& w : wanted_in(u, {&f, 1}, any)) outputs.push_back(w.piece.node.id);
    const Tape& tape = u.graph().tape();
    if (outputs.empty() || !fits_interpreter(tape)) return std::nullopt;
    const Interpreter<S> run = evaluation_.interpreted(tape, outputs, item);
    for (const NodeId id : outputs)
      if (auto found = source_of_not_finite(tape, run, id)) {
        if (found->item >= 0) found->item = item;
        return found;
      }
    return std::nullopt;
  }

  static Dtype dtype() { return sizeof(S) == 4 ? Dtype::f32 : Dtype::f64; }

  bool per_example(const Fetch& f) const {
    if (f.loss || f.nll) return true;
    return model_->symbols[static_cast<std::size_t>(f.symbol)].per_example;
  }

  Dims result_dims(const Fetch& f) const {
    Dims dims;
    if (!f.loss) {
      const Symbol& s = model_->symbols[static_cast<std::size_t>(f.symbol)];
      if (!f.has_brackets)
        for (const int axis : s.axes) dims.push_back(data_.longest[length_of(axis)]);
    }
    if (per_example(f)) dims.push_back(data_.items);
    if (!f.loss && !f.nll)
      for (const std::int64_t n : model_->symbols[static_cast<std::size_t>(f.symbol)].shape.dims())
        dims.push_back(n);
    if (dims.empty()) dims.push_back(1);  // a number of its own is written as a vector of one
    return dims;
  }
  std::size_t length_of(int axis) const {
    return static_cast<std::size_t>(model_->index_length[static_cast<std::size_t>(axis)]);
  }

  // an input is fetched from its tensor: what no equation reads is no node of the graph
  static bool is_data(const ResolvedModel& model, const Fetch& f) {
    return !f.loss && !f.gradient && !f.has_brackets &&
           model.symbols[static_cast<std::size_t>(f.symbol)].kind == SymbolKind::input;
  }
  bool is_data(const Fetch& f) const { return is_data(*model_, f); }
  void copy_data(const Fetch& f) {
    const Tensor& from = needed(data_.inputs, "input", f.name);
    const Symbol& s = model_->symbols[static_cast<std::size_t>(f.symbol)];
    const std::span<S> to =
        places_[static_cast<std::size_t>(&f - fetches_.data())]->template values<S>();
    const auto size = static_cast<std::size_t>(s.shape.size());
    for (std::size_t row = 0; row * size < to.size(); ++row) {
      const std::size_t item = row % static_cast<std::size_t>(data_.items);
      std::int64_t rest = static_cast<std::int64_t>(row) / data_.items;
      bool alive = true;
      for (std::size_t a = s.axes.size(); a-- > 0; rest /= from.dims()[a])
        alive = alive && rest % from.dims()[a] < data_.lengths[length_of(s.axes[a])][item];
      if (alive) convert(from, static_cast<std::int64_t>(row * size), to.subspan(row * size, size));
    }
  }
  /// Gradients of what stands at a step are not to be had of a graph by levels.
  bool by_levels() const {
    if (!planner_.circle()) return false;
    for (const int s : planner_.circle()->positions)
      if (!data_.inputs.contains(model_->symbols[static_cast<std::size_t>(s)].name)) return false;
    const auto in_circle = [&](const Fetch& f) {
      return std::ranges::any_of(planner_.circle()->rules, [&](int r) {
        return model_->rules[static_cast<std::size_t>(r)].symbol == f.symbol;
      });
    };
    return std::ranges::none_of(fetches_, [&](const Fetch& f) {
      return f.gradient && (f.has_brackets || !f.edge.empty() || in_circle(f));
    });
  }

  void group(std::vector<std::int32_t> items) {
    const UnfoldOptions unfolding = evaluation_.unfolding(items);
    runtime::LevelRows levels;
    if (by_levels() && unfolding.data_lengths.empty()) {
      std::ranges::stable_sort(items, std::greater<>(), [&](std::int32_t i) {
        return data_.lengths[0][static_cast<std::size_t>(i)];
      });
      levels = evaluation_.level_rows(*planner_.circle(), items);
    }
    runtime::Planned<S> planned = planner_.plan(unfolding, levels.levels());
    const plan::Table &wanted = planned.lists[0], &found = planned.lists[1];
    for (const std::int64_t f : found.cells)
      found_.insert(fetches_[static_cast<std::size_t>(f)].text);
    if (wanted.rows() == 0) return;
    evaluation_.run(planned.executor, planned.sources, items, levels);
    for (std::size_t o = 0; o < wanted.rows(); ++o)
      store(fetches_[static_cast<std::size_t>(wanted.row(o)[0])], wanted.row(o) + 1, items,
            planned.executor, o);
  }

  /// The outputs; in the first list the fetch and the position of each, in the second the fetches
  /// that there is something for.
  runtime::Asked asked(const Unfolded& u) const {
    std::size_t axes = 0;
    for (const Fetch& f : fetches_)
      if (!f.loss) axes = std::max(axes, symbol(f).axes.size());
    runtime::Asked asked{.outputs = {},
                         .lists = {plan::Table(1 + axes), plan::Table(1)},
                         .forward_end = u.graph().size() - 1};
    for (const Wanted& w : wanted_in(u, fetches_, asked.lists[1].cells)) {
      asked.outputs.push_back(w.piece.node.id);
      auto& cells = asked.lists[0].cells;
      cells.push_back(w.fetch - fetches_.data());
      for (std::size_t a = 0; a < axes; ++a)
        cells.push_back(a < w.piece.at.size() ? w.piece.at[a] : 0);
    }
    return asked;
  }

  struct Wanted {
    const Fetch* fetch;
    Piece piece;
  };

  // the nodes that the fetches stand for; gradients are added to the graph
  /// @param found  numbers of the fetches that there is a node for
  static std::vector<Wanted> wanted_in(const Unfolded& u, std::span<const Fetch> fetches,
                                       std::vector<std::int64_t>& found) {
    std::vector<Wanted> wanted;
    std::vector<Var> wrt;
    std::vector<std::pair<const Fetch*, Piece>> gradients;
    for (const Fetch& f : fetches) {
      if (is_data(u.model(), f)) continue;
      bool any = false;
      for (const Piece& p : pieces_of(u, f)) {
        if (!p.node) continue;  // nothing stands there: zero
        any = true;
        if (!f.gradient) {
          wanted.push_back({&f, p});
          continue;
        }
        gradients.emplace_back(&f, p);
        wrt.push_back(p.node);
      }
      if (any) found.push_back(&f - fetches.data());
    }
    if (!wrt.empty()) differentiate(u, wrt, gradients, wanted);
    return wanted;
  }

  static void differentiate(const Unfolded& u, const std::vector<Var>& wrt,
                            const std::vector<std::pair<const Fetch*, Piece>>& asked,
                            std::vector<Wanted>& wanted) {
    std::vector<Var> unique;
    std::map<NodeId, std::size_t> number;
    for (const Var& v : wrt)
      if (number.emplace(v.id, unique.size()).second) unique.push_back(v);
    const Gradients g = gradient(u.loss(), unique);
    for (const auto& [f, piece] : asked) {
      if (f->edge.empty()) {
        wanted.push_back({f, {g[number.at(piece.node.id)], piece.at}});
        continue;
      }
      const Tape& tape = u.graph().tape();  // the share of the mentions in one equation (R8)
      for (const EdgeContribution& e : g.edges(piece.node))
        if (tape.name(e.user) == f->edge) wanted.push_back({f, {e.value, piece.at}});
    }
  }

  // s[1] = s0 defines position 1 of an empty item too, but results end with the item
  bool within(const Fetch& f, const std::int64_t* at, std::size_t item) const {
    if (f.loss || f.has_brackets) return true;
    const std::vector<int>& axes = symbol(f).axes;
    for (std::size_t a = 0; a < axes.size(); ++a)
      if (at[a] > data_.lengths[length_of(axes[a])][item]) return false;
    return true;
  }

  // flat, among the index axes of the result
  std::int64_t place_of(const Fetch& f, const std::int64_t* at) const {
    std::int64_t flat = 0;
    if (f.loss || f.has_brackets) return flat;
    const std::vector<int>& axes = symbol(f).axes;
    for (std::size_t a = 0; a < axes.size(); ++a)
      flat = flat * data_.longest[length_of(axes[a])] + at[a] - 1;
    return flat;
  }

  // a weight's gradient adds up over groups; an item's values go to its place
  void store(const Fetch& f, const std::int64_t* at, const std::vector<std::int32_t>& items,
             const Executor<S>& executor, std::size_t output) {
    const std::span<S> to =
        places_[static_cast<std::size_t>(&f - fetches_.data())]->template values<S>();
    const std::span<const S> from = executor.value(output);
    const std::int64_t size = executor.elements(output), flat = place_of(f, at);
    if (!executor.per_example(output)) {
      if (per_example(f)) fail(Status::bug, "B001", "a shared node stands for \"{}\"", f.text);
      for (std::int64_t i = 0; i < size; ++i) {
        S& place = to[static_cast<std::size_t>(flat * size + i)];
        place = f.gradient ? place + from[static_cast<std::size_t>(i)]
                           : from[static_cast<std::size_t>(i)];
      }
      return;
    }
    const std::span<const std::int32_t> rows = executor.output_items(output);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::int64_t item = items[static_cast<std::size_t>(rows[r])];
      if (!within(f, at, static_cast<std::size_t>(item))) continue;
      for (std::int64_t i = 0; i < size; ++i) {
        S& place = to[static_cast<std::size_t>((flat * data_.items + item) * size + i)];
        const S value = from[r * static_cast<std::size_t>(size) + static_cast<std::size_t>(i)];
        place = f.edge.empty() ? value : place + value;
      }
    }
  }

  std::shared_ptr<const ResolvedModel> model_;
  const BatchData& data_;
  Evaluation<S> evaluation_;
  std::vector<Fetch> fetches_;
  runtime::Planner<S> planner_;
  Tensors results_;
  std::vector<Tensor*> places_;  ///< in results_, by fetch
  std::set<std::string> found_;
};

template <class S>
void evaluate(const std::shared_ptr<const ResolvedModel>& model, BatchData& data,
              const Tensors& weights, const RunOptions& options, RunResult& result) {
  if (draws_lengths(*model, data, options)) draw_lengths<S>(model, data, weights, options);
  Run<S> run(model, data, weights, options);
  result.values = run();
  result.not_finite = run.not_finite(result.values);
  for (const std::string& name : run.unread())
    result.warnings.push_back(
        fmt::format("\"{}\" is zero: no equation reads it at that position", name));
  if (run.lacks_chunks())
    result.warnings.push_back(
        fmt::format("a chunk of {} changes nothing: {}", options.engine.chunk, kNoChunks));
}

// a mixed variable's probability is an input of the graph
void add_mixes(const RunOptions& options, BatchData& data) {
  check_constant_mixes(options.modes);
  for (const auto& [name, mode] : options.modes) {
    if (mode.kind != Mode::Kind::mixed) continue;
    data.inputs[mix_input(name)] = Tensor::of({}, std::vector<double>{mode.data.from});
  }
}

// all that a run takes, before the first of it is drawn
void require_for_drawn(const ResolvedModel& model, const DrawOptions& draw,
                       const RunOptions& options) {
  const std::vector<std::int64_t> lengths =
      lengths_of(model, {.steps = draw.steps, .lengths = draw.lengths});
  std::vector<MemoryUse> plan = memory_of_run(model, lengths, draw.batch, options);
  for (const MemoryUse& use : memory_of_inputs(model, lengths, draw.batch)) plan.push_back(use);
  for (const MemoryUse& use : memory_of_weights(model, lengths, sizeof(double)))
    plan.push_back(use);
  require_memory(fmt::format("running {} drawn items", draw.batch), plan,
                 options.engine.max_memory);
}

// -1 stands for what no option says
void check_options(const RunOptions& o) {
  const auto need = [](bool ok, const char* what) {
    if (!ok) fail(Status::usage, "U002", "{}", what);
  };
  need(o.steps >= -1, "steps are 0 or more");
  need(o.batch >= -1, "a batch has 0 items or more");
  need(std::isfinite(o.temperature) && o.temperature > 0, "a temperature is finite and above 0");
  need(o.top_k >= 0, "draws are of the top_k likeliest: 1 or more, or 0 for all");
  need(o.top_p > 0 && o.top_p <= 1, "top_p is a share of the probability, in (0, 1]");
  if (o.dtype != Dtype::f32 && o.dtype != Dtype::f64)
    fail(Status::usage, "U020", "a run computes in f32 or f64, not in {}", to_string(o.dtype));
}

}  // namespace

RunResult run(const Definition& d, const Tensors& inputs, const Tensors& weights,
              const RunOptions& options) {
  check_options(options);
  const std::shared_ptr<const ResolvedModel> model = resolve(d);
  RunResult result;
  check_modes(*model, options.modes);
  check_length_names(*model, options.lengths);
  const bool drawn = inputs.empty() && weights.empty();
  for (const std::string& text : options.fetch) parse_fetch(*model, text);
  DrawOptions draw;
  draw.steps = options.steps >= 0 ? options.steps : draw.steps;
  draw.lengths = options.lengths;
  draw.batch = options.batch >= 0 ? options.batch : 1;
  draw.seed = options.seed;
  if (drawn) require_for_drawn(*model, draw, options);
  Tensors drawn_inputs = drawn ? random_inputs(d, draw) : inputs;
  if (drawn)  // what is sampled is not given
    for (const auto& [name, mode] : options.modes)
      if (mode.kind == Mode::Kind::sampled || mode.kind == Mode::Kind::greedy) {
        drawn_inputs.erase(name);
        drawn_inputs.erase("lengths:" + name);
      }
  const Tensors drawn_weights = drawn ? initial_weights(d, draw) : weights;
  RunOptions known = options;
  if (drawn) {  // lengths are asked for, not told: a sequence that is sampled may end before (R14)
    std::erase_if(drawn_inputs, [](const auto& t) { return t.first.starts_with("lengths:"); });
    known.steps = draw.steps;
    known.batch = draw.batch;
  }
  BatchData data = read_batch(*model, std::move(drawn_inputs), known);
  add_mixes(options, data);
  require_memory(fmt::format("running {} items", data.items),
                 memory_of_run(*model, data.longest, data.items, options),
                 options.engine.max_memory);
  for (const auto& [name, tensor] : drawn_weights) {
    const int number = model->find(name);
    if (number < 0 || model->symbols[static_cast<std::size_t>(number)].kind != SymbolKind::weight)
      result.warnings.push_back(fmt::format("weight \"{}\" is not in the definition", name));
  }
  if (options.dtype == Dtype::f64)
    evaluate<double>(model, data, drawn_weights, known, result);
  else
    evaluate<float>(model, data, drawn_weights, known, result);
  return result;
}

}  // namespace taugrad
