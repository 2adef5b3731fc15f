#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taugrad::cli {

/// curves.svg of a run: the loss over the updates, and that of other data. Kept small: where there
/// are many updates, a point is the mean of some after one another.
class Curves {
 public:
  /// @param unit  of a text: the loss is told in bits per unit; else empty
  Curves(std::string folder, std::string unit);
  void add(std::int64_t update, double loss, std::optional<double> valid);
  /// What metrics.jsonl tells up to an update; nothing where it cannot be read.
  void read_until(std::int64_t update);

  std::string svg() const;
  /// A picture of a log: where it cannot be written, it is not.
  void write() const;

 private:
  struct Point {
    double sum = 0;
    std::int64_t count = 0;
  };
  using Line = std::vector<std::pair<double, double>>;  ///< update, loss
  void halve();
  Line points() const;

  std::string folder_, unit_;
  std::int64_t width_ = 1;  ///< updates of a point
  std::vector<Point> losses_;
  std::vector<std::pair<std::int64_t, double>> valid_;
};

}  // namespace taugrad::cli
