#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "language/resolve/position_form.h"
#include "language/syntax/flat_definition.h"
#include "taugrad/graph/graph.h"
#include "taugrad/language/mode.h"

namespace taugrad {

enum class SymbolKind { input, weight, variable };
enum class DistributionKind {
  none,
  categorical_logits,
  categorical_p,
  bernoulli_logits,
  bernoulli_p,
  normal
};

/// An input, weight or variable of a model.
struct Symbol {
  std::string name;
  SymbolKind kind = SymbolKind::variable;
  std::vector<int> axes = {};  ///< index numbers
  Shape shape = {};            ///< of one example
  std::int64_t category = -1;  ///< number of symbols; -1: numbers
  int position = -1;           ///< of an input that holds positions: the index that they are of
  bool after =
      false;  ///< of those: in a component they lie behind the item's own position, else before it
  bool ordered = false;  ///< of those: a component's order rests on that
  bool per_example = true;
  DistributionKind distribution = DistributionKind::none;
  int length = -1;              ///< "tau ~ ..": the number of the length it draws
  std::vector<int> rules = {};  ///< equations that define it, most fixed positions first
  int declaration = -1;         ///< number among FlatDefinition::inputs or FlatDefinition::weights
  bool taken = true;            ///< false: a weight of an import that no needed equation mentions
  bool random() const { return distribution != DistributionKind::none; }
  bool normal() const { return distribution == DistributionKind::normal; }
};

/// A leaf of a template that is filled in when the template is placed.
struct Slot {
  enum class Kind { read, nll, copy, index, length, reduction, dropout, part };
  Kind kind = Kind::read;
  NodeId leaf = -1;  ///< on the scratch tape
  int symbol = -1;   ///< read, nll, copy; length: number of the length; index: of the index;
                     ///< reduction: of the block; part: of HoistedBlocks::parts
  std::vector<At> places = {};  ///< read, nll, copy of an untied weight
  double p = 0;                 ///< dropout
};

/// Nodes recorded once on the scratch tape and replayed at every position.
struct Block {
  std::vector<NodeId> nodes;  ///< ascending; leaves of slots are among them
  std::vector<Slot> slots;    ///< by leaf, ascending
  std::vector<NodeId> roots;  ///< the right side; or the arguments of a distribution
  // of a reduction
  std::string reduction;  ///< sum, mean, max
  std::vector<int> over;  ///< index numbers
};

/// One equation, ready to be placed.
struct Rule {
  int symbol = -1;
  std::vector<At> places;
  std::vector<int> letters;  ///< index numbers on the left side, in the order of the axes
  int fixed = 0;             ///< number of fixed positions
  const ParsedEquation* equation = nullptr;
  int block = -1;
  std::vector<int> reductions;  ///< blocks of reductions inside, for a walk over all reads
};

struct LossTerm {
  std::vector<int> letters;  ///< free indices, summed over
  int block = -1;
};

/// A definition that has passed every check: names resolved, shapes inferred, an order of
/// evaluation found.
struct ResolvedModel {
  FlatDefinition system;
  std::vector<std::string> lengths;         ///< names, numbered
  std::vector<std::int64_t> fixed_lengths;  ///< -1: given at run time
  std::vector<std::shared_ptr<const PositionForm>>
      derived;                    ///< of lengths that follow from others; null: of the rest
  std::vector<int> index_length;  ///< index number -> length number
  std::vector<Symbol> symbols;
  std::map<std::string, int, std::less<>> by_name;
  std::vector<Rule> rules;
  std::vector<LossTerm> loss;
  std::vector<std::pair<int, int>> ends;  ///< index number, block
  std::vector<Block> blocks;
  Graph templates;  ///< what `blocks` were recorded on
  Tape& scratch() const { return templates.tape(); }

  bool is_derived(int length) const { return derived[static_cast<std::size_t>(length)] != nullptr; }
  bool is_derived(std::size_t length) const { return derived[length] != nullptr; }
  /// As it stands in arithmetic.
  std::string length_name(int length) const {
    const std::string& name = lengths[static_cast<std::size_t>(length)];
    return is_derived(length) ? "(" + name + ")" : name;
  }
  int find(std::string_view name) const {
    const auto it = by_name.find(name);
    return it == by_name.end() ? -1 : it->second;
  }
};

struct ResolveOptions {
  bool allow_unused = true;
};
/// Checks a definition as a whole. @throws Error with every problem found
/// Whether items of different length can share one graph (else equal lengths run together).
bool can_be_ragged(const ResolvedModel& model);
std::shared_ptr<const ResolvedModel> resolve(const Definition& d,
                                             const ResolveOptions& options = {});

// ---- the steps of resolve, each in its own file -----------------------------------------------

/// Symbols, axes and rules from the system's declarations and left sides.
void declare_symbols(ResolvedModel& model);
/// Numbers the lengths of the system's indices.
void number_lengths(ResolvedModel& model);
/// Sets the lengths that follow from others, by length; -1 where those are.
void derive_lengths(const ResolvedModel& model, std::vector<std::int64_t>& lengths);
/// Whether every item may tell one length from another: one follows from the other.
bool are_related(const ResolvedModel& model, int length, int other);
/// Turns a written place on an axis of a symbol into an At. `length` is the axis's length number.
/// @param ast  what the arithmetic of a computed place stands in; null: there is none
At place_at(const ResolvedModel& model, const Place& place, int length, const AstNode& node,
            const Ast* ast = nullptr, int root = -1);
/// Where a reference reads a symbol. @throws Error (E007) where it names more or fewer places than
/// the symbol has indices
std::vector<At> places_at(const ResolvedModel& model, const Ast& ast, const AstNode& reference,
                          const Symbol& symbol);
/// "t-1", "last", "left[t]"
std::string to_string(const ResolvedModel& model, const At& at);
/// Index numbers of the letters in positions; ascending.
std::vector<int> letters_of(const std::vector<At>& places);
/// Whether a position is data of an item: known when it is run.
bool has_data(const std::vector<At>& places);
/// Checks that there is an order of evaluation (R5); returns components, first to be evaluated
/// first.
std::vector<std::vector<int>> order(ResolvedModel& model);
/// An operation to whose operands the equations give no shape.
struct UnsolvedShape {
  const Ast* ast = nullptr;
  int node = -1;
  std::string name;  ///< of the variable whose shape is missing
};
/// Finds the shapes of all variables (R16): the smallest that satisfy the equations, the loss and
/// the ends together.
std::vector<UnsolvedShape> solve_shapes(ResolvedModel& model);
/// Solves the shapes and records every equation's template.
void compile(ResolvedModel& model, const std::vector<std::vector<int>>& components);
void check_unused(ResolvedModel& model);
/// Modes name random variables and fit their distributions. @throws Error (U002)
void check_modes(const ResolvedModel& model, const Modes& modes);
/// Of a length that is open until a sequence ends, nothing that a draw depends on may look ahead
/// along it: `last`, the length itself, t+1, a reduction (R14). @throws Error (E017)
void check_open_length(const ResolvedModel& model, int length,
                       const std::vector<std::string>& sampled);

}  // namespace taugrad
