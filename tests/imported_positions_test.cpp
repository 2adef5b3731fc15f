// Computed positions, derived lengths and data positions through imports (language.md R11, R17).
#include "positions_support.h"
#include "support_scratch.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// With definitions to import, from the inside of the outer one.
class Importing {
 public:
  Importing() {
    add("pair", R"j("index": {"t": "tau", "s": "(tau + 1) / 2"}, "inputs": {"x[t]": []},
      "equations": ["p[s] = x[2*s - 1] + 3 * x[2*s]", "q[t] = x[tau + 1 - t]", "r[t] = x[t-1]"])j");
    add("nodes", R"j("index": {"t": "tau"}, "inputs": {"x[t]": [], "left[t]": "position(t)"},
      "equations": ["h[t] = x[t] + 2 * h[left[t]]"])j");
    add("half", R"j("index": {"t": "tau", "s": "(tau + 1) / 2"}, "inputs": {"x[t]": []},
      "equations": ["p[s] = x[2*s - 1]"])j");
  }
  Definition load(const std::string& body) const {
    add("outer", body);
    return load_definition(files_.file("outer"));
  }
  std::string code(const std::string& body) const {
    return problems_of([&] { unfold(load(body), {.steps = 4}); }).front().code;
  }

 private:
  void add(const std::string& name, const std::string& body) const {
    files_.add(name, "{\"name\": \"" + name + "\", " + body + "}");
  }
  support::Definitions files_;
};

const char* const kIndex = R"j("index": {"t": "tau", "s": "(tau + 1) / 2", "r": "(tau + 3) / 4"},
  "inputs": {"u[t]": [], "left[t]": "position(t)"}, )j";

}  // namespace

TEST_CASE("computed positions, derived lengths and data positions through imports") {
  const Importing folder;
  const Definition d = folder.load(std::string(kIndex) + R"j("imports": {
      "a": {"from": "pair", "inputs": {"x[t]": "u[t]"}},
      "b": {"from": "pair", "index": {"t": "s", "s": "r"}, "inputs": {"x[t]": "a.p[s]"}},
      "c": {"from": "pair", "inputs": {"x[t]": "u[t+1] * 2 + u[2*t]"}},
      "d": {"from": "nodes", "inputs": {"x[t]": "u[t]", "left[t]": "left[t]"}}},
    "equations": ["o[r] = b.p[r]", "e[t] = c.r[t]", "g[s] = c.p[s]", "k[t] = a.q[t]", "h[t] = d.h[t]", "f[s] = b.q[s]"])j");
  const std::vector<double> u = waves(5, 1.1);
  const int left[] = {0, 1, 1, 2, 4};
  const Tensors got = evaluate(d, {{"u", series(u)}, {"left", symbols({5, 1}, {0, 1, 1, 2, 4})}},
                               {}, {"o", "e", "g", "k", "h", "f"});
  std::vector<double> p, o, e, g, k, h, f;
  for (int s = 1; s <= 3; ++s) p.push_back(at(u, 2 * s - 1) + 3 * at(u, 2 * s));
  for (int r = 1; r <= 2; ++r) o.push_back(at(p, 2 * r - 1) + 3 * at(p, 2 * r));
  const auto bound = [&](int t) { return at(u, t + 1) * 2 + at(u, 2 * t); };
  for (int t = 1; t <= 5; ++t) {
    e.push_back(bound(t - 1));
    k.push_back(at(u, 6 - t));
    h.push_back(at(u, t) + 2 * at(h, left[t - 1]));
  }
  for (int s = 1; s <= 3; ++s) {
    g.push_back(bound(2 * s - 1) + 3 * bound(2 * s));
    f.push_back(at(p, 4 - s));
  }
  check_values(got.at("o"), {2, 1}, o);
  check_values(got.at("e"), {5, 1}, e);
  check_values(got.at("g"), {3, 1}, g);
  check_values(got.at("k"), {5, 1}, k);
  check_values(got.at("h"), {5, 1}, h);
  check_values(got.at("f"), {3, 1}, f);
}

TEST_CASE("imports that do not fit computed positions") {
  const Importing folder;
  const auto code = [&](const std::string& import, const std::string& equation) {
    return folder.code(std::string(kIndex) + "\"imports\": {\"a\": " + import +
                       "}, \"equations\": [\"" + equation + "\"]");
  };
  CHECK(code(R"j({"from": "pair", "inputs": {"x[t]": "u[t]"}, "reverse": ["t"]})j",
             "o[t] = a.q[t]") == "E021");
  CHECK(code(R"j({"from": "pair", "inputs": {"x[t]": "u[t]"}, "reverse": ["s"]})j",
             "o[s] = a.p[s]") == "E021");
  // no letter of the position is reversed, but what it reads is
  CHECK(code(R"j({"from": "half", "inputs": {"x[t]": "u[t]"}, "reverse": ["t"]})j",
             "o[s] = a.p[s]") == "E021");
  CHECK(
      code(
          R"j({"from": "nodes", "inputs": {"x[t]": "u[t]", "left[t]": "left[t]"}, "reverse": ["t"]})j",
          "o[t] = a.h[t]") == "E021");
  CHECK(code(R"j({"from": "pair", "index": {"s": "r"}, "inputs": {"x[t]": "u[t]"}})j",
             "o[r] = a.p[r]") == "E022");
  CHECK(code(R"j({"from": "nodes", "inputs": {"x[t]": "u[t]", "left[t]": "u[t]"}})j",
             "o[t] = a.h[t]") == "E021");
}
