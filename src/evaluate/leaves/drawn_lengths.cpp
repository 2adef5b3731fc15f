#include "evaluate/leaves/drawn_lengths.h"

#include <algorithm>

#include "base/fail.h"
#include "base/whole.h"
#include "evaluate/evaluation.h"
#include "language/resolve/drawing.h"

namespace taugrad {
namespace {

bool is_drawn(const std::string& name, const RunOptions& options) {
  const auto mode = options.modes.find(name);
  return mode != options.modes.end() && mode->second.draws();
}

// the variable that a length is drawn by, or null
const Symbol* drawn_by(const ResolvedModel& model, std::size_t length, const RunOptions& options) {
  for (const Symbol& s : model.symbols)
    if (s.length == static_cast<int>(length) && is_drawn(s.name, options)) return &s;
  return nullptr;
}

bool stops_by_itself(const ResolvedModel& model, std::size_t length, const RunOptions& options) {
  const bool any = std::any_of(model.symbols.begin(), model.symbols.end(), [&](const Symbol& s) {
    return s.random() && is_drawn(s.name, options);
  });
  return any && !model.ends.empty() &&
         model.index_length[static_cast<std::size_t>(model.ends.back().first)] ==
             static_cast<int>(length);
}

template <class S>
class Drawing {
 public:
  Drawing(const std::shared_ptr<const ResolvedModel>& model, BatchData& data,
          const Tensors& weights, const RunOptions& options)
      : model_(*model),
        data_(data),
        options_(options),
        evaluation_(model, data, weights, options) {}

  // tau ~ categorical(..): the number drawn is the length
  void from(const Symbol& s, std::size_t length) {
    set(length, std::vector<std::int64_t>(static_cast<std::size_t>(data_.items), 0));
    std::vector<std::int64_t> found = data_.lengths[length];
    for (const std::vector<std::int32_t>& items : groups_of(data_, can_be_ragged(model_))) {
      const Unfolded u = evaluation_.unfolded(items);
      Tape& tape = u.graph().tape();
      const Var a = tape.var(tape.inputs(u.nll(s.name, {}).id)[0]);
      tape.set_owner(tape.intern_name(s.name), 0);
      const bool greedy = options_.modes.at(s.name).takes_likeliest();
      const NodeId draw =
          (greedy ? likeliest(s, a)
                  : drawn(s, a, {}, {options_.temperature, options_.top_k, options_.top_p}))
              .id;
      const Executor<S> executor = evaluation_(tape, std::span(&draw, 1), items);
      const auto rows = executor.output_items(0);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const std::int32_t item = items[static_cast<std::size_t>(rows[r])];
        const auto drawn_length = whole_number(static_cast<double>(executor.value(0)[r]));
        if (!drawn_length)
          fail(Status::numerical, "N004",
               "{} of item {} has no distribution: its arguments are NaN", s.name, item);
        found[static_cast<std::size_t>(item)] = *drawn_length;
      }
    }
    set(length, std::move(found));
  }

  // "ends": the first step after which it is not 0, else the longest there may be
  void until_end(std::size_t length) {
    std::vector<std::int64_t> found = data_.lengths[length];
    for (const std::vector<std::int32_t>& items : groups_of(data_, can_be_ragged(model_))) {
      const Unfolded u = evaluation_.unfolded(items);
      std::vector<NodeId> ends;
      for (std::int32_t t = 1; u.end(t); ++t) ends.push_back(u.end(t).id);
      if (ends.empty()) continue;
      const Executor<S> executor = evaluation_(u.graph().tape(), ends, items);
      for (std::size_t e = ends.size(); e-- > 0;) {
        const auto rows = executor.output_items(e);
        for (std::size_t r = 0; r < rows.size(); ++r)
          if (executor.value(e)[r] != 0)
            found[static_cast<std::size_t>(items[static_cast<std::size_t>(rows[r])])] =
                static_cast<std::int64_t>(e) + 1;
      }
    }
    set(length, std::move(found));
  }

 private:
  void set(std::size_t length, std::vector<std::int64_t> lengths) {
    data_.longest[length] = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
    data_.lengths[length] = std::move(lengths);
    derive_lengths_of_items(model_, data_);
  }

  const ResolvedModel& model_;
  BatchData& data_;
  const RunOptions& options_;
  Evaluation<S> evaluation_;
};

}  // namespace

bool draws_lengths(const ResolvedModel& model, const BatchData& data, const RunOptions& options) {
  for (std::size_t l = 0; l < model.lengths.size(); ++l)
    if (!data.told[l] && !model.is_derived(l) &&
        (drawn_by(model, l, options) || stops_by_itself(model, l, options)))
      return true;
  return false;
}

template <class S>
void draw_lengths(const std::shared_ptr<const ResolvedModel>& model, BatchData& data,
                  const Tensors& weights, const RunOptions& options) {
  Drawing<S> drawing(model, data, weights, options);
  for (std::size_t l = 0; l < model->lengths.size(); ++l) {
    if (data.told[l]) continue;
    if (const Symbol* s = drawn_by(*model, l, options))
      drawing.from(*s, l);
    else if (stops_by_itself(*model, l, options)) {
      std::vector<std::string> sampled;
      for (const auto& [name, mode] : options.modes)
        if (mode.draws()) sampled.push_back(name);
      check_open_length(*model, static_cast<int>(l), sampled);
      drawing.until_end(l);
    }
  }
}

template void draw_lengths<float>(const std::shared_ptr<const ResolvedModel>&, BatchData&,
                                  const Tensors&, const RunOptions&);
template void draw_lengths<double>(const std::shared_ptr<const ResolvedModel>&, BatchData&,
                                   const Tensors&, const RunOptions&);

}  // namespace taugrad
