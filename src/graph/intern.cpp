#include <algorithm>
#include <limits>

#include "base/fail.h"
#include "base/utf8.h"
#include "graph/tables.h"

// Each table keeps one of equal values: a name, an index, a shape is stored once, a node holds its
// number.
namespace taugrad {
namespace {

std::uint64_t hash_of_index(std::span<const std::int32_t> index) {
  std::uint64_t h = index.size();
  for (const std::int32_t i : index) h = mixed(h, static_cast<std::uint32_t>(i));
  return h;
}

std::uint64_t hash_of_shape(const Shape& shape) {
  std::uint64_t h = static_cast<std::uint64_t>(shape.rank());
  for (const std::int64_t d : shape.dims()) h = mixed(h, static_cast<std::uint64_t>(d));
  return h;
}

std::uint64_t hash_of_extent(const Extent& extent) {
  std::uint64_t h = extent.bounds.size();
  for (const Extent::Bound& b : extent.bounds)
    h = mixed(mixed(h, static_cast<std::uint32_t>(b.which)),
              static_cast<std::uint32_t>(b.at_least));
  return h;
}

// the number of an equal value in the deque, else of a new one at its end, after `check` of it
template <class T, class Equal, class Check = decltype([](const T&) {})>
std::uint32_t interned(HashIndex& table, std::deque<T>& values, std::uint64_t hash, const T& value,
                       const Equal& equal, const Check& check = {}) {
  const auto same = [&](std::int64_t id) {
    return equal(values[static_cast<std::size_t>(id)], value);
  };
  if (const std::int64_t id = table.find(hash, same); id >= 0)
    return static_cast<std::uint32_t>(id);
  check(value);
  values.push_back(value);
  table.insert(hash, static_cast<std::int64_t>(values.size() - 1));
  return static_cast<std::uint32_t>(values.size() - 1);
}

// the alphabet that attributes name, or 0; texts are what JSON can hold
std::int64_t checked_category(const Attrs& attrs) {
  for (const auto& [name, value] : attrs) {
    const auto* text = std::get_if<std::string>(&value);
    if (!is_utf8(name) || (text && !is_utf8(*text)))
      fail(Status::bad_input, "G025", "attribute \"{}\" is not UTF-8 text", printable(name, 80));
  }
  if (!attrs.has("category")) return 0;
  const std::int64_t size = attrs.integer("category");
  require(size >= 1, "a category has at least one symbol, not {}", size);
  return size;
}

}  // namespace

std::int64_t Tape::find_name(std::string_view name) const {
  return tables_->names.find(
      hash_of(name), [&](std::int64_t id) { return names_[static_cast<std::size_t>(id)] == name; });
}

NameId Tape::intern_name(std::string_view name) {
  if (const std::int64_t id = find_name(name); id >= 0) return static_cast<NameId>(id);
  if (!names_.empty()) check_name(name);  // the first is that of a node without one
  const auto id = static_cast<NameId>(names_.size());
  names_.emplace_back(name);
  name_rows_.push_back({.next = id});
  tables_->names.insert(hash_of(name), id);
  return id;
}

std::uint32_t Tape::intern_letters(std::span<const std::string> letters) {
  std::uint64_t hash = letters.size();
  for (const std::string& letter : letters) hash = mixed(hash, hash_of(letter));
  const auto same = [&](std::int64_t id) {
    return std::ranges::equal(letter_lists_[static_cast<std::size_t>(id)], letters);
  };
  if (const std::int64_t id = tables_->letters.find(hash, same); id >= 0)
    return static_cast<std::uint32_t>(id);
  for (const std::string& letter : letters) {
    check_name(letter);
    if (letter.find_first_of("[]=,") != std::string::npos)  // W[t=1,s=2] says letters
      fail(Status::bad_input, "G025", "a letter of positions has none of [ ] = , got \"{}\"",
           printable(letter, 80));
  }
  const auto id = static_cast<std::uint32_t>(letter_lists_.size());
  letter_lists_.emplace_back(letters.begin(), letters.end());
  tables_->letters.insert(hash, id);
  return id;
}

// The number of the text of `name` with these letters: its own where it has none yet.
NameId Tape::lettered(NameId name, std::uint32_t letters) {
  if (letters == 0) return name;
  NameId last = name;
  for (NameId id = name;;) {
    if (name_rows_[id].letters == letters) return id;
    if (name_rows_[id].letters == 0 && id != 0) {  // what has no name has no letters of its own
      name_rows_[id].letters = letters;
      return id;
    }
    last = id;
    id = name_rows_[id].next;
    if (id == name) break;
  }
  const auto id = static_cast<NameId>(names_.size());
  names_.push_back(names_[name]);
  name_rows_.push_back({.letters = letters, .next = name});
  name_rows_[last].next = id;
  return id;
}

NameId Tape::intern_name(std::string_view name, std::span<const std::string> letters) {
  const NameId id = intern_name(name);
  return letters.empty() ? id : lettered(id, intern_letters(letters));
}

std::span<const std::string> Tape::letters_of(NameId id) const {
  entry(names_, id);
  return letter_lists_[name_rows_[id].letters];
}

std::span<const std::string> Tape::letters(NodeId id) const {
  const std::span<const std::string> all = letters_of(row(id).name);
  return all.size() == index(id).size() ? all : std::span<const std::string>();
}

std::int64_t Tape::find_index(std::span<const std::int32_t> index) const {
  return tables_->indices.find(hash_of_index(index), [&](std::int64_t id) {
    return std::ranges::equal(index_of(static_cast<IndexId>(id)), index);
  });
}

IndexId Tape::intern_index(std::span<const std::int32_t> index) {
  if (last_index_ != 0 && std::ranges::equal(index_of(last_index_), index)) return last_index_;
  if (const std::int64_t id = find_index(index); id >= 0)
    return last_index_ = static_cast<IndexId>(id);
  const auto id = static_cast<IndexId>(index_first_.size() - 1);
  // the span may be one of ours, which growing would move
  const std::vector<std::int32_t> own(index.begin(), index.end());
  index_values_.insert(index_values_.end(), own.begin(), own.end());
  index_first_.push_back(static_cast<std::uint32_t>(index_values_.size()));
  tables_->indices.insert(hash_of_index(own), id);
  return last_index_ = id;
}

ShapeId Tape::intern_shape(const Shape& shape) {
  return interned(tables_->shapes, shapes_, hash_of_shape(shape), shape, std::equal_to<>());
}

AttrsId Tape::intern_attrs(const Attrs& attrs) {
  if (attrs.empty() && !attr_sets_.empty()) return 0;
  std::int64_t category = 0;
  const AttrsId id = interned(tables_->attrs, attr_sets_, hash_of(attrs), attrs, same_bits,
                              [&](const Attrs& a) { category = checked_category(a); });
  if (id == categories_.size()) categories_.push_back(category);
  return id;
}

namespace {

// as the reader of graphs has it
void check_bounds(const Extent& extent) {
  std::int64_t before = -1;
  for (const Extent::Bound& b : extent.bounds) {
    if (b.which <= before)
      fail(Status::bad_input, "G013", "bounds stand in the order of their lengths, one each");
    if (b.at_least < 1)
      fail(Status::bad_input, "G011", "a bound is at least 1, not {}", b.at_least);
    before = b.which;
  }
}

}  // namespace

void check_extent(const Tape& tape, ExtentId id) {
  require(id < tape.extent_count(), "no set of items {}", id);
  for (const Extent::Bound& b : tape.extent(id).bounds)
    if (b.which < 0 || static_cast<std::size_t>(b.which) >= tape.length_names.size())
      fail(Status::bad_input, "G014", "length {} is not one of the graph's {}", b.which,
           tape.length_names.size());
}

ExtentId Tape::intern_extent(const Extent& extent) {
  check_bounds(extent);
  if (extents_.size() >= std::numeric_limits<std::int32_t>::max())
    fail(Status::resource, "G022", "more than 2^31 different sets of items");
  return interned(tables_->extents, extents_, hash_of_extent(extent), extent, std::equal_to<>());
}

}  // namespace taugrad
