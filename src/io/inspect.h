#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/file_kind.h"
#include "taugrad/base/error.h"
#include "taugrad/base/tensor.h"
#include "taugrad/graph/graph.h"
#include "taugrad/io/safetensors.h"

/// What `taugrad inspect` says of a file.
namespace taugrad {

/// Of the finite values of one tensor; all 0 where there are none.
struct TensorSummary {
  std::string name;
  std::string type;  ///< as stored: "BF16"
  Dims dims;
  std::int64_t elements = 0;
  std::uint64_t bytes = 0;
  double mean = 0, std = 0, min = 0, max = 0;
  std::int64_t not_finite = 0;
  std::vector<std::int64_t> histogram = {};  ///< of 12 equal bins from min to max; empty: none
};
struct TensorsSummary {
  std::vector<TensorSummary> tensors;  ///< by name
  Metadata metadata;
  std::int64_t elements = 0, not_finite = 0;
  std::uint64_t bytes = 0;
};
/// A safetensors or .json file; one tensor is held in memory at a time.
/// @throws Error as load_tensors does
TensorsSummary inspect_tensors(const std::string& path);

struct LeafSummary {
  std::string name;
  Shape shape;
  std::int64_t positions = 0;  ///< nodes of this name: an input has one a step
};
struct GraphSummary {
  std::int64_t nodes = 0, edges = 0;
  std::int64_t depth = 0;   ///< nodes on the longest path
  std::int64_t values = 0;  ///< nodes that are a named variable
  std::int64_t parameters = 0;
  std::size_t bytes = 0;  ///< in memory
  std::map<std::string, std::int64_t> ops;
  std::vector<LeafSummary> inputs, weights;  ///< in the order of the tape
  std::vector<std::string> lengths;
};
GraphSummary inspect_graph(const Graph& g);

std::string to_text(const TensorsSummary& s);
std::string to_text(const GraphSummary& s);
std::string to_json(const TensorsSummary& s);
std::string to_json(const GraphSummary& s);

}  // namespace taugrad
