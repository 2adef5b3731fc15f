#include "train/state/model_check.h"

#include <algorithm>

#include "base/fail.h"
#include "base/utf8.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/train/dataset.h"

namespace taugrad {
namespace {

/// [positions..., shape...] as messages say it.
std::string wanted_text(const Symbol& s) {
  std::string text;
  for (std::size_t a = 0; a < s.axes.size(); ++a) text += "positions,";
  for (const std::int64_t d : s.shape.dims()) text += fmt::format("{},", d);
  if (!text.empty()) text.pop_back();
  return fmt::format("[{}]", text);
}

// of an untied weight as many positions as it was trained for
bool fits(const Tensor& t, const Symbol& s) {
  return t.dims().size() == s.axes.size() + static_cast<std::size_t>(s.shape.rank()) &&
         std::equal(s.shape.dims().begin(), s.shape.dims().end(),
                    t.dims().begin() + static_cast<std::ptrdiff_t>(s.axes.size()));
}

std::vector<std::string> problems_of_weights(const ResolvedModel& model, const Tensors& weights) {
  std::vector<std::string> problems, names;
  for (const Symbol& s : model.symbols) {
    if (s.kind != SymbolKind::weight || !s.taken) continue;
    names.push_back(s.name);
    const auto found = weights.find(s.name);
    if (found == weights.end())
      problems.push_back(fmt::format("\"{}\" is missing", s.name));
    else if (!fits(found->second, s))
      problems.push_back(fmt::format("\"{}\" is {}, the model needs {}", s.name,
                                     dims_text(found->second.dims()), wanted_text(s)));
  }
  for (const auto& [name, t] : weights)
    if (std::find(names.begin(), names.end(), name) == names.end())
      problems.push_back(fmt::format("\"{}\" is no weight of the model", printable(name, 80)));
  return problems;
}

std::vector<std::string> problems_of_vocabulary(const TrainedModel& m, bool trained_with_one) {
  if (!m.vocabulary)
    return trained_with_one ? std::vector<std::string>{"vocab.json is missing"}
                            : std::vector<std::string>{};
  if (!takes_text(m.definition)) return {"vocab.json is there, but the definition takes no text"};
  const TextVariable variable = text_variable(m.definition);
  std::vector<std::string> problems;
  if (variable.symbols != m.vocabulary->size())
    problems.push_back(fmt::format("vocab.json has {} symbols, \"{}\" of the model {}",
                                   m.vocabulary->size(), variable.name, variable.symbols));
  if (variable.ends != m.vocabulary->with_end())
    problems.push_back(fmt::format("vocab.json has {} symbol for the end, the model {}",
                                   m.vocabulary->with_end() ? "a" : "no",
                                   variable.ends ? "one" : "none"));
  return problems;
}

// the numbers of symbols that words name
std::vector<std::string> problems_of_labels(const ResolvedModel& model, const TrainedModel& m,
                                            bool trained_with_some) {
  if (m.labels.empty())
    return trained_with_some ? std::vector<std::string>{"labels.json is missing"}
                             : std::vector<std::string>{};
  std::vector<std::string> problems;
  for (const auto& [name, words] : m.labels) {
    const int s = model.find(name);
    const std::int64_t symbols = s < 0 ? -1 : model.symbols[static_cast<std::size_t>(s)].category;
    if (symbols != static_cast<std::int64_t>(words.size()))
      problems.push_back(fmt::format("labels.json has {} words for \"{}\", the model {} symbols",
                                     words.size(), printable(name, 80),
                                     std::max<std::int64_t>(symbols, 0)));
  }
  return problems;
}

void check_digest(const std::string& folder, const char* file, const char* name,
                  const Metadata& told, const Metadata& found) {
  const auto of_training = told.find(name);
  const auto here = found.find(name);
  if (of_training == told.end() || here == found.end() || here->second == of_training->second)
    return;
  Diagnostic d;
  d.code = "C002";
  d.message = fmt::format(
      "{}/{} is damaged, or another's: its digest is {}, the weights were "
      "trained with {}",
      folder, file, here->second, printable(of_training->second, 80));
  d.file = fmt::format("{}/{}", folder, file);
  d.help = fmt::format(
      "restore it; where it was changed on purpose, save the weights without the metadata \"{}\"",
      name);
  fail(Status::bad_input, std::move(d));
}

}  // namespace

void check_model(const std::string& folder, const TrainedModel& m, const Metadata& told) {
  const auto model = resolve(m.definition);
  std::vector<std::string> problems = problems_of_weights(*model, m.weights);
  const auto of_labels = problems_of_labels(*model, m, told.contains(kLabelsDigest));
  problems.insert(problems.end(), of_labels.begin(), of_labels.end());
  const auto more = problems_of_vocabulary(m, told.contains(kVocabularyDigest));
  problems.insert(problems.end(), more.begin(), more.end());
  if (!problems.empty()) {
    Diagnostic d;
    d.code = "C003";
    d.message =
        fmt::format("the files of {} do not fit each other: {}{}", folder,
                    problems.size() > 1 ? fmt::format("{} problems: ", problems.size()) : "",
                    fmt::join(problems, "; "));
    d.file = folder;
    fail(Status::bad_input, std::move(d));
  }
  check_digest(folder, "definition.json", kDefinitionDigest, told, m.description);
  check_digest(folder, "vocab.json", kVocabularyDigest, told, m.description);
  check_digest(folder, "labels.json", kLabelsDigest, told, m.description);
}

}  // namespace taugrad
