#include "training/curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>

#include "base/system/files.h"
#include "base/system/kept_inputs.h"
#include "taugrad/base/error.h"
#include "train/state/step_folder.h"

namespace taugrad::cli {
namespace {

constexpr std::size_t kMostPoints = 800;
constexpr double kWidth = 640, kHeight = 360, kLeft = 56, kRight = 16, kTop = 34, kBottom = 36;

/// From numbers to places on the page.
struct Scale {
  double least, most, from, to;
  double operator()(double x) const {
    return from + (x - least) / std::max(most - least, 1e-300) * (to - from);
  }
};

/// 1, 2 or 5 times a power of ten, so that a span has about five of them.
double tick_of(double span) {
  const double power = std::pow(10, std::floor(std::log10(std::max(span, 1e-300) / 5)));
  for (const double step : {1.0, 2.0, 5.0})
    if (span / (step * power) <= 7) return step * power;
  return 10 * power;
}

std::string polyline(const std::vector<std::pair<double, double>>& line, const Scale& x,
                     const Scale& y, const char* name) {
  std::string points;
  for (const auto& [update, loss] : line)
    points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", x(update), y(loss));
  return fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", name, points);
}

std::string axes(const Scale& x, const Scale& y) {
  std::string out;
  const double step = tick_of(y.most - y.least);
  for (double v = std::ceil(y.least / step) * step; v <= y.most + step * 1e-9; v += step)
    out += fmt::format(
        "<line class=\"grid\" x1=\"{}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n",
        kLeft, y(v), kWidth - kRight, y(v), kLeft - 6, y(v) + 4, std::abs(v) < step / 2 ? 0 : v);
  const double updates = std::max(tick_of(x.most - x.least), 1.0);
  for (double v = std::ceil(x.least / updates) * updates; v <= x.most; v += updates)
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>\n", x(v),
                       kHeight - kBottom + 18, v);
  return out;
}

constexpr const char* kStyle =
    "<style>text{font:12px Helvetica,Arial,sans-serif;fill:#333}.grid{stroke:#ddd}"
    ".loss{fill:none;stroke:#0072b2;stroke-width:1.5}"
    ".valid{fill:none;stroke:#d55e00;stroke-width:2;stroke-dasharray:6 3}</style>\n";

std::optional<double> number_after(std::string_view line, std::string_view key) {
  const std::size_t at = line.find(key);
  if (at == line.npos) return {};
  line.remove_prefix(at + key.size());
  double x = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), x);
  return error == std::errc() ? std::optional(x) : std::nullopt;
}

}  // namespace

Curves::Curves(std::string folder, std::string unit)
    : folder_(std::move(folder)), unit_(std::move(unit)) {}

void Curves::add(std::int64_t update, double loss, std::optional<double> valid) {
  if (valid) valid_.emplace_back(update, *valid);
  while ((update - 1) / width_ >= static_cast<std::int64_t>(kMostPoints)) halve();
  const auto at = static_cast<std::size_t>((update - 1) / width_);
  if (losses_.size() <= at) losses_.resize(at + 1);
  losses_[at].sum += loss;
  ++losses_[at].count;
}

void Curves::halve() {
  width_ *= 2;
  for (std::size_t i = 0; i < losses_.size(); i += 2) {
    Point p = losses_[i];
    if (i + 1 < losses_.size()) p.sum += losses_[i + 1].sum, p.count += losses_[i + 1].count;
    losses_[i / 2] = p;
  }
  losses_.resize((losses_.size() + 1) / 2);
}

void Curves::read_until(std::int64_t update) {
  std::ifstream file(folder_ + "/metrics.jsonl");
  for (std::string line; std::getline(file, line);) {
    const std::optional<double> number = number_after(line, "\"update\": ");
    const std::optional<double> loss = number_after(line, "\"loss\": ");
    if (!number || !loss || *number < 1) continue;  // torn, or not ours
    if (*number > static_cast<double>(update)) return;
    add(static_cast<std::int64_t>(*number), *loss, number_after(line, "\"valid\": "));
  }
}

Curves::Line Curves::points() const {
  Line line;
  for (std::size_t i = 0; i < losses_.size(); ++i)
    if (const Point& p = losses_[i]; p.count > 0)
      line.emplace_back(static_cast<double>(i) * static_cast<double>(width_) +
                            static_cast<double>(p.count + 1) / 2,
                        p.sum / static_cast<double>(p.count));
  return line;
}

std::string Curves::svg() const {
  const double unit = unit_.empty() ? 1 : 1 / std::log(2.0);
  std::array<Line, 2> lines{points(), {}};
  for (const auto& [update, loss] : valid_)
    lines[1].emplace_back(static_cast<double>(update), loss);
  Scale x{1, 2, kLeft, kWidth - kRight};
  Scale y{INFINITY, -INFINITY, kHeight - kBottom, kTop};
  for (Line& line : lines)
    for (auto& [update, loss] : line) {
      loss *= unit;
      x.most = std::max(x.most, update);
      y.least = std::min(y.least, loss);
      y.most = std::max(y.most, loss);
    }
  if (!(y.most > y.least)) y.least = std::isfinite(y.least) ? y.least - 1 : 0, y.most = y.least + 2;
  const std::string what = unit_.empty() ? "loss per target" : "bits per " + unit_;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" role=\"img\">\n<title>{2} over the updates</title>\n{3}"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      kWidth, kHeight, what, kStyle);
  out += axes(x, y) + polyline(lines[0], x, y, "loss");
  if (!lines[1].empty()) out += polyline(lines[1], x, y, "valid");
  out += fmt::format("<text x=\"{}\" y=\"20\">{}{}</text>\n", kLeft, what,
                     lines[1].empty() ? "" : "; dashed: of the data to validate on");
  return out + "</svg>\n";
}

void Curves::write() const {
  try {
    const UpdatesInPlace own;
    write_file(folder_ + "/curves.svg", svg(), kRunMark);
  } catch (const Error&) {
    return;  // the picture of before stays
  }
}

}  // namespace taugrad::cli
