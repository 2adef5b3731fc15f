#include "commands/commands.h"

namespace taugrad::cli {

std::vector<Command> all_commands() {
  std::vector<Command> all;
  all.push_back(show_command());
  all.push_back(check_command());
  all.push_back(flow_command());
  all.push_back(run_command());
  all.push_back(train_command());
  all.push_back(eval_command());
  all.push_back(sample_command());
  all.push_back(predict_command());
  all.push_back(define_command());
  all.push_back(ops_command());
  all.push_back(inspect_command());
  all.push_back(diff_command());
  all.push_back(bench_command());
  all.push_back(turing_command());
  return all;
}

}  // namespace taugrad::cli
