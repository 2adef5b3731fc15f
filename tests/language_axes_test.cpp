// Reductions, products and systems of equations along axes, beside values and gradients made by
// PyTorch. (docs/functions.md)
#include <limits>

#include "language_support.h"

using namespace taugrad;
using namespace taugrad::test;

namespace {

/// Of A = [[1, -2, 3], [4, 1/2, -1]]: the value, and the gradient of its elements times 1, 2, 3, ..
struct Row {
  const char* text;
  Dims dims;
  std::vector<double> value, gradient;
};

// clang-format off
const Row kRows[] = {
    {"sum(A, axis=0)", {3}, {5.0, -1.5, 2.0}, {1.0, 2.0, 3.0, 1.0, 2.0, 3.0}},
    {"sum(A, axis=-1, keep=1)", {2, 1}, {2.0, 3.5}, {1.0, 1.0, 1.0, 2.0, 2.0, 2.0}},
    {"sum(A, keep=1)", {1, 1}, {5.5}, {1.0, 1.0, 1.0, 1.0, 1.0, 1.0}},
    {"mean(A, axis=1)", {2}, {0.6666666666666666, 1.1666666666666667}, {0.3333333333333333, 0.3333333333333333, 0.3333333333333333, 0.6666666666666666, 0.6666666666666666, 0.6666666666666666}},
    {"mean(A, axis=0, keep=1)", {1, 3}, {2.5, -0.75, 1.0}, {0.5, 1.0, 1.5, 0.5, 1.0, 1.5}},
    {"max(A, axis=0)", {3}, {4.0, 0.5, 3.0}, {0.0, 0.0, 3.0, 1.0, 2.0, 0.0}},
    {"max(A, axis=1, keep=1)", {2, 1}, {3.0, 4.0}, {0.0, 0.0, 1.0, 2.0, 0.0, 0.0}},
    {"min(A, axis=0)", {3}, {1.0, -2.0, -1.0}, {1.0, 2.0, 0.0, 0.0, 0.0, 3.0}},
    {"min(A)", {}, {-2.0}, {0.0, 1.0, 0.0, 0.0, 0.0, 0.0}},
    {"min(A, axis=-1)", {2}, {-2.0, -1.0}, {0.0, 1.0, 0.0, 0.0, 0.0, 2.0}},
    {"prod(A)", {}, {12.0}, {12.0, -6.0, 4.0, 3.0, 24.0, -12.0}},
    {"prod(A, axis=0)", {3}, {4.0, -1.0, -3.0}, {4.0, 1.0, -3.0, 1.0, -4.0, 9.0}},
    {"prod(A, axis=1, keep=1)", {2, 1}, {-6.0, -2.0}, {-6.0, 3.0, -2.0, -1.0, -8.0, 4.0}},
    {"norm(A)", {}, {5.5901699437494745}, {0.17888543819998318, -0.35777087639996635, 0.5366563145999494, 0.7155417527999327, 0.08944271909999159, -0.17888543819998318}},
    {"norm(A, axis=0)", {3}, {4.123105625617661, 2.0615528128088303, 3.1622776601683795}, {0.24253562503633297, -1.9402850002906638, 2.846049894151541, 0.9701425001453319, 0.48507125007266594, -0.9486832980505138}},
    {"norm(A, axis=1, keep=1)", {2, 1}, {3.7416573867739413, 4.153311931459037}, {0.2672612419124244, -0.5345224838248488, 0.8017837257372732, 1.9261736493723072, 0.2407717061715384, -0.4815434123430768}},
    {"logsumexp(A)", {}, {4.376434839435808}, {0.034169056012771266, 0.0017011771277732155, 0.2524770717258705, 0.6863038361749848, 0.020724580085184078, 0.004624278873416083}},
    {"logsumexp(A, axis=0)", {3}, {4.048587351573742, 0.5788897342925495, 3.01814992791781}, {0.04742587317756678, 0.1517163600424871, 2.946041370113725, 0.9525741268224333, 1.848283639957513, 0.05395862988627469}},
    {"logsumexp(A, axis=-1, keep=1)", {2, 1}, {3.1328452337275756, 4.036269565124779}, {0.11849965453500957, 0.00589975040190278, 0.8756005950630876, 1.92876059029372, 0.058243523074956824, 0.012995886631323884}},
    {"softmax(A, axis=0)", {2, 3}, {0.04742587317756679, 0.07585818002124356, 0.9820137900379085, 0.9525741268224334, 0.9241418199787566, 0.017986209962091555}, {-0.13552997919273643, -0.21031114963532452, -0.05298811863987354, 0.1355299791927359, 0.2103111496353242, 0.052988118639873336}},
    {"softmax(A)", {2, 3}, {0.11849965453500959, 0.005899750401902781, 0.8756005950630876, 0.9643802951468596, 0.0291217615374784, 0.00649794331566194}, {-0.20821585443571766, -0.004466706578161501, 0.21268256101387925, -0.04061742997192122, 0.027895221430987126, 0.01272220854093401}},
    {"log_softmax(A, axis=0)", {2, 3}, {-3.048587351573742, -2.5788897342925496, -0.01814992791780978, -0.048587351573741965, -0.07888973429254957, -4.0181499279178094}, {0.762870634112166, 1.4689927398512952, -5.838124110341176, -0.7628706341121663, -1.4689927398512959, 5.838124110341176}},
    {"cumsum(A, axis=0)", {2, 3}, {1.0, -2.0, 3.0, 5.0, -1.5, 2.0}, {5.0, 7.0, 9.0, 4.0, 5.0, 6.0}},
    {"cumsum(A)", {2, 3}, {1.0, -1.0, 2.0, 4.0, 4.5, 3.5}, {6.0, 5.0, 3.0, 15.0, 11.0, 6.0}},
    {"unit(A)", {2, 3}, {0.2672612419124244, -0.5345224838248488, 0.8017837257372732, 0.9630868246861536, 0.1203858530857692, -0.2407717061715384}, {0.1527207096642425, 0.7636035483212126, 0.4581621289927275, 0.26519782129039005, 1.1166224054332214, 1.6191024878781712}},
    {"transpose(reshape(A, 1, 2, 3), 2, 0, 1)", {3, 1, 2}, {1.0, 4.0, -2.0, 0.5, 3.0, -1.0}, {1.0, 3.0, 5.0, 2.0, 4.0, 6.0}},
    {"at(A, 1)", {3}, {4.0, 0.5, -1.0}, {0.0, 0.0, 0.0, 1.0, 2.0, 3.0}},
    {"layer_norm(A, eps=0.1)", {2, 3}, {0.16033384194871642, -1.2826707355897318, 1.1223368936410152, 1.3372981479960493, -0.3146583877637763, -1.022639760232273}, {-0.5057316814166455, 0.1978412445639688, 0.3078904368526767, 0.024534007956828585, -0.11682860931823402, 0.09229460136140455}},
    {"layer_norm(A)", {2, 3}, {0.16222122902678926, -1.2977698322143145, 1.135548603187525, 1.3524458423385326, -0.3182225511384782, -1.0342232912000542}, {-0.5122775046834508, 0.20491054082466353, 0.3073669638587876, 0.03625203183280723, -0.12084373142129978, 0.08459169958849255}},
    {"rms_norm(A, 1 + cumsum(ones(3)) - 1, eps=0.25)", {2, 3}, {0.4509876168016973, -1.8039504672067892, 4.058888551215276, 1.6329931618554523, 0.4082482904638631, -1.2247448713915892}, {-0.16052101614975667, 3.0269677331096974, 2.224362652360914, 1.3608276348795436, 4.0484622137666415, 7.416510610093511}},
    {"outer(at(A, 0), at(A, 1))", {3, 3}, {4.0, 0.5, -1.0, -8.0, -1.0, 2.0, 12.0, 1.5, -3.0}, {2.0, 12.5, 23.0, 14.0, 16.0, 18.0}},
    {"outer(A, A)", {2, 3, 3}, {1.0, -2.0, 3.0, -2.0, 4.0, -6.0, 3.0, -6.0, 9.0, 16.0, 2.0, -4.0, 2.0, 0.25, -0.5, -4.0, -0.5, 1.0}, {20.0, 28.0, 36.0, 64.0, 78.0, 92.0}},
    {"vecdot(A, at(A, 1))", {2}, {0.0, 17.25}, {4.0, 0.5, -1.0, 17.0, 0.0, -1.0}},
    {"matvec(reshape(A, 2, 1, 3) + eye(3), A)", {2, 3}, {15.0, 12.0, 17.0, 21.25, 17.75, 16.25}, {13.0, -22.0, 39.0, 124.0, 20.0, -24.0}},
    {"matvec(reshape(A, 2, 1, 3) + eye(3), at(A, 0))", {2, 3}, {15.0, 12.0, 17.0, 1.0, -2.0, 3.0}, {77.0, -9.5, 30.0, 15.0, -30.0, 45.0}},
    {"(reshape(A, 2, 1, 3) + eye(3)) @ transpose(A)", {2, 3, 2}, {15.0, 4.0, 12.0, 0.5, 17.0, -1.0, 1.0, 21.25, -2.0, 17.75, 3.0, 16.25}, {182.0, -4.5, 31.0, 289.0, -34.0, 75.0}},
    {"A @ (reshape(A, 2, 1, 3) + eye(3))", {2, 2, 3}, {3.0, -6.0, 9.0, 7.5, -6.5, 9.5, 9.0, -1.0, 1.0, 18.0, 2.25, -4.5}, {53.0, 60.5, 68.0, 108.5, 116.0, 123.5}},
    {"at(A, 0) @ (reshape(A, 2, 1, 3) + eye(3))", {2, 3}, {3.0, -6.0, 9.0, 9.0, -1.0, 1.0}, {25.5, 29.5, 33.5, 8.0, 10.0, 12.0}},
    {"(reshape(A, 2, 1, 3) + eye(3)) @ (reshape(A, 1, 2, 3, 1))", {1, 2, 3, 1}, {15.0, 12.0, 17.0, 21.25, 17.75, 16.25}, {13.0, -22.0, 39.0, 124.0, 20.0, -24.0}},
    {"solve(reshape(A, 2, 1, 3) + 4 * eye(3), A)", {2, 3}, {-0.3333333333333334, -1.0833333333333335, 0.16666666666666666, 0.425, -0.45, -0.8250000000000001}, {0.3333333333333334, 2.0833333333333335, -0.16666666666666666, -1.85, 1.9, 3.6500000000000004}},
    {"solve(4 * eye(3) + at(A, 0), at(A, 1))", {3}, {1.0, 0.12499999999999997, -0.25}, {-1.0, -0.12499999999999997, 0.25, 0.0, 1.0, 0.0}},
    {"solve(4 * eye(3) + at(A, 0), transpose(A))", {3, 2}, {-0.33333333333333337, 1.0, -1.0833333333333335, 0.12499999999999997, 0.16666666666666666, -0.25}, {-1.625, 2.875, 0.375, 0.0, 2.0, 0.0}},
    {"logdet(reshape(A, 2, 1, 3) + 4 * eye(3))", {2}, {4.564348191467836, 4.787491742782046}, {0.16666666666666674, 0.16666666666666669, 0.16666666666666669, 0.26666666666666666, 0.26666666666666666, 0.26666666666666666}},
    {"logdet(reshape(slice(reshape(A, 6), 0, 4), 2, 2))", {}, {2.3025850929940455}, {0.4, -0.3, 0.2, 0.1, 0.0, 0.0}},
};
// clang-format on

constexpr double kInf = std::numeric_limits<double>::infinity();

std::string shape_text(const Dims& dims) {
  std::string text;
  for (const std::int64_t d : dims) text += (text.empty() ? "" : ", ") + std::to_string(d);
  return text;
}

void check_row(const Row& row, Dtype dtype, double tolerance) {
  INFO(row.text);
  std::string weights;  // 1, 2, 3, .. of its shape
  if (!row.dims.empty())
    weights = " * reshape(cumsum(ones(" + std::to_string(row.value.size()) + ")), " +
              shape_text(row.dims) + ")";
  const Definition d =
      define("\"inputs\": {\"A\": [2, 3]}, \"equations\": [\"v = " + std::string(row.text) +
             "\"], \"loss\": \"sum(v" + weights + ")\"");
  RunOptions options;
  options.dtype = dtype;
  options.fetch = {"v", "grad:A"};
  const Tensors v = run(d, {{"A", numbers({1, 2, 3}, {1, -2, 3, 4, 0.5, -1})}}, {}, options).values;
  Dims dims{1};
  dims.insert(dims.end(), row.dims.begin(), row.dims.end());
  check_values(v.at("v"), dims, row.value, tolerance);
  check_values(v.at("grad:A"), {1, 2, 3}, row.gradient, 4 * tolerance);
}

Tensors of_vector(const std::string& expression, std::vector<double> a) {
  const auto n = static_cast<std::int64_t>(a.size());
  const Definition d =
      define("\"inputs\": {\"a\": [" + std::to_string(n) +
             "]}, \"equations\": [\"v = " + expression + "\"], \"loss\": \"sum(v)\"");
  return evaluate(d, {{"a", numbers({1, n}, std::move(a))}}, {}, {"v", "grad:a"});
}

}  // namespace

