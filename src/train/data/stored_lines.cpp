#include "train/data/stored_lines.h"

#include <utility>

#include "language/resolve/resolved_model.h"
#include "train/data/counted.h"
#include "train/data/raw_items.h"

namespace taugrad {
namespace {

/// Where the lines stand, and how they are read.
struct LineIndex {
  std::vector<TextSource> sources;
  std::vector<std::shared_ptr<const std::string>> names;  ///< of the sources
  std::vector<TextPlace> places;                          ///< `tokens` are targets
  std::vector<std::int64_t> lengths;                      ///< [item][length]
  std::shared_ptr<const ResolvedModel> model;
  bool ignore_unknown = false;
  Labels labels;

  std::string text(const TextPlace& place) const {
    std::string line;
    sources[place.source].read(place.begin, place.begin + place.bytes, line);
    return line;
  }
  RawItem raw(const TextPlace& place) const {
    return raw_line(*model, text(place), names[place.source], static_cast<int>(place.line),
                    ignore_unknown);
  }
  Example example(const TextPlace& place) const { return example_of(*model, raw(place), labels); }
};

using Problems = std::map<std::size_t, Diagnostic>;  // by line of the index

/// f(place) of every line that has no problem yet.
template <class F>
void each_line(LineIndex& index, Problems& problems, const F& f) {
  for (std::size_t i = 0; i < index.places.size(); ++i) {
    if (problems.contains(i)) continue;
    try {
      f(index.places[i]);
    } catch (const Error& e) {
      if (e.status() != Status::bad_input) throw;
      problems.emplace(i, e.diagnostics().front());
    }
  }
}

void tell(Problems problems) {
  if (problems.empty()) return;
  std::vector<Diagnostic> all;
  for (auto& [line, problem] : problems) all.push_back(std::move(problem));
  throw Error(Status::bad_input, std::move(all));
}

void take_lengths(LineIndex& index, Problems& problems, std::set<std::string>& partly) {
  index.lengths.reserve(index.places.size() * index.model->lengths.size());
  each_line(index, problems, [&](TextPlace& place) {
    const Example e = index.example(place);
    for (const std::string& name : index.model->lengths)
      index.lengths.push_back(e.lengths.at(name));
    place.tokens = targets_of(*index.model, e);
    for (const auto& [name, places] : e.missing)
      if (!places.empty()) partly.insert(name);
  });
}

std::shared_ptr<const StoredItems> items_of(const std::shared_ptr<const LineIndex>& index,
                                            std::set<std::string> partly) {
  auto items = std::make_shared<StoredItems>();
  items->size = index->places.size();
  items->lengths = index->model->lengths;
  items->partly = std::move(partly);
  items->length = [index](std::size_t i, const std::string& name) {
    const std::vector<std::string>& names = index->model->lengths;
    const auto l = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    return index->lengths[i * names.size() + l];
  };
  items->targets = [index](std::size_t i) { return index->places[i].tokens; };
  items->read = [index](std::size_t i, std::int64_t, std::int64_t) {
    return StoredItem{index->example(index->places[i])};
  };
  items->tell_place = [index](std::size_t i, Diagnostic& d) {
    d.file = *index->names[index->places[i].source];
    d.line = static_cast<int>(index->places[i].line);
  };
  return items;
}

}  // namespace

StoredLines stored_lines(Definition& d, std::vector<TextSource> sources, bool ignore_unknown,
                         const Labels* labels) {
  StoredLines out;
  auto index = std::make_shared<LineIndex>();
  index->sources = std::move(sources);
  index->ignore_unknown = ignore_unknown;
  index->model = resolve(d);
  Digest digest;
  for (std::uint32_t s = 0; s < index->sources.size(); ++s) {
    const TextSource& source = index->sources[s];
    const TextFacts facts = facts_of(source, Tokens::chars, &digest);
    for (Diagnostic& w : facts.warnings(source.name())) out.warnings.push_back(std::move(w));
    find_items(source, facts, Split::line, s, index->places);
    index->names.push_back(std::make_shared<const std::string>(source.name()));
  }
  out.digest = digest.text();
  std::erase_if(index->places, [&](const TextPlace& p) { return is_blank_line(index->text(p)); });
  LabelFinder finder(d);
  Problems problems;
  each_line(*index, problems, [&](const TextPlace& place) { finder.add(index->raw(place)); });
  out.labels = index->labels = labels != nullptr ? *labels : finder.labels();
  if (labels == nullptr) set_label_sizes(d, out.labels);
  index->model = resolve(d);
  std::set<std::string> partly;
  take_lengths(*index, problems, partly);
  tell(std::move(problems));
  out.items = items_of(index, std::move(partly));
  return out;
}

}  // namespace taugrad
