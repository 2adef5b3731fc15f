#include "json/json.h"
#include "json/json_writer.h"
#include "taugrad/train/text.h"

namespace taugrad {

std::string to_json(const Vocabulary& v) {
  json::Writer w;
  w.begin_object().field("format", 1).field("end", v.with_end()).key("symbols").begin_array();
  for (const std::string& s : v.symbols()) w.value(s);
  w.end_array().end_object();
  return w.text() + "\n";
}

Vocabulary parse_vocabulary(std::string_view json_text, const std::string& file) {
  const json::Document document(json_text, file, "a vocabulary object");
  const json::Fields fields(document.root_object(), "a vocabulary", {"format", "end", "symbols"});
  const json::Value format = fields.at("format");
  if (format.integer("format", 0, INT32_MAX) != 1)
    format.fail("G008", "the vocabulary's format is not 1", "it was made by a newer version");
  std::vector<std::string> symbols;
  for (const json::Value& s : fields.at("symbols").elements("symbols"))
    symbols.emplace_back(s.string("a symbol"));
  return Vocabulary(std::move(symbols), fields.at("end").boolean("end"), file);
}

}  // namespace taugrad
