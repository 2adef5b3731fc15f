#pragma once

#include <string>

#include "taugrad/train/model_folder.h"

namespace taugrad {

/// Under these names the weights' file tells what they were trained as.
inline constexpr const char* kDefinitionDigest = "definition_digest";
inline constexpr const char* kVocabularyDigest = "vocabulary_digest";
inline constexpr const char* kLabelsDigest = "labels_digest";

/// Whether the parts of a folder belong together. @param told  by the weights' file
/// @throws Error (C003 with every mismatch; C002 where one of the parts is not that of the
/// training)
void check_model(const std::string& folder, const TrainedModel& model, const Metadata& told);

}  // namespace taugrad
