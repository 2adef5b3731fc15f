// Pictures of long graphs whose middle is left out: drawn from a short graph with the same ends.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "base/fail.h"
#include "base/limits.h"
#include "base/system/memory_limit.h"
#include "draw/pictures/scan.h"
#include "language/resolve/resolved_model.h"
#include "taugrad/draw/graph_picture.h"
#include "unfold/graph_size.h"

namespace taugrad {
namespace {

constexpr double kSmallGraph = 100'000;  // nodes: drawn from the whole of it
// bytes a node of the graph: of a picture that leaves out the middle, and of one that does not
constexpr double kThinPicture = 60, kWholePicture = 650;
constexpr std::size_t kMostSamples = 100;

std::int64_t edges_of(const Tape& tape) {
  std::int64_t edges = 0;
  for (NodeId id = 0; id < tape.size(); ++id) edges += std::ssize(tape.inputs(id));
  return edges;
}

/// A length that the short graph cuts.
struct LongLength {
  std::string name;
  std::int64_t whole = 0, brief = 0;
  int degree = 0;  ///< counts are polynomials in the length, of this degree
};

/// Nodes and edges.
using Counts = std::array<double, 2>;

class LongPicture {
 public:
  LongPicture(std::shared_ptr<const ResolvedModel> model, const UnfoldOptions& unfolding,
              const GraphPictureOptions& options, bool gradient)
      : model_(std::move(model)), unfolding_(unfolding), options_(options), gradient_(gradient) {}

  UnfoldedPicture draw() {
    size_ = graph_size(*model_, unfolding_);
    if (gradient_) size_ = size_.with_gradient();
    if (size_.nodes > kSmallGraph && can_be_cut()) {
      find_long_lengths();
      if (!long_.empty() && samples() <= kMostSamples && settle_detail() && count())
        return draw_brief();
    }
    return draw_whole();
  }

 private:
  // a mode that counts positions has no middle that repeats
  bool can_be_cut() const {
    return options_.most_steps > 0 && !unfolding_.ragged &&
           std::ranges::none_of(unfolding_.modes, [](const auto& mode) {
             return mode.second.kind == Mode::Kind::forced;
           });
  }

  UnfoldedPicture draw_whole() const {
    require_memory(
        "drawing",
        {{fmt::format("a graph of about {:.3g} nodes", size_.nodes), size_.graph_bytes()},
         {"its picture", size_.nodes * (options_.most_steps > 0 ? kThinPicture : kWholePicture)}});
    return drawn(unfolding_, options_);
  }

  UnfoldedPicture drawn(const UnfoldOptions& unfolding, const GraphPictureOptions& options) const {
    const Unfolded u = unfold(model_, unfolding);
    Picture picture = gradient_ ? gradient_picture_of(u, options) : picture_of(u, options);
    return {std::move(picture), u.graph().size(), edges_of(u.graph().tape())};
  }

  UnfoldedPicture draw_brief() const {
    if (counts_[0] > static_cast<double>(limits::kUnfoldedNodes))
      fail(Status::bad_input, "G022", "unfolding takes {:.0f} nodes, more than {}", counts_[0],
           limits::kUnfoldedNodes);
    UnfoldOptions brief = shortened([](const LongLength& l) { return l.brief; });
    for (const LongLength& l : long_) brief.stands_for[l.name] = l.whole;
    GraphPictureOptions options = options_;
    options.detail = detail_;
    UnfoldedPicture result = drawn(brief, options);
    result.nodes = std::llround(counts_[0]);
    result.edges = std::llround(counts_[1]);
    if (options.about.empty())
      result.picture.about = draw::about_text(result.nodes, result.picture);
    return result;
  }

  /// What Detail::automatic comes to; false where the steps of a maximum would be drawn, which
  /// are as many as its length.
  bool settle_detail() {
    detail_ = options_.detail;
    const bool chains = has_long_maximum();
    if (detail_ == Detail::automatic) {
      GraphPictureOptions options = options_;
      options.detail = Detail::operations;
      const Picture p =
          drawn(shortened([](const LongLength& l) { return l.brief; }), options).picture;
      const bool small = p.clusters.empty() || p.nodes.size() <= draw::kSmallPicture;
      detail_ = small && !chains ? Detail::operations : Detail::values;
    }
    return detail_ == Detail::values || detail_ == Detail::variables || !chains;
  }

  bool has_long_maximum() const {
    return std::ranges::any_of(model_->blocks, [&](const Block& block) {
      const bool chains =
          block.reduction == "max" || block.reduction == "min" || block.reduction == "prod";
      return chains && std::ranges::any_of(block.over, [&](int index) {
               const auto length =
                   static_cast<std::size_t>(model_->index_length[static_cast<std::size_t>(index)]);
               return std::ranges::any_of(
                   long_, [&](const LongLength& l) { return l.name == model_->lengths[length]; });
             });
    });
  }

  UnfoldOptions shortened(const std::function<std::int64_t(const LongLength&)>& length) const {
    UnfoldOptions brief = unfolding_;
    const std::vector<std::int64_t> lengths = lengths_of(*model_, unfolding_);
    brief.lengths.clear();
    brief.progress = {};
    for (std::size_t l = 0; l < lengths.size(); ++l)
      if (model_->fixed_lengths[l] < 0) brief.lengths[model_->lengths[l]] = lengths[l];
    for (const LongLength& l : long_) brief.lengths[l.name] = length(l);
    return brief;
  }

  /// How far from an end of a length a position may still differ from those in the middle.
  std::int64_t reach() const {
    std::int64_t offset = 0, number = 0;
    const auto note = [&](const At& p) {
      std::int64_t& most = p.kind == Place::Kind::number ? number : offset;
      most = std::max<std::int64_t>(most, std::abs(std::int64_t{p.offset}));
    };
    for (const Block& block : model_->blocks)
      for (const Slot& slot : block.slots) std::ranges::for_each(slot.places, note);
    for (const Rule& rule : model_->rules) std::ranges::for_each(rule.places, note);
    return offset + number;
  }

