#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.h"
#include "taugrad/base/tensor.h"

namespace taugrad {

/// What nested arrays of JSON may hold beside numbers.
struct NestedOptions {
  bool nulls = false;  ///< a value that is not given, at any depth
  bool words = false;  ///< strings in place of all numbers; "nan", "inf", "-inf" are either
};

/// Collects numbers in row-major order; integers and real numbers side by side until all are seen.
class NestedNumbers {
 public:
  explicit NestedNumbers(std::string_view name, NestedOptions options = {});

  /// Walks nested arrays with an explicit stack; every array of a level has one length.
  /// @throws Error (S013: ragged)
  void nested(json::Value root);
  void flat(json::Value data);

  const Dims& dims() const { return dims_; }
  std::size_t size() const { return reals_.size(); }
  /// Elements that are not given, ascending; each is 0 in the tensor. Where nothing else tells how
  /// many elements a null stands for, it is one.
  const std::vector<std::int64_t>& nulls() const { return nulls_; }
  /// The strings, by element; empty where numbers were read.
  std::vector<std::string>& words() { return words_; }
  Tensor tensor(Dims dims) &&;

 private:
  struct Hole {
    std::size_t before;  ///< elements read before it
    std::size_t depth;
  };
  void axis(json::Value v, std::size_t depth, std::size_t length);
  void leaf(json::Value v, std::size_t depth);
  void number(json::Value v);
  void word(json::Value v);
  void fill_holes();
  void add_zeros(std::size_t count);

  /// What stands there so far: strings that may be numbers (`either`), words, numbers.
  enum class Kind { none, either, words, numbers };

  std::string name_;
  NestedOptions options_;
  Kind kind_ = Kind::none;
  Dims dims_;
  int leaf_depth_ = -1;
  bool whole_ = true;
  std::vector<std::int64_t> integers_, nulls_;
  std::vector<double> reals_;
  std::vector<std::string> words_;
  std::vector<Hole> holes_;
};

}  // namespace taugrad
