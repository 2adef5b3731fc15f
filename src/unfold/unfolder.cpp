#include "unfold/unfolder.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "base/system/memory_limit.h"
#include "graph/verified.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/chosen_rows.h"
#include "taugrad/ops/ops.h"
#include "unfold/graph_size.h"
#include "unfold/unfold_check.h"

namespace taugrad {
namespace {

constexpr NodeId kMaxUnfoldedNodes = 200'000'000;
constexpr double kMaxReservedNodes = 10'000'000;

}  // namespace

Unfolder::Unfolder(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& options,
                   ByLevel by_level)
    : model_(*model), options_(options), by_level_(std::move(by_level)), tape_(out_.graph_.tape()) {
  out_.model_ = std::move(model);
  begin_segment();
  check_modes(model_, options.modes);
  check_unfolding(model_, options);
  set_lengths(options);
  set_modes();
  tape_.length_names = model_.lengths;
  if (options.stands_for.empty()) tape_.longest = out_.lengths_;
  if (by_level_.levels > 0) {
    tape_.length_names.emplace_back(kLevelRows);
    tape_.longest.push_back(by_level_.levels);
  }
  for (const Symbol& s : model_.symbols)
    names_.push_back(tape_.intern_name(s.name, letters_of(s.axes)));
  nll_names_.assign(model_.symbols.size(), 0);
  categories_.assign(model_.symbols.size(), 0);
  find_ends();
  done_.resize(model_.rules.size());
  for (std::size_t r = 0; r < model_.rules.size(); ++r) {
    std::vector<std::int64_t> lengths;
    for (const int letter : model_.rules[r].letters) lengths.push_back(length_of_index(letter));
    const PositionTable empty(lengths);
    done_[r] = {empty, empty, empty, empty, empty, empty, empty};
  }
  length_nodes_.assign(model_.lengths.size(), -1);
  make_parts();
  reserve_nodes();
  make_templates();
  make_leaves();
  make_copy_keys();
}

// What the graph takes is asked before it is made. Its gradient takes about as many nodes again.
void Unfolder::reserve_nodes() {
  const GraphSize size = graph_size(model_, hoisted_, out_.lengths_, options_);
  if (size.nodes > 1.5 * kMaxUnfoldedNodes)  // an estimate: the count while unfolding is exact
    fail(Status::bad_input, "G022", "unfolding takes about {:.3g} nodes, more than {}", size.nodes,
         kMaxUnfoldedNodes);
  require_memory("unfolding",
                 {{fmt::format("a graph of about {:.3g} nodes", size.nodes), size.graph_bytes()}});
  tape_.reserve(static_cast<std::size_t>(std::min(3 * size.nodes, kMaxReservedNodes)));
}

void Unfolder::set_lengths(const UnfoldOptions& options) {
  out_.lengths_ = lengths_of(model_, options);
  for (std::size_t l = 0; l < model_.lengths.size(); ++l) {
    const auto longer = options.stands_for.find(model_.lengths[l]);
    longer_.push_back(longer == options.stands_for.end() ? 0 : longer->second - out_.lengths_[l]);
  }
  for (const Symbol& s : model_.symbols) {  // a first bound, before anything is allocated
    double positions = 1;
    for (const int axis : s.axes) positions *= static_cast<double>(length_of_index(axis));
    if (positions > kMaxUnfoldedNodes)
      fail(Status::bad_input, "G022", "unfolding \"{}\" takes {:.3g} positions, more than {} nodes",
           s.name, positions, kMaxUnfoldedNodes);
  }
}

void Unfolder::make_templates() {
  const Tape& scratch = model_.scratch();
  std::vector<int> local(static_cast<std::size_t>(scratch.size()), -1);
  for (const Block& block : hoisted_.blocks) {
    Template t;
    std::size_t slot = 0;
    for (const NodeId id : block.nodes) {
      Template::Step step{&scratch.op(id),
                          static_cast<int>(t.inputs.size()),
                          0,
                          tape_.intern_shape(scratch.shape(id)),
                          tape_.intern_attrs(scratch.attrs(id)),
                          -1,
                          -1};
      if (slot < block.slots.size() && block.slots[slot].leaf == id)
        step.slot = static_cast<int>(slot++);
      for (const NodeId in : step.slot < 0 ? scratch.inputs(id) : std::span<const NodeId>{}) {
        t.inputs.push_back(local[static_cast<std::size_t>(in)]);
        const int read = t.steps[static_cast<std::size_t>(t.inputs.back())].slot;
        if (read >= 0 && block.slots[static_cast<std::size_t>(read)].kind == Slot::Kind::dropout)
          step.dropout = read;
      }
      step.count = static_cast<int>(t.inputs.size()) - step.first;
      local[static_cast<std::size_t>(id)] = static_cast<int>(t.steps.size());
      t.steps.push_back(step);
    }
    for (const NodeId root : block.roots) t.roots.push_back(local[static_cast<std::size_t>(root)]);
    templates_.push_back(std::move(t));
  }
}

void Unfolder::make_leaves() {
  for (std::size_t s = 0; s < model_.symbols.size(); ++s) {
    std::vector<std::int64_t> lengths;
    for (const int axis : model_.symbols[s].axes) lengths.push_back(length_of_index(axis));
    given_.emplace_back(lengths);
    values_.push_back(&(out_.values_[model_.symbols[s].name] = PositionTable(lengths)));
    copies_.push_back(&out_.copies_[model_.symbols[s].name]);
    nlls_.push_back(nullptr);
    weights_.push_back(nullptr);
    if (model_.symbols[s].random())
      nlls_.back() = &(out_.nlls_[model_.symbols[s].name] = PositionTable(lengths));
    if (model_.symbols[s].kind == SymbolKind::weight) {
      weights_.back() = &(out_.weights_[model_.symbols[s].name] = PositionTable(lengths));
      if (lengths.empty() && model_.symbols[s].taken) weight_leaf(static_cast<int>(s), {});
    }
  }
}

std::vector<std::string> Unfolder::letters_of(const std::vector<int>& indices) const {
  std::vector<std::string> letters;
  for (const int index : indices)
    letters.push_back(model_.system.indices[static_cast<std::size_t>(index)].name);
  return letters;
}

// the number that a position bears
std::int32_t Unfolder::shown(std::int32_t at, int index) const {
  const std::int64_t longer = shown_length_of_index(index) - length_of_index(index);
  return longer == 0 || 2 * std::int64_t{at} <= length_of_index(index)
             ? at
             : static_cast<std::int32_t>(at + longer);
}

IndexId Unfolder::index_at(const Positions& at, const std::vector<int>& axes) {
  if (options_.stands_for.empty()) return tape_.intern_index(at);
  Positions numbers;
  for (std::size_t a = 0; a < at.size(); ++a) numbers.push_back(shown(at[a], axes[a]));
  return tape_.intern_index(numbers);
}

Positions Unfolder::position_of(const Rule& rule, const Positions& letters) const {
  Positions at;
  std::size_t letter = 0;
  for (std::size_t a = 0; a < rule.places.size(); ++a) {
    const At& p = rule.places[a];
    const std::int64_t length = length_of_index(symbol(rule.symbol).axes[a]);
    at.push_back(p.kind == Place::Kind::letter   ? letters[letter++]
                 : p.kind == Place::Kind::number ? p.offset
                                                 : static_cast<std::int32_t>(length + p.offset));
  }
  return at;
}

Setting Unfolder::setting_of(const Rule& rule, const Positions& letters) {
  Setting s;
  s.rule = &rule;
  s.at.assign(model_.system.indices.size(), 0);
  for (std::size_t i = 0; i < letters.size(); ++i)
    s.at[static_cast<std::size_t>(rule.letters[i])] = letters[i];
  s.extent = extent_of(rule.letters, s.at);
  s.copy_key = &copy_keys_[static_cast<std::size_t>(&rule - model_.rules.data())];
  std::size_t letter = 0;
  for (const At& p : rule.places)
    if (p.kind != Place::Kind::end)
      s.copy_at.push_back(p.kind == Place::Kind::letter ? letters[letter++] : p.offset);
  return s;
}

void Unfolder::make_copy_keys() {
  for (const Rule& rule : model_.rules) {
    CopyKey key;
    key.numbered = !rule.places.empty();
    for (std::size_t a = 0; a < rule.places.size(); ++a) {
      const At& p = rule.places[a];
      const auto index = static_cast<std::size_t>(
          p.kind == Place::Kind::letter ? p.index : symbol(rule.symbol).axes[a]);
      key.letters.push_back(model_.system.indices[index].name);
      key.ends.emplace_back();
      key.axes.push_back(static_cast<int>(index));
      if (p.kind == Place::Kind::end) {
        key.numbered = false;
        key.axes.pop_back();
        key.ends.back() = model_.lengths[static_cast<std::size_t>(model_.index_length[index])];
        if (p.offset != 0) key.ends.back() += fmt::format("{:+}", p.offset);
      }
    }
    copy_keys_.push_back(std::move(key));
  }
}

Unfolded Unfolder::run() {
  every_position();
  for (const Symbol& s : model_.symbols)  // a drawn length is a value like any other (R14)
    if (s.length >= 0) out_.values_.at(s.name).set({}, length_node(s.length, kEveryItem));
  add_loss();
  add_ends();
  add_state();
  return std::move(out_);
}

// step by step, so that the tape lies in columns
void Unfolder::every_position() {
  std::int64_t longest = 0;
  for (const std::int64_t n : out_.lengths_) longest = std::max(longest, n);
  const auto visit = [&](const Rule& rule, Positions letters) {
    const int r = static_cast<int>(&rule - model_.rules.data());
    const Symbol& s = symbol(rule.symbol);
    const Positions at = position_of(rule, letters);
    if (Positions other; !ends_with_item(rule) && rule_at(s, at, other) != &rule)
      return;  // another equation wins (R3)
    if (s.random() && observed(s, at) && s.length < 0 && !inside(s, at)) return;  // no data there
    const bool value = s.length < 0 && is_asked(rule, at, false);
    if (value && !observed(s, at)) demand({r, Part::value, letters});
    if (value && observed(s, at)) given(rule.symbol, at);
    if (s.random() && options_.cotangents.empty() && is_asked(rule, at, true))
      demand({r, Part::nll, std::move(letters)});
  };
  std::vector<std::vector<int>> rests;  // by rule: its letters without the first
  for (const Rule& rule : model_.rules)
    rests.emplace_back(rule.letters.begin() + (rule.letters.empty() ? 0 : 1), rule.letters.end());
  Setting s;
  s.at.assign(model_.system.indices.size(), 0);
  for (std::int64_t t = 1; t <= longest; ++t) {
    if (options_.progress) options_.progress(t, longest);
    for (const Rule& rule : model_.rules) {
      if (rule.letters.empty() || length_of_index(rule.letters[0]) < t ||
          first_of_index(rule.letters[0]) > t)
        continue;
      const std::vector<int>& rest = rests[static_cast<std::size_t>(&rule - model_.rules.data())];
      each_position(rest, s, [&] {
        Positions letters{static_cast<std::int32_t>(t)};
        for (const int index : rest) letters.push_back(s.at[static_cast<std::size_t>(index)]);
        visit(rule, letters);
      });
    }
  }
  for (const Rule& rule : model_.rules)
    if (rule.letters.empty()) visit(rule, {});
}

void Unfolder::demand(Task task) {
  tasks_.push_back(std::move(task));
  drain();
}

void Unfolder::drain() {
  while (!tasks_.empty()) {
    const std::size_t top = tasks_.size() - 1;
    const Task task = tasks_[top];  // a copy: the list may grow
    if (!attempt(task)) continue;   // what it waits for stands above it now
    tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(top));
  }
}