  /// What is far from its ends in one length may be near to them in another: no shorter graph
  /// stands for such a one.
  bool computes_positions() const {
    const auto derived = [](const auto& form) { return form != nullptr; };
    return std::ranges::any_of(model_->derived, derived) ||
           std::ranges::any_of(model_->blocks, [](const Block& block) {
             return std::ranges::any_of(block.slots, [](const Slot& slot) {
               return std::ranges::any_of(
                   slot.places, [](const At& p) { return p.kind == Place::Kind::computed; });
             });
           });
  }

  void find_long_lengths() {
    if (computes_positions()) return;
    const std::vector<std::int64_t> lengths = lengths_of(*model_, unfolding_);
    const std::int64_t brief = 2 * (reach() + options_.most_steps) + 4;
    for (std::size_t l = 0; l < lengths.size(); ++l) {
      const int degree = degree_in(static_cast<int>(l));
      if (model_->fixed_lengths[l] < 0 && lengths[l] > brief + degree + 1)
        long_.push_back({model_->lengths[l], lengths[l], brief, degree});
    }
    // of two lengths the longer stays the longer: steps are unfolded in turn
    std::ranges::stable_sort(long_, {}, &LongLength::whole);
    for (std::size_t l = 1; l < long_.size(); ++l)
      long_[l].brief =
          long_[l - 1].brief + std::min(long_[l].whole - long_[l - 1].whole, brief / 2);
  }

  /// How many indices of a length an equation has, those of its reductions included.
  int degree_in(int length) const {
    const auto count = [&](const std::vector<int>& letters) {
      return static_cast<int>(std::ranges::count_if(letters, [&](int index) {
        return model_->index_length[static_cast<std::size_t>(index)] == length;
      }));
    };
    int most = 1;
    for (const Rule& rule : model_->rules) {
      int own = count(rule.letters);
      for (const int block : rule.reductions)
        own += count(model_->blocks[static_cast<std::size_t>(block)].over);
      most = std::max(most, own);
    }
    for (const LossTerm& term : model_->loss) most = std::max(most, count(term.letters) + 1);
    return most;
  }

  std::size_t samples() const {
    std::size_t product = 1;
    for (const LongLength& l : long_) product *= static_cast<std::size_t>(l.degree) + 1;
    return product;
  }

  Counts counted(const UnfoldOptions& unfolding) const {
    const UnfoldedPicture p = drawn(unfolding, options_);
    return {static_cast<double>(p.nodes), static_cast<double>(p.edges)};
  }

  /// The counts of the whole, from those of short graphs; false where one more of them contradicts.
  bool count() {
    std::vector<Counts> grid;
    std::vector<int> more(long_.size(), 0);
    for (std::size_t i = 0; i < samples(); ++i) {
      grid.push_back(counted(shortened_by(more)));
      for (std::size_t l = long_.size(); l-- > 0;) {
        if (++more[l] <= long_[l].degree) break;
        more[l] = 0;
      }
    }
    const auto at = [&](const std::function<double(const LongLength&)>& past_brief) {
      Counts result;
      for (std::size_t which = 0; which < result.size(); ++which) {
        std::vector<double> values;
        for (const Counts& c : grid) values.push_back(c[which]);
        for (std::size_t l = long_.size(); l-- > 0;)
          values = followed(values, long_[l].degree, past_brief(long_[l]));
        result[which] = values.front();
      }
      return result;
    };
    std::vector<int> next;
    for (const LongLength& l : long_) next.push_back(l.degree + 1);
    if (at([](const LongLength& l) { return l.degree + 1.0; }) != counted(shortened_by(next)))
      return false;
    counts_ = at([](const LongLength& l) { return static_cast<double>(l.whole - l.brief); });
    return true;
  }

  UnfoldOptions shortened_by(const std::vector<int>& more) const {
    return shortened([&](const LongLength& l) {
      return l.brief + more[static_cast<std::size_t>(&l - long_.data())];
    });
  }

  /// Newton's forward differences along the last axis of a grid: the values `n` steps past its
  /// first ones.
  static std::vector<double> followed(const std::vector<double>& grid, int degree, double n) {
    const auto width = static_cast<std::size_t>(degree) + 1;
    std::vector<double> result;
    for (std::size_t first = 0; first < grid.size(); first += width) {
      std::vector<double> d(grid.begin() + static_cast<std::ptrdiff_t>(first),
                            grid.begin() + static_cast<std::ptrdiff_t>(first + width));
      double value = 0, binomial = 1;
      for (std::size_t k = 0; k < width; ++k) {
        value += binomial * d[0];
        for (std::size_t i = 0; i + 1 < d.size(); ++i) d[i] = d[i + 1] - d[i];
        d.pop_back();
        binomial *= (n - static_cast<double>(k)) / (static_cast<double>(k) + 1);
      }
      result.push_back(value);
    }
    return result;
  }

  std::shared_ptr<const ResolvedModel> model_;
  const UnfoldOptions& unfolding_;
  const GraphPictureOptions& options_;
  bool gradient_;
  GraphSize size_;
  std::vector<LongLength> long_;
  Counts counts_ = {};
  Detail detail_ = Detail::automatic;
};

}  // namespace

UnfoldedPicture unfolded_picture(const Definition& d, const UnfoldOptions& unfolding,
                                 const GraphPictureOptions& options, bool gradient) {
  return LongPicture(resolve(d), unfolding, options, gradient).draw();
}

}  // namespace taugrad
