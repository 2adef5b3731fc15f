#pragma once

#include <optional>
#include <string>

#include "command.h"
#include "options/definition_options.h"
#include "taugrad/graph/graph.h"
#include "taugrad/language/definition.h"

namespace taugrad::cli {

/// What DEF turned out to be, told by its content: a definition, also of a model's folder, or a
/// graph, whose leaves are its inputs and weights.
struct Subject {
  std::optional<Definition> definition;
  std::optional<Graph> graph;
  std::string name;          ///< of the graph: its file's, without folder and suffix
  std::string weights_file;  ///< of a model's folder
  std::string loss;          ///< of the graph: the node that --loss names; may be empty
};

/// Reads DEF: a file, `-`, a name in graphs/, a model's folder of another name, or -e equations.
/// @throws Error (I004) for a file of another kind, by what it is; (U002, U007) for options that a
/// graph does not take; all of read_definition and of reading graphs
Subject read_subject(const DefinitionOptions& o, const Context& context);

/// Whether it is the folder of a model. `train elman -o elman` must not hide elman: of a bare name
/// a shipped definition comes first.
bool is_model_folder(const std::string& name);

/// DEF and its options, of a command that takes both.
void add_subject(Command& c, DefinitionOptions& o);

/// Why an option of definitions does nothing beside a graph.
inline constexpr const char* kOnGraph = "on a graph, which is unfolded already";

/// Refuses a file of another kind where only a definition will do. @throws Error (I004)
void require_definition(const DefinitionOptions& o);
/// Says on standard error which of two is read, where a bare name is that of a file in the working
/// folder and of a shipped definition.
void tell_shadowed(const std::string& name, const Context& context);

}  // namespace taugrad::cli
