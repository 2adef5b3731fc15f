#include "evaluate/check/check_point.h"

#include <algorithm>

#include "base/fail.h"
#include "evaluate/leaves/draw_leaf.h"
#include "runtime/generic.h"
#include "taugrad/language/mode.h"
#include "taugrad/ops/records.h"

namespace taugrad::runtime {
namespace {

const Tensor* find_tensor(const Tensors& tensors, const std::string& name) {
  auto found = tensors.find(name);
  if (found == tensors.end()) found = tensors.find(data_of(name));
  return found == tensors.end() ? nullptr : &found->second;
}

// The items that the tensors tell, or -1.
std::int64_t items_told(const std::vector<Source>& sources, const Tensors& tensors) {
  for (const Source& s : sources) {
    const Tensor* t = s.per_example ? find_tensor(tensors, s.name) : nullptr;
    if (t != nullptr && t->dims().size() > static_cast<std::size_t>(s.index_axes))
      return t->dims()[static_cast<std::size_t>(s.index_axes)];
  }
  for (const auto& [name, t] : tensors)
    if ((name == "item" || name.starts_with("lengths")) && t.dims().size() == 1) return t.size();
  return -1;
}

}  // namespace

std::vector<NodeId> given_leaves(const Tape& tape) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < tape.size(); ++id)
    if (&tape.op(id) == &kInput || &tape.op(id) == &kWeight) leaves.push_back(id);
  return leaves;
}

CheckPoint point_of(Tape& tape, std::span<const NodeId> leaves, const Tensors& tensors,
                    BatchContext batch, std::int64_t items, std::uint64_t seed) {
  place_items(batch, tape, items);
  CheckPoint point;
  point.items = items;
  const auto add = [&](NodeId leaf) -> std::vector<double>& {
    const ExtentId extent = tape.extent_id(leaf);
    const std::size_t rows = extent == kShared ? 1 : batch.items_of[extent].size();
    const auto size = static_cast<std::size_t>(tape.shape(leaf).size());
    return point.leaves.emplace_back(tape.var(leaf), std::vector<double>(rows * size)).second;
  };
  std::vector<NodeId> named;
  for (const NodeId leaf : leaves) {
    if (tape.name_id(leaf) != 0 && find_tensor(tensors, std::string(tape.name(leaf)))) {
      named.push_back(leaf);
      continue;
    }
    Stream stream(seed, "check:" + tape.label(leaf));
    for (double& x : add(leaf)) x = draw_input(stream, tape.category(leaf), false);
  }
  for (const Source& s : sources_of(tape, named))
    for (std::size_t i = 0; i < s.leaves.size(); ++i) {
      const ExtentId extent = tape.extent_id(s.leaves[i]);
      const auto rows = extent == kShared ? std::vector<std::int32_t>{} : batch.items_of[extent];
      read_leaf(s, *find_tensor(tensors, s.name), i, rows, add(s.leaves[i]));
    }
  point.batch = std::move(batch);
  return point;
}

Tensors with_drawn(const Tape& tape, const std::vector<Source>& sources, const LengthRules& rules,
                   Tensors tensors, std::int64_t batch, std::uint64_t seed) {
  const std::int64_t told = items_told(sources, tensors);
  if (told >= 0) batch = told;
  for (const Source& s : sources) {
    if (const Tensor* t = find_tensor(tensors, s.name)) {
      if (!tensors.contains(s.name)) tensors[s.name] = *t;
      continue;
    }
    Tensor drawn = s.weight ? drawn_weight(tape, s, seed) : drawn_input(s, rules, batch, seed);
    if (s.weight && init_of(tape, s).kind == Init::Kind::by_rank)
      move_off_zero(s.name, seed, drawn);
    tensors[s.name] = std::move(drawn);
  }
  // where no input tells how many items there are
  const bool any = std::ranges::any_of(sources, [](const Source& s) { return s.per_example; });
  for (std::size_t l = 0; l < rules.names.size() && !any && told < 0; ++l)
    tensors["lengths:" + rules.names[l]] =
        Tensor::of({batch}, std::vector<std::int64_t>(static_cast<std::size_t>(batch),
                                                      std::max(rules.longest[l], rules.steps[l])));
  return tensors;
}

}  // namespace taugrad::runtime
