#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/io/safetensors.h"

namespace taugrad {

/// Where the bytes of a file come from: the disk, or memory.
struct ByteSource {
  std::string name;
  std::uint64_t size = 0;
  std::function<void(std::uint64_t offset, std::span<std::byte> to)> read;
};

/// An element type of the format.
struct StoredType {
  std::string_view name;  ///< "BF16"
  std::size_t bytes;
  Dtype dtype;  ///< what it becomes here
};
std::span<const StoredType> stored_types();

struct StoredTensor {
  std::string name;
  const StoredType* type = nullptr;
  Dims dims;
  std::uint64_t begin = 0, end = 0;  ///< in the data
};

/// A checked header: tensors in the order of their data, which they cover without gap or overlap.
struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;
  Metadata metadata;
  std::uint64_t data_start = 0;
};
/// @throws Error (S001-S012, R002)
SafetensorsHeader read_header(const ByteSource& source);
/// The values of one tensor, converted. @throws Error (I001)
Tensor read_tensor(const ByteSource& source, const SafetensorsHeader& header,
                   const StoredTensor& t);

/// S101: `count` values of a tensor are not finite.
std::int64_t count_not_finite(const Tensor& t);
Diagnostic not_finite_warning(const std::string& file, const std::string& name, std::int64_t count,
                              std::int64_t of);

}  // namespace taugrad
