// config.json of a run: nothing of ours reads it.
#include "train/state/options_json.h"
#include "train/state/state_files.h"

namespace taugrad {
namespace {

// a JSON text, as a field of an object
std::string embedded(std::string_view name, std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return fmt::format(",\n\"{}\": {}", name, text);
}

}  // namespace

std::string config_json(const ModelDescription& description, const ResumeState& state) {
  json::Writer w(2);
  w.begin_object().field("format", 1).field("program", "taugrad " TAUGRAD_VERSION);
  w.key("data").begin_array();
  for (const std::string& file : state.files) w.value(file);
  w.end_array();
  w.field("split", state.reading.split).field("max_length", state.reading.max_length);
  w.key("columns").begin_array();
  for (const std::string& column : state.reading.columns) w.value(column);
  w.end_array().field("ignore_unknown", state.reading.ignore_unknown);
  w.field("data_digest", state.digest);
  write_options(w, state.options);
  w.end_object();
  std::string text = w.text();
  text.resize(text.rfind("\n}"));
  std::string imports;
  for (const auto& [file, content] : description.files) {
    const std::string name = file.substr(0, file.rfind('.'));
    if (name == "definition")
      text += embedded("definition", content);
    else if (name == "vocab")
      text += embedded("vocabulary", content);
    else if (name == "labels")
      text += embedded("labels", content);
    else
      imports += embedded(name, content);
  }
  if (!imports.empty()) text += ",\n\"imports\": {" + imports.substr(1) + "}";
  return text + "\n}\n";
}

}  // namespace taugrad
