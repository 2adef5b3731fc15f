#pragma once

#include <cstddef>
#include <cstdint>

/// Every limit on what a file or a command may ask for; over one of them is an error with a code,
/// found before anything is allocated. Limits of one example's shape are in taugrad/base/shape.h.
namespace taugrad::limits {

inline constexpr int kTensorRank = 8;                 ///< axes of a stored tensor
inline constexpr std::size_t kNameBytes = 256;        ///< a variable, a tensor, a node
inline constexpr std::size_t kJsonBytes = 64u << 20;  ///< a definition, tensors as JSON
inline constexpr std::size_t kGraphBytes = std::size_t{64} << 30;  ///< a graph as JSON
inline constexpr int kJsonDepth = 64;
inline constexpr std::int64_t kFoldedNodes = 1'000'000;
inline constexpr std::int64_t kUnfoldedNodes = 200'000'000;
inline constexpr std::size_t kNodes = 0x7fffffff;                 ///< of a graph with its gradients
inline constexpr std::size_t kInputs = 0x7fffffff;                ///< of all its nodes together
inline constexpr std::uint64_t kSafetensorsHeader = 100'000'000;  ///< bytes
inline constexpr std::size_t kTensors = 1'000'000;                ///< in one file

}  // namespace taugrad::limits
