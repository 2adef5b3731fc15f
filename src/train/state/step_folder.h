#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/system/output_folder.h"
#include "taugrad/base/error.h"

/// The steps of a run: folders step-N, each a whole model with its state; which of them to read.
namespace taugrad {

inline constexpr const char* kManifest = "manifest.json";
inline constexpr const char* kLatest = "latest";
inline constexpr const char* kBest = "best";
inline constexpr std::string_view kRunMark = "run-";  ///< of temporary names of a trainer

/// "step-120", or "step-120-2" where that name was taken.
struct StepName {
  std::int64_t updates = 0;
  std::int64_t copy = 1;
  auto operator<=>(const StepName&) const = default;
};
std::optional<StepName> step_name_from(std::string_view name);

/// What a step tells of itself.
struct Manifest {
  std::int64_t run = 1;  ///< trainings begun in this folder until then
  std::vector<OutputFolder::File> files;
};
std::string to_json(const Manifest& m);
/// @throws Error (C001: there is none; C002: damaged)
Manifest read_manifest(const std::string& step);

/// A step of a run, its manifest read where it can be.
struct Step {
  std::string name;
  StepName number;
  std::optional<Manifest> manifest;
};
/// All of them, the newest first; those of the run that `latest` names before all others.
std::vector<Step> steps_of(const std::string& run);
/// What `latest` or `best` names; "" where there is no such file.
std::string named_by(const std::string& run, const char* file);

/// Where a model is read: the newest whole step of a run, or the folder itself where it holds a
/// model alone.
struct ModelPlace {
  std::string folder;
  bool whole = false;  ///< every file is the one that was saved, by its digest
  std::vector<Diagnostic> passed_over = {};  ///< newer steps that are not whole: C001, C002
};
/// @throws Error (I001: no model there; C001, C002: none of the steps is whole)
ModelPlace newest_whole(const std::string& folder);
/// Whether a trainer has meanwhile removed what was to be read.
bool is_gone(const ModelPlace& place);

}  // namespace taugrad
