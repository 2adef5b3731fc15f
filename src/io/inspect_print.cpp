#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "io/inspect.h"
#include "json/json_writer.h"

namespace taugrad {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Columns as wide as their widest cell, two spaces apart; numbers, from `right` on, at the right.
std::string table(const Rows& rows, std::size_t right) {
  std::vector<std::size_t> width;
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == width.size()) width.push_back(0);
      width[c] = std::max(width[c], utf8_characters(row[c]));
    }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string space(width[c] - utf8_characters(row[c]), ' ');
      line += (c == 0 ? "" : "  ") + (c >= right ? space + row[c] : row[c] + space);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string number(double x) { return fmt::format("{:.4g}", x); }

std::string size_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double x = static_cast<double>(bytes);
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t u = 0;
  for (x /= 1024; x >= 1024 && u < 3; ++u) x /= 1024;
  return fmt::format("{:.1f} {}", x, units[u]);
}

/// A bar for each bin; an empty bin is a blank, one with anything in it at least the lowest bar.
std::string sparkline(const std::vector<std::int64_t>& histogram) {
  constexpr const char* kBars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (histogram.empty()) return "";
  const double most = static_cast<double>(*std::ranges::max_element(histogram));
  std::string line;
  for (const std::int64_t n : histogram) {
    const double height = std::ceil(8 * static_cast<double>(n) / most);
    line += kBars[static_cast<std::size_t>(height)];
  }
  return line;
}

void write_dims(json::Writer& w, std::span<const std::int64_t> dims) {
  w.key("shape").begin_array();
  for (const std::int64_t d : dims) w.value(d);
  w.end_array();
}

std::string leaves(std::string_view title, const std::vector<LeafSummary>& list) {
  if (list.empty()) return {};
  Rows rows;
  for (const LeafSummary& l : list)
    rows.push_back({"  " + printable(l.name, 80), to_string(l.shape),
                    l.positions > 1 ? fmt::format("x {}", l.positions) : ""});
  return fmt::format("\n{}\n{}", title, table(rows, 3));
}

void write_leaves(json::Writer& w, std::string_view title, const std::vector<LeafSummary>& list) {
  w.key(title).begin_array();
  for (const LeafSummary& l : list) {
    w.begin_object().field("name", std::string_view(l.name));
    write_dims(w, l.shape.dims());
    w.field("positions", l.positions).end_object();
  }
  w.end_array();
}

}  // namespace

std::string to_text(const TensorsSummary& s) {
  Rows rows = {{"tensor", "type", "shape", "mean", "std", "min", "histogram", "max", "not finite"}};
  for (const TensorSummary& t : s.tensors)
    rows.push_back({printable(t.name, 80), t.type, dims_text(t.dims), number(t.mean), number(t.std),
                    number(t.min), sparkline(t.histogram), number(t.max),
                    t.not_finite == 0 ? "" : fmt::format("{}", t.not_finite)});
  std::string text = table(rows, 3);
  for (const auto& [key, value] : s.metadata)
    text += fmt::format("{}: {}\n", printable(key, 80), printable(value, 200));
  return text + fmt::format("{} tensors, {} values, {}, {} not finite\n", s.tensors.size(),
                            s.elements, size_text(s.bytes), s.not_finite);
}

std::string to_text(const GraphSummary& s) {
  Rows ops;
  for (const auto& [name, count] : s.ops) ops.push_back({"  " + name, fmt::format("{}", count)});
  std::stable_sort(ops.begin(), ops.end(), [&](const auto& a, const auto& b) {
    return s.ops.at(a[0].substr(2)) > s.ops.at(b[0].substr(2));
  });
  std::string text =
      fmt::format("{} nodes, {} edges, depth {}, {} named values, {} parameters, {} in memory\n",
                  s.nodes, s.edges, s.depth, s.values, s.parameters, size_text(s.bytes));
  for (const std::string& name : s.lengths) text += fmt::format("length {}\n", printable(name, 80));
  return text + leaves("inputs", s.inputs) + leaves("weights", s.weights) + "\noperations\n" +
         table(ops, 1);
}

std::string to_json(const TensorsSummary& s) {
  json::Writer w(2);
  w.begin_object().field("kind", "tensors").key("tensors").begin_array();
  for (const TensorSummary& t : s.tensors) {
    w.begin_object()
        .field("name", std::string_view(t.name))
        .field("dtype", std::string_view(t.type));
    write_dims(w, t.dims);
    w.field("bytes", t.bytes)
        .field("mean", t.mean)
        .field("std", t.std)
        .field("min", t.min)
        .field("max", t.max);
    w.key("histogram").begin_array();
    for (const std::int64_t n : t.histogram) w.value(n);
    w.end_array().field("not_finite", t.not_finite).end_object();
  }
  w.end_array().key("metadata").begin_object();
  for (const auto& [key, value] : s.metadata) w.field(key, std::string_view(value));
  w.end_object()
      .field("values", s.elements)
      .field("bytes", s.bytes)
      .field("not_finite", s.not_finite);
  return w.end_object().text() + "\n";
}

std::string to_json(const GraphSummary& s) {
  json::Writer w(2);
  w.begin_object()
      .field("kind", "graph")
      .field("nodes", s.nodes)
      .field("edges", s.edges)
      .field("depth", s.depth);
  w.field("values", s.values).field("parameters", s.parameters).field("bytes", s.bytes);
  w.key("lengths").begin_array();
  for (const std::string& name : s.lengths) w.value(std::string_view(name));
  w.end_array();
  write_leaves(w, "inputs", s.inputs);
  write_leaves(w, "weights", s.weights);
  w.key("ops").begin_object();
  for (const auto& [name, count] : s.ops) w.field(name, count);
  return w.end_object().end_object().text() + "\n";
}

}  // namespace taugrad
