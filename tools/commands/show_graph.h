#pragma once

#include <string>

#include "command.h"
#include "options/subject.h"
#include "taugrad/draw/write.h"

namespace taugrad::cli {

/// `show` of a graph: draws it, says its counts and what the drawing leaves out.
/// @param format  a name in the table of formats
int show_graph(const Subject& s, const WriteOptions& options, const std::string& format,
               const std::string& output, const Context& context);

}  // namespace taugrad::cli
