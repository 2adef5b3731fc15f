#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace taugrad {

using Ints = std::vector<std::int64_t>;
using Attr = std::variant<std::int64_t, double, Ints, std::string>;

/// What an op needs beside its inputs: names to plain values, sorted by name, so that equality,
/// JSON and DOT are written once.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string_view, Attr>> items);

  bool empty() const { return items_.empty(); }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// @throws Error (bug) where the attribute is missing or of another type
  std::int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  const Ints& ints(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const;
  void set(std::string name, Attr value);

  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  bool operator==(const Attrs&) const = default;

 private:
  const Attr* find(std::string_view name) const;
  std::vector<std::pair<std::string, Attr>> items_;
};

}  // namespace taugrad
