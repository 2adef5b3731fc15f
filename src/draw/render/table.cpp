// The table of formats.
#include <algorithm>
#include <iterator>
#include <vector>

#include "base/fail.h"
#include "base/system/suffix.h"
#include "base/utf8.h"
#include "draw/render/formats.h"

namespace taugrad {
namespace {

constexpr Format kFormats[] = {
    {"dot", "dot", "Graphviz, with coordinates", false, draw::dot_format},
    {"graphml", "graphml", "yEd, Gephi, Cytoscape, networkx", false, draw::graphml_format},
    {"html", "html", "a page to explore, all views in one file", true, draw::html_format},
    {"json", "json", "the graph itself", false, draw::json_format},
    {"mermaid", "mmd", "Markdown on GitHub and GitLab", false, draw::mermaid_format},
    {"model-explorer", "model-explorer.json", "graphs for Model Explorer", true,
     draw::model_explorer_format},
    {"node-data", "node-data.json", "its values by node", true, draw::node_data_format},
    {"svg", "svg", "a drawing", false, draw::svg_format},
    {"sync", "sync.json", "its map from the circuit to the steps", true, draw::sync_format},
    {"tikz", "tex", "a tikzpicture for LaTeX", false, draw::tikz_format},
};

template <class F>
std::vector<std::string> listed(F text) {
  std::vector<std::string> all;
  for (const Format& f : kFormats) all.emplace_back(text(f));
  return all;
}

}  // namespace

std::span<const Format> formats() { return kFormats; }

const Format& format_named(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &Format::name);
  if (found == std::end(kFormats))
    fail(Status::usage, "U002", "there is no format {}; it is one of {}", printable(name),
         fmt::join(listed([](const Format& f) { return f.name; }), " "));
  return *found;
}

const Format* format_of_file(const std::string& path) {
  known_suffix(path, listed([](const Format& f) { return f.suffix; }));
  return format_by_suffix(path);
}

const Format* format_by_suffix(const std::string& path) {
  const std::string suffix = suffix_among(path, listed([](const Format& f) { return f.suffix; }));
  const auto found = std::ranges::find(kFormats, std::string_view(suffix), &Format::suffix);
  return found == std::end(kFormats) ? nullptr : found;
}

Explorer draw::page_of(const FormatSource& source) {
  if (source.page) return source.page();
  const Picture picture = source.picture();
  Explorer page{.title = picture.title, .about = picture.about, .scenes = {}};
  page.scenes.push_back({.name = "picture", .label = "Picture", .picture = picture});
  return page;
}

}  // namespace taugrad
