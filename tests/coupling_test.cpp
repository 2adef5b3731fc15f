// Whether the steps of a definition wait for one another.                    (rows S38, S39)
#include "taugrad/analysis/coupling.h"

#include "language_support.h"
#include "support_picture.h"
#include "taugrad/evaluate/describe_plan.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

std::string text_of(const std::string& name, const Modes& modes = {}) {
  return to_text(coupling(load_definition(name), modes));
}

/// Products of the loss and its gradients that have to run one after another.
int levels(const std::string& name, std::int64_t steps, const Modes& modes = {}) {
  return describe_plan(load_definition(name), {.steps = steps, .modes = modes}).levels;
}

std::set<std::pair<std::string, std::string>> edges_of(const Picture& p) {
  const auto id = [&](int n) { return p.nodes[static_cast<std::size_t>(n)].id; };
  std::set<std::pair<std::string, std::string>> edges;
  for (const PictureEdge& e : p.edges) edges.emplace(id(e.from), id(e.to));
  return edges;
}

using Names = std::vector<std::vector<std::string>>;

}  // namespace

TEST_CASE("S39: which case a network is, read off its equations", "[rows]") {
  CHECK(text_of("output_recurrent") ==
        "decoupled in time with y observed: all steps run together, no gradient goes back through "
        "time");
  CHECK(text_of("output_recurrent", {{"y", Mode::sampled}}) ==
        "recurrent through h, o, y: step after step");
  CHECK(coupling(load_definition("output_recurrent"), {{"y", Mode::mixed(0.5)}}).circles ==
        Names{{"h", "o", "y"}});
  CHECK(text_of("elman") == "recurrent through a, h: step after step");
  CHECK(text_of("same_length_output_edges") ==
        "recurrent with y observed through h: step after step");
  CHECK(coupling(load_definition("same_length_output_edges"), {{"y", Mode::greedy}}).circles ==
        Names{{"h", "o", "y"}});
  CHECK(text_of("output_recurrent_deterministic").starts_with("recurrent through h, o"));
  CHECK(text_of("time_delay").starts_with("decoupled in time:"));
  CHECK(coupling(load_definition("bidirectional")).circles == Names{{"h"}, {"g"}});
  CHECK(coupling(load_definition("attention")).decoupled() == false);
  CHECK(text_of("logistic_regression").empty());
}

TEST_CASE("S39: a likelihood that is read back is not cut by data", "[rows]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "weights": {"w": []}, "equations": [
    "h[t] = w * nll(y[t-1])", "y[t] ~ bernoulli(logits = h[t])"])j");
  CHECK(coupling(d).circles == Names{{"h", "y"}});
}

TEST_CASE("S39: decoupled, all steps run as one batch: as many products in a row for any length",
          "[rows]") {
  for (const char* name : {"output_recurrent", "time_delay"})
    for (const std::int64_t steps : {5, 50}) {
      CAPTURE(name, steps);
      CHECK(levels(name, steps) == levels(name, 3));
    }
  CHECK(levels("elman", 50) > levels("elman", 5) + 45);
  CHECK(levels("output_recurrent", 50, {{"y", Mode::sampled}}) >=
        levels("output_recurrent", 5, {{"y", Mode::sampled}}) + 45);
}

TEST_CASE("S38: two wirings of one model differ in the edges o(t) -> y(t) only", "[rows]") {
  for (const char* name : {"output_recurrent", "same_length_output_edges"})
    for (const int tau : {2, 4, 7}) {
      CAPTURE(name, tau);
      const Definition d = load_definition(name);
      const GraphPictureOptions how{.detail = Detail::operations, .most_steps = 0};
      const Picture train = picture_of(unfold(d, {.steps = tau}), how);
      const Picture test =
          picture_of(unfold(d, {.steps = tau, .modes = {{"y", Mode::sampled}}}), how);
      const auto ids = [](const Picture& p, bool parameters) {
        std::set<std::string> all;
        for (const PictureNode& n : p.nodes)
          if (!parameters || n.kind == NodeKind::weight || n.kind == NodeKind::copy)
            all.insert(n.id);
        return all;
      };
      CHECK(ids(train, true) == ids(test, true));
      CHECK(ids(train, false) == ids(test, false));
      const auto before = edges_of(train), after = edges_of(test);
      std::set<std::pair<std::string, std::string>> more, fewer;
      std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                          std::inserter(more, more.end()));
      std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                          std::inserter(fewer, fewer.end()));
      CHECK(fewer.empty());
      // tau - 1 of them close the loop: the step after reads y(t); nothing reads the last one
      int feedback = 0, last = 0;
      for (const auto& [from, to] : more) {
        const std::string t = from.substr(from.find('_') + 1);
        CHECK(from == "o_" + t);
        CHECK(to == "y_" + t);
        bool read_on = false;
        for (const auto& [source, reader] : after)
          read_on = read_on || (source == to && !reader.starts_with("nll") && reader != "loss");
        (read_on ? feedback : last) += 1;
      }
      CHECK(feedback == tau - 1);
      CHECK(last == 1);
    }
}