TEST_CASE("R16: along axes: values, shapes and gradients", "[language]") {
  for (const Row& row : kRows) {
    check_row(row, Dtype::f64, 1e-13);
    check_row(row, Dtype::f32, 5e-5);
  }
}

TEST_CASE("R16: norm and unit at 0 and far out", "[language]") {
  Tensors v = of_vector("norm(a)", {0, 0});
  check_values(v.at("v"), {1}, {0});
  check_values(v.at("grad:a"), {1, 2}, {0, 0});
  v = of_vector("unit(a)", {0, 0});
  check_values(v.at("v"), {1, 2}, {0, 0});
  check_values(v.at("grad:a"), {1, 2}, {0, 0});
  CHECK(of_vector("norm(a)", {3e200, 4e200}).at("v").at(0) == Approx(5e200));
  CHECK(of_vector("norm(a)", {3e-200, 4e-200}).at("v").at(0) == Approx(5e-200));
  check_values(of_vector("norm(a)", {3e200, 4e200}).at("grad:a"), {1, 2}, {0.6, 0.8});
}

TEST_CASE("R16: logsumexp of -inf is -inf with gradient 0; of large numbers it does not overflow",
          "[language]") {
  Tensors v = of_vector("logsumexp(a)", {-kInf, -kInf});
  CHECK(v.at("v").at(0) == -kInf);
  check_values(v.at("grad:a"), {1, 2}, {0, 0});
  v = of_vector("logsumexp(a)", {1000, 1000, -kInf});
  check_values(v.at("v"), {1}, {1000 + std::log(2)});
  check_values(v.at("grad:a"), {1, 3}, {0.5, 0.5, 0}, 1e-12);
  check_values(of_vector("logsumexp(a)", {1e12, 1e12, 0}).at("grad:a"), {1, 3}, {0.5, 0.5, 0},
               1e-15);
  CHECK(of_vector("logsumexp(a)", {0, -40}).at("v").at(0) == Approx(std::exp(-40)).epsilon(1e-14));
  CHECK(std::isnan(of_vector("softmax(a)", {-kInf, -kInf}).at("v").at(0)));
  check_values(of_vector("softmax(a)", {-kInf, 0}).at("v"), {1, 2}, {0, 1});
}

