#include "draw/render/heat_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "draw/text/text.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kMostCells = 96;   // along one side; more are binned
constexpr std::size_t kMostTitles = 32;  // along one side; more have no words of their own
constexpr double kSide = 288, kStrip = 14, kGap = 26, kLeft = 92;
constexpr double kDecades = 4;  // of the colour scale, on both sides of 1

/// Blue (10^-4) over near white (1) to orange (10^4); grey: nothing flows.
std::string colour(double value) {
  if (value == 0) return "#e4e4e4";
  if (!std::isfinite(value)) return "#7a0000";
  const double x = std::clamp(std::log10(value) / kDecades, -1.0, 1.0);
  const std::array<double, 3> low{20, 60, 130}, mid{247, 247, 247}, high{179, 70, 10};
  const auto mix = [&](std::size_t c) {
    const double end = x < 0 ? low[c] : high[c];
    return static_cast<int>(mid[c] + (end - mid[c]) * std::abs(x) + 0.5);
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2));
}

/// Geometric mean over the bins [from, to) of what is not 0.
template <class F>
double binned(std::size_t from, std::size_t to, F&& value) {
  double logs = 0, count = 0;
  for (std::size_t i = from; i < to; ++i)
    if (const double v = value(i); v > 0) {
      logs += std::log(v);
      ++count;
    }
  return count > 0 ? std::exp(logs / count) : 0;
}

/// Bins along a side of n values.
struct Side {
  std::size_t n, bins;
  double width;
  explicit Side(std::size_t values)
      : n(values),
        bins(std::min(values, kMostCells)),
        width(kSide / static_cast<double>(std::max<std::size_t>(bins, 1))) {}
  std::size_t from(std::size_t bin) const { return bin * n / bins; }
};

}  // namespace

void HeatSvg::text(double x, double y, std::string_view content, bool small,
                   std::string_view anchor) {
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{} text-anchor=\"{}\">{}</text>\n", x, y,
                       small ? " class=\"s\"" : "", anchor, xml_escape(content));
}

void HeatSvg::cell(double x, double y, double w, double h, double value, const std::string& title) {
  body_ +=
      fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\">",
                  x, y, w + 0.05, h + 0.05, colour(value));
  if (!title.empty()) body_ += fmt::format("<title>{}: {:.3g}</title>", xml_escape(title), value);
  body_ += "</rect>\n";
}

void HeatSvg::heading(std::string_view content) {
  text(kLeft, y_ + 10, content, false);
  y_ += 18;
}

void HeatSvg::map(std::size_t rows, std::size_t columns, const Value2& value,
                  const std::string& row, const std::string& column) {
  const Side down(rows), across(columns);
  const bool titles = std::max(rows, columns) <= kMostTitles;
  for (std::size_t r = 0; r < down.bins; ++r)
    for (std::size_t c = 0; c < across.bins; ++c) {
      const double v = binned(down.from(r), down.from(r + 1), [&](std::size_t i) {
        return binned(across.from(c), across.from(c + 1),
                      [&](std::size_t j) { return value(i, j); });
      });
      if (v == 0) continue;
      cell(kLeft + across.width * static_cast<double>(c), y_ + down.width * static_cast<double>(r),
           across.width, down.width, v,
           titles
               ? fmt::format("{} = {}, {} = {}", row, down.from(r) + 1, column, across.from(c) + 1)
               : "");
    }
  text(kLeft - 8, y_ + 10, row + " = 1", true, "end");
  text(kLeft - 8, y_ + kSide, fmt::format("{} = {}", row, rows), true, "end");
  y_ += kSide + 12;
  text(kLeft, y_, column + " = 1");
  text(kLeft + kSide, y_, fmt::format("{} = {}", column, columns), true, "end");
  y_ += 8;
}

void HeatSvg::strip(std::size_t n, const Value& value, const Name& name, std::string_view label,
                    std::string_view remark) {
  text(kLeft - 8, y_ + 11, label, true, "end");
  const Side side(n);
  for (std::size_t b = 0; b < side.bins; ++b)
    cell(kLeft + side.width * static_cast<double>(b), y_, side.width, kStrip,
         binned(side.from(b), side.from(b + 1), value), name(side.from(b)));
  if (!remark.empty()) text(kLeft + kSide + 8, y_ + 11, remark);
  y_ += kStrip;
}

void HeatSvg::legend() {
  y_ += 14;
  for (int d = -4; d <= 4; ++d) {
    cell(kLeft + 32.0 * (d + 4), y_, 32, kStrip, std::pow(10.0, d), "");
    text(kLeft + 32.0 * (d + 4) + 16, y_ + kStrip + 12, fmt::format("1e{}", d), true, "middle");
  }
  y_ += kStrip + kGap;
}

std::string HeatSvg::document(std::string_view title, std::string_view about) const {
  const double width = kLeft + kSide + 130;
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{0:.0f}\" "
             "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n<title>{2}</title>\n"
             "<desc>{3}</desc>\n<style>text{{font:12px Helvetica,Arial,\"Liberation "
             "Sans\",sans-serif;fill:#111}} .s{{font-size:10px;fill:#444}} .bg{{fill:#fff}} "
             "@media (prefers-color-scheme:dark){{.bg{{fill:#15181d}} text{{fill:#eee}} "
             ".s{{fill:#c4c8ce}}}}</style>\n<rect class=\"bg\" width=\"{0:.0f}\" "
             "height=\"{1:.0f}\"/>\n<text x=\"{4:.0f}\" y=\"20\">{2}</text>\n",
             width, y_, xml_escape(title), xml_escape(about), kLeft) +
         body_ + "</svg>\n";
}

}  // namespace taugrad::draw
