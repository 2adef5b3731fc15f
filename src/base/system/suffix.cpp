#include "base/system/suffix.h"

#include <algorithm>
#include <filesystem>

#include "base/fail.h"
#include "base/utf8.h"

namespace taugrad {
namespace {

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string help_for(const std::string& suffix, const std::vector<std::string>& formats) {
  if (contains(formats, lower(suffix)))
    return fmt::format("suffixes are lower case: .{}", lower(suffix));
  if (contains(formats, "dot")) return "Graphviz makes other pictures of DOT text";
  return "";
}

// a name that is a suffix and nothing else, ".svg", has one; "." and ".." have none
std::string last_suffix(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(dot + 1);
}

}  // namespace

bool has_suffix(std::string_view path, std::string_view suffix) {
  return path.size() >= suffix.size() &&
         lower(std::string(path.substr(path.size() - suffix.size()))) == suffix;
}

std::string suffix_among(const std::string& path, const std::vector<std::string>& formats) {
  const std::string name = std::filesystem::path(path).filename().string();
  for (const std::string& f : formats)  // of several parts: "node-data.json"
    if (f.find('.') != std::string::npos && name.ends_with("." + f)) return f;
  const std::string suffix = last_suffix(name);
  return contains(formats, suffix) ? suffix : "";
}

std::string known_suffix(const std::string& path, const std::vector<std::string>& formats) {
  const std::string suffix = last_suffix(std::filesystem::path(path).filename().string());
  if (suffix.empty()) return "";
  if (const std::string known = suffix_among(path, formats); !known.empty()) return known;
  Diagnostic d;
  d.code = "U002";
  d.message = fmt::format("{}: there is no format .{}; the suffix is {}.{}", printable(path),
                          printable(suffix), formats.size() == 1 ? "" : "one of ",
                          fmt::join(formats, " ."));
  d.help = help_for(suffix, formats);
  fail(Status::usage, std::move(d));
}

}  // namespace taugrad
