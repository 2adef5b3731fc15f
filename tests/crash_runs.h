#pragma once

#include <set>

#include "base/system/posix.h"
#include "support_cli.h"
#include "taugrad/train/model_folder.h"

/// A training that dies or fails at a given system call, and what it must leave behind.
namespace support {

/// A folder in memory, where there is such a thing: what is brought to a disk takes its time.
struct MemoryFolder {
  MemoryFolder() {
    if (fs::exists("/dev/shm")) ::setenv("TMPDIR", "/dev/shm", 1);
  }
};

/// A small training of a few updates, and every state of it as it is where nothing goes wrong.
class CrashRuns {
 public:
  explicit CrashRuns(const Folder& f) : f_(f) {
    spill(f / "text.txt", "abba\ncab\nabc\ncaca\n");
    require("train char_lm --data text.txt --size m=2 --epochs 2 --batch 2 -o begun -q");
    fs::copy(f / "begun", f / "whole", fs::copy_options::recursive);
    require("train --resume whole --epochs 4 --save-every 0 --keep 100 -q");
    for (int update = 4; update <= 8; ++update)
      weights_[update] = taugrad::load_model(f / ("whole/step-" + std::to_string(update))).weights;
  }

  /// What a fault is made in: going on by four updates with a save after each.
  static constexpr const char* kLine = "train --resume m --epochs 4 --save-every 0 -q";
  void restore() const {
    fs::remove_all(f_ / "m");
    fs::copy(f_ / "begun", f_ / "m", fs::copy_options::recursive);
  }
  Outcome run(const std::string& line, const std::string& fault) const {
    return support::taugrad(f_, line,
                            "LD_PRELOAD='" TAUGRAD_FAULTS
                            "' ASAN_OPTIONS=verify_asan_link_order=0 "
                            "FAULT_UNDER=m FAULT_COUNT=count FAULT_LOG=log FAULT=" +
                                fault);
  }
  int calls(const std::string& line) const {
    run(line, "kill:0");
    return std::stoi(slurp(f_ / "count"));
  }

  /// "" where the folder holds a whole state of the training, bit for bit, and what remains to be
  /// done can be done; else what is wrong. `least`: the update that it must be at, or later.
  std::string problem(std::int64_t least) {
    try {
      const taugrad::TrainedModel m = taugrad::load_model(f_ / "m");
      const std::int64_t at = taugrad::load_resume_state(m)->updates;
      if (!m.warnings.empty()) return m.warnings.front().message;
      if (!(m.weights == weights_.at(at))) return "other weights at " + std::to_string(at);
      if (at < least) return "fell back to " + std::to_string(at);
      newest = at;
    } catch (const taugrad::Error& e) {
      return e.what();
    }
    const Outcome rest = support::taugrad(f_, "train --resume m --epochs 4 -q");
    if (rest.status != 0) return "cannot go on: " + rest.err;
    return difference();
  }
  /// From the training that nothing happened to, once done.
  std::string difference() const {
    for (const char* file : {"/model.safetensors", "/optimizer.safetensors"})
      if (slurp(f_ / (support::newest(f_, "m") + file)) !=
          slurp(f_ / ("whole/step-8" + std::string(file))))
        return std::string("another") + file;
    if (without_times(slurp(f_ / "m/metrics.jsonl")) !=
        without_times(slurp(f_ / "whole/metrics.jsonl")))
      return "other metrics";
    return left_over();
  }
  std::string left_over() const {
    for (const std::string& name : taugrad::posix::names_in(f_ / "m"))
      if (name.starts_with(".")) return "left behind: " + name;
    return "";
  }

  std::int64_t newest = 0;  ///< update of the newest state that problem() found

 private:
  void require(const std::string& line) const {
    const Outcome o = support::taugrad(f_, line);
    if (o.status != 0) throw std::runtime_error(o.err);
  }

  const Folder& f_;
  std::map<std::int64_t, taugrad::Tensors> weights_;
};

}  // namespace support