TEST_CASE("R16: a product keeps its gradient where an element is 0", "[language]") {
  check_values(of_vector("prod(a)", {2, 0, 3}).at("grad:a"), {1, 3}, {0, 6, 0});
  check_values(of_vector("prod(a)", {0, 0, 3}).at("grad:a"), {1, 3}, {0, 0, 0});
}

TEST_CASE("R16: ties along an axis go to the first", "[language]") {
  check_values(of_vector("max(reshape(a, 2, 2), axis=0)", {4, 1, 4, 1}).at("grad:a"), {1, 4},
               {1, 1, 0, 0});
  check_values(of_vector("min(reshape(a, 2, 2), axis=1)", {4, 4, 1, 1}).at("grad:a"), {1, 4},
               {1, 0, 1, 0});
}

TEST_CASE("R16: min, prod, norm and logsumexp over an index run over the item's own length",
          "[language]") {
  const Definition d = define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "equations": [
    "s = min[t](x[t])", "p = prod[t](x[t])", "n = norm[t](x[t])", "l = logsumexp[t](x[t])"],
    "loss": ["sum(s)", "sum(p)", "sum(n)", "sum(where(l > -1000, l, 0))"])j");
  // items of length 3, 1 and 0
  const Tensors inputs{
      {"x", numbers({3, 3, 2}, {1, -1, 5, -5, 9, 9, 3, -2, 9, 9, 9, 9, 2, -6, 9, 9, 9, 9})},
      {"lengths", symbols({3}, {3, 1, 0})}};
  const Tensors v = evaluate(d, inputs, {}, {"s", "p", "n", "l", "grad:x"});
  check_values(v.at("s"), {3, 2}, {1, -6, 5, -5, 0, 0});
  check_values(v.at("p"), {3, 2}, {6, -12, 5, -5, 1, 1});
  const double n1 = std::sqrt(14), n2 = std::sqrt(41);
  check_values(v.at("n"), {3, 2}, {n1, n2, 5, 5, 0, 0});
  const double e1 = std::exp(1) + std::exp(3) + std::exp(2),
               e2 = std::exp(-1) + std::exp(-2) + std::exp(-6);
  const Tensor& l = v.at("l");
  CHECK(l.at(0) == Approx(std::log(e1)).epsilon(1e-14));
  CHECK(l.at(1) == Approx(std::log(e2)).epsilon(1e-14));
  CHECK(l.at(2) == Approx(5));
  CHECK(l.at(4) == -kInf);
  const auto slope = [](double s, double p, double x, double n, double e) {
    return s + p + x / n + std::exp(x) / e;
  };
  check_values(v.at("grad:x"), {3, 3, 2},
               {slope(1, 6, 1, n1, e1), slope(0, 12, -1, n2, e2), 1 + 1 + 1 + 1, 1 + 1 - 1 + 1, 0,
                0, slope(0, 2, 3, n1, e1), slope(0, 6, -2, n2, e2), 0, 0, 0, 0,
                slope(0, 3, 2, n1, e1), slope(1, 2, -6, n2, e2), 0, 0, 0, 0},
               1e-13);
}

