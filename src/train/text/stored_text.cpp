#include "train/text/stored_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/fail.h"
#include "base/source_text.h"
#include "base/system/memory_limit.h"
#include "base/utf8.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

/// Tokens of a source, read through a window that moves on.
class TokenReader {
 public:
  /// @param ahead  also what stands behind what is asked for, as it will be next
  TokenReader(const TextSource& source, Tokens tokens, char end_of_line, bool ahead)
      : source_(source), tokens_(tokens), end_of_line_(end_of_line), ahead_(ahead) {}

  /// f(token, where it begins) of the tokens of bytes begin..end-1.
  template <class F>
  void each(std::uint64_t begin, std::uint64_t end, const F& f) {
    for (std::uint64_t at = begin; at < end;) {
      std::string_view rest = window(at, end, kEnough);
      std::size_t n = length(rest);
      for (std::uint64_t more = 2 * kEnough; n == rest.size() && at + n < end; more *= 2) {
        rest = window(at, end, more);  // a token as long as what was looked at
        n = length(rest);
      }
      f(rest.front() == '\r' && ends_line(rest) ? std::string_view("\n") : rest.substr(0, n), at);
      at += n;
    }
  }

 private:
  static constexpr std::uint64_t kEnough = 64, kPiece = std::uint64_t{1} << 20;

  bool ends_line(std::string_view rest) const {
    return end_of_line_ == '\r' || rest.starts_with("\r\n");
  }
  std::size_t length(std::string_view rest) const {
    if (rest.front() == '\r' && ends_line(rest)) return end_of_line_ == '\r' ? 1 : 2;
    return token_length(rest, tokens_);
  }

  // bytes from `at` on, `wanted` of them or up to `end`
  std::string_view window(std::uint64_t at, std::uint64_t end, std::uint64_t wanted) {
    const std::uint64_t need = std::min(at + wanted, end);
    if (at < from_ || need > from_ + bytes_.size()) {
      const std::uint64_t to = std::max(need, std::min(at + kPiece, ahead_ ? source_.size() : end));
      source_.read(at, to, bytes_);
      from_ = at;
    }
    return std::string_view(bytes_).substr(at - from_, std::min(end, from_ + bytes_.size()) - at);
  }

  const TextSource& source_;
  Tokens tokens_;
  char end_of_line_;
  bool ahead_;
  std::uint64_t from_ = 0;
  std::string bytes_;
};

/// Counts tokens; those of one byte without looking them up.
class Counter {
 public:
  explicit Counter(TokenCounts& counts) : counts_(counts) {}
  void add(std::string_view token, std::uint32_t source, std::uint64_t at) {
    if (token.size() == 1) return add(one_[static_cast<unsigned char>(token[0])], source, at);
    const auto known = counts_.find(token);
    add(known == counts_.end() ? counts_.try_emplace(std::string(token)).first->second
                               : known->second,
        source, at);
  }
  void finish() {
    for (std::size_t c = 0; c < one_.size(); ++c)
      if (one_[c].count > 0) counts_.emplace(std::string(1, static_cast<char>(c)), one_[c]);
  }

 private:
  static void add(TokenCount& of, std::uint32_t source, std::uint64_t at) {
    if (of.count++ == 0) of.source = source, of.at = at;
  }
  TokenCounts& counts_;
  std::array<TokenCount, 256> one_ = {};
};

void require_for_places(const std::vector<TextFacts>& facts, const std::vector<TextSource>& sources,
                        Split split) {
  double items = 0, held = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const std::int64_t lines = std::max(facts[s].lf, facts[s].cr) + 1;
    items += split == Split::none ? 1 : static_cast<double>(lines);
    if (sources[s].held()) held += static_cast<double>(sources[s].size());
  }
  // twice, as a vector that grows; what a training or an evaluation keeps of an item
  constexpr double kItem = 2 * sizeof(TextPlace) + 100;
  require_memory(fmt::format("up to {:.0f} items", items),
                 {{"where the items stand", items * kItem}, {"the text held", held}});
}

void count_tokens(TextIndex& index) {
  Counter counter(index.counts);
  std::size_t place = 0;
  for (std::uint32_t s = 0; s < index.sources.size(); ++s) {
    TokenReader reader(index.sources[s], index.tokens, index.facts[s].end_of_line, true);
    for (; place < index.places.size() && index.places[place].source == s; ++place) {
      TextPlace& p = index.places[place];
      p.mark = static_cast<std::uint32_t>(index.marks.size());
      reader.each(p.begin, p.begin + p.bytes, [&](std::string_view token, std::uint64_t at) {
        if (p.tokens > 0 && p.tokens % TextIndex::kMark == 0) index.marks.push_back(at);
        ++p.tokens;
        counter.add(token, s, at);
      });
    }
  }
  counter.finish();
}

}  // namespace

TextIndex index_of(std::vector<TextSource> sources, Split split, Tokens tokens) {
  TextIndex index;
  index.tokens = tokens;
  index.sources = std::move(sources);
  Digest digest;
  for (const TextSource& s : index.sources) index.facts.push_back(facts_of(s, tokens, &digest));
  index.digest = digest.text();
  require_for_places(index.facts, index.sources, split);
  for (std::uint32_t s = 0; s < index.sources.size(); ++s)
    find_items(index.sources[s], index.facts[s], split, s, index.places);
  count_tokens(index);
  return index;
}

namespace {

/// A text whose items are places of an index, or parts of them.
class StoredText {
 public:
  struct Part {
    std::uint32_t place = 0;
    std::int64_t first = 0, steps = 0;
  };

