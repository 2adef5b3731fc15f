// Rows S15, S20 and S26-S34: forward pass and gradients of the recurrent net (eq 7-25) on the
// reference net and on random ones.
#include "reference_net.h"
#include "taugrad/autodiff/gradient.h"
#include "taugrad/ops/ops.h"
#include "taugrad/reference/interpreter.h"
#include "taugrad/unfold/unfold.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

const char* const kNames[] = {"U", "W", "V", "b", "c"};

Definition elman() { return load_definition("elman"); }

/// The reference net evaluated; h[0] and yhat come with it.
Tensors reference_values(std::vector<std::string> fetch) {
  Definition d = elman();
  d.equation("yhat[t] = softmax(o[t])");
  return evaluate(d, reference_inputs(), reference_weights(), std::move(fetch));
}

void check_list(const std::vector<double>& got, const std::vector<double>& want,
                double tolerance = 1e-14) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(got[i] == Approx(want[i]).margin(tolerance).epsilon(0));
}

/// A random net of the form of eq 7-10, with its data.
struct RandomNet {
  Definition definition = elman();
  Tensors weights, inputs;
  explicit RandomNet(std::uint64_t seed) {
    const std::int64_t n = 1 + static_cast<std::int64_t>(seed % 3),
                       m = 1 + static_cast<std::int64_t>(seed / 3 % 5),
                       k = 2 + static_cast<std::int64_t>(seed / 7 % 3);
    for (auto& s : definition.sizes) s.value = s.name == "n" ? n : s.name == "m" ? m : k;
    const DrawOptions draw{.steps = 1 + static_cast<std::int64_t>(seed % 9), .seed = seed};
    weights = initial_weights(definition, draw);
    weights["b"] = sines({m}, 0.5, static_cast<double>(seed), 1, 0);
    weights["c"] = sines({k}, 0.5, static_cast<double>(seed) + 1, 1, 0);
    inputs = random_inputs(definition, draw);
  }
  Tensors generic() const {
    return evaluate(definition, inputs, weights,
                    {"grad:U", "grad:W", "grad:V", "grad:b", "grad:c", "grad:h[0]", "loss"});
  }
};

double worst_difference(const RandomNet& net, Mutant mutant) {
  const Tensors generic = net.generic();
  const ClosedForm closed(net.weights, net.inputs, mutant);
  double worst = distance(generic.at("grad:h[0]"), closed.gradients.at("h0"));
  for (const char* name : kNames)
    worst = std::max(worst,
                     distance(generic.at(std::string("grad:") + name), closed.gradients.at(name)));
  return worst;
}

}  // namespace

TEST_CASE("S20: the forward pass of the reference net (eq 7-13)", "[rows]") {
  const Tensors v = reference_values({"loss", "nll:y", "h", "yhat", "a", "o"});
  check_list(values_of(v.at("loss")), {5.22697371744635});
  check_list(values_of(v.at("nll:y")),
             {1.09123914638304, 1.68773424473420, 1.29601111219651, 1.15198921413260});
  check_list(values_of(part(v.at("h"), 0, 3, 4)),
             {-0.467316581387232, 0.0903297536587495, -0.189792421110959});
  check_list(values_of(part(v.at("yhat"), 0, 3, 4)),
             {0.316007537088874, 0.330612677632437, 0.353379785278688});
  for (std::int64_t i = 0; i < 12; ++i)
    CHECK(v.at("h").at(i) == Approx(std::tanh(v.at("a").at(i))).epsilon(1e-15));
}

TEST_CASE("S20: softmax of logits of 1e4 gives no NaN", "[rows]") {
  const Definition d = define(
      R"j("inputs": {"o": [3]}, "equations": ["p = softmax(o)", "y ~ categorical(logits = o)"])j");
  const Tensors inputs{{"o", numbers({2, 3}, {1e4, -1e4, 0, -1e4, -1e4, -1e4})},
                       {"y", symbols({2}, {1, 2})}};
  const Tensors v = evaluate(d, inputs, {}, {"p", "loss", "grad:o"});
  check_values(v.at("p"), {2, 3}, {1, 0, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3});
  check_values(v.at("loss"), {2}, {2e4, std::log(3)}, 1e-11);
  check_values(v.at("grad:o"), {2, 3}, {1, -1, 0, 1.0 / 3, 1.0 / 3, -2.0 / 3});
}

