#include "taugrad/draw/write.h"

#include "base/fail.h"
#include "base/files.h"
#include "base/suffix.h"
#include "base/utf8.h"
#include "taugrad/draw/explorer.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/render.h"
#include "taugrad/io/graph_json.h"

namespace taugrad {
namespace {

std::string format_of(const std::string& path, const std::vector<std::string>& formats) {
  std::string suffix = known_suffix(path, formats);
  if (suffix.empty())
    fail(Status::usage, "U002", "{}: the suffix tells the format; it is one of .{}",
         printable(path), fmt::join(formats, " ."));
  return suffix;
}

}  // namespace

void write(const Graph& graph, const std::string& path) {
  if (format_of(path, {"dot", "html", "json", "svg"}) == "json") return save_graph(path, graph);
  write(picture_of(graph.tape()), path);
}

void write(const Picture& picture, const std::string& path) {
  const std::string format = format_of(path, {"dot", "html", "svg"});
  write_file(path, format == "dot"    ? to_dot(picture)
                   : format == "html" ? to_html(picture)
                                      : to_svg(picture));
}

}  // namespace taugrad
