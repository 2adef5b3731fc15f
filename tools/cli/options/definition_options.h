#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "command.h"
#include "taugrad/language/definition.h"
#include "taugrad/runtime/executor.h"

namespace taugrad::cli {

/// DEF: a file, the name of a shipped definition or `-e` equations; and what overrides its numbers.
struct DefinitionOptions {
  std::string file_or_name;
  std::vector<std::string> equations, loss;
  std::vector<std::pair<std::string, std::int64_t>> sizes;
  std::vector<std::pair<std::string, double>> constants;
  bool allow_unused = false;
};
void add_definition(Command& c, DefinitionOptions& o);
/// `-e EQ` and `--loss EXPR`, as parts of it.
void add_equations(Command& c, DefinitionOptions& o, const std::string& instead_of);
void add_loss(Command& c, DefinitionOptions& o);
/// `--loss` takes the place of what the definition says.
void override_loss(Definition& d, const DefinitionOptions& o);
/// Only `--size`, where there is no DEF.
void add_sizes(Command& c, DefinitionOptions& o);
/// Reads the definition, applies the overrides and checks the whole; says what was inferred.
/// @throws Error (U006) without a definition, (U002) for an unknown size or constant, and all of
/// reading
Definition read_definition(const DefinitionOptions& o, const Context& context);
/// The same of one that has been read.
Definition finished_definition(Definition d, const DefinitionOptions& o, const Context& context);
void override_sizes(Definition& d, const DefinitionOptions& o);

/// `--steps 4` or `--steps s=7,t=5`.
struct StepOptions {
  std::int64_t steps = -1;
  std::map<std::string, std::int64_t> lengths;
  bool given() const { return steps >= 0 || !lengths.empty(); }
};
void add_steps(Command& c, StepOptions& o, const std::string& help);
/// @throws Error (U002) where `--steps` names what is neither an index nor a length
void check_steps(const Definition& d, const StepOptions& o);
/// `--max-memory 500M`: what the process may take in all.
void add_max_memory(Command& c);
/// `--max-memory`, `--threads N`, `--precision bf16` and `--without PASS`, repeatable.
/// @throws Error (U002) for a name that no pass has
void add_engine(Command& c, EngineOptions& o);
/// The last two, of a command that only plans.
void add_plan_options(Command& c, EngineOptions& o);
/// `--chunk N`.
void add_chunk(Command& c, EngineOptions& o);
/// `--checkpoint sqrt`.
void add_checkpoint(Command& c, bool& checkpoint);

}  // namespace taugrad::cli
