#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command.h"

/// Words of other tools: what people type who know those.
namespace taugrad::cli {

/// What an option of another tool is called here, for this command; or empty.
std::string foreign_option_help(const Command& c, std::string_view option);
/// The command that another tool's is called here: "train" for "fit"; or empty.
std::string_view own_command(std::string_view name);

}  // namespace taugrad::cli
