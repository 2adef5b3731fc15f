#include "evaluate/leaves/data_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fail.h"
#include "base/whole.h"

namespace taugrad {
namespace {

bool is_bernoulli(const Symbol& s) {
  return s.distribution == DistributionKind::bernoulli_logits ||
         s.distribution == DistributionKind::bernoulli_p;
}

}  // namespace

void check_position(const ResolvedModel& model, const Symbol& s,
                    const std::vector<std::int64_t>& at, double value, std::size_t item) {
  const auto refuse = [&](const std::string& wanted) {
    fail(Status::bad_input, "D017", "\"{}\" holds {} at position [{}] of item {}; {}", s.name,
         value, fmt::join(at, ","), item, wanted);
  };
  if (!whole_number(value)) refuse("positions are whole numbers");
  if (!s.ordered) return;
  const auto axis = std::find(s.axes.begin(), s.axes.end(), s.position);
  const auto own = static_cast<double>(at[static_cast<std::size_t>(axis - s.axes.begin())]);
  const std::string& letter = model.system.indices[static_cast<std::size_t>(s.position)].name;
  if (s.after ? value <= own : value >= own)
    refuse(fmt::format("what it points to must be {} than {}, for the order rests on it",
                       s.after ? "greater" : "smaller", letter));
}

bool in_range(const Symbol& s, double value) {
  if (s.category >= 0)
    return value >= 0 && value < static_cast<double>(s.category) && whole_number(value).has_value();
  return !is_bernoulli(s) || (value >= 0 && value <= 1);
}

std::string range_text(const Symbol& s) {
  return s.category >= 0 ? fmt::format("its symbols are 0..{}", s.category - 1)
                         : "a bernoulli is 0 or 1, or between them";
}

void check_values(const ResolvedModel& model, const BatchData& data, const Symbol& s,
                  const Tensor& tensor) {
  if (s.category < 0 && !is_bernoulli(s) && s.position < 0) return;
  const std::int64_t size = s.shape.size(), items = std::max<std::int64_t>(data.items, 1);
  std::vector<std::int64_t> at(s.axes.size());
  for (std::int64_t flat = 0; flat < tensor.size(); ++flat) {
    std::int64_t rest = flat / size / items;
    const auto item = static_cast<std::size_t>(flat / size % items);
    bool alive = true;
    for (std::size_t a = s.axes.size(); a-- > 0;) {
      at[a] = rest % tensor.dims()[a] + 1;
      rest /= tensor.dims()[a];
      const auto l =
          static_cast<std::size_t>(model.index_length[static_cast<std::size_t>(s.axes[a])]);
      const auto& lengths = data.goes_past_data(l) ? data.data_lengths[l] : data.lengths[l];
      alive = alive && at[a] <= lengths[item];
    }
    const double value = tensor.at(flat);
    if (alive && s.position >= 0) check_position(model, s, at, value, item);
    if (!alive || in_range(s, value)) continue;
    fail(Status::bad_input, "D013", "\"{}\" holds {} at position [{}] of item {}; {}", s.name,
         value, fmt::join(at, ","), item, range_text(s));
  }
}

void add_stops(const ResolvedModel& model, const Modes& modes, BatchData& data) {
  for (const auto& [letter, ast] : model.system.ends)
    for (const AstNode& n : ast.nodes) {
      const int number = n.kind == AstNode::Kind::reference ? model.find(n.name) : -1;
      if (number < 0 || data.inputs.contains(n.name)) continue;
      const Symbol& s = model.symbols[static_cast<std::size_t>(number)];
      if (!is_bernoulli(s) || s.axes.size() != 1 || s.shape.rank() != 0) continue;
      const auto l =
          static_cast<std::size_t>(model.index_length[static_cast<std::size_t>(s.axes[0])]);
      const auto mode = modes.find(s.name);
      const bool drawn = mode != modes.end() && mode->second.draws();
      if (drawn && !data.told[l]) continue;  // then it is what tells the length
      Tensor stop({data.longest[l], data.items}, Dtype::f64);
      for (std::int64_t i = 0; i < data.items; ++i)
        if (const std::int64_t end = data.lengths[l][static_cast<std::size_t>(i)]; end > 0)
          stop.set((end - 1) * data.items + i, 1);
      data.inputs[s.name] = std::move(stop);
    }
}

}  // namespace taugrad
