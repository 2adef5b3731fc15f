#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "command.h"
#include "options/definition_options.h"
#include "progress.h"
#include "taugrad/train/run_folder.h"
#include "taugrad/train/trainer.h"
#include "training/curves.h"
#include "training/event_file.h"
#include "training/metrics.h"
#include "training/save_clock.h"
#include "training/training_data.h"
#include "training/validation.h"

namespace taugrad::cli {

struct TrainingOptions {
  DefinitionOptions definition;
  DataSource source;
  TrainOptions train;
  std::string output, resume, init;
  std::vector<std::string> maps;  ///< FROM=TO: names in `init` that begin with FROM begin with TO
  bool stop_on_save_error = true;
  bool require_identical = false;  ///< go on only where the bits stay what they would have been
  bool tensorboard = false;        ///< event files beside metrics.jsonl
  double save_every = 60;          ///< seconds of work; 0: after every update
  std::int64_t keep = 2, flow_every = 0;
  bool checkpoint = false;
  double seconds = 0;
  bool overwrite = false;
  ValidationOptions validation;
};

/// One training: what it runs on, and the folder that it keeps itself in.
class Training {
 public:
  /// Begins one, or goes on with one. @throws Error: nothing is written yet
  Training(const TrainingOptions& o, const Context& context);
  /// Returns the exit status. Whatever ends it, what is in memory is saved.
  int run();

 private:
  void begin();
  void refuse_unread_options(OptimizerKind kind) const;
  void refuse_unread_schedule() const;
  void refuse_empty_texts() const;
  void refuse_chunks_of_windows() const;
  TrainOptions train_options() const;
  void tell_uncut(const Dataset& data) const;
  void tell_no_flow() const;
  void go_on();
  void go_on_from(ResumeState state);
  void look_who_saved();
  void begin_from_weights();
  std::optional<TrainedModel> initial_model() const;
  void take_initial_weights(const Tensors& weights);
  void apply_options();
  template <class T>
  void change(const char* option, T& saved, const T& given, const char* none = "none");
  void note_change(const std::string& what);
  void tell_changes(std::size_t before) const;
  void refuse_sizes_of_data() const;
  void make_trainer(const DataSource& source, const TrainedModel* trained);

  void begin_validation();
  void make_validation(const DataSource& source, Dataset held_out);

  void update_until_stopped();
  bool is_over() const;
  std::optional<double> validate(std::int64_t update);
  bool flow_due() const;
  void tell_idle_weights();
  void tell_idle_options();
  void say(const std::string& line);
  void log(const Update& u, const std::vector<StateFlow>& flow, std::optional<double> valid);
  void begin_logs();
  void flush_metrics(bool due_only);
  void save();
  void save_or_warn();
  void save_with_retries();
  void save_what_there_is();
  int finish();

  const TrainingOptions& options_;
  Context context_;
  std::unique_ptr<RunFolder> folder_;
  TrainedModel model_;
  ModelDescription description_;
  ResumeState state_;
  std::string unit_;  ///< of a text: "char", "byte", "word"
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<Validation> validation_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Curves> curves_;
  std::unique_ptr<EventFile> events_;
  std::unique_ptr<Progress> progress_;
  SaveClock clock_;
  std::int64_t begun_ = 0;   ///< updates that an earlier run made
  std::int64_t saved_ = -1;  ///< updates of the newest step; -1: none yet
  bool save_failed_ = false, out_of_time_ = false, prints_ = false, metrics_warned_ = false,
       told_options_ = false;
  std::optional<Diagnostic> print_problem_;
};

}  // namespace taugrad::cli
