#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "evaluate/leaves/batch_data.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {

/// What the options of a run say of lengths that its tensors may tell too.
class AskedLengths {
 public:
  /// @param data  with axes and lengths of its tensors, checked
  AskedLengths(const ResolvedModel& model, const RunOptions& options, BatchData& data)
      : model_(model), options_(options), data_(data) {}

  /// The steps are the same as those of the tensors, or what is drawn goes on past its data.
  /// @throws Error (U007)
  void apply();
  /// Of a length that no axis tells, or -1.
  std::int64_t asked(std::size_t l) const;
  /// Whether a random variable tells it that is drawn.
  bool is_drawn(std::size_t l) const;

 private:
  std::int64_t asked_by_name(std::size_t l) const;
  std::int64_t known_length(std::size_t l) const;
  bool has_axis(const Symbol& s, std::size_t l) const;
  bool go_past_data(std::size_t l, std::int64_t steps, std::int64_t known);

  const ResolvedModel& model_;
  const RunOptions& options_;
  BatchData& data_;
};

}  // namespace taugrad
