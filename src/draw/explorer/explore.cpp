// Which pictures a page of a definition holds.
#include "draw/explorer/explore.h"

#include <algorithm>

#include "base/fail.h"
#include "base/index.h"
#include "draw/pictures/equations.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/analysis/graphical_model.h"
#include "taugrad/draw/explorer.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/draw/model_picture.h"
#include "unfold/graph_size.h"

namespace taugrad {
namespace {

using draw::drawn_detail;
using draw::has_gap;
using draw::kMostNodes;
using draw::kMostTapeNodes;

constexpr int kMostSteps = 40;                // drawn as operations, where there are values
constexpr std::int64_t kMostModelSteps = 12;  // its edges are quadratic

std::int64_t edges_of(const Tape& tape) {
  std::int64_t edges = 0;
  for (NodeId id = 0; id < tape.size(); ++id) edges += std::ssize(tape.inputs(id));
  return edges;
}

class Explore {
 public:
  Explore(const Definition& d, const ExploreOptions& options)
      : d_(d), options_(options), model_(resolve(d)) {
    UnfoldOptions& u = options_.unfolding;
    if (options_.values != nullptr) take_lengths();
    if (u.steps < 0 && u.lengths.empty()) u.steps = 3;
    has_loss_ = !model_->loss.empty() ||
                std::ranges::any_of(model_->symbols, [](const Symbol& s) { return s.random(); });
  }

  Exploration run() {
    out_.page.title = d_.name;
    out_.page.about = d_.about;
    add_folded();
    add_unfolded("unfolded", "Unfolded", false);
    add_steps();  // before the gradient, which is appended to the graph of values
    if (has_loss_ || !options_.unfolding.cotangents.empty() || options_.values != nullptr)
      add_unfolded("gradient", "Gradient", true);
    add_model();
    if (options_.values != nullptr) add_values();
    out_.page.equations = draw::equations_of(*model_, lengths_of(*model_, options_.unfolding));
    const auto& scenes = out_.page.scenes;
    const auto first = std::ranges::find(scenes, options_.view, &ExplorerScene::name);
    out_.page.first = first == scenes.end() ? 0 : static_cast<std::size_t>(first - scenes.begin());
    return std::move(out_);
  }

 private:
  void add(std::string name, std::string label, Picture picture) {
    const bool whole = !has_gap(picture);
    out_.page.scenes.push_back({std::move(name), std::move(label), std::move(picture), whole});
  }

  void add_folded() {
    const FoldedGraph g = folded(d_);
    if (options_.view == "folded") {
      out_.nodes = std::ssize(g.nodes);
      out_.edges = std::ssize(g.edges);
    }
    add("folded", "Folded",
        picture_of(g, {.detail = options_.picture.detail, .title = d_.name, .about = d_.about}));
  }

  // of the graph of values: one drawing of all steps, for a second gradient would have no names
  void add_valued_gradient() {
    GraphPictureOptions options = options_.picture;
    options.most_steps = 0;
    options.outputs = options_.values->outputs();
    const Unfolded& u = options_.values->unfolded();
    Picture all = gradient_picture_of(u, options);
    if (options_.view == "gradient") {
      out_.nodes = u.graph().size();
      out_.edges = edges_of(u.graph().tape());
    }
    const int limit = options_.picture.most_steps;
    Picture brief = limit > 0 ? elide(all, limit) : all;
    const bool gap = has_gap(brief);
    add("gradient", "Gradient", std::move(brief));
    if (gap && options_.view == "gradient" && all.nodes.size() <= kMostNodes)
      add("gradient_all", "Gradient, all steps", std::move(all));
  }

