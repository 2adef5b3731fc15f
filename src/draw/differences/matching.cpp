#include "draw/differences/matching.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/index.h"

namespace taugrad::draw {
namespace {

/// One of the pictures, with the edges into its nodes.
struct Side {
  explicit Side(const Picture& p) : picture(p), into(p.nodes.size()) {
    for (std::size_t e = 0; e < p.edges.size(); ++e)
      into[at(p.edges[e].to)].push_back(static_cast<int>(e));
  }
  const PictureNode& node(int n) const { return picture.nodes[at(n)]; }
  std::string step(int n) const {
    return node(n).cluster < 0 ? "" : picture.clusters[at(node(n).cluster)].label;
  }
  /// What it is called: by itself, or by its place in the variable that it belongs to.
  std::string place(int n) const {
    const PictureNode& x = node(n);
    const std::string side(static_cast<std::size_t>(x.order), '\'');
    return x.name.empty() ? "part " + x.role + side + " of " + step(n)
                          : "name " + x.name + side + (x.kind == NodeKind::ellipsis ? step(n) : "");
  }

  const Picture& picture;
  std::vector<std::vector<int>> into;
};

class Matcher {
 public:
  Matcher(const Picture& a, const Picture& b) : a_(a), b_(b) {
    out_.in_b.assign(a.nodes.size(), -1);
    out_.in_a.assign(b.nodes.size(), -1);
    out_.changed.assign(a.nodes.size(), 0);
  }

  Matching run() {
    pair_up([](const Side& s, int n) { return s.place(n); });
    // a part whose op is another one is none: it may be further on in the same variable
    for (std::size_t n = 0; n < out_.in_b.size(); ++n)
      if (const int b = out_.in_b[n];
          b >= 0 && a_.picture.nodes[n].name.empty() && a_.picture.nodes[n].op != b_.node(b).op)
        out_.in_b[n] = out_.in_a[at(b)] = -1;
    for (bool found = true; found;)
      found = pair_up([&](const Side& s, int n) {
        return &s == &a_ ? computed(s, n, true) : computed(s, n, false);
      });
    for (std::size_t n = 0; n < out_.in_b.size(); ++n)
      if (out_.in_b[n] >= 0) out_.changed[n] = otherwise(static_cast<int>(n), out_.in_b[n]);
    return std::move(out_);
  }

 private:
  /// Pairs nodes that are still alone and have the same key, the first with the first.
  template <class Key>
  bool pair_up(Key key) {
    std::map<std::string, std::vector<int>> waiting;
    for (std::size_t n = b_.picture.nodes.size(); n-- > 0;)
      if (out_.in_a[n] < 0)
        if (const std::string k = key(b_, static_cast<int>(n)); !k.empty())
          waiting[k].push_back(static_cast<int>(n));
    bool found = false;
    for (std::size_t n = 0; n < a_.picture.nodes.size(); ++n) {
      if (out_.in_b[n] >= 0) continue;
      const auto it = waiting.find(key(a_, static_cast<int>(n)));
      if (it == waiting.end() || it->second.empty()) continue;
      out_.in_b[n] = it->second.back();
      out_.in_a[at(it->second.back())] = static_cast<int>(n);
      it->second.pop_back();
      found = true;
    }
    return found;
  }

  /// "+ of 3 7" in numbers of A; empty where an input is still alone, or there is none.
  std::string computed(const Side& s, int n, bool of_a) const {
    if (!s.node(n).name.empty() || s.into[at(n)].empty()) return {};
    std::vector<int> inputs;
    for (const int e : s.into[at(n)]) {
      const int from = s.picture.edges[at(e)].from;
      const int known = of_a ? (out_.in_b[at(from)] < 0 ? -1 : from) : out_.in_a[at(from)];
      if (known < 0) return {};
      inputs.push_back(known);
    }
    std::ranges::sort(inputs);
    std::string key = s.node(n).op + " of";
    for (const int i : inputs) key += " " + std::to_string(i);
    return key;
  }

  bool otherwise(int a, int b) const {
    const PictureNode &x = a_.node(a), &y = b_.node(b);
    if (x.op != y.op || x.shape != y.shape || x.kind != y.kind) return true;
    std::vector<std::pair<int, std::string>> one, other;
    for (const int e : a_.into[at(a)])
      one.emplace_back(a_.picture.edges[at(e)].from, a_.picture.edges[at(e)].label);
    for (const int e : b_.into[at(b)]) {
      const PictureEdge& edge = b_.picture.edges[at(e)];
      other.emplace_back(out_.in_a[at(edge.from)], edge.label);
    }
    std::ranges::sort(one);
    std::ranges::sort(other);
    return one != other;
  }

  const Side a_, b_;
  Matching out_;
};

}  // namespace

Matching match_pictures(const Picture& a, const Picture& b) { return Matcher(a, b).run(); }

}  // namespace taugrad::draw
