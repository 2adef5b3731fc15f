#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace taugrad::draw {

/// A column of heat maps and strips under one colour scale: log10, blue below 1, orange above, four
/// decades on each side, nothing where the value is 0. Long sides are shown in bins.
class HeatSvg {
 public:
  using Value = std::function<double(std::size_t)>;
  using Value2 = std::function<double(std::size_t, std::size_t)>;
  using Name = std::function<std::string(std::size_t)>;

  /// A line of text above what follows.
  void heading(std::string_view text);
  /// Rows r, columns c, named "row = 1" .. at their ends.
  void map(std::size_t rows, std::size_t columns, const Value2& value, const std::string& row,
           const std::string& column);
  void strip(std::size_t n, const Value& value, const Name& name, std::string_view label,
             std::string_view remark = "");
  void space(double height) { y_ += height; }
  void legend();
  std::string document(std::string_view title, std::string_view about) const;

 private:
  void text(double x, double y, std::string_view content, bool small = true,
            std::string_view anchor = "start");
  void cell(double x, double y, double w, double h, double value, const std::string& title);

  double y_ = 40;
  std::string body_;
};

}  // namespace taugrad::draw
