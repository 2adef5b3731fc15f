// Segments of a sequence give the bits of the whole.                             (language.md R19)
#include "unfold/segments.h"

#include <fmt/format.h>

#include "language/resolve/resolved_model.h"
#include "support_errors.h"
#include "support_segments.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

constexpr std::int64_t kSteps = 11;

/// The length that is cut, and the axis of a tensor along it.
struct Cut {
  std::shared_ptr<const ResolvedModel> model;
  std::string length;
  int axis(const std::string& fetch) const {
    const std::string name = fetch.starts_with("nll:") ? fetch.substr(4) : fetch;
    const Symbol& s = model->symbols[static_cast<std::size_t>(model->find(name))];
    for (std::size_t a = 0; a < s.axes.size(); ++a)
      if (model->lengths[static_cast<std::size_t>(
              model->index_length[static_cast<std::size_t>(s.axes[a])])] == length)
        return static_cast<int>(a);
    return -1;
  }
};

Cut cut_of(const Definition& d, const Handed& h) {
  SegmentRequest r;
  for (const std::string& f : h.fetch)
    (f.starts_with("nll:") ? r.likelihoods : r.values)
        .push_back(f.starts_with("nll:") ? f.substr(4) : f);
  const auto model = resolve(d);
  return {model, Segments(model, r).length_name()};
}

/// Positions from..to of an axis.
Tensor part(const Tensor& t, int axis, std::int64_t from, std::int64_t to) {
  if (axis < 0) return t;
  Dims dims = t.dims();
  std::int64_t before = 1, after = 1;
  for (int a = 0; a < axis; ++a) before *= dims[static_cast<std::size_t>(a)];
  for (std::size_t a = static_cast<std::size_t>(axis) + 1; a < dims.size(); ++a) after *= dims[a];
  const std::int64_t n = dims[static_cast<std::size_t>(axis)];
  dims[static_cast<std::size_t>(axis)] = to - from;
  Tensor out(dims, t.dtype());
  for (std::int64_t b = 0; b < before; ++b)
    for (std::int64_t p = from; p < to; ++p)
      for (std::int64_t a = 0; a < after; ++a)
        out.set((b * (to - from) + p - from) * after + a, t.at((b * n + p) * after + a));
  return out;
}

Tensors parts(const Cut& cut, const Tensors& inputs, std::int64_t from, std::int64_t to) {
  Tensors out;
  for (const auto& [name, t] : inputs)
    if (!name.starts_with("lengths") && name != "item")
      out[name] = part(t, cut.axis(name), from, to);
  return out;
}

}  // namespace

TEST_CASE("segments of any size give the bits of the whole sequence") {
  for (const Handed& h : handed_on()) {
    const Definition d = define(h.body);
    const Cut cut = cut_of(d, h);
    DrawOptions draw{.steps = kSteps, .batch = 3, .seed = 5};
    if (cut.model->lengths.size() > 1 && h.name != std::string("rows")) draw.lengths["n"] = 4;
    Tensors inputs = random_inputs(d, draw);
    std::erase_if(inputs, [](const auto& t) { return t.first.starts_with("lengths"); });
    const Tensors weights = initial_weights(d, draw);
    for (const Dtype dtype : {Dtype::f32, Dtype::f64}) {
      RunOptions o;
      o.dtype = dtype;
      o.fetch = h.fetch;
      const bool told = h.name != std::string("translated");  // by the axes of tensors
      if (!told) o.lengths["tau"] = kSteps;
      const Tensors whole = run(d, inputs, weights, o).values;
      for (const std::vector<std::int64_t>& ends : {std::vector<std::int64_t>{kSteps},
                                                    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, kSteps},
                                                    {4, 8, kSteps},
                                                    {1, 10, kSteps},
                                                    {6, 6, kSteps}}) {
        Tensors state;
        std::int64_t from = 0;
        for (const std::int64_t to : ends) {
          CAPTURE(h.name, from, to, static_cast<int>(dtype));
          if (!told) o.lengths["tau"] = to - from;
          SegmentResult r = run_segment(d, parts(cut, inputs, from, to), weights, state, o);
          for (const std::string& f : h.fetch)
            CHECK(r.values.at(f) == part(whole.at(f), cut.axis(f), from, to));
          state = std::move(r.state);
          from = to;
        }
      }
    }
  }
}

TEST_CASE("items end and begin anew at any segment") {
  const Handed h = handed_on()[2];
  const Definition d = define(h.body);
  const Tensors weights = initial_weights(d, {.seed = 3});
  const auto x_of = [&](std::int64_t steps, std::uint64_t seed) {
    return random_inputs(d, {.steps = steps, .batch = 1, .seed = seed}).at("x");
  };
  const std::vector<std::int64_t> lengths = {9, 4, 7};
  RunOptions o;
  o.fetch = {"h"};
  std::vector<Tensor> alone;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    alone.push_back(run(d, {{"x", x_of(lengths[i], i)}}, weights, o).values.at("h"));
  // item 1 ends after 4 steps; in its place item 2 begins with the second segment
  const auto segment = [&](std::vector<std::pair<std::size_t, std::int64_t>> rows,
                           std::vector<std::int64_t> steps, const Tensors& state) {
    Tensor x({5, 2, 2}, Dtype::f64);
    for (std::int64_t r = 0; r < 2; ++r) {
      const auto [item, from] = rows[static_cast<std::size_t>(r)];
      const Tensor own = x_of(lengths[item], item);
      for (std::int64_t t = 0; t < steps[static_cast<std::size_t>(r)]; ++t)
        for (std::int64_t k = 0; k < 2; ++k) x.set((t * 2 + r) * 2 + k, own.at((from + t) * 2 + k));
    }
    return run_segment(d, {{"x", x}, {"lengths", Tensor::of({2}, steps)}}, weights, state, o);
  };
  const auto same = [&](const Tensor& h_of, std::int64_t row, std::size_t item, std::int64_t from,
                        std::int64_t steps) {
    for (std::int64_t t = 0; t < steps; ++t)
      for (std::int64_t k = 0; k < 3; ++k)
        CHECK(h_of.at((t * 2 + row) * 3 + k) == alone[item].at((from + t) * 3 + k));
  };
  SegmentResult first = segment({{0, 0}, {1, 0}}, {5, 4}, {});
  same(first.values.at("h"), 0, 0, 0, 5);
  same(first.values.at("h"), 1, 1, 0, 4);
  CHECK(values_of(first.state.at("steps")) == std::vector<double>{5, 4});
  first.state.at("steps").set(1, 0);
  const SegmentResult second = segment({{0, 5}, {2, 0}}, {4, 5}, first.state);
  same(second.values.at("h"), 0, 0, 5, 4);
  same(second.values.at("h"), 1, 2, 0, 5);
  const SegmentResult third = segment({{0, 0}, {2, 5}}, {0, 2}, second.state);
  same(third.values.at("h"), 1, 2, 5, 2);
  CHECK(values_of(third.state.at("steps")) == std::vector<double>{9, 7});
}

