#include "language/templates/function_table.h"

#include <algorithm>
#include <iterator>

#include "base/fail.h"
#include "language/templates/calls.h"
#include "taugrad/language/functions.h"
#include "taugrad/ops/ops.h"

namespace taugrad {
namespace {

template <Var (*f)(Var)>
Value one(const Calls& c) {
  return {.var = f(c[0])};
}
template <Var (*f)(Var, Var)>
Value two(const Calls& c) {
  const Var b = c[1];  // a number becomes a node: the last first, with every compiler
  return {.var = f(c[0], b)};
}
/// Of all elements or along an axis; of two arguments, where it takes them, element by element.
template <Var (*all)(Var), Var (*along)(Var, const Along&)>
Value reduced(const Calls& c) {
  const Along a = c.along();
  return {.var = a.axis == Along::kAll && !a.keep ? all(c[0]) : along(c[0], a)};
}
template <Var (*all)(Var), Var (*along)(Var, const Along&), Var (*pair)(Var, Var)>
Value reduced_or_pair(const Calls& c) {
  return c.count() == 2 ? two<pair>(c) : reduced<all, along>(c);
}
template <Var (*f)(Var, int)>
Value along_axis(const Calls& c) {
  return {.var = f(c[0], c.axis(-1))};
}
Value filled(const Calls& c, double value) {
  return {.var = constant(c.tape(), value, c.shape_from(0))};
}

using E = Effect;
constexpr int kMany = Function::kMany;
constexpr unsigned kReduces = kAxisName | kKeepName;

Value layer_norm_of(const Calls& c) {
  if (c[0].shape().is_scalar())
    fail(Status::bad_input, "G020", "layer_norm: a number has no last axis");
  if (c.count() == 1) return {.var = normalize(c[0], c.eps())};
  const Var bias = c[2], gain = c[1];
  return {.var = layer_norm(c[0], gain, bias, c.eps())};
}

Value rms_norm_of(const Calls& c) {
  const Var gain = c[1];
  return {.var = rms_norm(c[0], gain, c.eps())};
}

Value where_of(const Calls& c) {
  const Var otherwise = c[2], a = c[1];
  return {.var = where(c[0], a, otherwise)};
}

Value solve_of(const Calls& c) {
  const Var b = c[1];
  return {.var = solve(c[0], b)};
}

// clang-format off
constexpr Function kFunctions[] = {
  // ---- elementwise
  {"tanh", 1, 1, E::alike, one<tanh>, "tanh(a)", "hyperbolic tangent"},
  {"sigmoid", 1, 1, E::alike, one<sigmoid>, "sigmoid(a)", "1 / (1 + e^-a)"},
  {"relu", 1, 1, E::alike, one<relu>, "relu(a)", "a above 0, else 0; slope 0 at 0"},
  {"exp", 1, 1, E::alike, one<exp>, "exp(a)", "e^a"},
  {"log", 1, 1, E::alike, one<log>, "log(a)", "ln a"},
  {"sqrt", 1, 1, E::alike, one<sqrt>, "sqrt(a)", "square root"},
  {"abs", 1, 1, E::alike, one<abs>, "abs(a)", "|a|; slope 0 at 0"},
  {"sin", 1, 1, E::alike, one<sin>, "sin(a)", "sine", kNoName, false, true},
  {"cos", 1, 1, E::alike, one<cos>, "cos(a)", "cosine", kNoName, false, true},
  {"floor", 1, 1, E::alike, one<floor>, "floor(a)", "largest whole number <= a; no gradient", kNoName, false, true},
  {"sign", 1, 1, E::alike, one<sign>, "sign(a)", "-1, 0 or 1; no gradient", kNoName, false, true},
  {"erf", 1, 1, E::alike, one<erf>, "erf(a)", "error function", kNoName, false, true},
  {"log1p", 1, 1, E::alike, one<log1p>, "log1p(a)", "ln(1 + a)", kNoName, false, true},
  {"expm1", 1, 1, E::alike, one<expm1>, "expm1(a)", "e^a - 1", kNoName, false, true},
  {"softplus", 1, 1, E::alike, one<softplus>, "softplus(a)", "ln(1 + e^a)", kNoName, false, true},
  {"log_sigmoid", 1, 1, E::alike, one<log_sigmoid>, "log_sigmoid(a)", "ln sigmoid(a)", kNoName, false, true},
  {"silu", 1, 1, E::alike, one<silu>, "silu(a)", "a sigmoid(a)", kNoName, false, true},
  {"gelu", 1, 1, E::alike, one<gelu>, "gelu(a)", "a erfc(-a / sqrt 2) / 2", kNoName, false, true},
  {"elu", 1, 1, E::alike, one<elu>, "elu(a)", "a above 0, else e^a - 1", kNoName, false, true},
  {"leaky_relu", 2, 2, E::broadcast, two<leaky_relu>, "leaky_relu(a, s)", "a above 0, else s a; slope s at 0", kNoName, false, true},
  {"pow", 2, 2, E::broadcast, two<pow>, "pow(a, b)", "a^b"},
  {"mod", 2, 2, E::broadcast, two<mod>, "mod(a, b)", "a - b floor(a / b): in [0, |b|), of b's sign", kNoName, false, true},
  {"clamp", 3, 3, E::broadcast, [](const Calls& c) { return c.clamped(); }, "clamp(a, lo, hi)", "a within lo..hi; the bound that binds has the gradient", kNoName, false, true},
  {"where", 3, 3, E::broadcast, where_of, "where(c, a, b)", "a where c is not 0, else b"},
  {"stop_gradient", 1, 1, E::alike, one<stop_gradient>, "stop_gradient(a)", "a, as a constant"},
  {"dropout", 2, 2, E::alike, [](const Calls& c) { return c.dropped(); }, "dropout(a, p)", "in training 0 with probability p, else a / (1 - p)", kNoName, false, false, 1},

  // ---- reductions of one example, or over an index
  {"sum", 1, 1, E::reduced, reduced<sum, sum>, "sum(a, axis=0, keep=1), sum[t](a[t])", "sum", kReduces, true, true},
  {"mean", 1, 1, E::reduced, reduced<mean, mean>, "mean(a, axis=0, keep=1), mean[t](a[t])", "mean, of nothing 0", kReduces, true, true},
  {"max", 1, 2, E::reduced_or_pair, reduced_or_pair<max, max, max>, "max(a, axis=0, keep=1), max[t](a[t]), max(a, b)", "largest; the first of equal ones has the gradient", kReduces, true, true},
  {"min", 1, 2, E::reduced_or_pair, reduced_or_pair<min, min, min>, "min(a, axis=0, keep=1), min[t](a[t]), min(a, b)", "smallest; the first of equal ones has the gradient", kReduces, true, true},
  {"prod", 1, 1, E::reduced, reduced<prod, prod>, "prod(a, axis=0, keep=1), prod[t](a[t])", "product, of nothing 1", kReduces, true, true},
  {"norm", 1, 1, E::reduced, reduced<norm, norm>, "norm(a, axis=0, keep=1), norm[t](a[t])", "root of the sum of squares; gradient 0 at 0", kReduces, true, true},
  {"logsumexp", 1, 1, E::reduced, reduced<logsumexp, logsumexp>, "logsumexp(a, axis=0, keep=1), logsumexp[t](a[t])", "ln sum e^a; of -inf alone -inf with gradient 0", kReduces, true, true},

  // ---- along an axis, the last one unless it is named
  {"softmax", 1, 1, E::along_axis, along_axis<softmax>, "softmax(a, axis=-1)", "e^a / sum e^a", kAxisName, false, true},
  {"log_softmax", 1, 1, E::along_axis, along_axis<log_softmax>, "log_softmax(a, axis=-1)", "ln softmax(a)", kAxisName, false, true},
  {"cumsum", 1, 1, E::along_axis, along_axis<cumsum>, "cumsum(a, axis=-1)", "sums up to each element", kAxisName, false, true},
  {"unit", 1, 1, E::last_axis, one<unit>, "unit(a)", "a / norm(a) of the last axis; at 0 it is 0 with gradient 0", kNoName, false, true},
  {"layer_norm", 1, 3, E::normalize, layer_norm_of, "layer_norm(a, g, b, eps=1e-5)", "g (a - mean) / sqrt(variance + eps) + b of the last axis", kEpsName, false, true},
  {"rms_norm", 2, 2, E::normalize, rms_norm_of, "rms_norm(a, g, eps=1e-5)", "g a / sqrt(mean of a^2 + eps) of the last axis", kEpsName, false, true},

  // ---- products; [..] are leading axes, which broadcast
  {"outer", 2, 2, E::outer, two<outer>, "outer(a, b)", "[..,m], [..,n] -> [..,m,n]: a b^T", kNoName, false, true},
  {"matvec", 2, 2, E::matvec, two<matvec>, "matvec(A, x)", "[..,m,n], [..,n] -> [..,m]: A x", kNoName, false, true, kMany, -1, true},
  {"vecdot", 2, 2, E::vecdot, two<vecdot>, "vecdot(a, b)", "[..,n], [..,n] -> [..]: a . b", kNoName, false, true},
  {"solve", 2, 2, E::solve, solve_of, "solve(A, b)", "X with A X = b: A [..,m,m], b [..,m] of fewer axes, else [..,m,n]", kNoName, false, true, kMany, -1, true},
  {"logdet", 1, 1, E::logdet, one<logdet>, "logdet(A)", "ln |det A|: [..,m,m] -> [..]", kNoName, false, true, kMany, -1, true},

  // ---- layout
  {"concat", 1, kMany, E::concat, [](const Calls& c) { return Value{.var = concat(c.all())}; }, "concat(a, b, ..)", "one behind the other along the first axis"},
  {"stack", 1, kMany, E::stack, [](const Calls& c) { return Value{.var = stack(c.all())}; }, "stack(a, b, ..)", "along a new first axis"},
  {"slice", 3, 3, E::slice, [](const Calls& c) { return c.sliced(); }, "slice(a, from, to)", "rows from..to-1 of the first axis, from 0", kNoName, false, false, 1},
  {"at", 2, 2, E::element, [](const Calls& c) { return c.element(); }, "at(a, i)", "row i of the first axis, from 0", kNoName, false, true, 1},
  {"reshape", 1, 5, E::reshape, [](const Calls& c) { return Value{.var = reshape(c[0], c.shape_from(1))}; }, "reshape(a, p, q)", "the same elements, other axes", kNoName, false, false, 1},
  {"transpose", 1, 5, E::permute, [](const Calls& c) { return c.permuted(); }, "transpose(a), transpose(a, 0, 2, 1)", "the axes in reverse order, or in that one", kNoName, false, true, 1},
  {"zeros", 0, 4, E::filled, [](const Calls& c) { return filled(c, 0); }, "zeros(p, q)", "zeros of that shape", kNoName, false, false, 0},
  {"ones", 0, 4, E::filled, [](const Calls& c) { return filled(c, 1); }, "ones(p, q)", "ones of that shape", kNoName, false, false, 0},
  {"eye", 1, 1, E::square, [](const Calls& c) { return Value{.var = eye(c.tape(), c.integer(0))}; }, "eye(p)", "[p,p]: 1 on the diagonal, else 0", kNoName, false, true, 0},

  // ---- categories and likelihoods
  {"one_hot", 2, 2, E::one_hot, [](const Calls& c) { return c.one_hot_of(); }, "one_hot(y, k)", "1 at place y of k, else 0", kNoName, false, false, 1, 0},
  {"embed", 2, 2, E::embed, [](const Calls& c) { return c.row_of_table(); }, "embed(E, y)", "row y of E", kNoName, false, false, kMany, 1, true},
  {"argmax", 1, 1, E::symbol, [](const Calls& c) { return c.category_of_largest(); }, "argmax(a)", "the category of a vector's first largest element; no gradient", kNoName, false, true},
  {"nll", 1, 1, E::number, nullptr, "nll(y[t])", "the likelihood of a random variable, in nats"},

  {"grad", 2, 2, E::partial, nullptr, "grad(e, v)", "partial derivative of the number e by all mentions of v in it, in v's shape"},
  {"conv", 2, 2, E::taps, nullptr, "conv[t](K, x[t-2], dilation=1)", "sum of K[d] @ x[t-2 + d dilation]; K [w,m] is depthwise", kDilationName, true, true},
};
// clang-format on

constexpr std::pair<std::string_view, Named> kNames[] = {
    {"axis", kAxisName}, {"keep", kKeepName}, {"eps", kEpsName}, {"dilation", kDilationName}};

}  // namespace

std::span<const Function> functions() { return kFunctions; }

const Function* find_function(std::string_view name) {
  const auto found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                  [&](const Function& f) { return f.name == name; });
  return found == std::end(kFunctions) ? nullptr : found;
}

std::vector<FunctionText> function_texts() {
  std::vector<FunctionText> texts;
  for (const Function& f : kFunctions) texts.push_back({f.name, f.usage, f.about, f.over_index});
  return texts;
}

Named named_argument(std::string_view name) {
  for (const auto& [word, bit] : kNames)
    if (word == name) return bit;
  return kNoName;
}

std::vector<std::string> named_arguments(unsigned bits) {
  std::vector<std::string> words;
  for (const auto& [word, bit] : kNames)
    if ((bits & bit) != 0) words.emplace_back(word);
  return words;
}

}  // namespace taugrad
