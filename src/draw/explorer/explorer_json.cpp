#include "draw/explorer/explorer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <numeric>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "draw/layout/layout.h"
#include "draw/text/path_text.h"
#include "json/json_writer.h"

namespace taugrad::draw {
namespace {

using json::Writer;

std::int64_t tenths(double x) { return std::llround(x * 10); }

/// As many digits as anybody reads.
double told(double v) {
  return std::isfinite(v) ? std::strtod(fmt::format("{:.4g}", v).c_str(), nullptr) : v;
}

/// Texts that repeat, each once.
class Texts {
 public:
  std::int64_t number(const std::string& text) {
    const auto [it, fresh] = numbers_.try_emplace(text, std::ssize(all_));
    if (fresh) all_.push_back(text);
    return it->second;
  }
  void write(Writer& w) const {
    w.begin_array();
    for (const std::string& text : all_) w.value(text);
    w.end_array();
  }

 private:
  std::unordered_map<std::string, std::int64_t> numbers_;
  std::vector<std::string> all_;
};

class SceneJson {
 public:
  explicit SceneJson(const ExplorerScene& scene)
      : scene_(scene), picture_(scene.picture), layout_(lay_out(scene.picture)) {}

  std::string write() {
    w_.begin_object();
    w_.field("title", picture_.title).field("about", picture_.about);
    w_.field("width", tenths(layout_.width)).field("height", tenths(layout_.height));
    w_.field("printed", layout_.printed);
    squares();
    clusters();
    nodes();
    edges();
    w_.key("texts");
    texts_.write(w_);
    w_.key("routes");
    routes_.write(w_);
    w_.end_object();
    return w_.text();
  }

 private:
  template <class F>
  void column(std::string_view name, std::size_t count, F value) {
    w_.key(name).begin_array();
    for (std::size_t i = 0; i < count; ++i) w_.value(value(i));
    w_.end_array();
  }

  /// Of delays, as books print them: x and y in turn.
  void squares() {
    w_.key("squares").begin_array();
    for (std::size_t e = 0; e < picture_.edges.size(); ++e)
      if (picture_.edges[e].square && layout_.printed)
        w_.value(tenths(layout_.edges[e].square.x)).value(tenths(layout_.edges[e].square.y));
    w_.end_array();
  }

  void clusters() {
    w_.key("clusters").begin_array();
    for (std::size_t c = 0; c < picture_.clusters.size(); ++c) {
      const PictureCluster& cluster = picture_.clusters[c];
      const Box& box = layout_.clusters[c];
      w_.begin_object().field("label", cluster.label).field("domain", cluster.domain);
      w_.key("position").begin_array();
      for (const int p : cluster.position) w_.value(p);
      w_.end_array().field("elided", cluster.elided);
      w_.field("x", tenths(box.left())).field("y", tenths(box.top()));
      w_.field("w", tenths(box.width)).field("h", tenths(box.height));
      w_.field("caption", tenths(layout_.captions[c].x)).end_object();
    }
    w_.end_array();
  }

  void nodes() {
    const auto& n = picture_.nodes;
    w_.key("nodes").begin_object();
    column("id", n.size(), [&](std::size_t i) -> std::string_view { return n[i].id; });
    column("name", n.size(), [&](std::size_t i) -> std::string_view { return n[i].name; });
    column("op", n.size(), [&](std::size_t i) { return texts_.number(n[i].op); });
    column("shape", n.size(), [&](std::size_t i) { return texts_.number(n[i].shape); });
    column("title", n.size(), [&](std::size_t i) { return texts_.number(n[i].title); });
    column("role", n.size(), [&](std::size_t i) { return texts_.number(n[i].role); });
    column("kind", n.size(), [&](std::size_t i) { return static_cast<int>(n[i].kind); });
    column("adjoint", n.size(), [&](std::size_t i) { return n[i].order; });
    column("cluster", n.size(), [&](std::size_t i) { return n[i].cluster; });
    column("beside", n.size(), [&](std::size_t i) { return n[i].beside; });
    const auto& box = layout_.nodes;
    column("x", n.size(), [&](std::size_t i) { return tenths(box[i].x); });
    column("y", n.size(), [&](std::size_t i) { return tenths(box[i].y); });
    if (!scene_.facts.empty())
      column("fact", n.size(), [&](std::size_t i) { return scene_.facts[i]; });
    column("w", n.size(), [&](std::size_t i) { return tenths(box[i].width); });
    column("h", n.size(), [&](std::size_t i) { return tenths(box[i].height); });
    w_.end_object();
  }

