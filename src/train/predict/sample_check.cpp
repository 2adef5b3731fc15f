#include "train/predict/sample_check.h"

#include <cmath>

#include "base/fail.h"
#include "taugrad/train/dataset.h"

namespace taugrad {

void cannot_sample(const Definition& d, const std::string& why) {
  Diagnostic e;
  e.code = "U010";
  e.message = fmt::format("cannot sample {}: {}", d.name.empty() ? "this definition" : d.name, why);
  e.help =
      "sampling takes definitions with something random; inputs are given by items: `taugrad "
      "sample "
      "--data FILE`";
  fail(Status::usage, std::move(e));
}

void check_weights_to_draw(const Tensors& weights) {
  for (const auto& [name, t] : weights) {
    std::int64_t bad = 0;
    for (std::int64_t i = 0; i < t.size(); ++i) bad += std::isnan(t.at(i)) ? 1 : 0;
    if (bad > 0)
      fail(Status::bad_input, "S101", "{} of {} values of \"{}\" are NaN: nothing can be drawn",
           bad, t.size(), name);
  }
}

void check_sampling(const Definition& d, const ResolvedModel& model, const SampleOptions& o,
                    bool given) {
  if (o.count < 1) fail(Status::usage, "U002", "count must be >= 1");
  if (o.steps < 1) fail(Status::usage, "U002", "steps must be >= 1");
  if (o.top_k < 0) fail(Status::usage, "U002", "top_k must be >= 0");
  if (!(o.top_p > 0 && o.top_p <= 1))
    fail(Status::usage, "U002", "top_p must be in (0, 1], got {}", o.top_p);
  if (o.temperature != 0 && !(o.temperature >= 1e-3 && o.temperature <= 1e3))
    fail(Status::usage, "U002", "temperature must be 0 or in 0.001..1000, got {}", o.temperature);
  bool random = false;
  for (const Symbol& s : model.symbols) {
    if (s.kind == SymbolKind::input && !given)
      cannot_sample(d, fmt::format("it has the input {}", s.name));
    if (s.random() && s.axes.size() > 1 && !given)
      cannot_sample(d, fmt::format("{} has several indices", s.name));
    random = random || s.random();
  }
  if (!random) cannot_sample(d, "it has no random variable");
  if (!o.prompt.empty() && given) cannot_sample(d, "a prompt is for models of text");
  if (!o.prompt.empty()) {
    const TextVariable variable = text_variable(d);
    for (const std::int64_t s : o.prompt)
      if (s < 0 || s >= variable.symbols)
        fail(Status::usage, "D013", "the prompt holds {}; the symbols of {} are 0..{}", s,
             variable.name, variable.symbols - 1);
  }
  if (!o.prompt.empty() && static_cast<std::int64_t>(o.prompt.size()) >= o.steps)
    fail(Status::usage, "U002", "the prompt has {} symbols, steps must be more, got {}",
         o.prompt.size(), o.steps);
}

}  // namespace taugrad