TEST_CASE("S26-S34: the gradients of the reference net (eq 16-25)", "[rows]") {
  const Tensors v =
      reference_values({"grad:W", "grad:U", "grad:V", "grad:b", "grad:c", "grad:h[0]", "grad:W[1]",
                        "grad:W[2]", "grad:W[3]", "grad:W[4]", "grad:h", "grad:nll:y"});
  check_list({norm(v.at("grad:W")), norm(v.at("grad:U")), norm(v.at("grad:V"))},
             {0.1623717911401558, 1.327687459038282, 1.317155399649028});
  check_list({norm(v.at("grad:b")), norm(v.at("grad:c")), norm(v.at("grad:h[0]"))},
             {0.3539505100525237, 0.9107829074268956, 0.02800160410971609});
  std::vector<double> first;
  for (const char* name : {"grad:W", "grad:U", "grad:V", "grad:b", "grad:c", "grad:h[0]"})
    first.push_back(v.at(name).at(0));
  check_list(first, {-0.06237122290696699, 0.2199179260374326, 0.3466956519646505,
                     -0.01962553736763041, -0.7350843452592284, 0.02216995228827931});
  std::vector<double> copies, states;
  for (std::int64_t t = 0; t < 4; ++t) {
    copies.push_back(norm(v.at("grad:W[" + std::to_string(t + 1) + "]")));
    states.push_back(norm(part(v.at("grad:h"), 0, t, t + 1)));
  }
  check_list(copies, {0, 0.2699948205333, 0.329071056493985, 0.29148744410301}, 1e-13);
  check_list(states, {0.285770095201325, 0.912584836313395, 0.595996294260453, 0.416146632041394});
}

TEST_CASE("S26: dL/dL(t) is exactly 1 (eq 16)", "[rows]") {
  check_same(reference_values({"grad:nll:y"}).at("grad:nll:y"), series({1, 1, 1, 1}));
}

TEST_CASE("S27: the gradient at o(t) is yhat - 1_y (eq 17), also of separate softmax, log and pick",
          "[rows]") {
  const Tensors v = reference_values({"grad:o", "yhat"});
  Tensor want = v.at("yhat");
  for (std::int64_t t = 0; t < 4; ++t) want.set(t * 3 + t % 3, want.at(t * 3 + t % 3) - 1);
  check_near(v.at("grad:o"), want, 1e-15);
  Definition apart = elman();
  apart.equation("yhat[t] = softmax(o[t])");
  apart.equation("L[t] = -sum(log(yhat[t]) * one_hot(y[t], k))");
  apart.loss_term("L[t]");
  const Tensors w =
      evaluate(apart, reference_inputs(), reference_weights(), {"grad:o", "loss", "grad:L"});
  check_near(w.at("grad:o"), want, 1e-13);
  check_values(w.at("loss"), {1}, {5.22697371744635});
  check_same(w.at("grad:L"), series({1, 1, 1, 1}));
}

TEST_CASE("S28: at the last step the gradient at h is V^T times that at o (eq 18)", "[rows]") {
  const Tensors v = reference_values({"grad:o", "grad:h"});
  const Tensor V = reference_weights().at("V"), last = part(v.at("grad:h"), 0, 3, 4);
  for (std::int64_t j = 0; j < 3; ++j) {
    double sum = 0;
    for (std::int64_t i = 0; i < 3; ++i) sum += V.at(i * 3 + j) * v.at("grad:o").at(9 + i);
    CHECK(last.at(j) == Approx(sum).margin(1e-15).epsilon(0));
  }
}

