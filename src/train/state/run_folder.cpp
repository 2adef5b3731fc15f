#include "taugrad/train/run_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/fail.h"
#include "base/system/files.h"
#include "base/system/kept_inputs.h"
#include "base/system/output_folder.h"
#include "base/system/posix.h"
#include "train/state/state_files.h"
#include "train/state/step_folder.h"

namespace taugrad {
namespace {

using posix::retried;

std::string in(const std::string& folder, const std::string& name) { return folder + "/" + name; }

/// Whether anything stands in it but what the sweep takes away.
bool is_used(const std::string& folder) {
  return std::ranges::any_of(posix::names_in(folder), [](const std::string& name) {
    return !posix::is_temporary_name(name, kRunMark);
  });
}

[[noreturn]] void fail_used(const std::string& folder) {
  Diagnostic d;
  d.code = "U003";
  d.message = fmt::format("{} exists", folder);
  d.help =
      fmt::format("go on with `taugrad train --resume {}`, or start anew with --overwrite", folder);
  fail(Status::usage, std::move(d));
}

bool is_best(const ResumeState& state) {
  return state.validation.best && state.validation.best_update == state.updates;
}

void remove_step(const std::string& run, const Step& step) {
  if (!step.manifest) return;  // nothing tells what of it is ours
  std::vector<std::string> files = {kManifest};
  for (const OutputFolder::File& file : step.manifest->files) files.push_back(file.name);
  remove_folder(run, step.name, files, kRunMark);
}

}  // namespace

RunFolder::RunFolder(std::string folder, Use use) : path_(std::move(folder)) {
  const UpdatesInPlace own;
  struct stat s {};
  const bool exists = ::stat(path_.c_str(), &s) == 0;
  if (exists && !S_ISDIR(s.st_mode)) {
    if (use == Use::begin) fail_used(path_);
    posix::fail_io("I003", path_, "is no folder");
  }
  if (exists && use == Use::begin && is_used(path_)) fail_used(path_);
  if (!exists && use != Use::go_on) {
    std::error_code error;
    made_ = std::filesystem::create_directories(path_, error);
    if (error) posix::fail_write(path_, error.value());
  }
  try {
    lock();
    if (use == Use::begin && is_used(path_)) fail_used(path_);  // meanwhile
    left_behind_ = remove_left_behind(path_, kRunMark);
    choose_run(use);
  } catch (...) {
    if (descriptor_ >= 0) ::close(descriptor_);
    throw;
  }
}

RunFolder::~RunFolder() {
  if (made_ && !saved()) ::rmdir(path_.c_str());  // only where nothing is in it
  ::close(descriptor_);
}

void RunFolder::lock() {
  descriptor_ = retried([&] { return ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor_ < 0) posix::fail_io("I001", path_, posix::reason(errno));
  if (retried([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB); }) == 0) return;
  if (errno != EWOULDBLOCK) return;  // a file system without locks
  Diagnostic d;
  d.code = "I006";
  d.message = fmt::format("{} is in use: another training is at work in it", path_);
  d.file = path_;
  d.help = "wait for it, or stop it: Ctrl-C saves";
  fail(Status::io, std::move(d));
}

void RunFolder::choose_run(Use use) {
  if (use == Use::go_on) return;
  run_ = 1;
  for (const Step& s : steps_of(path_))
    if (s.manifest) run_ = std::max(run_, s.manifest->run + 1);
}

void RunFolder::name(const char* file, const std::string& step) {
  if (named_by(path_, file) != step) write_file(in(path_, file), step + "\n", kRunMark);
}

void RunFolder::go_on_from(const std::string& step, const ResumeState& state) {
  const UpdatesInPlace own;
  const std::string own_name = step.substr(step.rfind('/') + 1);
  if (step != in(path_, own_name) || !step_name_from(own_name)) return;  // a model alone
  name(kLatest, own_name);
  if (is_best(state)) name(kBest, own_name);
}

void RunFolder::save(const ModelDescription& model, const Tensors& weights, ResumeState& state,
                     std::int64_t keep) {
  const UpdatesInPlace own;
  if (run_ == 0) run_ = state.run;
  state.run = run_;
  OutputFolder step(path_, kRunMark);
  for (const auto& [name, text] : model.files) step.add(name, text);
  add_state_files(step, weights, state);
  step.add(kManifest, to_json(Manifest{run_, step.files()}));
  newest_ = step.commit(fmt::format("step-{}", state.updates));
  name(kLatest, newest_);
  if (is_best(state)) name(kBest, newest_);
  write_config(config_json(model, state));
  prune(state.updates, keep);
}

void RunFolder::write_config(const std::string& text) {
  if (text == config_) return;
  write_file(in(path_, "config.json"), text, kRunMark);
  config_ = text;
}

void RunFolder::prune(std::int64_t updates, std::int64_t keep) {
  const std::string best = named_by(path_, kBest);
  for (const Step& s : steps_of(path_)) {
    if (!s.manifest || s.manifest->run != run_ || s.name == best) continue;
    // what lies ahead is damaged: training went on from an older one
    const bool kept = s.name == newest_ || (s.number.updates < updates && keep > 1);
    if (!kept) remove_step(path_, s);
    if (kept && s.name != newest_) --keep;
  }
}

void RunFolder::replace_others() {
  const UpdatesInPlace own;
  if (!saved()) return;
  for (const Step& s : steps_of(path_))
    if (s.manifest && s.manifest->run < run_) remove_step(path_, s);
  struct stat s {};
  const std::string best = named_by(path_, kBest);
  if (!best.empty() && ::stat(in(path_, best).c_str(), &s) != 0)  // it was the other's
    ::unlink(in(path_, kBest).c_str());
}

}  // namespace taugrad
