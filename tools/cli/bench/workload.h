#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "options/definition_options.h"
#include "taugrad/language/definition.h"

namespace taugrad::cli {

/// Something to measure: a definition, and the batch that it runs on.
struct Workload {
  std::string name;
  Definition definition;
  StepOptions steps;
  std::int64_t batch = 32;
  std::vector<std::int64_t> lengths;  ///< of the items; empty: all have the full length
  /// Without a loss: variables, at their last position; empty: all.
  std::vector<std::string> fetch;
};

/// What the command line says instead of what a workload has.
struct WorkloadOptions {
  DefinitionOptions definition;
  StepOptions steps;
  std::int64_t batch = -1;
  std::vector<std::int64_t> lengths;
};
void add_workload(Command& c, WorkloadOptions& o);

/// Names of the shipped workloads, in their order. @throws Error where they are not found
std::vector<std::string> workload_names();
/// A shipped workload by name ("lstm") or number ("W4"), else a definition as `load_definition`
/// finds it; changed as the options say. An empty name: the equations of the options.
/// @throws Error (I001) where there is neither
Workload workload(const std::string& name, const WorkloadOptions& o, const Context& context);

}  // namespace taugrad::cli
