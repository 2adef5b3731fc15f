#include "taugrad/draw/write.h"

#include "base/fail.h"
#include "base/files.h"
#include "taugrad/draw/graph_picture.h"
#include "taugrad/draw/render.h"
#include "taugrad/io/graph_json.h"

namespace taugrad {
namespace {

std::string suffix_of(const std::string& path) {
  const auto dot = path.find_last_of("./");
  return dot == std::string::npos || path[dot] != '.' ? std::string() : path.substr(dot + 1);
}

[[noreturn]] void fail_suffix(const std::string& path, const char* known) {
  fail(Status::usage, "U002", "{}: the suffix tells the format; it is one of {}", path, known);
}

}  // namespace

void write(const Graph& graph, const std::string& path) {
  const std::string suffix = suffix_of(path);
  if (suffix == "json") return save_graph(path, graph);
  if (suffix != "dot" && suffix != "svg") fail_suffix(path, ".dot, .json, .svg");
  write(picture_of(graph.tape()), path);
}

void write(const Picture& picture, const std::string& path) {
  const std::string suffix = suffix_of(path);
  if (suffix != "dot" && suffix != "svg") fail_suffix(path, ".dot, .svg");
  write_file(path, suffix == "dot" ? to_dot(picture) : to_svg(picture));
}

}  // namespace taugrad
