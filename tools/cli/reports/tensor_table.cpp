#include "reports/tensor_table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"

namespace taugrad::cli {
namespace {

constexpr std::int64_t kMostRows = 100;
constexpr std::int64_t kMostColumns = 12;

std::string number(const Tensor& t, std::int64_t flat) {
  if (t.dtype() == Dtype::i64)
    return fmt::format("{:>6}", t.values<std::int64_t>()[static_cast<std::size_t>(flat)]);
  const double value = t.at(flat);
  return std::isnan(value) ? fmt::format("{:>13}", "nan") : fmt::format("{:>13.6g}", value);
}

// "[2,0]": position of a row among the leading axes, counted from 0 as in the file
std::string place(const Dims& dims, std::int64_t row) {
  Dims at(dims.size() - 1);
  for (std::size_t a = at.size(); a-- > 0; row /= dims[a]) at[a] = row % dims[a];
  return at.empty() ? std::string() : dims_text(at);
}

}  // namespace

std::string tensor_table(const Tensors& tensors) {
  std::string text;
  for (const auto& [name, t] : tensors) {
    text += fmt::format("{} {} {}\n", printable(name), dims_text(t.dims()), to_string(t.dtype()));
    const std::int64_t columns = t.dims().empty() ? 1 : t.dims().back();
    const std::int64_t rows = columns == 0 ? 0 : t.size() / columns;
    for (std::int64_t r = 0; r < std::min(rows, kMostRows); ++r) {
      text += fmt::format("  {:<8}", t.dims().empty() ? "" : place(t.dims(), r));
      for (std::int64_t c = 0; c < std::min(columns, kMostColumns); ++c)
        text.append(" ").append(number(t, r * columns + c));
      text += columns > kMostColumns ? " ...\n" : "\n";
    }
    if (rows > kMostRows)
      text += fmt::format("  ... {} more rows; -o FILE keeps all\n", rows - kMostRows);
  }
  return text;
}

}  // namespace taugrad::cli
