#pragma once

#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "language/resolve/resolved_model.h"
#include "taugrad/graph/verify.h"
#include "taugrad/io/graph_json.h"
#include "taugrad/io/safetensors.h"
#include "taugrad/language/definition.h"

/// What the fuzzers and the short runs of the tests call: each reads the bytes as one kind of file.
/// An Error with a code is a good answer. Anything else that is thrown, and an accepted file that
/// does not survive writing and reading, ends the program.
namespace taugrad::fuzz {

inline void insist(bool ok) {
  if (!ok) std::abort();
}

/// Whether `read` accepted its input.
template <class Read>
bool accepted(const Read& read) {
  try {
    read();
    return true;
  } catch (const Error& e) {
    insist(!e.diagnostics().empty() && !e.diagnostics().front().code.empty());
    // I001: a definition that is imported and does not exist
    insist(e.status() == Status::bad_input || e.status() == Status::resource ||
           e.status() == Status::io);
    return false;
  }
}

inline void graph_json(std::string_view bytes) {
  Graph g;
  if (!accepted([&] { g = graph_from_json(bytes, "graph.json"); })) return;
  verify(g.tape());
  const std::string text = to_json(g);
  insist(to_json(graph_from_json(text, "again.json")) == text);
}

inline void safetensors(std::string_view bytes) {
  const auto read = [](std::string_view from) {
    return parse_safetensors(std::as_bytes(std::span(from)), "w.safetensors");
  };
  Tensors tensors;
  if (!accepted([&] { tensors = read(bytes); })) return;
  const std::string written = safetensors_bytes(tensors);
  const Tensors again = read(written);
  insist(again == tensors);
  insist(safetensors_bytes(again) == written);
}

inline void definition(std::string_view bytes) {
  Definition d;
  if (!accepted([&] { d = parse_definition(bytes, "definition.json"); })) return;
  const std::string text = to_json(d);
  insist(to_json(parse_definition(text, "again.json")) == text);
  accepted([&] { resolve(d); });  // equations, names, shapes, order of evaluation
}

}  // namespace taugrad::fuzz
