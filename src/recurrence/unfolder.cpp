#include "recurrence/unfolder.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/fail.h"
#include "graph/verified.h"
#include "taugrad/graph/op.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

constexpr NodeId kMaxUnfoldedNodes = 200'000'000;
constexpr std::size_t kMaxReservedNodes = 10'000'000;

}  // namespace

Unfolder::Unfolder(std::shared_ptr<const Model> model, const UnfoldOptions& options)
    : model_(*model), options_(options), tape_(out_.graph_.tape()) {
  out_.model_ = std::move(model);
  check_modes(model_, options.modes);
  set_lengths(options);
  set_modes();
  tape_.length_names = model_.lengths;
  for (const Symbol& s : model_.symbols) names_.push_back(tape_.intern_name(s.name));
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
  make_templates();
  make_leaves();
  make_copy_keys();
  reserve_nodes();
}

// Most of the nodes are those of the equations, and their gradient takes about as many again.
void Unfolder::reserve_nodes() {
  std::size_t nodes = 0;
  for (const Rule& rule : model_.rules) {
    std::size_t positions = 1;
    for (const int letter : rule.letters) positions *= static_cast<std::size_t>(length_of_index(letter));
    nodes += positions * templates_[static_cast<std::size_t>(rule.block)].steps.size();
  }
  tape_.reserve(std::min(3 * nodes, kMaxReservedNodes));
}

void Unfolder::set_lengths(const UnfoldOptions& options) {
  for (std::size_t l = 0; l < model_.lengths.size(); ++l) {
    std::int64_t length = model_.fixed_lengths[l] >= 0 ? model_.fixed_lengths[l] : options.steps;
    if (const auto given = options.lengths.find(model_.lengths[l]); given != options.lengths.end()) length = given->second;
    for (std::size_t i = 0; i < model_.index_length.size(); ++i)
      if (model_.index_length[i] == static_cast<int>(l))
        if (const auto given = options.lengths.find(model_.system.indices[i].name); given != options.lengths.end()) length = given->second;
    if (length < 0)
      fail(Status::bad_input, "G022", "the length \"{}\" is not given; say how many steps, such as --steps 5", model_.lengths[l]);
    out_.lengths_.push_back(length);
  }
  for (const Symbol& s : model_.symbols) {  // a first bound, before anything is allocated
    double positions = 1;
    for (const int axis : s.axes) positions *= static_cast<double>(length_of_index(axis));
    if (positions > kMaxUnfoldedNodes)
      fail(Status::bad_input, "G022", "unfolding \"{}\" takes {:.3g} positions, more than {} nodes", s.name, positions, kMaxUnfoldedNodes);
  }
}

