#include "io/inspect.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "base/system/files.h"
#include "support_scratch.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace support;

namespace {

const std::string kSource = TAUGRAD_SOURCE_DIR;
}  // namespace

TEST_CASE("inspect: a graph and a tensor file say what they hold", "[inspect]") {
  const Scratch graph("g.json"), tensors("t.safetensors"), json_tensors("t.json");
  const Unfolded u = unfold(load_definition(kSource + "/graphs/elman.json"), {.steps = 3});
  save_graph(graph.path, u.graph());
  CHECK(kind_of_file(graph.path) == FileKind::graph);
  CHECK(kind_of_file(kSource + "/graphs/elman.json") == FileKind::definition);
  CHECK(kind_of_file(kSource + "/graphs/stacked_bidirectional_lstm.json") == FileKind::definition);
  const GraphSummary s = inspect_graph(load_graph(graph.path));
  CHECK(s.nodes == u.graph().size());
  CHECK(s.parameters == 3 * 2 + 3 * 3 + 3 + 3 * 3 + 3);
  CHECK(s.weights.size() == 5);
  CHECK(s.ops.at("tanh") == 3);
  CHECK(s.ops.at("copy") == 15);
  REQUIRE(!s.inputs.empty());
  CHECK(s.inputs[0].positions == 3);
  CHECK_THAT(to_text(s), Catch::Contains("parameters") && Catch::Contains("tanh"));

  const Tensors t{{"w", Tensor::of({2, 2}, std::vector<double>{1, 2, 3, NAN})},
                  {"i", Tensor::of({1}, std::vector<std::int64_t>{5})}};
  save_safetensors(tensors.path, t);
  write_file(json_tensors.path, "{\"w\": [1, 2, 3]}");
  CHECK(kind_of_file(tensors.path) == FileKind::safetensors);
  CHECK(kind_of_file(json_tensors.path) == FileKind::tensors);
  const TensorsSummary w = inspect_tensors(tensors.path);
  REQUIRE(w.tensors.size() == 2);
  CHECK(w.tensors[1].mean == 2);
  CHECK(w.tensors[1].max == 3);
  CHECK(w.tensors[1].std == Approx(std::sqrt(2.0 / 3)));
  CHECK(w.tensors[1].not_finite == 1);
  CHECK(w.elements == 5);
  CHECK(w.bytes == 40);
  CHECK_THAT(to_json(w), Catch::Contains("\"not_finite\": 1"));
  CHECK(inspect_tensors(json_tensors.path).tensors[0].type == "I64");
}
