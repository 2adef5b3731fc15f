#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "taugrad/io/safetensors.h"

namespace taugrad {

/// The bytes of a safetensors file, one piece after the other, without a copy of the tensors, which
/// must stay. @param header  receives the first piece and must stay too  @throws Error (S012)
std::vector<std::string_view> safetensors_pieces(const Tensors& tensors, const Metadata& metadata,
                                                 std::string& header);

}  // namespace taugrad
