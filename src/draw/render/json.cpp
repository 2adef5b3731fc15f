// The graph itself: docs/graph.schema.json.
#include "base/fail.h"
#include "draw/render/formats.h"

namespace taugrad::draw {

std::string json_format(const FormatSource& source, const RenderOptions&) {
  if (!source.json)
    fail(Status::usage, "U002", "a picture is not written as JSON: the graph that it is of is");
  return source.json();
}

}  // namespace taugrad::draw
