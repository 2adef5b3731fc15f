// Which pictures a page of a graph holds.
#include <algorithm>
#include <iterator>
#include <limits>

#include "base/index.h"
#include "draw/explorer/explore.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/fold/fold.h"

namespace taugrad {
namespace {

constexpr int kMostSteps = 40;  // drawn as operations, where there are values

class ExploreGraph {
 public:
  ExploreGraph(const Graph& graph, const WriteOptions& options)
      : graph_(graph), options_(options) {}

  Explorer run() {
    page_.title = options_.title;
    page_.about = options_.about;
    try_view("folded", "Folded", View::folded);
    add_unfolded("unfolded", "Unfolded", View::unfolded);
    add_steps();
    if (options_.view == View::gradient || has_loss())
      add_unfolded("gradient", "Gradient", View::gradient);
    if (options_.values) add_values();
    page_.first = first_;
    return std::move(page_);
  }

 private:
  // one that is found; of several nodes that could be it, none
  bool has_loss() const {
    if (!options_.loss.empty()) return true;
    try {
      return static_cast<bool>(find_loss(graph_));
    } catch (const Error&) {
      return false;
    }
  }

  Picture picture(View view, Detail detail, int most_steps) const {
    WriteOptions o = options_;
    o.view = view;
    o.detail = detail;
    o.most_steps = most_steps;
    o.values.reset();
    return picture_of(graph_, o);
  }

  void add(std::string name, std::string label, Picture picture, View view) {
    if (view == options_.view && !name.ends_with("_all")) first_ = page_.scenes.size();
    const bool whole = !draw::has_gap(picture);
    page_.scenes.push_back({std::move(name), std::move(label), std::move(picture), whole});
  }

  // where no step repeats, there is no circuit
  void try_view(const std::string& name, const std::string& label, View view) {
    try {
      add(name, label, picture(view, options_.detail, options_.most_steps), view);
    } catch (const Error&) {
      if (options_.view == view) throw;
    }
  }

  void add_unfolded(const std::string& name, const std::string& label, View view) {
    Picture drawn = picture(view, options_.detail, options_.most_steps);
    const bool gap = draw::has_gap(drawn);
    const Detail detail = draw::drawn_detail(drawn);
    add(name, label, std::move(drawn), view);
    if (!gap || graph_.size() > draw::kMostTapeNodes) return;
    Picture all = picture(view, detail, 0);
    if (all.nodes.size() <= draw::kMostNodes)
      add(name + "_all", label + ", all steps", std::move(all), view);
  }

  void add_steps() {
    const int most = options_.values           ? kMostSteps
                     : options_.most_steps > 0 ? options_.most_steps
                                               : WriteOptions{}.most_steps;
    operations_ = picture(View::unfolded, Detail::operations, most);
    for (draw::Step& step : draw::steps_of(operations_)) {
      page_.steps.push_back(std::move(step.scene));
      step_edges_.push_back(std::move(step.edges));
    }
  }

  // The gradient is drawn of another graph than the rest, which it was appended to: each has its
  // numbers.
  void add_values() {
    page_.colour = options_.values->colour;
    add_numbers(graph_, true, [](const ExplorerScene& s) {
      return s.name != "folded" && !s.name.starts_with("gradient");
    });
    const auto is_gradient = [](const ExplorerScene& s) { return s.name.starts_with("gradient"); };
    if (std::ranges::any_of(page_.scenes, is_gradient))
      add_numbers(with_gradient(graph_, options_.loss).graph, false, is_gradient);
    for (ExplorerScene& s : page_.scenes) {  // a circuit has none
      s.facts.resize(s.picture.nodes.size(), -1);
      s.shares.resize(s.picture.edges.size(), std::numeric_limits<double>::quiet_NaN());
    }
  }

  template <class Shown>
  void add_numbers(const Graph& graph, bool steps, const Shown& shown) {
    const DrawnValues& v = *options_.values;
    ValuedGraph valued(graph, v.inputs, v.weights, {.seed = v.seed, .item = v.item}, options_.loss);
    std::vector<const Picture*> pictures;
    if (steps) pictures.push_back(&operations_);
    for (const ExplorerScene& s : page_.scenes)
      if (shown(s)) pictures.push_back(&s.picture);
    GraphValues values = valued.values_of(pictures);
    const auto before = static_cast<std::int32_t>(page_.facts.size());
    const auto add_facts = [&](ExplorerScene& s) {
      for (const PictureNode& n : s.picture.nodes) {
        const std::int32_t entry = n.source < 0 ? -1 : values.entry[at(n.source)];
        s.facts.push_back(entry < 0 ? -1 : before + entry);
      }
    };
    const Tape& tape = valued.graph().tape();
    for (ExplorerScene& s : page_.scenes)
      if (shown(s)) {
        add_facts(s);
        s.shares = shares_of(s.picture, tape, values);
      }
    if (steps) add_numbers_of_steps(add_facts, shares_of(operations_, tape, values));
    page_.facts.insert(page_.facts.end(), std::make_move_iterator(values.facts.begin()),
                       std::make_move_iterator(values.facts.end()));
  }

  template <class AddFacts>
  void add_numbers_of_steps(const AddFacts& add_facts, const std::vector<double>& shares) {
    for (std::size_t s = 0; s < page_.steps.size(); ++s) {
      add_facts(page_.steps[s]);
      for (const int e : step_edges_[s]) page_.steps[s].shares.push_back(shares[at(e)]);
    }
  }

  const Graph& graph_;
  const WriteOptions& options_;
  Explorer page_;
  Picture operations_;                        // of which the steps are parts
  std::vector<std::vector<int>> step_edges_;  // by step: edges of it
  std::size_t first_ = 0;
};

}  // namespace

Explorer explore(const Graph& graph, const WriteOptions& options) {
  return ExploreGraph(graph, options).run();
}

}  // namespace taugrad
