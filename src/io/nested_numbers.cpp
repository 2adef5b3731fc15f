#include "io/nested_numbers.h"

#include <fmt/format.h>

#include "base/limits.h"
#include "base/utf8.h"

namespace taugrad {

using json::Value;

NestedNumbers::NestedNumbers(std::string_view name, NestedOptions options)
    : name_(printable(name, 80)), options_(options) {}

void NestedNumbers::nested(Value root) {
  struct Level {
    std::vector<Value> elements;
    std::size_t next = 0;
  };
  std::vector<Level> stack;
  const auto enter = [&](Value v) {
    if (!v.is(json::Kind::array)) return leaf(v, stack.size());
    if (stack.size() == static_cast<std::size_t>(limits::kTensorRank))
      v.fail("S013", fmt::format("tensor \"{}\": more than {} axes", name_, limits::kTensorRank));
    stack.push_back({v.elements(name_)});
    axis(v, stack.size(), stack.back().elements.size());
  };
  enter(root);
  while (!stack.empty()) {
    Level& top = stack.back();
    if (top.next == top.elements.size())
      stack.pop_back();
    else
      enter(top.elements[top.next++]);
  }
  if (!holes_.empty()) fill_holes();
}

void NestedNumbers::flat(Value data) {
  for (const Value& v : data.elements("data")) number(v);
}

Tensor NestedNumbers::tensor(Dims dims) && {
  if (whole_ && !integers_.empty()) return Tensor::of(std::move(dims), std::move(integers_));
  return Tensor::of(std::move(dims), std::move(reals_));
}

void NestedNumbers::axis(Value v, std::size_t depth, std::size_t length) {
  const auto n = static_cast<std::int64_t>(length);
  if (depth > dims_.size()) {
    if (leaf_depth_ >= 0)
      v.fail("S013",
             fmt::format("tensor \"{}\": ragged: an array where a number stood before", name_));
    dims_.push_back(n);
  } else if (dims_[depth - 1] != n) {
    v.fail("S013", fmt::format("tensor \"{}\": ragged: {} elements where {} stood before", name_, n,
                               dims_[depth - 1]));
  }
}

void NestedNumbers::leaf(Value v, std::size_t depth) {
  if (v.is(json::Kind::null) && options_.nulls) return holes_.push_back({reals_.size(), depth});
  if (depth != dims_.size())
    v.fail("S013",
           fmt::format("tensor \"{}\": ragged: a number where an array stood before", name_));
  leaf_depth_ = static_cast<int>(depth);
  v.is(json::Kind::string) && options_.words ? word(v) : number(v);
}

void NestedNumbers::number(Value v) {
  if (kind_ == Kind::words)
    v.fail("S013", fmt::format("tensor \"{}\": a number where words stood before", name_));
  kind_ = Kind::numbers;
  words_.clear();
  reals_.push_back(v.number_or_word(name_));
  whole_ = whole_ && v.is(json::Kind::integer);
  if (whole_) integers_.push_back(v.integer(name_, INT64_MIN, INT64_MAX));
}

void NestedNumbers::word(Value v) {
  const std::string_view text = v.string(name_);
  const bool is_number = text == "inf" || text == "-inf" || text == "nan";
  if (kind_ == Kind::numbers) {
    if (is_number) return number(v);
    v.fail("S013", fmt::format("tensor \"{}\": a word where numbers stood before", name_));
  }
  kind_ = kind_ == Kind::words || !is_number ? Kind::words : Kind::either;
  words_.emplace_back(text);
  reals_.push_back(is_number ? v.number_or_word(name_) : 0);
  whole_ = false;
}

void NestedNumbers::add_zeros(std::size_t count) {
  reals_.resize(reals_.size() + count, 0);
  if (whole_) integers_.resize(integers_.size() + count, 0);
}

// a null at a level stands for all elements below it, as many as others have there
void NestedNumbers::fill_holes() {
  NestedNumbers filled(name_);
  filled.whole_ = whole_;
  std::size_t taken = 0;
  const auto take = [&](std::size_t until) {
    for (; taken < until; ++taken) {
      filled.reals_.push_back(reals_[taken]);
      if (whole_) filled.integers_.push_back(integers_[taken]);
      if (!words_.empty()) filled.words_.push_back(std::move(words_[taken]));
    }
  };
  for (const Hole& hole : holes_) {
    take(hole.before);
    std::size_t elements = 1;
    for (std::size_t a = hole.depth; a < dims_.size(); ++a)
      elements *= static_cast<std::size_t>(dims_[a]);
    for (std::size_t i = 0; i < elements; ++i)
      nulls_.push_back(static_cast<std::int64_t>(filled.reals_.size() + i));
    filled.add_zeros(elements);
    if (!words_.empty()) filled.words_.resize(filled.reals_.size());
  }
  take(reals_.size());
  reals_ = std::move(filled.reals_);
  integers_ = std::move(filled.integers_);
  words_ = std::move(filled.words_);
}

}  // namespace taugrad
