#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taugrad/train/trainer.h"

namespace taugrad::cli {

/// metrics.jsonl of a run: one line an update, whole, in order, none twice. It is a log: where it
/// cannot be written, training goes on, and what is not written is tried again.
class Metrics {
 public:
  explicit Metrics(const std::string& folder);

  /// A file of this training's own; one that is there already is set aside, until end() or undo().
  void begin();
  /// The file of a training that goes on after an update: lines behind it and a torn one go.
  /// @param last_line  that update's, where it is known: another training's file has another
  void go_on(std::int64_t updates, const std::string& last_line);

  /// Returns the line. Nothing is written before begin() or go_on().
  /// @param valid  the loss per target on other data
  /// @param seconds  since this run of the training began
  std::string add(const Update& u, const std::vector<StateFlow>& flow, std::optional<double> valid,
                  double seconds);
  /// Without its time, which is another in every run.
  const std::string& last_line() const { return last_line_; }
  /// Writes what was added; with `due` only where the last time is a second ago. Returns whether
  /// nothing is left to write.
  bool flush();
  bool flush_if_due();
  const std::string& problem() const { return problem_; }  ///< of the last write

  /// What was set aside goes.
  void end();
  /// As if begin() had not been called.
  void undo();

 private:
  struct Behind {
    std::int64_t update;
    std::string line;
  };
  bool cut();
  int write();  // 0, or an error

  std::string path_, aside_;
  std::string pending_, last_line_, problem_;
  std::size_t size_ = 0;  // bytes that are whole lines
  double before_ = 0;     // seconds of earlier runs
  bool begun_ = false;
  std::optional<Behind> behind_;  // what stands behind it is still to be cut off
  std::chrono::steady_clock::time_point written_;
};

}  // namespace taugrad::cli
