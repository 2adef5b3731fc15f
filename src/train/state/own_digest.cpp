#include "train/state/own_digest.h"

#include <fmt/core.h>

#include "base/digest.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

std::string digest_of_text(std::string_view text) {
  Digest d;
  d.add(text);
  return d.text();
}

}  // namespace

std::string with_own_digest(std::string text) {
  text.resize(text.rfind("\n}"));
  text += ",\n  \"digest\": ";
  return text + fmt::format("\"{}\"\n}}\n", digest_of_text(text));
}

void check_own_digest(const json::Document& document, const json::Fields& fields) {
  const auto told = fields.find("digest");
  if (!told || told->string("digest") ==
                   digest_of_text(std::string_view(document.text()).substr(0, told->offset())))
    return;
  told->fail("C002",
             fmt::format("{} is damaged: its digest is another", printable(document.file())),
             "restore it; where it was changed on purpose, leave out its \"digest\"");
}

}  // namespace taugrad
