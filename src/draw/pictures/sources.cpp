#include "draw/pictures/sources.h"

#include <algorithm>
#include <unordered_map>

#include "taugrad/graph/op.h"
#include "taugrad/ops/data_positions.h"
#include "taugrad/ops/records.h"

namespace taugrad::draw {
namespace {

constexpr std::size_t kLongestLabel = 24;

bool only_weights(const Sources& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](const Source& x) { return x.weight; });
}

bool is_product(const Op& op) { return op.traits.bilinear || &op == &kEmbed || &op == &kConv; }

std::string joined_weights(const std::vector<Sources>& inputs) {
  std::string text;
  for (const Sources& in : inputs) {
    if (!only_weights(in)) continue;
    for (const Source& s : in) text += (text.empty() ? "" : " ") + s.label;
  }
  return text;
}

void prepend(Source& s, const std::string& factor) {
  if (s.weight || factor.empty()) return;
  s.label = s.label.empty() ? factor : factor + " " + s.label;
  if (s.label.size() > kLongestLabel) s.label = "…";
}

// The same node by the same way, once.
void add(Sources& to, Source s) {
  if (to.size() < 64) {
    for (const Source& known : to) {
      if (known.node == s.node && known.label == s.label) return;
    }
  }
  to.push_back(std::move(s));
}

}  // namespace

// Which of the steps is read is data: one edge, from the nearest, stands for all that there may be.
void keep_nearest(std::vector<Sources>& inputs) {
  std::size_t nearest = 0;
  for (std::size_t i = 1; i < inputs.size(); ++i)
    if (!inputs[i].empty()) nearest = i;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (i != nearest) inputs[i].clear();
    for (Source& s : inputs[i]) s.dotted = true;
  }
}

std::size_t longest(const std::vector<Sources>& inputs) {
  std::size_t most = 0;
  for (const Sources& in : inputs) most = std::max(most, in.size());
  return most;
}

Sources fold_sources(const Op& op, std::vector<Sources> inputs, bool labels, bool adjoint) {
  const auto others = [](const Sources& s) { return !s.empty() && !only_weights(s); };
  const bool absorb = labels && is_product(op) && std::ranges::any_of(inputs, only_weights) &&
                      std::ranges::any_of(inputs, others);
  std::string factor = absorb ? joined_weights(inputs) : std::string();
  if (absorb && adjoint && &op == &kMatmul && only_weights(inputs[1])) factor += "ᵀ";
  if (&op == &kAtPosition) keep_nearest(inputs);
  Sources out;
  const bool as_they_are = factor.empty() && &op != &kTranspose;
  for (Sources& in : inputs) {
    if (absorb && only_weights(in)) continue;
    if (out.empty() && as_they_are) {
      out = std::move(in);
      continue;
    }
    for (Source& s : in) {
      prepend(s, factor);
      if (s.weight && &op == &kTranspose) s.label += "ᵀ";
      if (labels) {
        add(out, std::move(s));
      } else {
        out.push_back(std::move(s));
      }
    }
  }
  return out;
}

void weights_to_op(std::string& op, Sources& sources) {
  std::string text;
  for (const Source& s : sources) {
    if (s.weight) text += (text.empty() ? "" : ", ") + s.label;
  }
  sources.erase(
      std::remove_if(sources.begin(), sources.end(), [](const Source& s) { return s.weight; }),
      sources.end());
  if (text.empty() || text.size() > kLongestLabel) return;
  op = op == "+" ? "+ " + text : op + ", " + text;
}

void join_label(std::string& label, const std::string& more) {
  if (more.empty() || label.ends_with("…")) return;
  const bool room = label.size() < kLongestLabel && label.size() + more.size() < 2 * kLongestLabel;
  label += (label.empty() ? "" : ", ") + (room ? more : std::string("…"));
}

Sources merged(const Sources& sources) {
  Sources out;
  std::unordered_map<int, std::size_t> known;
  for (const Source& s : sources) {
    const auto [it, fresh] = known.try_emplace(s.node, out.size());
    if (fresh) {
      out.push_back(s);
    } else {
      join_label(out[it->second].label, s.label);
    }
  }
  return out;
}

}  // namespace taugrad::draw