TEST_CASE("S29: at each earlier step the gradient at h(t) has two terms (eq 19-20)", "[rows]") {
  const Unfolded u = unfold(elman(), {.steps = 4});
  Vars states;
  for (int t = 1; t <= 4; ++t) states.push_back(u.at("h", t));
  const Gradients g = gradient(u.loss(), states);
  const ClosedForm closed(reference_weights(), reference_inputs());
  for (int t = 1; t <= 4; ++t) {
    const auto edges = g.edges(u.at("h", t));
    REQUIRE(edges.size() == (t == 4 ? 1u : 2u));
    Vars outputs{g.of(u.at("h", t))};
    std::vector<std::string> users;
    for (const EdgeContribution& e : edges) {
      outputs.push_back(e.value);
      users.emplace_back(u.graph().tape().name(e.user));
    }
    std::sort(users.begin(), users.end());
    CHECK(users == (t == 4 ? std::vector<std::string>{"o"} : std::vector<std::string>{"a", "o"}));
    std::vector<NodeId> ids;
    for (const Var& v : outputs) ids.push_back(v.id);
    Interpreter<double> interpreter(u.graph().tape(), ids);
    interpreter.set_batch({}, 1);
    const Tensors weights = reference_weights(), inputs = reference_inputs();
    for (const NodeId leaf : interpreter.leaves()) {
      const std::string name(u.graph().tape().name(leaf));
      const Tensor& from = weights.contains(name) ? weights.at(name) : inputs.at(name);
      const auto to = interpreter.leaf(leaf);
      const auto index = u.graph().tape().index(leaf);
      const std::int64_t start =
          weights.contains(name) ? 0 : (index[0] - 1) * static_cast<std::int64_t>(to.size());
      for (std::size_t i = 0; i < to.size(); ++i)
        to[i] = from.at(start + static_cast<std::int64_t>(i));
    }
    interpreter.run();
    for (std::size_t i = 0; i < 3; ++i) {
      double sum = 0;
      for (std::size_t e = 1; e < ids.size(); ++e) sum += interpreter.value(ids[e])[i];
      CHECK(interpreter.value(ids[0])[i] == sum);
      CHECK(sum == Approx(closed.dh[static_cast<std::size_t>(t - 1)][i]).margin(1e-15).epsilon(0));
    }
  }
}

TEST_CASE("S29: generic backpropagation equals the closed form on 100 random nets", "[rows]") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    CHECK(worst_difference(RandomNet(seed), Mutant::none) <= 1e-12);
  }
}

TEST_CASE("S29: every mutant of the closed form is told from it, the literal eq 20 too", "[rows]") {
  for (const Mutant mutant :
       {Mutant::literal_eq20, Mutant::no_recurrence, Mutant::previous_state,
        Mutant::current_in_eq24, Mutant::sign_of_target, Mutant::no_last_step}) {
    CAPTURE(static_cast<int>(mutant));
    const ClosedForm right(reference_weights(), reference_inputs()),
        wrong(reference_weights(), reference_inputs(), mutant);
    double worst = 0;
    for (const char* name : kNames)
      worst = std::max(worst, distance(right.gradients.at(name), wrong.gradients.at(name)));
    CHECK(worst > 1e-3);
  }
  // by how much the equation as printed is wrong, and that V and c do not show it
  const ClosedForm right(reference_weights(), reference_inputs()),
      literal(reference_weights(), reference_inputs(), Mutant::literal_eq20);
  const auto error = [&](const char* name) {
    return distance(right.gradients.at(name), literal.gradients.at(name));
  };
  check_list({error("W"), error("U"), error("b"), error("h0")}, {2.0e-2, 7.7e-2, 1.2e-2, 9.0e-3},
             1e-3);
  CHECK(error("V") == 0);
  CHECK(error("c") == 0);
}

