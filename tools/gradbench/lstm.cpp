#include "gradbench/lstm.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "evaluate/leaves/bind.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/evaluate/run.h"
#include "unfold/graph_size.h"

namespace taugrad::gradbench {
namespace {

constexpr const char* kGates[] = {"f", "i", "o", "c"};  // forget, ingate, outgate, change

/// The rows of a matrix one behind the other. `width`: of every row; 0: that of the first.
struct Rows {
  std::vector<double> values;
  std::int64_t count = 0, width = 0;
};

Rows read_rows(const json::Fields& fields, const char* name, std::int64_t width) {
  Rows rows{.values = {}, .count = 0, .width = width};
  for (const json::Value& row : fields.at(name).elements(name)) {
    const std::vector<json::Value> elements = row.elements("row");
    const auto size = static_cast<std::int64_t>(elements.size());
    if (rows.width == 0) rows.width = size;
    if (size != rows.width || size == 0)
      row.fail("D011", fmt::format("a row of \"{}\" has {} numbers, want {}", name, size,
                                   rows.width == 0 ? "some" : std::to_string(rows.width)));
    for (const json::Value& x : elements) rows.values.push_back(x.number("entry"));
    ++rows.count;
  }
  return rows;
}

void require_rows(const json::Fields& fields, const char* name, bool ok, const Rows& rows,
                  const std::string& want) {
  if (!ok)
    fields.at(name).fail("D011", fmt::format("\"{}\" has {} rows of {}, want {}", name, rows.count,
                                             rows.width, want));
}

std::vector<std::string> weight_names(std::int64_t layers) {
  std::vector<std::string> names;
  for (std::int64_t l = 1; l <= layers; ++l)
    for (const char* kind : {"w", "b"})
      for (const char* gate : kGates) names.push_back(fmt::format("{}{}{}", kind, gate, l));
  for (const char* name : {"in_weight", "out_weight", "out_bias"}) names.emplace_back(name);
  return names;
}

Tensor vector_of(const std::vector<double>& from, std::int64_t row, std::int64_t width, Dims dims) {
  const auto first = from.begin() + row * width;
  return Tensor::of(std::move(dims), std::vector<double>(first, first + width));
}

/// The loss, or the gradient of every weight.
runtime::Asked asked_of(const Unfolded& u, const std::vector<std::string>& names, bool gradients) {
  if (!gradients) return {{u.loss().id}};
  runtime::Asked asked{{}, {plan::Table(1)}, u.graph().size() - 1};
  Vars weights;
  for (const std::string& name : names) weights.push_back(u.weight(name));
  for (const Var& g : gradient(u.loss(), weights).values()) asked.outputs.push_back(g.id);
  asked.lists[0].cells.assign(asked.outputs.size(), 0);
  return asked;
}

}  // namespace

LstmInput read_lstm(const json::Fields& fields) {
  const Rows main = read_rows(fields, "main_params", 0);
  require_rows(fields, "main_params", main.count >= 2 && main.count % 2 == 0 && main.width % 4 == 0,
               main, "two rows a layer, of 4 numbers an element");
  LstmInput in;
  in.layers = main.count / 2;
  in.width = main.width / 4;
  const Rows extra = read_rows(fields, "extra_params", in.width),
             state = read_rows(fields, "state", in.width),
             sequence = read_rows(fields, "sequence", in.width);
  require_rows(fields, "extra_params", extra.count == 3, extra, "3 rows");
  require_rows(fields, "state", state.count == main.count, state, "two rows a layer");
  require_rows(fields, "sequence", sequence.count >= 2, sequence, "2 rows or more");
  in.steps = sequence.count;
  in.main = main.values;
  in.extra = extra.values;
  in.state = state.values;
  in.sequence = sequence.values;
  return in;
}

Definition lstm_definition(std::int64_t layers, std::int64_t width) {
  Definition d("gradbench_lstm");
  const IndexHandle t = d.index("t", "tau");
  const Expr m = d.size("m", width);
  for (const char* name : {"x", "y"}) d.input(name, {t}, {m});
  for (const std::string& name : weight_names(layers)) d.weight(name, {m});
  d.equation("h0[t] = x[t] * in_weight");
  for (std::int64_t l = 1; l <= layers; ++l) {
    d.input(fmt::format("H{}", l), {m});
    d.input(fmt::format("C{}", l), {m});
    const auto gate = [l](const char* f, const char* name, const std::string& from) {
      return fmt::format("{0}{1}[t] = {2}({3} * w{0}{1} + b{0}{1})", name, l, f, from);
    };
    const std::string below = fmt::format("h{}[t]", l - 1), before = fmt::format("h{}[t-1]", l);
    d.equation(gate("sigmoid", "f", below));
    d.equation(gate("sigmoid", "i", before));
    d.equation(gate("sigmoid", "o", below));
    d.equation(gate("tanh", "c", before));
    d.equation(fmt::format("s{0}[0] = C{0}", l));
    d.equation(fmt::format("h{0}[0] = H{0}", l));
    d.equation(fmt::format("s{0}[t] = s{0}[t-1] * f{0}[t] + i{0}[t] * c{0}[t]", l));
    d.equation(fmt::format("h{0}[t] = o{0}[t] * tanh(s{0}[t])", l));
  }
  d.equation(fmt::format("p[t] = h{}[t] * out_weight + out_bias", layers));
  d.equation("r[t] = p[t] - log(2 + sum(exp(p[t])))");
  d.loss_term("-sum(y[t] * r[t]) / (tau * m)");
  return d;
}

Lstm::Lstm(const LstmInput& in, bool gradients) : names_(weight_names(in.layers)) {
  const std::int64_t steps = in.steps - 1, rows = 8 * in.layers;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(names_.size()); ++i)
    weights_[names_[static_cast<std::size_t>(i)]] =
        i < rows ? vector_of(in.main, i, in.width, {in.width})
                 : vector_of(in.extra, i - rows, in.width, {in.width});
  for (std::int64_t l = 0; l < in.layers; ++l) {
    inputs_[fmt::format("H{}", l + 1)] = vector_of(in.state, 2 * l, in.width, {1, in.width});
    inputs_[fmt::format("C{}", l + 1)] = vector_of(in.state, 2 * l + 1, in.width, {1, in.width});
  }
  const auto first = in.sequence.begin(), second = first + in.width;
  inputs_["x"] =
      Tensor::of({steps, 1, in.width}, std::vector<double>(first, first + steps * in.width));
  inputs_["y"] =
      Tensor::of({steps, 1, in.width}, std::vector<double>(second, second + steps * in.width));

  const auto model = resolve(lstm_definition(in.layers, in.width));
  const UnfoldOptions unfolding{.steps = steps};
  runtime::Planner<double> planner(
      model, [&](const Unfolded& u) { return asked_of(u, names_, gradients); },
      {.engine = {.threads = 1}}, false);
  planned_ = std::make_unique<runtime::Planned<double>>(planner.plan(unfolding));
  const runtime::LengthRules rules{model->lengths, lengths_of(*model, unfolding), planned_->longest,
                                   planned_->longest};
  const auto batch = runtime::describe_batch(planned_->sources, rules, inputs_);
  planned_->executor.set_batch(batch.context, batch.items);
  for (const runtime::Source& s : planned_->sources)
    runtime::bind_source(planned_->executor, s,
                         runtime::tensor_of(s, s.weight ? weights_ : inputs_));
}

const std::vector<double>& Lstm::operator()() {
  planned_->executor.run();
  result_.clear();
  const std::size_t outputs = planned_->lists.empty() ? 1 : planned_->lists[0].rows();
  for (std::size_t o = 0; o < outputs; ++o) {
    const auto value = planned_->executor.value(o);
    result_.insert(result_.end(), value.begin(), value.end());
  }
  return result_;
}

}  // namespace taugrad::gradbench
