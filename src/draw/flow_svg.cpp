#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "draw/text.h"
#include "taugrad/draw/flow_picture.h"

namespace taugrad {
namespace {

using draw::xml_escape;

constexpr std::size_t kMostCells = 96;  // along one side; more are binned
constexpr double kSide = 288, kStrip = 14, kGap = 26, kLeft = 92, kTop = 40;
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

class FlowSvg {
 public:
  explicit FlowSvg(const FlowReport& r) : report_(r) {}

  std::string write() {
    double y = kTop;
    for (const VariableFlow& v : report_.variables) y = variable(v, y);
    for (const WeightFlow& w : report_.weights) y = weight(w, y);
    y = legend(y);
    const double width = kLeft + kSide + 130;
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{0:.0f}\" "
               "height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\">\n<title>{2}</title>\n"
               "<desc>{3}</desc>\n<style>text{{font:12px Helvetica,Arial,\"Liberation "
               "Sans\",sans-serif;fill:#111}} .s{{font-size:10px;fill:#444}} .bg{{fill:#fff}} "
               "@media (prefers-color-scheme:dark){{.bg{{fill:#15181d}} text{{fill:#eee}} "
               ".s{{fill:#c4c8ce}}}}</style>\n<rect class=\"bg\" width=\"{0:.0f}\" "
               "height=\"{1:.0f}\"/>\n<text x=\"{4:.0f}\" y=\"20\">{2}</text>\n",
               width, y, xml_escape(report_.name + ", gradient flow"), xml_escape(about()), kLeft) +
           body_ + "</svg>\n";
  }

 private:
  std::string about() const {
    std::string text;
    for (const VariableFlow& v : report_.variables)
      text += fmt::format("{}: {}, {:.3g} a step. ", v.name, to_text(v.verdict), v.rate);
    return text;
  }
  void text(double x, double y, std::string_view content, bool small = true,
            std::string_view anchor = "start") {
    body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{} text-anchor=\"{}\">{}</text>\n", x, y,
                         small ? " class=\"s\"" : "", anchor, xml_escape(content));
  }
  void cell(double x, double y, double w, double h, double value, const std::string& title) {
    body_ += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
        "fill=\"{}\">",
        x, y, w + 0.05, h + 0.05, colour(value));
    if (!title.empty()) body_ += fmt::format("<title>{}: {:.3g}</title>", xml_escape(title), value);
    body_ += "</rect>\n";
  }

  template <class F, class Name>
  void strip(std::size_t n, double y, F&& value, Name&& name) {
    const std::size_t bins = std::min(n, kMostCells);
    const double side = kSide / static_cast<double>(std::max<std::size_t>(bins, 1));
    for (std::size_t b = 0; b < bins; ++b)
      cell(kLeft + side * static_cast<double>(b), y, side, kStrip,
           binned(b * n / bins, (b + 1) * n / bins, value), name(b * n / bins));
  }

  double variable(const VariableFlow& v, double y) {
    const std::size_t n = v.jacobian.size(), bins = std::min(n, kMostCells);
    const double side = kSide / static_cast<double>(std::max<std::size_t>(bins, 1));
    text(kLeft, y + 10,
         fmt::format("|∂{0}(t)/∂{0}(k)|: {1}, factor {2:.3g} a step", v.name, to_text(v.verdict),
                     v.rate),
         false);
    y += 18;
    for (std::size_t r = 0; r < bins; ++r)
      for (std::size_t c = 0; c < bins; ++c) {
        const std::size_t c0 = c * n / bins, c1 = (c + 1) * n / bins, r0 = r * n / bins;
        const double value = binned(r0, (r + 1) * n / bins, [&](std::size_t t) {
          return binned(c0, c1, [&](std::size_t k) { return v.jacobian[t][k]; });
        });
        if (value != 0)
          cell(kLeft + side * static_cast<double>(c), y + side * static_cast<double>(r), side, side,
               value, bins <= 32 ? fmt::format("t = {}, k = {}", r0 + 1, c0 + 1) : "");
      }
    text(kLeft - 8, y + 10, "t = 1", true, "end");
    text(kLeft - 8, y + kSide, fmt::format("t = {}", n), true, "end");
    y += kSide + 12;
    text(kLeft, y, "k = 1");
    text(kLeft + kSide, y, fmt::format("k = {}", n), true, "end");
    y += 8;
    text(kLeft - 8, y + 11, fmt::format("|∂L/∂{}(t)|", v.name), true, "end");
    strip(
        v.gradient.size(), y, [&](std::size_t t) { return v.gradient[t]; },
        [&](std::size_t t) { return fmt::format("t = {}", t + 1); });
    return y + kStrip + kGap;
  }

  double weight(const WeightFlow& w, double y) {
    if (w.copies.empty()) return y;
    text(kLeft - 8, y + 11, fmt::format("|∂L/∂{}(t)|", w.name), true, "end");
    strip(
        w.copies.size(), y, [&](std::size_t i) { return w.copies[i].second; },
        [&](std::size_t i) { return w.copies[i].first; });
    text(kLeft + kSide + 8, y + 11, fmt::format("all steps {:.3g}", w.total));
    return y + kStrip + 6;
  }

  double legend(double y) {
    y += 14;
    for (int d = -4; d <= 4; ++d) {
      cell(kLeft + 32.0 * (d + 4), y, 32, kStrip, std::pow(10.0, d), "");
      text(kLeft + 32.0 * (d + 4) + 16, y + kStrip + 12, fmt::format("1e{}", d), true, "middle");
    }
    return y + kStrip + kGap;
  }

  const FlowReport& report_;
  std::string body_;
};

}  // namespace

std::string to_svg(const FlowReport& report) { return FlowSvg(report).write(); }

}  // namespace taugrad
