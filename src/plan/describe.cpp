#include "plan/describe.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/index.h"

namespace taugrad::plan {
namespace {

constexpr std::size_t kLongestPeriod = 24;  ///< of lines that come again

std::string counted(const std::map<std::string, int>& counts, const char* between) {
  std::string text;
  for (const auto& [what, count] : counts) {
    if (!text.empty()) text += between;
    text += count > 1 ? fmt::format("{} {}", count, what) : what;
  }
  return text;
}

template <class S>
class Lines {
 public:
  explicit Lines(const Plan<S>& plan) : plan_(plan) {}

  std::string of(const Step<S>& step) const {
    switch (step.form) {
      case Form::pack:
        return fmt::format("pack     {}", matrix(step.panels));
      case Form::rows:
        return "product  " + products(step);
      case Form::fused:
        return "fused    " + region(step);
      case Form::outer_sum:
        return sum(step, "outer", 2);
      case Form::scatter_rows:
        return sum(step, "scatter", 2);
      case Form::sum_items:
        return sum(step, "sum", 1);
      case Form::forward:
        return fmt::format("{:<8} {}{}", step.op->name,
                           times(step.operand_count / std::max(step.each, 1u)), shape(step.out));
      default:
        return fmt::format("{:<8} {}", step.op == nullptr ? "add" : std::string(step.op->name),
                           shape(step.out));
    }
  }

 private:
  static std::string times(std::size_t instances) {
    return instances > 1 ? fmt::format("{} times ", instances) : "";
  }
  std::string shape(ValueId v) const { return to_string(plan_.shapes[plan_.values[at(v)].shape]); }
  std::string matrix(std::int32_t panels) const {
    const PackedMatrix& m = plan_.panels[at(panels)];
    return fmt::format("[{},{}]", m.rows, m.columns);
  }

  std::string products(const Step<S>& step) const {
    std::map<std::string, int> counts;
    for (std::uint32_t i = 0; i < step.job_count; ++i) {
      const Job& job = plan_.jobs[step.first_job + i];
      ++counts[fmt::format("rows {} {}", job.accumulate ? "added to their sum, by" : "by",
                           matrix(job.panels))];
    }
    return counted(counts, "; ");
  }

  static std::string name_of(const Instruction<S>& line) {
    switch (line.kind) {
      case Instruction<S>::Kind::spread:
        return "spread";
      case Instruction<S>::Kind::product:
        return line.op == kernels::TileOp::add ? "mul and add" : "mul";
      case Instruction<S>::Kind::sum:
        return "sum";
      case Instruction<S>::Kind::dot:
        return "dot";
      default:
        return std::string(kernels::tile_op_name(line.op));
    }
  }

  std::string region(const Step<S>& step) const {
    const RegionProgram<S>& program = plan_.programs[at(step.program)];
    std::map<std::string, int> ops;
    for (const Instruction<S>& line : program.code) ++ops[name_of(line)];
    const auto written = std::ranges::count_if(program.first_write, [](int i) { return i >= 0; });
    const std::size_t streams = program.apart.size();
    const std::size_t instances = step.operand_count / std::max<std::size_t>(streams, 1);
    const Value& v = plan_.values[at(plan_.operands[step.first_operand + program.result])];
    return fmt::format("{}{} elements: {}; reads {}, writes {}", times(instances),
                       program.elements > 0 ? program.elements : v.elements, counted(ops, ", "),
                       streams - static_cast<std::size_t>(written), written);
  }

  std::string sum(const Step<S>& step, const char* name, std::uint32_t operands) const {
    return fmt::format("{:<8} {} of {} terms", name, shape(step.out),
                       step.operand_count / operands);
  }

  const Plan<S>& plan_;
};

/// How often the `period` lines from `from` on stand one after another.
std::size_t repeats(const std::vector<std::string>& lines, std::size_t from, std::size_t period) {
  std::size_t end = from + period;
  while (end < lines.size() && lines[end] == lines[end - period]) ++end;
  return (end - from) / period;
}

}  // namespace

template <class S>
std::vector<std::string> lines_of(const Plan<S>& plan) {
  std::vector<std::string> lines;
  const Lines<S> writer(plan);
  for (const Step<S>& step : plan.steps) lines.push_back(writer.of(step));
  return lines;
}

template <class S>
std::string line_of(const Plan<S>& plan, const Step<S>& step) {
  return Lines<S>(plan).of(step);
}

std::vector<std::string> fold_repeats(const std::vector<std::string>& lines) {
  std::vector<std::string> folded;
  for (std::size_t i = 0; i < lines.size();) {
    std::size_t best = 1, times = repeats(lines, i, 1);
    for (std::size_t period = 2; period <= kLongestPeriod && i + 2 * period <= lines.size();
         ++period)
      if (const std::size_t n = repeats(lines, i, period); n > 1 && n * period > times * best) {
        best = period;
        times = n;
      }
    if (times == 1) {
      folded.push_back(lines[i++]);
      continue;
    }
    folded.push_back(fmt::format("{} times:", times));
    for (std::size_t k = 0; k < best; ++k) folded.push_back("  " + lines[i + k]);
    i += best * times;
  }
  return folded;
}

template std::vector<std::string> lines_of(const Plan<float>&);
template std::vector<std::string> lines_of(const Plan<double>&);
template std::string line_of(const Plan<float>&, const Step<float>&);
template std::string line_of(const Plan<double>&, const Step<double>&);

}  // namespace taugrad::plan