  void edges() {
    const auto& e = picture_.edges;
    const auto& path = layout_.edges;
    w_.key("edges").begin_object();
    column("from", e.size(), [&](std::size_t i) { return e[i].from; });
    column("to", e.size(), [&](std::size_t i) { return e[i].to; });
    column("kind", e.size(), [&](std::size_t i) { return static_cast<int>(e[i].kind); });
    column("delayed", e.size(), [&](std::size_t i) { return e[i].delayed ? 1 : 0; });
    column("label", e.size(), [&](std::size_t i) { return texts_.number(e[i].label); });
    if (!scene_.shares.empty())
      column("share", e.size(), [&](std::size_t i) { return told(scene_.shares[i]); });
    column("x", e.size(), [&](std::size_t i) { return tenths(path[i].points[0].x); });
    column("y", e.size(), [&](std::size_t i) { return tenths(path[i].points[0].y); });
    column("route", e.size(),
           [&](std::size_t i) { return routes_.number(path_text(path[i], path[i].points[0])); });
    column("label_x", e.size(), [&](std::size_t i) { return tenths(path[i].label.x); });
    column("label_y", e.size(), [&](std::size_t i) { return tenths(path[i].label.y); });
    w_.end_object();
  }

  const ExplorerScene& scene_;
  const Picture& picture_;
  const Layout layout_;
  Texts texts_, routes_;
  Writer w_{0, json::Escape::html};
};

void write_equation(Writer& w, const ExplorerEquation& e) {
  w.begin_object().field("of", e.of).field("text", e.text);
  if (e.line > 0) w.field("file", e.file).field("line", e.line);
  w.key("places").begin_array();
  for (const ExplorerEquation::Place& p : e.places) {
    using Kind = ExplorerEquation::Place::Kind;
    if (p.kind == Kind::any)
      w.null();
    else
      w.value(p.offset + (p.kind == Kind::end ? p.length : 0));
  }
  w.end_array().key("parts").begin_array();
  for (const ExplorerEquation::Part& part : e.parts)
    w.begin_array().value(part.op).value(part.first).value(part.last).end_array();
  w.end_array().end_object();
}

/// [shape, not finite, least, largest, mean, norm, histogram, elements]
void write_tensor(Writer& w, const TensorFacts& t) {
  w.begin_array().begin_array();
  for (const std::int64_t n : t.shape.dims()) w.value(n);
  w.end_array().value(t.not_finite);
  for (const double v : {t.least, t.largest, t.mean, t.norm}) w.value(told(v));
  w.begin_array();
  if (t.elements.empty())  // else the page counts them itself
    for (const std::int64_t n : t.histogram) w.value(n);
  w.end_array().begin_array();
  for (const double v : t.elements) w.value(told(v));
  w.end_array().end_array();
}

}  // namespace

std::string facts_json(const std::vector<NodeFacts>& facts) {
  Writer w(0, json::Escape::html);
  w.begin_array();
  for (const NodeFacts& f : facts) {
    w.begin_array();
    write_tensor(w, f.value);
    if (f.has_gradient)
      write_tensor(w, f.gradient);
    else
      w.null();
    w.value(f.operations).value(f.bytes).end_array();
  }
  w.end_array();
  return w.text();
}

std::string scene_json(const ExplorerScene& scene) { return SceneJson(scene).write(); }

std::vector<std::string> scenes_json(const std::vector<const ExplorerScene*>& scenes) {
  std::vector<std::size_t> order(scenes.size());  // the longest first
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t s) { return scenes[s]->picture.edges.size(); });
  std::vector<std::string> texts(scenes.size());
  std::atomic<std::size_t> begun = 0;
  const auto write = [&] {
    for (std::size_t i = begun++; i < order.size(); i = begun++)
      texts[order[i]] = scene_json(*scenes[order[i]]);
  };
  std::future<void> other;
  try {
    if (scenes.size() > 1) other = std::async(std::launch::async, write);
  } catch (const std::system_error&) {  // no thread is to be had
  }
  write();
  if (other.valid()) other.get();
  return texts;
}

std::string page_json(const Explorer& explorer) {
  Writer w(0, json::Escape::html);
  w.begin_object().field("title", explorer.title).field("about", explorer.about);
  w.field("first", explorer.first);
  const auto list = [&](std::string_view key, const std::vector<ExplorerScene>& scenes) {
    w.key(key).begin_array();
    for (const ExplorerScene& s : scenes) {
      w.begin_object().field("name", s.name).field("label", s.label).field("whole", s.whole);
      w.field("nodes", s.picture.nodes.size()).end_object();
    }
    w.end_array();
  };
  list("scenes", explorer.scenes);
  list("steps", explorer.steps);
  w.key("equations").begin_array();
  for (const ExplorerEquation& e : explorer.equations) write_equation(w, e);
  w.end_array().end_object();
  return w.text();
}

}  // namespace taugrad::draw
