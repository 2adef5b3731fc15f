#include "taugrad/train/model_folder.h"

#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/files.h"
#include "base/json.h"
#include "base/kept_inputs.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "recurrence/system.h"
#include "taugrad/io/safetensors.h"

namespace taugrad {
namespace {

constexpr int kFormat = 1;
constexpr const char* kFiles[] = {"definition.json", "model.safetensors", "optimizer.safetensors",
                                  "state.json", "vocab.json", "metrics.jsonl"};

std::string in(const std::string& folder, const std::string& file) { return folder + "/" + file; }

// FNV-1a
class Digest {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  void add(const Tensors& tensors) {
    for (const auto& [name, t] : tensors) {
      add(name);
      add({reinterpret_cast<const char*>(t.bytes().data()), t.bytes().size()});
    }
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

std::string digest_of(const Tensors& weights, const Tensors& optimizer) {
  Digest d;
  d.add(weights);
  d.add(optimizer);
  return d.text();
}

// What a definition imports is written beside it, where reading looks first; each under its own
// name, which is a new one only where two files share it or it is that of another file of the
// folder.
class ImportWriter {
 public:
  explicit ImportWriter(std::string folder) : folder_(std::move(folder)) {}

  void write(Definition d) {
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
      write_file(in(folder_, name + ".json"), to_json(next));
    }
  }

 private:
  std::string free_name(std::string name) {
    while (!taken_.insert(name).second) name += "_";
    return name;
  }

