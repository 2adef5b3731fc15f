#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"

namespace taugrad {

/// Reads tensors from a file: JSON where the name ends in ".json", else safetensors.
/// JSON: {"x": [[1, 2], [3, 4]], "s": 0.5}; all integers give i64, else f64; "inf", "-inf" and
/// "nan" are numbers; {"shape": [0, 2], "data": []} gives the axes where nesting cannot.
/// @throws Error (S013: ragged nesting; S001-S012, G001-G011, I001, I003)
Tensors load_tensors(const std::string& path, std::vector<Diagnostic>* warnings = nullptr);
Tensors tensors_from_json(std::string_view text, std::string_view file);

/// Writes JSON for ".json", safetensors for ".safetensors" or no suffix. f32 is written to JSON as
/// its exact value and reads back as f64. @throws Error (U002: another suffix; I002, I003)
void save_tensors(const std::string& path, const Tensors& tensors);
/// One tensor a line, numbers that read back to the same bits.
std::string tensors_to_json(const Tensors& tensors);

}  // namespace taugrad