bool Unfolder::attempt(const Task& task) {
  Done& d = done(task);
  if (d.of(task.part).get(task.letters) >= 0) return true;
  const std::size_t before = tasks_.size();
  if (task.part == Part::shared ? place_part(task) : place_rule(task)) return true;
  for (std::size_t i = before; i < tasks_.size(); ++i) {
    const Task& wanted = tasks_[i];
    const PositionTable& flag = done(wanted).tried(wanted.part);
    const bool itself =
        wanted.rule == task.rule && wanted.part == task.part && wanted.letters == task.letters;
    if (itself || flag.get(wanted.letters) >= 0)
      fail(Status::bad_input, "G016", "\"{}\" depends on itself at one position", name_of(wanted));
  }
  d.tried(task.part).set(task.letters, 0);
  if (tape_.size() > kMaxUnfoldedNodes)
    fail(Status::bad_input, "G022", "unfolding takes more than {} nodes", kMaxUnfoldedNodes);
  return false;
}

bool Unfolder::place_rule(const Task& task) {
  if (stands_by_level(task)) return place_from_levels(task);
  const Rule& rule = model_.rules[static_cast<std::size_t>(task.rule)];
  const Symbol& s = symbol(rule.symbol);
  Done& d = done(rule);
  Setting setting = setting_of(rule, task.letters);
  const Positions at = position_of(rule, task.letters);
  if (task.part == Part::nll || (task.part == Part::value && s.random())) {
    if (instance(rule, task.letters, Part::arguments) < 0) return false;
    if (task.part == Part::value) {
      d.value.set(task.letters, random_value(task, setting));
      return true;
    }
    if (!scores_data(s, at) && s.length < 0 && instance(rule, task.letters, Part::value) < 0)
      return false;
    place_nll(task, setting);
    return true;
  }
  found_.clear();
  if (!gather(rule.block, setting, found_)) return false;
  tape_.set_owner(names_[static_cast<std::size_t>(rule.symbol)], index_at(at, s.axes));
  std::size_t cursor = 0;
  const std::span<NodeId> roots = place(rule.block, setting, found_, cursor);
  for (std::size_t i = 0; i < roots.size(); ++i)  // what others read too is not this one's value
    if (is_part(rule.block, i)) roots[i] = copy(tape_.var(roots[i])).id;
  if (task.part == Part::arguments) {
    d.argument0.set(task.letters, roots[0]);
    if (roots.size() > 1) d.argument1.set(task.letters, roots[1]);
  } else {
    d.value.set(task.letters, finish_value(roots[0], s, setting, at));
  }
  tape_.set_owner(0, 0);
  return true;
}

NodeId Unfolder::finish_value(NodeId root, const Symbol& s, const Setting& setting,
                              const Positions& at) {
  Var v = tape_.var(root);
  if (s.per_example && !v.per_example()) v = to_items(v, setting.extent);
  // a value is a node of its own, also where the equation only renames another
  if (tape_.is_value(v.id) || tape_.inputs(v.id).empty()) v = copy(v);
  if (!setting.rule || !ends_with_item(*setting.rule)) {
    tape_.set_value(v.id, names_[static_cast<std::size_t>(&s - model_.symbols.data())],
                    index_at(at, s.axes));
    values_[static_cast<std::size_t>(&s - model_.symbols.data())]->set(at, v.id);
  }
  return v.id;
}

Unfolded unfold(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& options) {
  if (!model) fail(Status::usage, "U021", "there is no model to unfold");
  Unfolded unfolded = Unfolder(std::move(model), options, {}).run();
  verify_rewritten(unfolded.graph().tape());
  return unfolded;
}
Unfolded unfold(const Definition& d, const UnfoldOptions& options) {
  return unfold(resolve(d), options);
}

}  // namespace taugrad