TEST_CASE("R16: over zero steps", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": []}, "weights": {"w": []}, "equations": [
    "s = min[t](w * x[t])", "p = prod[t](w * x[t])", "n = norm[t](w * x[t])", "l = logsumexp[t](w * x[t])"], "loss": ["s", "p", "n"])j");
  const Tensors v = evaluate(d, {{"x", Tensor({0, 2}, Dtype::f64)}}, {{"w", numbers({}, {1})}},
                             {"s", "p", "n", "l", "grad:w"});
  check_values(v.at("s"), {2}, {0, 0});
  check_values(v.at("p"), {2}, {1, 1});
  check_values(v.at("n"), {2}, {0, 0});
  CHECK(v.at("l").at(0) == -kInf);
  check_values(v.at("grad:w"), {1}, {0});
}

TEST_CASE("R16: argmax is a category, the first of ties, and a variable of it is one too",
          "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "inputs": {"x[t]": [3]}, "weights": {"E": [3, 2]},
    "equations": ["y[t] = argmax(x[t])", "c[t] = one_hot(y[t-1], 3)", "e[t] = embed(E, argmax(x[t]))", "s[t] = y[t] == 2"],
    "loss": "sum(e[t])")j");
  const Tensors v = evaluate(d, {{"x", numbers({3, 1, 3}, {1, 2, 2, 0, 0, 5, 3, 1, 3})}},
                             {{"E", numbers({3, 2}, {1, 2, 3, 4, 5, 6})}},
                             {"y", "c", "e", "s", "grad:E", "grad:x"});
  check_values(v.at("y"), {3, 1}, {1, 2, 0});
  check_values(v.at("c"), {3, 1, 3}, {0, 0, 0, 0, 1, 0, 0, 0, 1});
  check_values(v.at("e"), {3, 1, 2}, {3, 4, 5, 6, 1, 2});
  check_values(v.at("s"), {3, 1}, {0, 1, 0});
  check_values(v.at("grad:E"), {3, 2}, {1, 1, 1, 1, 1, 1});
  check_values(v.at("grad:x"), {3, 1, 3}, {0, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("R16: at reads an element at an index expression or a size", "[language]") {
  const Definition d =
      define(R"j("index": {"t": "tau"}, "sizes": {"k": 1}, "inputs": {"a": [3, 2], "x[t]": []},
    "equations": ["v[t] = at(a, t - 1) + x[t]", "w = at(a, k)", "z = at(a, tau)"], "loss": ["sum(v[t])", "10 * sum(w)", "100 * sum(z)"])j");
  const Tensors v = evaluate(d,
                             {{"a", numbers({2, 3, 2}, {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60})},
                              {"x", Tensor({2, 2}, Dtype::f64)},
                              {"lengths", symbols({2}, {2, 1})}},
                             {}, {"v", "w", "z", "grad:a"});
  check_values(v.at("v"), {2, 2, 2}, {1, 2, 10, 20, 3, 4, 0, 0});
  check_values(v.at("w"), {2, 2}, {3, 4, 30, 40});
  check_values(v.at("z"), {2, 2}, {5, 6, 30, 40});
  check_values(v.at("grad:a"), {2, 3, 2}, {1, 1, 11, 11, 100, 100, 1, 1, 110, 110, 0, 0});
}

TEST_CASE("R16: dilated and depthwise convolution", "[language]") {
  const Definition d = define(
      R"j("index": {"t": "tau"}, "inputs": {"x[t]": [2]}, "weights": {"K": [3, 1, 2], "D": [2, 2]},
    "equations": ["h[t] = conv[t](K, x[t-4], dilation=2)", "g[t] = conv[t](D, x[t-1])", "f[t] = conv[t](D, x[t-3], dilation=3)"],
    "loss": ["sum(h[t])", "sum(g[t])"])j");
  std::vector<double> x;
  for (int t = 1; t <= 5; ++t) x.push_back(t), x.push_back(10 * t);
  const Tensors v = evaluate(
      d, {{"x", numbers({5, 1, 2}, x)}},
      {{"K", numbers({3, 1, 2}, {100, 0, 10, 0, 1, 1})}, {"D", numbers({2, 2}, {2, 3, 5, 7})}},
      {"h", "g", "f", "grad:K", "grad:D", "grad:x"});
  check_values(v.at("h"), {5, 1, 1}, {11, 22, 33 + 10, 44 + 20, 55 + 30 + 100});
  check_values(v.at("g"), {5, 1, 2}, {5, 70, 12, 170, 19, 270, 26, 370, 33, 470});
  check_values(v.at("f"), {5, 1, 2}, {5, 70, 10, 140, 15, 210, 22, 310, 29, 410});
  check_values(v.at("grad:K"), {3, 1, 2}, {1, 10, 6, 60, 15, 150});
  check_values(v.at("grad:D"), {2, 2}, {10, 100, 15, 150});
  check_values(v.at("grad:x"), {5, 1, 2},
               {111 + 7, 11, 11 + 7, 11, 11 + 7, 11, 1 + 7, 11, 1 + 5, 8});
}

TEST_CASE("R16: a depthwise convolution over two indices", "[language]") {
  const Definition d = define(
      R"j("index": {"i": "rows", "j": "cols"}, "inputs": {"x[i,j]": [2]}, "weights": {"K": [2, 1, 2]},
    "equations": ["h[i,j] = conv[i,j](K, x[i-1,j])"])j");
  check_values(evaluate_one(d, {{"x", numbers({2, 1, 1, 2}, {1, 2, 3, 4})}},
                            {{"K", numbers({2, 1, 2}, {10, 100, 1, 1})}}, "h"),
               {2, 1, 1, 2}, {1, 2, 13, 204});
}

TEST_CASE("R16: a definition's own function of one of these names comes first", "[language]") {
  const Definition d = define(
      R"j("inputs": {"a": [2]}, "functions": ["softplus(z) = 10 * z", "max(p, q) = p - q", "unit(u) = norm(u)"],
    "equations": ["v = softplus(a)", "w = max(a, 1)", "u = unit(a)"])j");
  const Tensors v = evaluate(d, {{"a", numbers({1, 2}, {3, 4})}}, {}, {"v", "w", "u"});
  check_values(v.at("v"), {1, 2}, {30, 40});
  check_values(v.at("w"), {1, 2}, {2, 3});
  check_values(v.at("u"), {1}, {5});
}

TEST_CASE("R16: named arguments are known beforehand: numbers, sizes, constants", "[language]") {
  const Definition d =
      define(R"j("sizes": {"k": 1}, "constants": {"e": 0.5}, "inputs": {"A": [2, 2]},
    "functions": ["total(b, i) = sum(b, axis=i)"],
    "equations": ["s = sum(A, axis=k)", "t = sum(A, axis=k-1)", "n = rms_norm(A, ones(2), eps=e+0.5)", "u = total(A, 0)"])j");
  const Tensors v =
      evaluate(d, {{"A", numbers({1, 2, 2}, {1, 2, 3, 4})}}, {}, {"s", "t", "n", "u"});
  check_values(v.at("s"), {1, 2}, {3, 7});
  check_values(v.at("t"), {1, 2}, {4, 6});
  check_values(v.at("u"), {1, 2}, {4, 6});
  const double p = std::sqrt(3.5), q = std::sqrt(13.5);
  check_values(v.at("n"), {1, 2, 2}, {1 / p, 2 / p, 3 / q, 4 / q});
}
