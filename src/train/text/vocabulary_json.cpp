#include "json/json.h"
#include "json/json_writer.h"
#include "taugrad/train/text.h"
#include "train/state/options_json.h"
#include "train/state/words.h"

namespace taugrad {

std::string to_json(const Vocabulary& v) {
  json::Writer w;
  w.begin_object().field("format", 1).field("end", v.with_end());
  if (v.tokens() != Tokens::chars) w.field("tokens", text_of(kTokens, v.tokens()));
  if (v.unknown() >= 0) w.field("unknown", true);
  if (v.tokens() != Tokens::bytes) {  // all there are, and no UTF-8
    w.key("symbols").begin_array();
    for (const std::string& s : v.symbols()) w.value(s);
    w.end_array();
  }
  w.end_object();
  return w.text() + "\n";
}

Vocabulary parse_vocabulary(std::string_view json_text, const std::string& file) {
  const json::Document document(json_text, file, "a vocabulary object");
  const json::Fields fields(document.root_object(), "a vocabulary",
                            {"format", "end", "tokens", "unknown", "symbols"});
  const json::Value format = fields.at("format");
  if (format.integer("format", 0, INT32_MAX) != 1)
    format.fail("G008", "the vocabulary's format is not 1", "it was made by a newer version");
  VocabularyOptions o;
  o.with_end = fields.at("end").boolean("end");
  if (const auto tokens = fields.find("tokens")) o.tokens = word(*tokens, "tokens", kTokens);
  if (const auto unknown = fields.find("unknown")) o.unknown = unknown->boolean("unknown");
  std::vector<std::string> symbols;
  if (o.tokens != Tokens::bytes)
    for (const json::Value& s : fields.at("symbols").elements("symbols"))
      symbols.emplace_back(s.string("a symbol"));
  return Vocabulary(std::move(symbols), o, file);
}

}  // namespace taugrad
