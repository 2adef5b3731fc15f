// The page: its own text, and the data behind it as JSON.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "draw/explorer/explorer_json.h"
#include "draw/explorer/explorer_page.h"
#include "draw/pictures/check_numbers.h"
#include "draw/render/formats.h"
#include "draw/text/text.h"
#include "taugrad/draw/explorer.h"

namespace taugrad {
namespace {

int hex_digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

/// Hexadecimal digits as base64, which is how a content security policy writes a hash.
std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 6) {  // three bytes are four letters
    std::uint32_t bits = 0;
    const std::size_t digits = std::min<std::size_t>(6, hex.size() - i);
    for (std::size_t d = 0; d < 6; ++d)
      bits = bits << 4 | (d < digits ? static_cast<std::uint32_t>(hex_digit(hex[i + d])) : 0);
    for (std::size_t l = 0; l < 4; ++l)
      out += l < digits * 2 / 3 + 1 || digits == 6 ? kLetters[bits >> (18 - 6 * l) & 63] : '=';
  }
  return out;
}

void add_data(std::string& page, const std::string& id, const std::string& json) {
  page += "<script type=\"application/json\" id=\"" + id + "\">" + json + "</script>\n";
}

void add_head(std::string& page, const std::string& title) {
  page += "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ";
  page += "script-src 'sha256-" + base64_of_hex(draw::kExplorerScriptHash) + "'; ";
  page += "style-src 'sha256-" + base64_of_hex(draw::kExplorerStyleHash) + "'; ";
  page += "base-uri 'none'; form-action 'none'\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<meta name=\"color-scheme\" content=\"light dark\">\n";
  page += "<title>" + draw::xml_escape(title) + "</title>\n<style>";
  page += draw::kExplorerStyle;
  page += "</style>\n</head>\n";
}

}  // namespace

std::string to_html(const Explorer& explorer) {
  for (const auto* scenes : {&explorer.scenes, &explorer.steps})
    for (const ExplorerScene& s : *scenes) draw::check_numbers(s.picture);
  std::string page;
  add_head(page, explorer.title.empty() ? "taugrad" : explorer.title);
  page += draw::kExplorerBody;
  add_data(page, "page", draw::page_json(explorer));
  std::vector<const ExplorerScene*> drawn;
  for (const auto* scenes : {&explorer.scenes, &explorer.steps})
    for (const ExplorerScene& s : *scenes) drawn.push_back(&s);
  const std::vector<std::string> texts = draw::scenes_json(drawn);
  const std::size_t whole = explorer.scenes.size();
  for (std::size_t s = 0; s < texts.size(); ++s)
    add_data(page, s < whole ? "scene" + std::to_string(s) : "step" + std::to_string(s - whole),
             texts[s]);
  if (!explorer.facts.empty()) add_data(page, "values", draw::facts_json(explorer.facts));
  page += "<script>";
  page += draw::kExplorerScript;
  page += "</script>\n</body>\n</html>\n";
  return page;
}

std::string to_html(const Picture& picture) {
  Explorer explorer{.title = picture.title, .about = picture.about, .scenes = {}};
  explorer.scenes.push_back({.name = "picture", .label = "Picture", .picture = picture});
  return to_html(explorer);
}

std::string draw::html_format(const FormatSource& source, const RenderOptions&) {
  return to_html(page_of(source));
}

}  // namespace taugrad
