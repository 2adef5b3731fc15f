#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "command.h"
#include "taugrad/train/trainer.h"

namespace taugrad::cli {

/// Tells how training goes: one rewritten line on a terminal, else a line every 10 seconds; nothing
/// where quiet.
class Progress {
 public:
  Progress(const Context& context, std::int64_t total, bool text);
  void show(const Update& u);
  /// Ends the rewritten line.
  void finish();
  double loss() const { return loss_; }  ///< smoothed, in nats per target
  double seconds() const;

 private:
  std::string line(const Update& u) const;

  Context context_;
  std::int64_t total_;
  bool text_;
  bool terminal_;
  std::chrono::steady_clock::time_point start_, shown_;
  std::int64_t first_ = 0, targets_ = 0;
  double loss_ = 0;
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

/// metrics.jsonl: one line an update, kept in step with the saved state.
class Metrics {
 public:
  /// Keeps the lines of the first `updates` updates of an existing file.
  Metrics(std::string path, std::int64_t updates);
  /// Returns the line.
  std::string add(const Update& u, const std::vector<StateFlow>& flow = {});
  void flush();  ///< appends what was added. @throws Error (I002)

 private:
  std::string path_, pending_;
};

}  // namespace taugrad::cli
