#pragma once

#include <string>
#include <string_view>

/// What a file holds, told by its content, so that one that is given where another is wanted can be
/// told by what it is.
namespace taugrad {

enum class FileKind {
  safetensors,
  graph,       ///< "nodes" (docs/graph.schema.json)
  definition,  ///< "equations", "imports", "weights" or "index"
  tensors,     ///< JSON whose every value is numbers
  machine,     ///< of Turing: "symbols", "states" or "rules"
  folded,      ///< a circuit: `show --view folded --format json`
  model,       ///< a graphical model: `show --view model --format json`
  report,      ///< what a command printed with --json
  drawing,     ///< DOT, SVG
  lines,       ///< JSON lines: data
  array,       ///< a JSON array
  other,       ///< some other JSON, or text
};

/// @throws Error (G001-G007) where the text is JSON up to a fault in it
FileKind kind_of_text(std::string_view text, const std::string& file);
/// @throws Error (I001, I003, G001-G007)
FileKind kind_of_file(const std::string& path);

/// "a graph", "a machine description".
std::string words_of(FileKind kind);

/// Refuses a file of a kind that is not wanted, by what it is, and says what takes it.
/// @param wanted  "a definition or a graph". @throws Error (I004)
[[noreturn]] void refuse_kind(FileKind kind, const std::string& file, std::string_view wanted);

}  // namespace taugrad
