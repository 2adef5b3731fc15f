#include "plan/family/lesson.h"

#include <algorithm>

namespace taugrad::plan {
namespace {

bool same_rows(const Law& law, std::int64_t sample, const Table& table) {
  if (law.rows(sample) != table.rows()) return false;
  std::size_t row = 0;
  bool same = true;
  law.each_row(sample, [&](const std::int64_t* x) {
    same = same && std::equal(x, x + table.width, table.row(row++));
  });
  return same;
}

}  // namespace

template <class S>
std::optional<Lesson<S>> Lesson<S>::of(std::array<Sample<S>, 3> samples) {
  Lesson lesson;
  std::array<Tables, 3> tables;
  Kinds<S> kinds;
  std::size_t count = 0;  // of kinds
  for (std::size_t i = 0; i < 3; ++i) {
    std::optional<Tables> own = tables_of(samples[i].emission, kinds);
    if (i == 0) count = kinds.size();
    if (!own || kinds.size() != count || samples[i].lists.size() != samples[0].lists.size() ||
        !differ_in_tables_only(samples[0].emission, samples[i].emission))
      return std::nullopt;
    tables[i] = std::move(*own);
  }
  for (std::size_t part = 0; part < lesson.laws_.size(); ++part) {
    std::optional<Law> law = Law::of({tables[0][part], tables[1][part], tables[2][part]});
    if (!law) return std::nullopt;
    lesson.laws_[part] = std::move(*law);
  }
  for (std::size_t list = 0; list < samples[0].lists.size(); ++list) {
    std::optional<Law> law =
        Law::of({samples[0].lists[list], samples[1].lists[list], samples[2].lists[list]});
    if (!law) return std::nullopt;
    lesson.lists_.push_back(std::move(*law));
  }
  lesson.kinds_ = std::make_shared<const Kinds<S>>(std::move(kinds));
  lesson.emission_ = std::move(samples[0].emission);
  return lesson;
}

template <class S>
Emission<S> Lesson<S>::emission(std::int64_t sample, Records how) const {
  Emission<S> emission = emission_;
  fill(emission, laws_, sample, kinds_, how);
  return emission;
}

template <class S>
bool Lesson<S>::foretells(std::int64_t number, const Sample<S>& sample) const {
  Kinds<S> kinds = *kinds_;
  const std::optional<Tables> tables = tables_of(sample.emission, kinds);
  if (!tables || kinds.size() != kinds_->size() ||
      !differ_in_tables_only(emission_, sample.emission))
    return false;
  for (std::size_t part = 0; part < laws_.size(); ++part)
    if (!same_rows(laws_[part], number, (*tables)[part])) return false;
  return foretells(number, sample.lists);
}

template <class S>
bool Lesson<S>::foretells(std::int64_t number, const std::vector<Table>& lists) const {
  return std::ranges::equal(lists_, lists, [&](const Law& law, const Table& list) {
    return same_rows(law, number, list);
  });
}

template class Lesson<float>;
template class Lesson<double>;

}  // namespace taugrad::plan
