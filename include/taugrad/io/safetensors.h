#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"

namespace taugrad {

using Metadata = std::map<std::string, std::string>;

/// What `digest_of` gives stands under this name in the metadata of the files of a training:
/// whoever reads the file compares. A file of other origin has none.
inline constexpr const char* kDigestKey = "taugrad_digest";
/// 16 hexadecimal digits of names, types, axes and values.
std::string digest_of(const Tensors& tensors);

/// Reads every tensor of a safetensors file ("-": standard input). F64, F32 and I64 as they are;
/// F16 and BF16 become f32; I32, U8 and BOOL become i64. Everything is checked before it is read.
/// @param warnings  receives S101 for each tensor with values that are not finite; may be null
/// @param metadata  receives what the file tells about itself; may be null
/// @throws Error (S001-S012; C002: not the tensors that the file's own digest was made of; I001,
/// I003: the file cannot be read; R002: more than 10^6 tensors)
Tensors load_safetensors(const std::string& path, std::vector<Diagnostic>* warnings = nullptr,
                         Metadata* metadata = nullptr);
/// The same from memory; `name` stands in messages.
Tensors parse_safetensors(std::span<const std::byte> bytes, std::string_view name,
                          std::vector<Diagnostic>* warnings = nullptr,
                          Metadata* metadata = nullptr);

/// Writes tensors, sorted by element size (largest first) and name; the same tensors give the same
/// bytes. The file appears whole or not at all.
/// @throws Error (S012: a name that the format cannot hold; I002: the file cannot be written)
void save_safetensors(const std::string& path, const Tensors& tensors,
                      const Metadata& metadata = {});

/// The bytes that save_safetensors writes.
std::string safetensors_bytes(const Tensors& tensors, const Metadata& metadata = {});

}  // namespace taugrad
