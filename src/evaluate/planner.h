#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "evaluate/leaves/bind.h"
#include "language/resolve/resolved_model.h"
#include "plan/family/family.h"
#include "rewrite/chunks/chunks.h"
#include "taugrad/runtime/executor.h"
#include "taugrad/unfold/unfold.h"
#include "unfold/levels.h"

/// From a definition to what runs, for sequences of any length.
namespace taugrad::runtime {

/// What is asked of an unfolded model.
struct Asked {
  std::vector<NodeId> outputs;
  /// What the outputs stand for, as numbers: rows that go on from step to step as the graph does.
  std::vector<plan::Table> lists = {};
  NodeId forward_end = -1;  ///< the last node before those of a gradient; -1: there is none
};

/// A plan, and what its numbers stand for. The graph is not kept.
template <class S>
struct Made {
  std::unique_ptr<const plan::Plan<S>> plan;
  std::vector<Source> sources;  ///< of its leaves
  std::vector<plan::Table> lists;
  std::vector<std::int64_t> longest;  ///< by length: what any set of items asks for
  std::int64_t nodes = 0;             ///< of the graph
  bool by_law = false;  ///< the graph was not built: its plan goes on as those of short ones do
  std::vector<ChunkedStates> chunked = {};  ///< recurrences that run in chunks
};
/// The same, ready to run.
template <class S>
struct Planned : Made<S> {
  Planned(Made<S> made, const ExecutorOptions& options)
      : Made<S>(std::move(made)), executor(std::move(this->plan), options) {}
  Executor<S> executor;
};

/// Plans what is asked of a model, for one length after another.
template <class S>
class Planner {
 public:
  using Ask = std::function<Asked(const Unfolded&)>;

  /// @param reach  of what is asked: the largest number that a position is given by
  /// @param options  without `checkpoint`, which `again` stands for: values are computed again for
  ///                 the gradient
  /// @param asked  names of variables whose values or gradients are asked for
  Planner(std::shared_ptr<const ResolvedModel> model, Ask ask, ExecutorOptions options, bool again,
          std::int64_t reach = 0, std::set<std::string> asked = {});

  /// @param levels  of the trees of a batch (LevelRows): 0 runs step by step
  Made<S> make(const UnfoldOptions& unfolding, std::int64_t levels = 0);
  Planned<S> plan(const UnfoldOptions& unfolding, std::int64_t levels = 0) {
    return {make(unfolding, levels), options_};
  }
  /// What runs level by level where nothing that is asked for forbids it; the pass may be left out.
  const std::optional<LevelCircle>& circle() const { return circle_; }
  /// Chunks are asked for, and no plan has any.
  bool lacks_chunks() const { return options_.engine.chunk > 0 && !has_chunks_; }

 private:
  struct Growing {  ///< lengths that grow together
    std::vector<std::size_t> lengths;
    std::int64_t least = 0;              ///< of them
    std::vector<std::int64_t> as_asked;  ///< by length
  };
  using Key = std::pair<bool, std::vector<std::int64_t>>;

  Growing growing(const UnfoldOptions& unfolding) const;
  static Key key_of(const UnfoldOptions& unfolding, const Growing& growing);
  plan::Request request(UnfoldOptions unfolding, const Growing& growing, std::int64_t length) const;
  std::optional<Made<S>> by_law(const UnfoldOptions& unfolding);
  std::optional<Made<S>> chunked(const UnfoldOptions& unfolding) const;
  Made<S> whole(const UnfoldOptions& unfolding, std::int64_t levels) const;
  Made<S> made_of(const Unfolded& u, const UnfoldOptions& unfolding) const;

  std::shared_ptr<const ResolvedModel> model_;
  Ask ask_;
  ExecutorOptions options_;
  bool again_, has_chunks_ = false;
  std::int64_t reach_;
  std::set<std::string> asked_;
  std::optional<LevelCircle> circle_;
  std::map<Key, plan::Family<S>> families_;
};

}  // namespace taugrad::runtime