  StoredText(const Definition& d, std::shared_ptr<const TextIndex> index,
             const Vocabulary& vocabulary)
      : index_(std::move(index)), vocabulary_(vocabulary) {
    const TextVariable variable = text_variable(d);
    const auto model = resolve(d);
    variable_ = variable.name;
    ends_ = variable.ends;
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(variable_))];
    length_ = model->lengths[static_cast<std::size_t>(
        model->index_length[static_cast<std::size_t>(s.axes[0])])];
  }

  const std::string& length() const { return length_; }
  std::size_t size() const { return cut_ ? parts_.size() : index_->places.size(); }
  Part part(std::size_t item) const {
    if (cut_) return parts_[item];
    return {static_cast<std::uint32_t>(item), 0, index_->places[item].tokens + (ends_ ? 1 : 0)};
  }
  StoredItem read(std::size_t item, std::int64_t from, std::int64_t to) const;
  void tell_place(std::size_t item, Diagnostic& d) const {
    const TextPlace& place = index_->places[part(item).place];
    d.file = index_->sources[place.source].name();
    d.line = static_cast<int>(place.line);
  }
  std::shared_ptr<const StoredText> in_parts(std::int64_t count, std::int64_t longer) const;

 private:
  std::vector<std::int64_t> symbols(const TextPlace& place, std::int64_t begin,
                                    std::int64_t end) const;

  std::shared_ptr<const TextIndex> index_;
  Vocabulary vocabulary_;
  std::string variable_, length_;
  bool ends_ = false;
  bool cut_ = false;  ///< the items are these; else all places, whole
  std::vector<Part> parts_;
};

// Tokens begin+1..end of a place, read from the mark before the first to the one after the last.
std::vector<std::int64_t> StoredText::symbols(const TextPlace& place, std::int64_t begin,
                                              std::int64_t end) const {
  const TextSource& source = index_->sources[place.source];
  const auto mark = [&](std::int64_t n) {
    return n == 0 ? place.begin
           : n * TextIndex::kMark >= place.tokens
               ? place.begin + place.bytes
               : index_->marks[place.mark + static_cast<std::size_t>(n) - 1];
  };
  std::vector<std::int64_t> out;
  const std::int64_t first = begin / TextIndex::kMark;
  std::int64_t at = first * TextIndex::kMark;
  bool same = true;
  const auto take = [&](std::string_view token, std::uint64_t) {
    if (at >= begin && at < end) {
      const std::int64_t known = vocabulary_.number(token);
      out.push_back(known >= 0 ? known : vocabulary_.unknown());
      same = same && out.back() >= 0;
    }
    ++at;
  };
  if (begin < end)
    TokenReader(source, index_->tokens, index_->facts[place.source].end_of_line, false)
        .each(mark(first), mark((end + TextIndex::kMark - 1) / TextIndex::kMark), take);
  if (!same || static_cast<std::int64_t>(out.size()) != std::max<std::int64_t>(end - begin, 0))
    fail(Status::bad_input, "C004", "{} has changed since it was first read", source.name());
  return out;
}

StoredItem StoredText::read(std::size_t item, std::int64_t from, std::int64_t to) const {
  const Part own = part(item);
  const TextPlace& place = index_->places[own.place];
  const std::int64_t first = std::min(from, own.steps),
                     last = std::clamp<std::int64_t>(to, first, own.steps);
  const std::int64_t end = own.first + last;
  std::vector<std::int64_t> all = symbols(place, own.first + first, std::min(end, place.tokens));
  if (end > place.tokens && last > first) all.push_back(0);
  StoredItem out;
  out.from = first;
  out.whole = first == 0 && last == own.steps;
  out.example.values.emplace(variable_, Tensor::of({last - first}, std::move(all)));
  out.example.lengths[length_] = own.steps;
  return out;
}

std::shared_ptr<const StoredText> StoredText::in_parts(std::int64_t count,
                                                       std::int64_t longer) const {
  auto text = std::make_shared<StoredText>(*this);
  text->cut_ = true;
  text->parts_.clear();
  for (std::size_t i = 0; i < size(); ++i) {
    const Part whole = part(i);
    const std::int64_t own = (whole.steps + count - 1) / count;
    if (own <= longer) {
      text->parts_.push_back(whole);
      continue;
    }
    for (std::int64_t from = 0; from < whole.steps; from += own)
      text->parts_.push_back({whole.place, whole.first + from, std::min(own, whole.steps - from)});
  }
  return text;
}

std::shared_ptr<const StoredItems> items_of(const std::shared_ptr<const StoredText>& text) {
  auto items = std::make_shared<StoredItems>();
  items->size = text->size();
  items->lengths = {text->length()};
  items->length = [text](std::size_t i, const std::string&) { return text->part(i).steps; };
  items->targets = [text](std::size_t i) { return text->part(i).steps; };
  items->read = [text](std::size_t i, std::int64_t from, std::int64_t to) {
    return text->read(i, from, to);
  };
  items->tell_place = [text](std::size_t i, Diagnostic& d) { text->tell_place(i, d); };
  items->in_parts = [text](std::int64_t count, std::int64_t longer) {
    return items_of(text->in_parts(count, longer));
  };
  return items;
}

}  // namespace

bool is_text_alone(const Definition& d) {
  const auto model = resolve(d);
  return model->lengths.size() == 1 && model->fixed_lengths[0] < 0 &&
         std::ranges::count_if(model->symbols, [](const Symbol& s) { return s.random(); }) == 1;
}

std::shared_ptr<const StoredItems> stored_text(const Definition& d,
                                               std::shared_ptr<const TextIndex> index,
                                               const Vocabulary& vocabulary) {
  return items_of(std::make_shared<const StoredText>(d, std::move(index), vocabulary));
}

}  // namespace taugrad
