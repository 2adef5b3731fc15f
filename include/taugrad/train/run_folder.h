#pragma once

#include <cstdint>
#include <string>

#include "taugrad/train/model_folder.h"

namespace taugrad {

/// The folder that a training keeps itself in: a row of whole states.
///   step-N/        a model with what is needed to go on from update N (model_folder.h), and a
///                  manifest with the digest of each file
///   latest, best   the names of the newest step and of the one that validated best
///   config.json    what was asked for, for people and their programs
///   metrics.jsonl  one line an update
/// A step is written under a random name, brought to the disk and then renamed; only then do older
/// ones go. So whatever happens, and whenever, the newest whole step is there to be read. While
/// this lives no other trainer writes there.
class RunFolder {
 public:
  enum class Use { begin, overwrite, go_on };
  /// Makes the folder where there is none, and removes what a trainer that died was writing.
  /// @throws Error (U003: begin in a folder with something in it; I006: another trainer is at work
  /// there; I002, I003)
  RunFolder(std::string folder, Use use);
  /// Leaves no folder that it has made and put nothing in.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  /// Unfinished saves that were removed.
  int left_behind() const { return left_behind_; }
  bool saved() const { return !newest_.empty(); }  ///< since it was opened

  /// Goes on from this step: it becomes the latest where it is not, as after a save that was cut
  /// off.
  /// @throws Error (I002)
  void go_on_from(const std::string& step, const ResumeState& state);
  /// Adds step-N with N = state.updates, makes it the latest, and removes older ones of the same
  /// run but for the newest `keep`, all told, and the best, which this one becomes where
  /// state.validation says so. state.run becomes that of the folder.
  /// @throws Error (I002): the older ones are as before
  void save(const ModelDescription& model, const Tensors& weights, ResumeState& state,
            std::int64_t keep = 2);
  /// The training has come to its end: the steps of one that it was to overwrite go.
  void replace_others();

 private:
  void lock();
  void choose_run(Use use);
  void name(const char* file, const std::string& step);
  void write_config(const std::string& text);
  void prune(std::int64_t updates, std::int64_t keep);

  std::string path_;
  int descriptor_ = -1;  // of the folder; holds the lock
  int left_behind_ = 0;
  bool made_ = false;
  std::int64_t run_ = 0;  // 0: that of the state
  std::string newest_, config_;
};

}  // namespace taugrad
