// What `taugrad bench` prints.
#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "bench/benchmark.h"
#include "json/json_writer.h"

namespace taugrad::cli {
namespace {

std::string milliseconds(double ms) { return ms < 0 ? "null" : fmt::format("{:.4f}", ms); }

double rate(double amount, double ms) { return ms > 0 ? amount / ms / 1e6 : 0; }

std::string quoted_json(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string json_of(const runtime::ProfileRow& row, double total) {
  std::string text = fmt::format(
      "{{\"kind\":{},\"detail\":{},\"steps\":{},\"ms\":{:.5f},\"share\":{:.4f},\"bytes\":{:.0f}",
      quoted_json(row.kind), quoted_json(row.detail), row.steps, row.ms,
      total > 0 ? row.ms / total : 0.0, row.work.bytes);
  if (row.work.operations > 0)
    text += fmt::format(",\"flop\":{:.0f},\"gflops\":{:.1f}", row.work.operations,
                        rate(row.work.operations, row.ms));
  return text + "}";
}

std::string shortened(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 2) + "..";
}

/// The figure that a workload is known by: its step, or its forward run where it has no loss.
const Timing& main_figure(const BenchmarkResult& r) { return r.step.runs > 0 ? r.step : r.forward; }
double main_gflop(const BenchmarkResult& r) { return r.step.runs > 0 ? r.gflop : r.gflop_forward; }

}  // namespace

std::string json_line(const BenchmarkResult& r) {
  const Timing& figure = main_figure(r);
  std::string line = fmt::format(
      "{{\"peer\":{},\"workload\":{},\"threads\":{},\"fwd_ms\":{},\"fwd_bwd_ms\":{},"
      "\"peak_rss_mb\":{:.1f},\"tokens_per_s\":{:.0f},\"base_rss_mb\":{:.1f},\"fwd_min_ms\":{},"
      "\"fwd_bwd_min_ms\":{},\"reps\":{}",
      quoted_json(r.peer), quoted_json(r.workload), r.threads, milliseconds(r.forward.median),
      milliseconds(r.step.median), r.peak_mb, static_cast<double>(r.tokens) * 1e3 / figure.median,
      r.base_mb, milliseconds(r.forward.least), milliseconds(r.step.least), figure.runs);
  line += fmt::format(
      ",\"gflop\":{:.4f},\"gflop_fwd\":{:.4f},\"gflops\":{:.1f},\"nodes\":{},\"plan_steps\":{},"
      "\"prepare_ms\":{:.3f},\"first_run_ms\":{:.3f},\"by_law\":{}",
      main_gflop(r), r.gflop_forward, main_gflop(r) * 1e3 / figure.median, r.nodes, r.plan_steps,
      r.prepare_ms, r.first_run_ms, r.by_law);
  line +=
      fmt::format(",\"us_per_step\":{:.3f}",
                  figure.median * 1e3 / static_cast<double>(std::max<std::int64_t>(r.steps, 1)));
  if (r.plan_ms >= 0)
    line += fmt::format(",\"plan_ms\":{:.3f},\"plan_ns_per_node\":{:.1f}", r.plan_ms,
                        r.plan_ms * 1e6 / static_cast<double>(r.nodes));
  if (r.gradient_error >= 0)
    line += fmt::format(",\"loss_error\":{:.2e},\"gradient_error\":{:.2e}", r.loss_error,
                        r.gradient_error);
  for (std::size_t i = 0; i < r.profile.size(); ++i)
    line += (i == 0 ? ",\"profile\":[" : ",") + json_of(r.profile[i], r.profiled_ms);
  if (!r.profile.empty()) line += ']';
  return line + "}\n";
}

std::string table_head() {
  return fmt::format("{:<18} {:>7} {:>10} {:>10} {:>10} {:>9} {:>10} {:>8}", "workload", "threads",
                     "fwd ms", "step ms", "least ms", "GFLOP/s", "tokens/s", "MB");
}

std::string table_line(const BenchmarkResult& r) {
  const Timing& figure = main_figure(r);
  return fmt::format("{:<18} {:>7} {:>10.4g} {:>10} {:>10.4g} {:>9.1f} {:>10.0f} {:>8.1f}",
                     shortened(r.workload, 18), r.threads, r.forward.median,
                     r.step.runs > 0 ? fmt::format("{:.4g}", r.step.median) : "-", figure.least,
                     main_gflop(r) * 1e3 / figure.median,
                     static_cast<double>(r.tokens) * 1e3 / figure.median, r.peak_mb - r.base_mb);
}

std::string profile_table(const BenchmarkResult& r) {
  constexpr std::size_t kDetail = 60, kMost = 20;
  std::string text = fmt::format("  {:<12} {:>6} {:>9} {:>6} {:>9} {:>8} {:>8}  {}", "kind",
                                 "steps", "ms", "share", "MB", "GB/s", "GFLOP/s", "what");
  std::size_t count = 0;
  for (const runtime::ProfileRow& row : r.profile) {
    if (++count > kMost) return text + fmt::format("\n  and {} more", r.profile.size() - kMost);
    const std::string speed =
        row.work.operations > 0 ? fmt::format("{:.1f}", rate(row.work.operations, row.ms)) : "-";
    text += fmt::format("\n  {:<12} {:>6} {:>9.4f} {:>5.1f}% {:>9.3f} {:>8.1f} {:>8}  {}", row.kind,
                        row.steps, row.ms, r.profiled_ms > 0 ? 100 * row.ms / r.profiled_ms : 0.0,
                        row.work.bytes / 1e6, rate(row.work.bytes, row.ms), speed,
                        shortened(row.detail, kDetail));
  }
  return text;
}

}  // namespace taugrad::cli
