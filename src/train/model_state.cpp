// What a training needs to go on: state.json and the optimiser's tensors.
#include <charconv>
#include <filesystem>

#include "base/digest.h"
#include "base/fail.h"
#include "base/files.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/limits.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/train/model_folder.h"
#include "train/words.h"

namespace taugrad {
namespace {

constexpr int kFormat = 1;

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

void write_options(json::Writer& w, const TrainOptions& o) {
  w.key("options").begin_object();
  w.field("optimizer", text_of(kOptimizers, o.optimizer.kind)).field("lr", o.optimizer.lr);
  w.field("momentum", o.optimizer.momentum)
      .field("beta1", o.optimizer.beta1)
      .field("beta2", o.optimizer.beta2);
  w.field("epsilon", o.optimizer.epsilon).field("weight_decay", o.optimizer.weight_decay);
  w.field("batch", o.batch)
      .field("epochs", o.epochs)
      .field("clip", o.clip)
      .field("final_lr", o.final_lr);
  if (o.precision != Precision::full) w.field("precision", text_of(kPrecisions, o.precision));
  w.field("seed", std::to_string(o.seed));  // 64 bits are more than a JSON number holds everywhere
  if (!o.modes.empty()) {
    w.key("modes").begin_object();
    for (const auto& [name, mode] : o.modes) w.field(name, to_string(mode));
    w.end_object();
  }
  w.end_object();
}

/// A word of the command line, where a file holds it: errors name its place.
template <class Read>
auto word(json::Value text, const char* what, Read read) {
  try {
    return read(text.string(what));
  } catch (const Error& e) {
    text.fail("G010", e.diagnostics().front().message, e.diagnostics().front().help);
  }
}

template <class E, std::size_t N>
E word(json::Value text, const char* what, const Word<E> (&words)[N]) {
  return word(text, what, [&](std::string_view v) {
    return value_of(words, fmt::format("\"{}\"", what), v);
  });
}

std::string split_of(json::Value text) {
  const std::string split(text.string("split"));
  if (!split.empty()) word(text, "split", kSplits);
  return split;
}

template <class T>
T whole_text(json::Value text, const char* what) {
  const std::string_view digits = text.string(what);
  T value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.starts_with('-'))
    text.fail("C006", fmt::format("\"{}\" is not a count", what));
  return value;
}

TrainOptions read_options(json::Value object) {
  const json::Fields f(object, "options",
                       {"optimizer", "lr", "momentum", "beta1", "beta2", "epsilon", "weight_decay",
                        "batch", "epochs", "clip", "final_lr", "precision", "seed", "modes"});
  const auto real = [&](const char* name) { return f.at(name).number(name); };
  const auto whole = [&](const char* name) { return f.at(name).integer(name, 1, INT64_MAX); };
  TrainOptions o;
  o.optimizer.kind = word(f.at("optimizer"), "optimizer", kOptimizers);
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
    o.precision = word(*precision, "precision", kPrecisions);
  o.seed = whole_text<std::uint64_t>(f.at("seed"), "seed");
  if (const auto modes = f.find("modes"))
    for (const json::Member& m : modes->members("modes"))
      o.modes[std::string(m.name())] = word(m.value, "a mode", mode_from);
  return o;
}

// The last field is the digest of all the text before it.
constexpr std::string_view kDigestField = "\n  \"digest\": ";

std::string with_digest(std::string text) {
  text.resize(text.rfind("\n}"));
  text += ',';
  text += kDigestField;
  return text + fmt::format("\"{}\"\n}}\n", digest_of(text));
}

void check_digest(const json::Document& document, const json::Fields& f) {
  const auto told = f.find("digest");
  if (!told || told->string("digest") ==
                   digest_of(std::string_view(document.text()).substr(0, told->offset())))
    return;
  told->fail("C002", fmt::format("{} is damaged: its digest is another", document.file()),
             "restore it; where it was changed on purpose, leave out its \"digest\"");
}

std::string state_json(const Tensors& weights, const ResumeState& s) {
  json::Writer w(2);
  w.begin_object().field("format", kFormat).field("updates", std::to_string(s.updates));
  w.key("files").begin_array();
  for (const std::string& file : s.files) w.value(file);
  w.end_array().field("split", s.split).field("max_length", s.max_length).field("data", s.digest);
  if (s.flow_every > 0) w.field("flow_every", s.flow_every);
  w.field("tensors", digest_of_update(weights, s.optimizer));
  write_options(w, s.options);
  w.end_object();
  return with_digest(w.text());
}

[[noreturn]] void fail_resume(const std::string& folder, std::string message) {
  Diagnostic d;
  d.code = "C006";
  d.message = std::move(message);
  d.file = in(folder, "state.json");
  d.help = "the weights may still serve `taugrad sample`; train again to go further";
  fail(Status::bad_input, std::move(d));
}

bool has_state(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(in(folder, "state.json"), ignored);
}

json::Document state_document(const std::string& folder) {
  const std::string path = in(folder, "state.json");
  return {read_file(path, limits::kJsonBytes), path, "a state object"};
}

}  // namespace

std::string digest_of(std::string_view data) {
  Digest d;
  d.add(data);
  return d.text();
}

void save_training(const std::string& folder, const Tensors& weights, const ResumeState& state) {
  Metadata about = state.description;
  about["updates"] = std::to_string(state.updates);
  about[kDigestKey] = digest_of(weights);
  save_safetensors(in(folder, "model.safetensors"), weights, about);
  save_safetensors(in(folder, "optimizer.safetensors"), state.optimizer,
                   {{kDigestKey, digest_of(state.optimizer)}});
  write_file(in(folder, "state.json"), state_json(weights, state));
}

std::optional<std::string> saved_split(const std::string& folder) {
  if (!has_state(folder)) return std::nullopt;
  const json::Document document = state_document(folder);
  for (const json::Member& m : document.root_object().members("a state"))
    if (m.name() == "split") return split_of(m.value);
  document.root().fail("G010", "a state has no \"split\"", "--split says what an item is");
}

ResumeState load_resume_state(const std::string& folder) {
  if (!has_state(folder)) fail_resume(folder, fmt::format("{} holds no training to resume", folder));
  const json::Document document = state_document(folder);
  const json::Fields f(document.root_object(), "a state",
                       {"format", "updates", "files", "split", "max_length", "flow_every", "data",
                        "tensors", "options", "digest"});
  if (f.at("format").integer("format", 1, INT32_MAX) != kFormat)
    f.at("format").fail("C005", "the state's format is newer than this program supports",
                        "upgrade taugrad");
  ResumeState s;
  s.updates = whole_text<std::int64_t>(f.at("updates"), "updates");
  for (const json::Value& file : f.at("files").elements("files"))
    s.files.emplace_back(file.string("a file"));
  s.split = split_of(f.at("split"));
  s.max_length = f.at("max_length").integer("max_length", 0, INT64_MAX);
  if (const auto every = f.find("flow_every"))
    s.flow_every = every->integer("flow_every", 1, INT64_MAX);
  s.digest = f.at("data").string("data");
  s.options = read_options(f.at("options"));
  check_digest(document, f);
  s.optimizer = load_safetensors(in(folder, "optimizer.safetensors"));
  if (digest_of_update(load_safetensors(in(folder, "model.safetensors")), s.optimizer) !=
      f.at("tensors").string("tensors"))
    fail_resume(folder,
                "weights and state are of different updates: a save was interrupted, or the "
                "weights were replaced");
  return s;
}

}  // namespace taugrad
