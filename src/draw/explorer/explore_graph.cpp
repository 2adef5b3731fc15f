// Which pictures a page of a graph holds.
#include <algorithm>

#include "draw/explorer/explore.h"
#include "taugrad/autodiff/loss.h"
#include "taugrad/base/error.h"
#include "taugrad/draw/folded_picture.h"
#include "taugrad/fold/fold.h"

namespace taugrad {
namespace {

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
    const int most = options_.most_steps > 0 ? options_.most_steps : WriteOptions{}.most_steps;
    for (draw::Step& step : draw::steps_of(picture(View::unfolded, Detail::operations, most)))
      page_.steps.push_back(std::move(step.scene));
  }

  const Graph& graph_;
  const WriteOptions& options_;
  Explorer page_;
  std::size_t first_ = 0;
};

}  // namespace

Explorer explore(const Graph& graph, const WriteOptions& options) {
  return ExploreGraph(graph, options).run();
}

}  // namespace taugrad
