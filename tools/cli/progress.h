#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "command.h"
#include "taugrad/train/trainer.h"

namespace taugrad::cli {

/// "2.143 bits/char" where there is a unit, else "loss 0.123". @param loss  nats per target
std::string loss_in_words(double loss, const std::string& unit);

/// Tells how training goes: one rewritten line on a terminal, else a line every 10 seconds; nothing
/// where quiet.
class Progress {
 public:
  /// @param unit  of a text: "char", "byte", "word"; else empty
  Progress(const Context& context, std::int64_t total, std::string unit);
  void show(const Update& u);
  void show_valid(double loss) { valid_ = loss; }  ///< on other data, from now on
  /// Ends the rewritten line.
  void finish();
  double loss() const { return loss_; }  ///< smoothed, in nats per target
  double seconds() const;

 private:
  std::string line(const Update& u) const;

  Context context_;
  std::int64_t total_;
  std::string unit_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, shown_;
  std::int64_t first_ = 0, targets_ = 0;
  double loss_ = 0;
  std::optional<double> valid_;
  bool any_ = false, open_ = false;
};

/// Tells how far a long work has come and how long it still takes, in the same way.
class Counter {
 public:
  /// @param seconds  what the work may take in all; 0: any
  Counter(const Context& context, std::string what, std::int64_t total = 0, double seconds = 0);
  void show(std::int64_t done);
  void show(std::int64_t done, std::int64_t total) {
    total_ = total;
    show(done);
  }
  void finish();

 private:
  std::string line(std::int64_t done) const;

  std::string what_;
  std::int64_t total_;
  double seconds_;
  bool quiet_, terminal_, open_ = false;
  std::chrono::steady_clock::time_point start_, shown_;
};

}  // namespace taugrad::cli
