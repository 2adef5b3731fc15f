#include "taugrad/train/model_folder.h"

#include <filesystem>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "base/system/kept_inputs.h"
#include "json/json_writer.h"
#include "language/syntax/flat_definition.h"
#include "taugrad/io/safetensors.h"
#include "train/state/model_check.h"
#include "train/state/step_folder.h"

namespace taugrad {
namespace {

constexpr const char* kFiles[] = {
    "definition.json", "model.safetensors", "optimizer.safetensors", "state.json", "vocab.json",
    "metrics.jsonl",   kManifest,           "config.json",           kLatest,      kBest,
    "labels.json"};

std::string in(const std::string& folder, const std::string& file) { return folder + "/" + file; }

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

// What a definition imports is written beside it, where reading looks first; each under its own
// name, which is a new one only where two files share it or it is that of another file of the
// folder.
class ImportWriter {
 public:
  std::vector<std::pair<std::string, std::string>> files(Definition d) {
    std::vector<std::pair<std::string, std::string>> written;
    std::vector<std::pair<std::string, Definition>> open = {{"definition", std::move(d)}};
    while (!open.empty()) {
      auto [name, next] = std::move(open.back());
      open.pop_back();
      for (ImportDeclaration& i : next.imports) {
        Definition inner = load_import_of(next, i.from);
        const auto known = name_of_file_.find(inner.file);
        if (known != name_of_file_.end()) {
          i.from = known->second;
          continue;
        }
        const std::string file = inner.file;
        i.from = free_name(i.from);
        name_of_file_[file] = i.from;
        open.emplace_back(i.from, std::move(inner));
      }
      written.emplace_back(name + ".json", to_json(next));
    }
    return written;
  }

 private:
  std::string free_name(std::string name) {
    while (!taken_.insert(name).second) name += "_";
    return name;
  }

  std::set<std::string> taken_ = {"definition", "vocab", "state", "manifest", "config", "labels"};
  std::map<std::string, std::string> name_of_file_;
};

// of the definition and all that it imports, as values: blanks do not count
std::string digest_of_values(Definition d) {
  Digest digest;
  std::set<std::string> seen;
  std::vector<Definition> open = {std::move(d)};
  while (!open.empty()) {
    const Definition next = std::move(open.back());
    open.pop_back();
    digest.add(to_json(next));
    for (const ImportDeclaration& i : next.imports)
      if (Definition inner = load_import_of(next, i.from); seen.insert(inner.file).second)
        open.push_back(std::move(inner));
  }
  return digest.text();
}

Metadata digests_of(std::string definition, const TrainedModel& m) {
  Metadata digests{{kDefinitionDigest, std::move(definition)}};
  if (m.vocabulary) digests[kVocabularyDigest] = digest_of(to_json(*m.vocabulary));
  if (!m.labels.empty()) digests[kLabelsDigest] = digest_of(to_json(m.labels));
  return digests;
}

// whatever is wrong with the form of the weights' file: it was not saved like that
Tensors load_weights(const std::string& path, std::vector<Diagnostic>& warnings,
                     Metadata& metadata) try {
  return load_safetensors(path, &warnings, &metadata);
} catch (const Error& e) {
  Diagnostic d = e.diagnostics().front();
  if (e.status() != Status::bad_input || d.code == "C002") throw;
  d.message = fmt::format("{} is damaged: {} ({})", path, d.message, d.code);
  d.code = "C002";
  fail(Status::bad_input, std::move(d));
}

TrainedModel load_at(const ModelPlace& place) {
  const std::string& folder = place.folder;
  for (const char* file : kFiles)  // those too that are not looked at
    if (exists(in(folder, file))) keep_input(in(folder, file));
  TrainedModel m{load_definition(in(folder, "definition.json")), {}, {}};
  Metadata told;
  m.warnings = place.passed_over;
  m.weights = load_weights(in(folder, "model.safetensors"), m.warnings, told);
  const std::string vocabulary = in(folder, "vocab.json");
  if (exists(vocabulary))
    m.vocabulary = parse_vocabulary(read_file(vocabulary, limits::kJsonBytes), vocabulary);
  if (const std::string labels = in(folder, "labels.json"); exists(labels))
    m.labels = parse_labels(read_file(labels, limits::kJsonBytes), labels);
  m.description = digests_of(digest_of_values(m.definition), m);
  check_model(folder, m, told);
  m.folder = folder;
  if (place.whole) m.reading = saved_reading(m);
  return m;
}

}  // namespace

ModelDescription describe_model(const TrainedModel& model) {
  ModelDescription d{ImportWriter().files(model.definition), {}};
  Digest digest;  // as digest_of_values reads them again
  for (const auto& [name, text] : d.files) digest.add(text);
  d.digests = digests_of(digest.text(), model);
  if (model.vocabulary) d.files.emplace_back("vocab.json", to_json(*model.vocabulary));
  if (!model.labels.empty()) d.files.emplace_back("labels.json", to_json(model.labels));
  return d;
}

Metadata save_model_description(const std::string& folder, const TrainedModel& model) {
  const ModelDescription d = describe_model(model);
  for (const auto& [name, text] : d.files) write_file(in(folder, name), text);
  return d.digests;
}

TrainedModel load_best_model(const std::string& folder) {
  for (;;) {
    const std::string name = named_by(folder, kBest);
    if (!step_name_from(name))
      fail(Status::io, "I001", "{} has no best step: `taugrad train --valid` keeps one", folder);
    try {
      return load_model(in(folder, name));
    } catch (const Error&) {
      if (named_by(folder, kBest) == name) throw;  // else a trainer has found a better one
    }
  }
}

TrainedModel load_model(const std::string& folder) {
  for (;;) {
    const ModelPlace place = newest_whole(folder);
    for (const char* file : kFiles)  // of the run
      if (place.folder != folder && exists(in(folder, file))) keep_input(in(folder, file));
    try {
      return load_at(place);
    } catch (const Error&) {
      if (!is_gone(place)) throw;
    }
  }
}

}  // namespace taugrad