void Unfolder::make_templates() {
  const Tape& scratch = *model_.scratch;
  std::vector<int> local(static_cast<std::size_t>(scratch.size()), -1);
  for (const Block& block : model_.blocks) {
    Template t;
    std::size_t slot = 0;
    for (const NodeId id : block.nodes) {
      Template::Step step{&scratch.op(id), static_cast<int>(t.inputs.size()), 0, tape_.intern_shape(scratch.shape(id)),
                          tape_.intern_attrs(scratch.attrs(id)), -1, -1};
      for (const NodeId in : scratch.inputs(id)) {
        t.inputs.push_back(local[static_cast<std::size_t>(in)]);
        const int read = t.steps[static_cast<std::size_t>(t.inputs.back())].slot;
        if (read >= 0 && block.slots[static_cast<std::size_t>(read)].kind == Slot::Kind::dropout) step.dropout = read;
      }
      step.count = static_cast<int>(t.inputs.size()) - step.first;
      if (slot < block.slots.size() && block.slots[slot].leaf == id) step.slot = static_cast<int>(slot++);
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
    if (model_.symbols[s].random()) nlls_.back() = &(out_.nlls_[model_.symbols[s].name] = PositionTable(lengths));
    if (model_.symbols[s].kind == SymbolKind::weight) {
      weights_.back() = &(out_.weights_[model_.symbols[s].name] = PositionTable(lengths));
      if (lengths.empty() && model_.symbols[s].taken) weight_leaf(static_cast<int>(s), {});
    }
  }
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
  for (std::size_t i = 0; i < letters.size(); ++i) s.at[static_cast<std::size_t>(rule.letters[i])] = letters[i];
  s.extent = extent_of(rule.letters, s.at);
  s.copy_key = &copy_keys_[static_cast<std::size_t>(&rule - model_.rules.data())];
  std::size_t letter = 0;
  for (const At& p : rule.places)
    if (p.kind != Place::Kind::end) s.copy_at.push_back(p.kind == Place::Kind::letter ? letters[letter++] : p.offset);
  return s;
}

void Unfolder::make_copy_keys() {
  for (const Rule& rule : model_.rules) {
    CopyKey key;
    key.numbered = !rule.places.empty();
    for (std::size_t a = 0; a < rule.places.size(); ++a) {
      const At& p = rule.places[a];
      const auto index = static_cast<std::size_t>(p.kind == Place::Kind::letter ? p.index : symbol(rule.symbol).axes[a]);
      key.letters.push_back(model_.system.indices[index].name);
      key.ends.emplace_back();
      if (p.kind == Place::Kind::end) {
        key.numbered = false;
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
    if (Positions other; !ends_with_item(rule) && rule_at(s, at, other) != &rule) return;  // another equation wins (R3)
    if (s.random() && observed(s, at) && s.length < 0 && !inside(s, at)) return;               // no data there
    if (s.length < 0 && !observed(s, at)) demand({r, Part::value, letters});
    if (s.length < 0 && observed(s, at)) given(rule.symbol, at);
    if (s.random() && options_.cotangents.empty()) demand({r, Part::nll, std::move(letters)});
  };
  std::vector<std::vector<int>> rests;  // by rule: its letters without the first
  for (const Rule& rule : model_.rules)
    rests.emplace_back(rule.letters.begin() + (rule.letters.empty() ? 0 : 1), rule.letters.end());
  Setting s;
  s.at.assign(model_.system.indices.size(), 0);
  for (std::int64_t t = 1; t <= longest; ++t)
    for (const Rule& rule : model_.rules) {
      if (rule.letters.empty() || length_of_index(rule.letters[0]) < t) continue;
      const std::vector<int>& rest = rests[static_cast<std::size_t>(&rule - model_.rules.data())];
      each_position(rest, s, [&] {
        Positions letters{static_cast<std::int32_t>(t)};
        for (const int index : rest) letters.push_back(s.at[static_cast<std::size_t>(index)]);
        visit(rule, letters);
      });
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
    if (!attempt(task)) continue;  // what it waits for stands above it now
    tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(top));
  }
}

bool Unfolder::attempt(const Task& task) {
  const Rule& rule = model_.rules[static_cast<std::size_t>(task.rule)];
  Done& d = done(rule);
  PositionTable& result = task.part == Part::value ? d.value : task.part == Part::nll ? d.nll : d.argument0;
  if (result.get(task.letters) >= 0) return true;
  PositionTable& tried = task.part == Part::value ? d.tried_value : task.part == Part::nll ? d.tried_nll : d.tried_arguments;
  const std::size_t before = tasks_.size();
  if (place_rule(task)) return true;
  for (std::size_t i = before; i < tasks_.size(); ++i) {
    const Task& wanted = tasks_[i];
    Done& other = done(model_.rules[static_cast<std::size_t>(wanted.rule)]);
    PositionTable& flag = wanted.part == Part::value ? other.tried_value : wanted.part == Part::nll ? other.tried_nll : other.tried_arguments;
    const bool itself = wanted.rule == task.rule && wanted.part == task.part && wanted.letters == task.letters;
    if (itself || flag.get(wanted.letters) >= 0)
      fail(Status::bad_input, "G016", "\"{}\" depends on itself at one position",
           symbol(model_.rules[static_cast<std::size_t>(wanted.rule)].symbol).name);
  }
  tried.set(task.letters, 0);
  if (tape_.size() > kMaxUnfoldedNodes) fail(Status::bad_input, "G022", "unfolding takes more than {} nodes", kMaxUnfoldedNodes);
  return false;
}

bool Unfolder::place_rule(const Task& task) {
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
    if (!scores_data(s, at) && s.length < 0 && instance(rule, task.letters, Part::value) < 0) return false;
    place_nll(task, setting);
    return true;
  }
  found_.clear();
  if (!gather(rule.block, setting, found_)) return false;
  tape_.set_owner(names_[static_cast<std::size_t>(rule.symbol)], tape_.intern_index(at));
  std::size_t cursor = 0;
  const std::span<const NodeId> roots = place(rule.block, setting, found_, cursor);
  if (task.part == Part::arguments) {
    d.argument0.set(task.letters, roots[0]);
    if (roots.size() > 1) d.argument1.set(task.letters, roots[1]);
  } else {
    d.value.set(task.letters, finish_value(roots[0], s, setting, at));
  }
  tape_.set_owner(0, 0);
  return true;
}

NodeId Unfolder::finish_value(NodeId root, const Symbol& s, const Setting& setting, const Positions& at) {
  Var v = tape_.var(root);
  if (s.per_example && !v.per_example()) v = to_items(v, setting.extent);
  // a value is a node of its own, also where the equation only renames another
  if (tape_.is_value(v.id) || tape_.inputs(v.id).empty()) v = copy(v);
  if (!setting.rule || !ends_with_item(*setting.rule)) {
    tape_.set_value(v.id, names_[static_cast<std::size_t>(&s - model_.symbols.data())], tape_.intern_index(at));
    values_[static_cast<std::size_t>(&s - model_.symbols.data())]->set(at, v.id);
  }
  return v.id;
}

Unfolded unfold(std::shared_ptr<const Model> model, const UnfoldOptions& options) {
  Unfolded unfolded = Unfolder(std::move(model), options).run();
  verify_rewritten(unfolded.graph().tape());
  return unfolded;
}
Unfolded unfold(const Definition& d, const UnfoldOptions& options) { return unfold(resolve(d), options); }

}  // namespace taugrad
