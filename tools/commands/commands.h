#pragma once

#include "command.h"

/// One function a subcommand, each in its own file; commands.cpp lists them.
namespace taugrad::cli {

Command show_command();
Command check_command();
Command run_command();
Command flow_command();
Command train_command();
Command eval_command();
Command sample_command();
Command predict_command();
Command define_command();
Command ops_command();
Command inspect_command();
Command diff_command();
Command bench_command();
Command turing_command();

}  // namespace taugrad::cli