TEST_CASE(
    "S30: the copies' gradients sum to the weight's, bit for bit in the reference interpreter",
    "[rows]") {
  for (const char* name : {"elman", "lstm", "gru", "bidirectional"}) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    const Unfolded u = unfold(
        d, {.steps = 4,
            .cotangents = unfold(d, {.steps = 1}).has_loss() ? std::vector<std::string>{}
                                                             : std::vector<std::string>{"h"}});
    const Tape& tape = u.graph().tape();
    const auto copies = u.copies("W").empty() ? u.copies("W_hh") : u.copies("W");
    const Var weight = u.copies("W").empty() ? u.weight("W_hh") : u.weight("W");
    REQUIRE(copies.size() == 4);
    Vars wrt{weight};
    for (const auto& [label, copy] : copies) wrt.push_back(copy);
    const Gradients g = gradient(u.loss(), wrt);
    // the sum runs from the last edge out of the weight to the first
    std::vector<NodeId> outputs{g.of(weight).id};
    for (const EdgeContribution& e : g.edges(weight)) outputs.push_back(e.value.id);
    std::reverse(outputs.begin() + 1, outputs.end());
    REQUIRE(outputs.size() == 5);
    Interpreter<double> interpreter(tape, outputs);
    interpreter.set_batch({}, 2);
    int start = 0;
    for (const NodeId leaf : interpreter.leaves()) {
      const auto to = interpreter.leaf(leaf);
      const std::int64_t category = category_size(u.graph().tape().var(leaf));
      for (double& v : to)
        ++start, v = category > 0 ? static_cast<double>(start % category) : std::sin(start);
    }
    interpreter.run();
    const auto whole = interpreter.value(outputs[0]);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      double sum = interpreter.value(outputs[1])[i];
      for (std::size_t t = 2; t < outputs.size(); ++t) sum += interpreter.value(outputs[t])[i];
      CHECK(whole[i] == sum);
      CHECK(whole[i] != 0);
    }
  }
}

TEST_CASE("S30: and to 1e-12 in the executor, for LSTM, GRU, bidirectional nets and ragged batches",
          "[rows]") {
  for (const char* name : {"elman", "lstm", "gru", "bidirectional", "stacked_bidirectional_lstm"}) {
    CAPTURE(name);
    const Definition d = load_definition(name);
    const DrawOptions draw{.steps = 5, .batch = 3, .seed = 3};
    Tensors inputs = random_inputs(d, draw);
    inputs["lengths"] = symbols({3}, {5, 0, 3});
    const Tensors weights = initial_weights(d, draw);
    if (!unfold(d, {.steps = 1}).has_loss()) {
      const std::string out = d.name == "stacked_bidirectional_lstm" ? "o" : "h";
      inputs["cotangent:" + out] = evaluate_one(d, inputs, weights, out);
    }
    for (const auto& [weight, tensor] : weights) {
      std::vector<std::string> fetch{"grad:" + weight};
      for (int t = 1; t <= 5; ++t)
        fetch.push_back("grad:" + weight + "[" + std::to_string(t) + "]");
      const Tensors v = evaluate(d, inputs, weights, fetch);
      Tensor sum = v.at(fetch[1]);
      for (std::size_t t = 2; t < fetch.size(); ++t) sum = plus(sum, v.at(fetch[t]));
      check_near(v.at(fetch[0]), sum, 1e-12);
    }
  }
}

TEST_CASE("S31-S34: every entry of dc, db, dV, dW, dU and dx equals a four-point difference",
          "[rows]") {
  const Tensors weights = reference_weights(), inputs = reference_inputs();
  const Tensors v = reference_values({"grad:U", "grad:W", "grad:V", "grad:b", "grad:c", "grad:x"});
  const auto loss = [&](const Tensors& w, const Tensors& in) {
    return evaluate_one(elman(), in, w, "loss").at(0);
  };
  const auto check_entry = [&](const std::string& name, std::int64_t i, bool of_input) {
    const double h = 1e-3;
    double sum = 0;
    for (const auto& [shift, factor] : {std::pair{-2, 1.0}, {-1, -8.0}, {1, 8.0}, {2, -1.0}}) {
      Tensors w = weights, in = inputs;
      Tensor& t = of_input ? in.at(name) : w.at(name);
      t.set(i, t.at(i) + shift * h);
      sum += factor * loss(w, in);
    }
    CHECK(v.at("grad:" + name).at(i) == Approx(sum / (12 * h)).epsilon(1e-9).margin(2e-11));
  };
  for (const char* name : kNames)
    for (std::int64_t i = 0; i < weights.at(name).size(); ++i) check_entry(name, i, false);
  for (std::int64_t i = 0; i < inputs.at("x").size(); ++i) check_entry("x", i, true);
}