  void add_unfolded(const std::string& name, const std::string& label, bool gradient) {
    if (gradient && options_.values != nullptr) return add_valued_gradient();
    UnfoldedPicture drawn = picture(options_.picture, gradient);
    if (options_.view == name) {
      out_.nodes = drawn.nodes;
      out_.edges = drawn.edges;
    }
    const bool whole = !has_gap(drawn.picture);
    // the same things, of every step
    const Detail detail = drawn_detail(drawn.picture);
    add(name, label, std::move(drawn.picture));
    if (whole || (gradient && options_.view != "gradient")) return;
    GraphPictureOptions every = options_.picture;
    every.most_steps = 0;
    if (every.detail == Detail::automatic) every.detail = detail;
    if (graph_size(*model_, options_.unfolding).nodes > kMostTapeNodes) return;
    Picture all = picture(every, gradient).picture;
    if (all.nodes.size() <= kMostNodes) add(name + "_all", label + ", all steps", std::move(all));
  }

  void add_model() {
    const bool random =
        std::ranges::any_of(model_->symbols, [](const Symbol& s) { return s.random(); });
    const auto lengths = lengths_of(*model_, options_.unfolding);
    const bool brief = std::ranges::all_of(lengths, [](auto n) { return n <= kMostModelSteps; });
    if (!random || !brief || !options_.unfolding.modes.empty()) return;
    add("model", "Model", picture_of(graphical_model(unfold(model_, options_.unfolding))));
  }

  // the graph of the values is as long as its item
  void take_lengths() {
    UnfoldOptions& u = options_.unfolding;
    if (!u.modes.empty())
      fail(Status::usage, "U006", "values are those of teacher forcing: leave out the modes");
    u.steps = -1;
    u.lengths.clear();
    for (const std::string& name : model_->lengths)
      u.lengths[name] = options_.values->unfolded().length(name);
  }

  UnfoldedPicture picture(GraphPictureOptions options, bool gradient) const {
    if (options_.values == nullptr)
      return unfolded_picture(d_, options_.unfolding, options, gradient);
    const Unfolded& u = options_.values->unfolded();
    options.outputs = options_.values->outputs();
    return {picture_of(u, options), u.graph().size(), edges_of(u.graph().tape())};
  }

  void add_values() {
    std::vector<const Picture*> pictures{&operations_};
    for (const ExplorerScene& s : out_.page.scenes) pictures.push_back(&s.picture);
    GraphValues values = options_.values->values_of(pictures);
    const Tape& tape = options_.values->unfolded().graph().tape();
    const auto add_facts = [&](ExplorerScene& s) {
      for (const PictureNode& n : s.picture.nodes)
        s.facts.push_back(n.source < 0 ? -1 : values.entry[at(n.source)]);
    };
    for (ExplorerScene& s : out_.page.scenes) {
      add_facts(s);
      s.shares = shares_of(s.picture, tape, values);
    }
    const std::vector<double> shares = shares_of(operations_, tape, values);
    for (std::size_t s = 0; s < out_.page.steps.size(); ++s) {
      add_facts(out_.page.steps[s]);
      for (const int e : step_edges_[s]) out_.page.steps[s].shares.push_back(shares[at(e)]);
    }
    out_.page.facts = std::move(values.facts);
  }

  void add_steps() {
    GraphPictureOptions options = options_.picture;
    options.detail = Detail::operations;
    if (options.most_steps == 0) options.most_steps = GraphPictureOptions{}.most_steps;
    if (options_.values != nullptr) options.most_steps = kMostSteps;
    operations_ = picture(options, false).picture;
    for (draw::Step& step : draw::steps_of(operations_)) {
      out_.page.steps.push_back(std::move(step.scene));
      step_edges_.push_back(std::move(step.edges));
    }
  }

  const Definition& d_;
  ExploreOptions options_;
  std::shared_ptr<const ResolvedModel> model_;
  bool has_loss_ = false;
  Picture operations_;                        // of which the steps are parts
  std::vector<std::vector<int>> step_edges_;  // by step: edges of it
  Exploration out_;
};

}  // namespace

Exploration explore(const Definition& d, const ExploreOptions& options) {
  return Explore(d, options).run();
}

}  // namespace taugrad