  std::string folder_;
  std::set<std::string> taken_ = {"definition", "vocab", "state"};
  std::map<std::string, std::string> name_of_file_;
};

void write_options(json::Writer& w, const TrainOptions& o) {
  w.key("options").begin_object();
  w.field("optimizer", o.optimizer.kind == OptimizerKind::adam ? "adam" : "sgd")
      .field("lr", o.optimizer.lr);
  w.field("momentum", o.optimizer.momentum)
      .field("beta1", o.optimizer.beta1)
      .field("beta2", o.optimizer.beta2);
  w.field("epsilon", o.optimizer.epsilon).field("weight_decay", o.optimizer.weight_decay);
  w.field("batch", o.batch)
      .field("epochs", o.epochs)
      .field("clip", o.clip)
      .field("final_lr", o.final_lr);
  if (o.precision == Precision::bf16) w.field("precision", "bf16");
  w.field("seed", std::to_string(o.seed));  // 64 bits are more than a JSON number holds everywhere
  if (!o.modes.empty()) {
    w.key("modes").begin_object();
    for (const auto& [name, mode] : o.modes) w.field(name, to_string(mode));
    w.end_object();
  }
  w.end_object();
}

Mode saved_mode(json::Value text) {
  try {
    return mode_from(text.string("a mode"));
  } catch (const Error& e) {
    text.fail("G010", e.diagnostics().front().message, e.diagnostics().front().help);
  }
}

TrainOptions read_options(json::Value object) {
  const json::Fields f(object, "options",
                       {"optimizer", "lr", "momentum", "beta1", "beta2", "epsilon", "weight_decay",
                        "batch", "epochs", "clip", "final_lr", "precision", "seed", "modes"});
  const auto real = [&](const char* name) { return f.at(name).number(name); };
  const auto whole = [&](const char* name) { return f.at(name).integer(name, 1, INT64_MAX); };
  TrainOptions o;
  o.optimizer.kind =
      f.at("optimizer").string("optimizer") == "sgd" ? OptimizerKind::sgd : OptimizerKind::adam;
  o.optimizer.lr = real("lr");
  o.optimizer.momentum = real("momentum");
  o.optimizer.beta1 = real("beta1");
  o.optimizer.beta2 = real("beta2");
  o.optimizer.epsilon = real("epsilon");
  o.optimizer.weight_decay = real("weight_decay");
  o.batch = whole("batch");
  o.epochs = whole("epochs");
  o.clip = real("clip");
  o.final_lr = real("final_lr");
  if (const auto precision = f.find("precision"))
    o.precision =
        precision->string("precision") == "bf16" ? Precision::bf16 : Precision::full;
  const std::string_view seed = f.at("seed").string("seed");
  const auto [end, error] = std::from_chars(seed.data(), seed.data() + seed.size(), o.seed);
  if (error != std::errc() || end != seed.data() + seed.size())
    f.at("seed").fail("G011", "\"seed\" is not an integer");
  if (const auto modes = f.find("modes"))
    for (const json::Member& m : modes->members("modes"))
      o.modes[std::string(m.name())] = saved_mode(m.value);
  return o;
}

std::string state_json(const Tensors& weights, const ResumeState& s) {
  json::Writer w(2);
  w.begin_object().field("format", kFormat).field("updates", std::to_string(s.updates));
  w.key("files").begin_array();
  for (const std::string& file : s.files) w.value(file);
  w.end_array().field("split", s.split).field("max_length", s.max_length).field("data", s.digest);
  if (s.flow_every > 0) w.field("flow_every", s.flow_every);
  w.field("tensors", digest_of(weights, s.optimizer));
  write_options(w, s.options);
  w.end_object();
  return w.text() + "\n";
}

[[noreturn]] void fail_resume(const std::string& folder, std::string message) {
  Diagnostic d;
  d.code = "C006";
  d.message = std::move(message);
  d.file = in(folder, "state.json");
  d.help = "the weights may still serve `taugrad sample`; train again to go further";
  fail(Status::bad_input, std::move(d));
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

std::string digest_of(std::string_view data) {
  Digest d;
  d.add(data);
  return d.text();
}

void save_model_description(const std::string& folder, const TrainedModel& model) {
  ImportWriter(folder).write(model.definition);
  if (model.vocabulary) write_file(in(folder, "vocab.json"), to_json(*model.vocabulary));
}

void save_training(const std::string& folder, const Tensors& weights, const ResumeState& state) {
  save_safetensors(in(folder, "model.safetensors"), weights,
                   {{"updates", std::to_string(state.updates)}});
  save_safetensors(in(folder, "optimizer.safetensors"), state.optimizer);
  write_file(in(folder, "state.json"), state_json(weights, state));
}

TrainedModel load_model(const std::string& folder) {
  if (!exists(in(folder, "definition.json"))) {
    Diagnostic d;
    d.code = "I001";
    d.message = fmt::format("{} is not the folder of a model: it has no definition.json", folder);
    d.help = "`taugrad train DEF --data FILE -o DIR` makes one";
    fail(Status::io, std::move(d));
  }
  for (const char* file : kFiles)  // those too that are not looked at
    if (exists(in(folder, file))) keep_input(in(folder, file));
  TrainedModel m{load_definition(in(folder, "definition.json")), {}, {}};
  m.weights = load_safetensors(in(folder, "model.safetensors"));
  const std::string vocabulary = in(folder, "vocab.json");
  if (exists(vocabulary))
    m.vocabulary = parse_vocabulary(read_file(vocabulary, limits::kJsonBytes), vocabulary);
  return m;
}

ResumeState load_resume_state(const std::string& folder) {
  const std::string path = in(folder, "state.json");
  if (!exists(path)) fail_resume(folder, fmt::format("{} holds no training to resume", folder));
  const json::Document document(read_file(path, limits::kJsonBytes), path, "a state object");
  const json::Fields f(document.root_object(), "a state",
                       {"format", "updates", "files", "split", "max_length", "flow_every", "data",
                        "tensors", "options"});
  if (f.at("format").integer("format", 1, INT32_MAX) != kFormat)
    f.at("format").fail("C005", "the state's format is newer than this program supports",
                        "upgrade taugrad");
  ResumeState s;
  const std::string_view updates = f.at("updates").string("updates");
  const auto [end, error] =
      std::from_chars(updates.data(), updates.data() + updates.size(), s.updates);
  if (error != std::errc() || end != updates.data() + updates.size() || s.updates < 0)
    f.at("updates").fail("C006", "\"updates\" is not a count");
  for (const json::Value& file : f.at("files").elements("files"))
    s.files.emplace_back(file.string("a file"));
  s.split = f.at("split").string("split");
  s.max_length = f.at("max_length").integer("max_length", 0, INT64_MAX);
  if (const auto every = f.find("flow_every"))
    s.flow_every = every->integer("flow_every", 1, INT64_MAX);
  s.digest = f.at("data").string("data");
  s.options = read_options(f.at("options"));
  s.optimizer = load_safetensors(in(folder, "optimizer.safetensors"));
  if (digest_of(load_safetensors(in(folder, "model.safetensors")), s.optimizer) !=
      f.at("tensors").string("tensors"))
    fail_resume(folder, "weights and state are of different updates: a save was interrupted");
  return s;
}

}  // namespace taugrad
