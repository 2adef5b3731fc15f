// A program outside the project: what it needs comes by find_package(taugrad CONFIG) alone.
#include <taugrad/taugrad.h>

#include <cstdio>

namespace tg = taugrad;

int main() {
  const tg::Definition d = tg::definition_from_equations({"h[t] = tanh(W @ h[t-1] + U @ x[t])"});
  const tg::CheckReport report = tg::check(d, {.steps = 3});
  std::printf("%lld entries checked: %s\n", static_cast<long long>(report.checked),
              report.ok() ? "ok" : "wrong");
  const tg::Tensors out =
      tg::run(tg::lstm({.n = 2, .m = 3}), {}, {}, {.fetch = {"out", "h_n"}, .dtype = tg::f64})
          .values;
  // the prefix's own definition, which the test has changed
  const tg::Definition shipped = tg::load_definition("elman");
  std::printf("%s: %s\n", shipped.file.c_str(), shipped.about.c_str());
  return report.ok() && out.at("h_n").size() == 3 && shipped.about == "of this prefix" ? 0 : 1;
}
