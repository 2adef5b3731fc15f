// Pictures coloured by numbers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "taugrad/draw/values.h"

namespace taugrad {
namespace {

using Rgb = std::array<double, 3>;

// Told apart by brightness, so that eyes without colour and printers see them too: blue, white,
// orange; and cividis, made for colour-blind eyes.
constexpr std::array<Rgb, 3> kDiverging{{{49, 104, 184}, {247, 247, 247}, {214, 106, 22}}};
constexpr std::array<Rgb, 5> kRising{
    {{0, 34, 78}, {61, 78, 107}, {125, 124, 120}, {188, 175, 111}, {255, 234, 70}}};
constexpr const char *kNotFinite = "#d00000", *kNothing = "#e4e4e4";
constexpr double kDecades = 8;  // of the rising scale, at most

template <std::size_t N>
Rgb mixed(const std::array<Rgb, N>& stops, double x) {
  const double place = std::clamp(x, 0.0, 1.0) * (N - 1);
  const auto i = std::min(static_cast<std::size_t>(place), N - 2);
  Rgb c;
  for (std::size_t k = 0; k < 3; ++k)
    c[k] = stops[i][k] + (stops[i + 1][k] - stops[i][k]) * (place - static_cast<double>(i));
  return c;
}

std::string hex(const Rgb& c) {
  const auto byte = [](double v) { return static_cast<int>(v + 0.5); };
  return fmt::format("#{:02x}{:02x}{:02x}", byte(c[0]), byte(c[1]), byte(c[2]));
}

/// Black or white, whichever is read better on it.
const char* ink_on(const Rgb& c) {
  const auto linear = [](double v) {
    v /= 255;
    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const double y = 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
  return (y + 0.05) * (y + 0.05) > 1.05 * 0.05 ? "#111111" : "#ffffff";
}

std::string short_number(double v) {
  const double size = std::abs(v);
  return size >= 1000 && size < 100'000 ? fmt::format("{:.0f}", v)
                                        : fmt::format("{:.3g}", v == 0 ? 0.0 : v);
}

/// The number that a node is coloured by.
struct Amount {
  bool there = false;
  bool finite = true;
  double value = 0;
};

Amount amount_of(const NodeFacts& f, Colour by) {
  switch (by) {
    case Colour::value:
      return {true, f.value.not_finite == 0, f.value.mean};
    case Colour::gradient:
      return {f.has_gradient, f.gradient.not_finite == 0, f.gradient.norm};
    case Colour::time:
      return {true, true, static_cast<double>(f.operations)};
    case Colour::bytes:
      return {true, true, static_cast<double>(f.bytes)};
  }
  return {};
}

class Scale {
 public:
  Scale(const std::vector<Amount>& amounts, Colour by) : by_(by) {
    for (const Amount& a : amounts) {
      if (!a.there || !a.finite) continue;
      largest_ = std::max(largest_, std::abs(a.value));
      if (a.value != 0) least_ = std::min(least_, std::abs(a.value));
    }
    least_ = std::max(std::min(least_, largest_), largest_ * std::pow(10, -kDecades));
  }

  bool diverges() const { return by_ == Colour::value; }
  Rgb at(double x) const { return diverges() ? mixed(kDiverging, x) : mixed(kRising, x); }
  /// Where a number stands between the ends, 0 to 1.
  double place(double v) const {
    if (diverges()) return largest_ == 0 ? 0.5 : 0.5 + v / largest_ / 2;
    if (largest_ <= least_) return 1;
    return std::log(v / least_) / std::log(largest_ / least_);
  }
  Legend legend() const {
    static constexpr std::array<const char*, 4> titles{"mean of the value", "norm of the gradient",
                                                       "floating-point operations", "bytes in f32"};
    Legend l{.title = titles[static_cast<std::size_t>(by_)]};
    l.low = short_number(diverges() ? -largest_ : least_);
    l.high = short_number(largest_);
    for (int i = 0; i < 9; ++i) l.colours.push_back(hex(at(i / 8.0)));
    return l;
  }

 private:
  Colour by_;
  double largest_ = 0, least_ = HUGE_VAL;
};

void paint(PictureNode& n, const Amount& a, const Scale& scale) {
  if (!a.finite) {
    n.fill = kNotFinite;
    n.ink = "#ffffff";
    n.striking = true;
  } else if (a.value == 0 && !scale.diverges()) {
    n.fill = kNothing;
    n.ink = "#111111";
  } else {
    const Rgb c = scale.at(scale.place(a.value));
    n.fill = hex(c);
    n.ink = ink_on(c);
  }
}

void add_title(PictureNode& n, const NodeFacts& f) {
  const auto told = [&](const char* what, const TensorFacts& t) {
    n.title += fmt::format("\n{}: {} to {}, mean {}, norm {}", what, short_number(t.least),
                           short_number(t.largest), short_number(t.mean), short_number(t.norm));
    if (t.not_finite > 0)
      n.title += fmt::format(", {} of {} not finite", t.not_finite, t.shape.size());
  };
  told("value", f.value);
  if (f.has_gradient) told("gradient", f.gradient);
}

/// NaN goes on along the edges between two nodes that have it.
void mark_edges(Picture& p) {
  for (PictureEdge& e : p.edges) {
    const auto striking = [&](int n) { return p.nodes[static_cast<std::size_t>(n)].striking; };
    e.striking = striking(e.from) && striking(e.to);
  }
}

}  // namespace

Picture with_shares(Picture picture, const Tape& tape, const GraphValues& values) {
  const std::vector<double> shares = shares_of(picture, tape, values);
  for (std::size_t e = 0; e < shares.size(); ++e) {
    if (!std::isfinite(shares[e]) || std::abs(shares[e] - 1) < 5e-4) continue;
    std::string& label = picture.edges[e].label;
    label += fmt::format("{}{:.3g} %", label.empty() ? "" : " ", 100 * shares[e]);
  }
  return picture;
}

Picture coloured(Picture picture, const GraphValues& values, Colour by) {
  std::vector<Amount> amounts(picture.nodes.size());
  for (std::size_t n = 0; n < amounts.size(); ++n)
    if (const NodeFacts* f = values.find(picture.nodes[n].source)) amounts[n] = amount_of(*f, by);
  const Scale scale(amounts, by);
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    PictureNode& n = picture.nodes[i];
    if (const NodeFacts* f = values.find(n.source)) add_title(n, *f);
    if (!amounts[i].there) continue;
    paint(n, amounts[i], scale);
    if (n.name.empty()) continue;  // its one line says the operation
    n.op = amounts[i].finite ? short_number(amounts[i].value) : "not finite";
    n.shape.clear();
  }
  mark_edges(picture);
  picture.legend = scale.legend();
  return picture;
}

}  // namespace taugrad
