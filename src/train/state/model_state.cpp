// What a training needs to go on: state.json and the optimiser's tensors.
#include <filesystem>

#include "base/digest.h"
#include "base/fail.h"
#include "base/limits.h"
#include "base/system/files.h"
#include "io/safetensors_pieces.h"
#include "json/json.h"
#include "json/json_writer.h"
#include "kernels/gemm/panels.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/train/model_folder.h"
#include "train/state/made_by.h"
#include "train/state/options_json.h"
#include "train/state/own_digest.h"
#include "train/state/state_files.h"
#include "train/state/words.h"

namespace taugrad {
namespace {

// 1: without place, run, last_line, changes; 2: without windows, plateau
constexpr int kFormat = 3;

std::string in(const std::string& folder, const char* file) { return folder + "/" + file; }

// of weights and optimiser together: files of different updates differ
std::string digest_of_update(const Tensors& weights, const Tensors& optimizer) {
  Digest d;
  for (const Tensors* tensors : {&weights, &optimizer})
    for (const auto& [name, t] : *tensors) {
      d.add(name);
      d.add({reinterpret_cast<const char*>(t.bytes().data()), t.bytes().size()});
    }
  return d.text();
}

std::string split_of(json::Value text) {
  const std::string split(text.string("split"));
  if (!split.empty()) word(text, "split", kSplits);
  return split;
}

// Other fields are passed over: who evaluates a model need not know all that a newer one holds.
DataOptions reading_of(json::Value state) {
  DataOptions reading;
  bool any = false;
  for (const json::Member& m : state.members("a state")) {
    if (m.name() == "split") {
      reading.split = split_of(m.value);
      any = true;
    } else if (m.name() == "max_length") {
      reading.max_length = m.value.integer("max_length", 0, INT64_MAX);
    } else if (m.name() == "columns") {
      for (const json::Value& column : m.value.elements("columns"))
        reading.columns.emplace_back(column.string("a column"));
    } else if (m.name() == "ignore_unknown") {
      reading.ignore_unknown = m.value.boolean("ignore_unknown");
    }
  }
  if (!any) state.fail("G010", "a state has no \"split\"", "--split says what an item is");
  return reading;
}

void write_validation(json::Writer& w, const ValidationState& v) {
  w.key("validation").begin_object().key("files").begin_array();
  for (const std::string& file : v.files) w.value(file);
  w.end_array().field("share", v.share).field("every", v.every).field("patience", v.patience);
  if (v.best) w.field("best", *v.best).field("best_update", std::to_string(v.best_update));
  w.end_object();
}

ValidationState read_validation(json::Value object) {
  const json::Fields f(object, "a validation",
                       {"files", "share", "every", "patience", "best", "best_update"});
  ValidationState v;
  for (const json::Value& file : f.at("files").elements("files"))
    v.files.emplace_back(file.string("a file"));
  v.share = f.at("share").number("share");
  v.every = f.at("every").integer("every", 0, INT64_MAX);
  v.patience = f.at("patience").integer("patience", 0, INT64_MAX);
  if (const auto best = f.find("best")) {
    v.best = best->number_or_word("best");
    v.best_update = whole_text<std::int64_t>(f.at("best_update"), "best_update");
  }
  return v;
}

void write_plateau(json::Writer& w, const PlateauState& p) {
  w.key("plateau").begin_object().field("best", *p.best).field("waited", p.waited);
  w.field("factor", p.factor).end_object();
}

PlateauState read_plateau(json::Value object) {
  const json::Fields f(object, "a plateau", {"best", "waited", "factor"});
  return {f.at("best").number_or_word("best"), f.at("waited").integer("waited", 0, INT64_MAX),
          f.at("factor").number("factor")};
}

std::string state_json(const Tensors& weights, const ResumeState& s) {
  json::Writer w(2);
  w.begin_object().field("format", kFormat).field("updates", std::to_string(s.updates));
  w.key("files").begin_array();
  for (const std::string& file : s.files) w.value(file);
  w.end_array().field("split", s.reading.split).field("max_length", s.reading.max_length);
  w.field("data", s.digest);
  if (!s.reading.columns.empty()) {
    w.key("columns").begin_array();
    for (const std::string& column : s.reading.columns) w.value(column);
    w.end_array();
  }
  if (s.reading.ignore_unknown) w.field("ignore_unknown", true);
  if (s.flow_every > 0) w.field("flow_every", s.flow_every);
  if (s.validation.any()) write_validation(w, s.validation);
  w.field("batches", std::to_string(s.place.batches));
  if (s.place.ahead != 0) w.field("ahead", std::to_string(s.place.ahead));
  if (s.place.from != 0) w.field("from", std::to_string(s.place.from));
  if (s.place.plateau.best) write_plateau(w, s.place.plateau);
  w.field("run", s.run);
  if (!s.last_line.empty()) w.field("last_line", s.last_line);
  if (!s.changes.empty()) {
    w.key("changes").begin_array();
    for (const std::string& change : s.changes) w.value(change);
    w.end_array();
  }
  w.field("made_by", made_by());
  w.field("tensors", digest_of_update(weights, s.optimizer));
  write_options(w, s.options);
  w.end_object();
  return with_own_digest(w.text());
}

[[noreturn]] void fail_resume(const std::string& folder, std::string message) {
  Diagnostic d;
  d.code = "C006";
  d.message = std::move(message);
  d.file = in(folder, "state.json");
  d.help = "the weights serve `taugrad sample`, and without state.json for training on from them";
  fail(Status::bad_input, std::move(d));
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

json::Document state_document(const std::string& folder) {
  const std::string path = in(folder, "state.json");
  return {read_file(path, limits::kJsonBytes), path, "a state object"};
}

Metadata metadata_of(const Tensors& weights, const ResumeState& state) {
  Metadata about = state.description;
  about["updates"] = std::to_string(state.updates);
  about[kDigestKey] = digest_of(weights);
  return about;
}

void read_progress(const json::Fields& f, ResumeState& s) {
  s.updates = whole_text<std::int64_t>(f.at("updates"), "updates");
  if (const auto batches = f.find("batches"))
    s.place.batches = whole_text<std::int64_t>(*batches, "batches");
  if (const auto ahead = f.find("ahead"))
    s.place.ahead = whole_text<std::int64_t>(*ahead, "ahead", true);
  if (const auto from = f.find("from")) s.place.from = whole_text<std::int64_t>(*from, "from");
  if (const auto plateau = f.find("plateau")) s.place.plateau = read_plateau(*plateau);
  if (const auto run = f.find("run")) s.run = run->integer("run", 1, INT64_MAX);
  if (const auto line = f.find("last_line")) s.last_line = line->string("last_line");
  if (const auto changes = f.find("changes"))
    for (const json::Value& change : changes->elements("changes"))
      s.changes.emplace_back(change.string("a change"));
}

ResumeState read_state(const json::Document& document, const json::Fields& f) {
  const std::int64_t format = f.at("format").integer("format", 1, INT32_MAX);
  if (format > kFormat)
    f.at("format").fail("C005", "the state's format is newer than this program supports",
                        "upgrade taugrad");
  ResumeState s;
  read_progress(f, s);
  for (const json::Value& file : f.at("files").elements("files"))
    s.files.emplace_back(file.string("a file"));
  s.reading = reading_of(document.root_object());
  if (const auto every = f.find("flow_every"))
    s.flow_every = every->integer("flow_every", 1, INT64_MAX);
  if (const auto validation = f.find("validation")) s.validation = read_validation(*validation);
  s.digest = f.at("data").string("data");
  s.options = read_options(f.at("options"));
  check_own_digest(document, f);
  return s;
}

}  // namespace

std::string digest_of(std::string_view data) {
  Digest d;
  d.add(data);
  return d.text();
}

void add_state_files(OutputFolder& to, const Tensors& weights, const ResumeState& state) {
  std::string header;
  to.add("model.safetensors", safetensors_pieces(weights, metadata_of(weights, state), header));
  to.add("optimizer.safetensors",
         safetensors_pieces(state.optimizer, {{kDigestKey, digest_of(state.optimizer)}}, header));
  to.add("state.json", state_json(weights, state));
}

void save_training(const std::string& folder, const Tensors& weights, const ResumeState& state) {
  save_safetensors(in(folder, "model.safetensors"), weights, metadata_of(weights, state));
  save_safetensors(in(folder, "optimizer.safetensors"), state.optimizer,
                   {{kDigestKey, digest_of(state.optimizer)}});
  write_file(in(folder, "state.json"), state_json(weights, state));
}

std::optional<DataOptions> saved_reading(const TrainedModel& model) {
  if (model.reading) return model.reading;
  if (!exists(in(model.folder, "state.json"))) return std::nullopt;
  const json::Document document = state_document(model.folder);
  return reading_of(document.root_object());
}

std::string made_by() {
  using kernels::InstructionSet;
  const InstructionSet set = kernels::best_instruction_set();
  return fmt::format("taugrad {}, {}, {}", TAUGRAD_VERSION, __VERSION__,
                     set == InstructionSet::generic ? "generic"
                     : set == InstructionSet::avx2  ? "avx2"
                                                    : "avx512");
}

std::optional<std::string> saved_made_by(const TrainedModel& model) {
  if (!exists(in(model.folder, "state.json"))) return std::nullopt;
  const json::Document document = state_document(model.folder);
  for (const json::Member& m : document.root_object().members("a state"))
    if (m.name() == "made_by") return std::string(m.value.string("made_by"));
  return std::nullopt;
}

std::optional<ResumeState> load_resume_state(const TrainedModel& model) {
  const std::string& folder = model.folder;
  if (!exists(in(folder, "state.json"))) return std::nullopt;
  const json::Document document = state_document(folder);
  const json::Fields f(
      document.root_object(), "a state",
      {"format", "updates",    "batches", "ahead",          "from",       "plateau",    "files",
       "split",  "max_length", "columns", "ignore_unknown", "flow_every", "validation", "data",
       "run",    "last_line",  "changes", "made_by",        "tensors",    "options",    "digest"});
  ResumeState s = read_state(document, f);
  s.description = model.description;
  if (!exists(in(folder, "optimizer.safetensors"))) {
    s.has_optimizer = false;
    s.updates = 0;
    s.place = {};
    return s;
  }
  s.optimizer = load_safetensors(in(folder, "optimizer.safetensors"));
  if (digest_of_update(model.weights, s.optimizer) != f.at("tensors").string("tensors"))
    fail_resume(folder,
                "weights and state are of different updates: a save was interrupted, or the "
                "weights were replaced");
  return s;
}

}  // namespace taugrad