TEST_CASE("draws are those of the whole sequence") {
  const Definition d = define(handed_on()[4].body);
  const Tensors weights = initial_weights(d, {.seed = 2});
  RunOptions o;
  o.fetch = {"y"};
  o.modes["y"] = Mode::sampled;
  o.seed = 9;
  o.steps = 10;
  o.batch = 3;
  const Tensors none{{"item", Tensor::of({3}, std::vector<std::int64_t>{0, 1, 2})}};
  const Tensor whole = run(d, none, weights, o).values.at("y");
  Tensors state;
  std::int64_t from = 0;
  for (const std::int64_t steps : {1, 3, 6}) {
    o.steps = steps;
    SegmentResult r = run_segment(d, none, weights, state, o);
    CHECK(values_of(r.values.at("y")) == values_of(part(whole, 0, from, from + steps)));
    from += steps;
    state = std::move(r.state);
  }
}

TEST_CASE("what lies ahead is refused by name, where it is asked for") {
  struct Case {
    const char *equations, *fetch, *why;
  };
  const Case cases[] = {
      {R"j(["h[t] = x[t] + h[t-1]", "o = h[last]"])j", "o", "h[last]"},
      {R"j(["h[t] = x[t] + h[t-1]", "o = sum[t](h[t])"])j", "o", "sum over all t"},
      {R"j(["h[t] = x[t] + h[t-1]", "g[t] = h[t] + g[t+1]"])j", "g", "g[t+1]"},
      {R"j(["h[t] = x[t] + h[t-1]", "g[t] = h[t] / tau"])j", "g", "the length tau"},
      {R"j(["h[t] = x[t] + h[t-1]", "g[t] = h[t] * x[3]"])j", "g", "x[3]"},
      {R"j(["h[t] = x[t] + h[t-1]", "g[t] = x[t+2]"])j", "g", "x[t+2]"},
  };
  for (const Case& c : cases) {
    const Definition d = define(fmt::format(
        R"j("index": {{"t": "tau"}}, "inputs": {{"x[t]": []}}, "equations": {})j", c.equations));
    const Tensors inputs{{"x", numbers({3, 1}, {1, 2, 3})}};
    RunOptions o;
    o.fetch = {"h"};
    CHECK(values_of(run_segment(d, inputs, {}, {}, o).values.at("h")) ==
          std::vector<double>{1, 3, 6});
    o.fetch = {"h", c.fetch};
    try {
      run_segment(d, inputs, {}, {}, o);
      FAIL("no error: " << c.equations);
    } catch (const Error& e) {
      CHECK(e.diagnostics()[0].code == "G040");
      CHECK_THAT(e.diagnostics()[0].message, Catch::Contains(c.why));
    }
  }
}

TEST_CASE("a state of another batch or definition is refused") {
  const Definition d = define(handed_on()[0].body);
  const Tensors weights = initial_weights(d);
  const Tensors inputs = random_inputs(d, {.steps = 2, .batch = 2});
  RunOptions o;
  o.fetch = {"h"};
  const auto code = [&](const Tensors& state) {
    try {
      run_segment(d, inputs, weights, state, o);
    } catch (const Error& e) {
      return e.diagnostics()[0].code;
    }
    return std::string("none");
  };
  Tensors state = run_segment(d, inputs, weights, {}, o).state;
  CHECK(code(state) == "none");
  CHECK(state.at("h[t]").dims() == Dims{2, 3});
  Tensors other = state;
  other.erase("h[t]");
  CHECK(code(other) == "D010");
  other = state;
  other["h[t]"] = Tensor({1, 3}, Dtype::f32);
  CHECK(code(other) == "D011");
  other = state;
  other["steps"] = Tensor::of({2}, std::vector<double>{1.5, 0});
  CHECK(code(other) == "D014");
  // positions are numbers of 32 bits: the two steps of the segment still have to fit
  for (const double beyond : {2147483646.0, 2147483647.0, 2147483648.0, 9e18, 1e300}) {
    other["steps"] = Tensor::of({2}, std::vector<double>{0, beyond});
    CHECK(code(other) == "D014");
  }
  other["steps"] = Tensor::of({2}, std::vector<double>{0, 2147483645});
  CHECK(code(other) == "none");
  other = state;
  other["g[t]"] = Tensor({2, 3}, Dtype::f32);
  CHECK(code(other) == "D016");
}
