#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "plan/lower/lowering_table.h"

namespace taugrad::plan {

/// An emission, and lists of what else is known of its tape.
template <class S>
struct Sample {
  Emission<S> emission;
  std::vector<Table> lists;
};

/// The law that emissions of growing tapes follow.
template <class S>
class Lesson {
 public:
  /// From samples 0, 1 and 2. Nothing where they follow no law.
  static std::optional<Lesson> of(std::array<Sample<S>, 3> samples);

  /// The emission number `sample`. Its plan's layout is the caller's to set.
  Emission<S> emission(std::int64_t sample, Records how = Records::written) const;
  const std::vector<Law>& lists() const { return lists_; }
  /// Whether sample number `number` is what the law says it is.
  bool foretells(std::int64_t number, const Sample<S>& sample) const;
  /// The same of lists alone.
  bool foretells(std::int64_t number, const std::vector<Table>& lists) const;

 private:
  Emission<S> emission_;  ///< of sample 0
  Laws laws_;
  std::vector<Law> lists_;
  std::shared_ptr<const Kinds<S>> kinds_;
};

}  // namespace taugrad::plan
