// Equations in C++: every handle is text with a precedence, so that what C++ builds is what a file
// says.
#include <fmt/ranges.h>

#include "base/fail.h"
#include "taugrad/language/definition.h"

namespace taugrad {
namespace {

constexpr int kComparison = 1, kSum = 2, kProduct = 3, kUnary = 4, kAtom = 9;

std::string wrapped(const Expr& e, int least) {
  return e.precedence() < least ? fmt::format("({})", e.text()) : e.text();
}
Expr infix(const Expr& a, const char* op, const Expr& b, int level) {
  return {fmt::format("{} {} {}", wrapped(a, level), op, wrapped(b, level + 1)), level};
}
Expr compared(const Expr& a, const char* op, const Expr& b) {
  return {fmt::format("{} {} {}", wrapped(a, kSum), op, wrapped(b, kSum)), kComparison};
}
std::string joined(std::initializer_list<Expr> parts) {
  std::string text;
  for (const Expr& e : parts) text += (text.empty() ? "" : ", ") + e.text();
  return text;
}
template <class T, class F>
std::string list(const T& items, F&& text_of) {
  std::string text;
  for (const auto& item : items) text.append(text.empty() ? "" : ",").append(text_of(item));
  return text;
}

}  // namespace

Position::Position(const Expr& e) : text(e.text()), precedence(e.precedence()) {}

namespace {
Position joined(const Position& a, const char* op, const Position& b, int level) {
  const auto in = [](const Position& p, int least) {
    return p.precedence < least ? fmt::format("({})", p.text) : p.text;
  };
  return Position(fmt::format("{} {} {}", in(a, level), op, in(b, level + 1)), level);
}
// 2*t - 1 + 1 goes on as it began: with blanks
bool is_arithmetic(const Position& p) { return p.precedence < kAtom; }
}  // namespace

Position operator+(const Position& a, const Position& b) { return joined(a, "+", b, kSum); }
Position operator-(const Position& a, const Position& b) { return joined(a, "-", b, kSum); }
Position operator+(int a, const Position& b) { return Position(a) + b; }
Position operator-(int a, const Position& b) { return Position(a) - b; }
Position product_of(const Position& a, const Position& b) { return joined(a, "*", b, kProduct); }
Position operator*(int a, const Position& b) { return joined(Position(a), "*", b, kProduct); }
Position operator*(const Position& a, int b) { return joined(a, "*", Position(b), kProduct); }
Position operator/(const Position& a, int b) { return joined(a, "/", Position(b), kProduct); }
Position operator+(const Position& a, const Expr& b) { return a + Position(b); }
Position operator-(const Position& a, const Expr& b) { return a - Position(b); }
Position operator*(const Position& a, const Expr& b) {
  return joined(a, "*", Position(b), kProduct);
}
Position operator/(const Position& a, const Expr& b) {
  return joined(a, "/", Position(b), kProduct);
}

Position operator+(const Position& p, int offset) {
  if (is_arithmetic(p))
    return offset < 0 ? joined(p, "-", Position(-offset), kSum)
                      : joined(p, "+", Position(offset), kSum);
  return Position(
      offset < 0 ? fmt::format("{}{}", p.text, offset) : fmt::format("{}+{}", p.text, offset),
      kSum);
}
Position operator-(const Position& p, int offset) {
  if (is_arithmetic(p)) return p + -offset;
  return offset > 0 ? Position(fmt::format("{}-{}", p.text, offset), kSum)
                    : Position(fmt::format("{}+{}", p.text, -std::int64_t{offset}), kSum);
}

Expr::Expr(double number)
    : text_(fmt::format("{}", number)), precedence_(number < 0 ? kUnary : kAtom) {
  if (text_.size() > 2 && text_.ends_with(".0")) text_.resize(text_.size() - 2);
}

Expr operator-(const Expr& a) { return {fmt::format("-{}", wrapped(a, kUnary)), kUnary}; }
Expr operator+(const Expr& a, const Expr& b) { return infix(a, "+", b, kSum); }
Expr operator-(const Expr& a, const Expr& b) { return infix(a, "-", b, kSum); }
Expr operator*(const Expr& a, const Expr& b) { return infix(a, "*", b, kProduct); }
Expr operator/(const Expr& a, const Expr& b) { return infix(a, "/", b, kProduct); }
Expr matmul(const Expr& a, const Expr& b) { return infix(a, "@", b, kProduct); }
Expr operator<(const Expr& a, const Expr& b) { return compared(a, "<", b); }
Expr operator<=(const Expr& a, const Expr& b) { return compared(a, "<=", b); }
Expr operator>(const Expr& a, const Expr& b) { return compared(a, ">", b); }
Expr operator>=(const Expr& a, const Expr& b) { return compared(a, ">=", b); }
Expr operator==(const Expr& a, const Expr& b) { return compared(a, "==", b); }
Expr operator!=(const Expr& a, const Expr& b) { return compared(a, "!=", b); }

Expr call(std::string_view function, std::initializer_list<Expr> arguments) {
  return {fmt::format("{}({})", function, joined(arguments)), kAtom};
}
Expr reduce(std::string_view function, std::initializer_list<Position> over, const Expr& a) {
  return {fmt::format("{}[{}]({})", function, list(over, [](const Position& p) { return p.text; }),
                      a.text()),
          kAtom};
}
Expr reduce(std::string_view function, std::initializer_list<Position> over, const Expr& a,
            const Expr& b) {
  return {fmt::format("{}[{}]({}, {})", function,
                      list(over, [](const Position& p) { return p.text; }), a.text(), b.text()),
          kAtom};
}
Expr tanh(const Expr& a) { return call("tanh", {a}); }
Expr sigmoid(const Expr& a) { return call("sigmoid", {a}); }
Expr relu(const Expr& a) { return call("relu", {a}); }
Expr exp(const Expr& a) { return call("exp", {a}); }
Expr log(const Expr& a) { return call("log", {a}); }
Expr sqrt(const Expr& a) { return call("sqrt", {a}); }
Expr abs(const Expr& a) { return call("abs", {a}); }
Expr sin(const Expr& a) { return call("sin", {a}); }
Expr cos(const Expr& a) { return call("cos", {a}); }
Expr floor(const Expr& a) { return call("floor", {a}); }
Expr sign(const Expr& a) { return call("sign", {a}); }
Expr erf(const Expr& a) { return call("erf", {a}); }
Expr log1p(const Expr& a) { return call("log1p", {a}); }
Expr expm1(const Expr& a) { return call("expm1", {a}); }
Expr softplus(const Expr& a) { return call("softplus", {a}); }
Expr log_sigmoid(const Expr& a) { return call("log_sigmoid", {a}); }
Expr silu(const Expr& a) { return call("silu", {a}); }
Expr gelu(const Expr& a) { return call("gelu", {a}); }
Expr elu(const Expr& a) { return call("elu", {a}); }
Expr unit(const Expr& a) { return call("unit", {a}); }
Expr layer_norm(const Expr& a) { return call("layer_norm", {a}); }
Expr logdet(const Expr& a) { return call("logdet", {a}); }
Expr argmax(const Expr& a) { return call("argmax", {a}); }
Expr stop_gradient(const Expr& a) { return call("stop_gradient", {a}); }
Expr leaky_relu(const Expr& a, const Expr& slope) { return call("leaky_relu", {a, slope}); }
Expr pow(const Expr& a, const Expr& b) { return call("pow", {a, b}); }
Expr mod(const Expr& a, const Expr& b) { return call("mod", {a, b}); }
Expr max(const Expr& a, const Expr& b) { return call("max", {a, b}); }
Expr min(const Expr& a, const Expr& b) { return call("min", {a, b}); }
Expr rms_norm(const Expr& a, const Expr& gain) { return call("rms_norm", {a, gain}); }
Expr outer(const Expr& a, const Expr& b) { return call("outer", {a, b}); }
Expr matvec(const Expr& a, const Expr& x) { return call("matvec", {a, x}); }
Expr vecdot(const Expr& a, const Expr& b) { return call("vecdot", {a, b}); }
Expr solve(const Expr& a, const Expr& b) { return call("solve", {a, b}); }
Expr at(const Expr& a, const Expr& i) { return call("at", {a, i}); }
Expr dropout(const Expr& a, const Expr& p) { return call("dropout", {a, p}); }
Expr layer_norm(const Expr& a, const Expr& gain, const Expr& bias) {
  return call("layer_norm", {a, gain, bias});
}
Expr eye(const Expr& size) { return call("eye", {size}); }

namespace {
Expr along_call(const char* function, const Expr& a, const Along& along) {
  std::string text = a.text();
  if (along.axis != Along::kAll) text += fmt::format(", axis={}", along.axis);
  if (along.keep) text += ", keep=1";
  return {fmt::format("{}({})", function, text), kAtom};
}
Expr axis_call(const char* function, const Expr& a, int axis) {
  return along_call(function, a, axis == -1 ? Along{} : Along{.axis = axis});
}
}  // namespace
Expr sum(const Expr& a, const Along& along) { return along_call("sum", a, along); }
Expr mean(const Expr& a, const Along& along) { return along_call("mean", a, along); }
Expr max(const Expr& a, const Along& along) { return along_call("max", a, along); }
Expr min(const Expr& a, const Along& along) { return along_call("min", a, along); }
Expr prod(const Expr& a, const Along& along) { return along_call("prod", a, along); }
Expr norm(const Expr& a, const Along& along) { return along_call("norm", a, along); }
Expr logsumexp(const Expr& a, const Along& along) { return along_call("logsumexp", a, along); }
Expr softmax(const Expr& a, int axis) { return axis_call("softmax", a, axis); }
Expr log_softmax(const Expr& a, int axis) { return axis_call("log_softmax", a, axis); }
Expr cumsum(const Expr& a, int axis) { return axis_call("cumsum", a, axis); }
Expr transpose(const Expr& a, std::initializer_list<int> axes) {
  return {fmt::format("transpose({}, {})", a.text(), fmt::join(axes, ", ")), kAtom};
}
Expr reshape(const Expr& a, std::initializer_list<Expr> shape) {
  return {fmt::format("reshape({}, {})", a.text(), joined(shape)), kAtom};
}
Expr stack(std::initializer_list<Expr> parts) { return call("stack", parts); }
Expr transpose(const Expr& a) { return call("transpose", {a}); }
Expr concat(std::initializer_list<Expr> parts) { return call("concat", parts); }
Expr slice(const Expr& a, const Expr& from, const Expr& to) { return call("slice", {a, from, to}); }
Expr embed(const Expr& table, const Expr& category) { return call("embed", {table, category}); }
Expr one_hot(const Expr& category, const Expr& size) { return call("one_hot", {category, size}); }
Expr clamp(const Expr& a, const Expr& lo, const Expr& hi) { return call("clamp", {a, lo, hi}); }
Expr grad(const Expr& e, const Expr& by) { return call("grad", {e, by}); }
Expr where(const Expr& c, const Expr& a, const Expr& b) { return call("where", {c, a, b}); }

namespace {
Distribution logits_or_p(const char* name, const std::optional<Expr>& logits,
                         const std::optional<Expr>& p) {
  if (logits.has_value() == p.has_value())
    fail(Status::bad_input, "E003", "{} takes one of logits and p", name);
  return {logits ? fmt::format("{}(logits = {})", name, logits->text())
                 : fmt::format("{}(p = {})", name, p->text())};
}
}  // namespace
Distribution categorical(const CategoricalArguments& a) {
  return logits_or_p("categorical", a.logits, a.p);
}
Distribution bernoulli(const BernoulliArguments& a) {
  return logits_or_p("bernoulli", a.logits, a.p);
}
Distribution normal(const NormalArguments& a) {
  return {fmt::format("normal(mean = {}, std = {})", a.mean.text(), a.std.text())};
}

Definition& Reference::definition() const {
  if (!home_ || *home_ == nullptr)
    fail(Status::usage, "U021", "the definition that \"{}\" belongs to is gone", text());
  return **home_;
}

Reference& Reference::operator=(const Expr& e) {
  definition().equation(text() + " = " + e.text());
  return *this;
}
Reference& Reference::operator=(const Reference& r) { return *this = static_cast<const Expr&>(r); }
Reference& Reference::operator=(const Distribution& d) {
  definition().equation(text() + " ~ " + d.text);
  return *this;
}
Indexed::Indexed(Definition* d, std::string name)
    : home_(d ? d->anchor.of(d) : nullptr), name_(std::move(name)) {}
Reference Indexed::at(std::initializer_list<Position> positions) const {
  if (positions.size() == 0) return {home_, name_};
  return {home_,
          fmt::format("{}[{}]", name_, list(positions, [](const Position& p) { return p.text; }))};
}

namespace {
std::string indexed_name(const std::string& name, std::initializer_list<IndexHandle> indices) {
  if (indices.size() == 0) return name;
  return fmt::format("{}[{}]", name, list(indices, [](const IndexHandle& i) { return i.text; }));
}
std::vector<Text> texts(std::initializer_list<Expr> parts) {
  std::vector<Text> result;
  for (const Expr& e : parts) {
    std::string text;  // shapes are written without blanks: "4*m"
    for (const char c : e.text())
      if (c != ' ') text += c;
    result.push_back({text, {}});
  }
  return result;
}
}  // namespace

IndexHandle Definition::index(std::string letter, std::string length) {
  indices.push_back({letter, std::move(length), {}});
  return IndexHandle(std::move(letter));
}
IndexHandle Definition::index(std::string letter, const Expr& length) {
  return index(std::move(letter), length.text());
}
Expr Definition::size(std::string size_name, std::int64_t value) {
  sizes.push_back({size_name, value, {}});
  return {std::move(size_name), kAtom};
}
Expr Definition::constant(std::string constant_name, double value) {
  constants.push_back({constant_name, value, {}});
  return {std::move(constant_name), kAtom};
}
Indexed Definition::input(std::string input_name, std::initializer_list<IndexHandle> over,
                          std::initializer_list<Expr> shape) {
  inputs.push_back({{indexed_name(input_name, over), {}}, texts(shape), {}});
  return {this, std::move(input_name)};
}
Expr Definition::input(std::string input_name, std::initializer_list<Expr> shape) {
  inputs.push_back({{input_name, {}}, texts(shape), {}});
  return {std::move(input_name), kAtom};
}
Indexed Definition::category(std::string input_name, std::initializer_list<IndexHandle> over,
                             const Expr& size_of) {
  inputs.push_back({{indexed_name(input_name, over), {}}, {}, Text{size_of.text(), {}}});
  return {this, std::move(input_name)};
}
Indexed Definition::position(std::string input_name, std::initializer_list<IndexHandle> over,
                             const IndexHandle& of, bool after) {
  InputDeclaration input{{indexed_name(input_name, over), {}}, {}, {}};
  input.position = Text{of.text, {}};
  input.position_after = after;
  inputs.push_back(std::move(input));
  return {this, std::move(input_name)};
}
Expr Definition::weight(std::string weight_name, std::initializer_list<Expr> shape,
                        const WeightOptions& options) {
  untied_weight(weight_name, {}, shape, options);
  return {std::move(weight_name), kAtom};
}
Indexed Definition::untied_weight(std::string weight_name, std::initializer_list<IndexHandle> over,
                                  std::initializer_list<Expr> shape, const WeightOptions& options) {
  WeightDeclaration w;
  w.name = {indexed_name(weight_name, over), {}};
  w.shape = texts(shape);
  w.plain = options.init.empty() && !options.trainable;
  w.init = options.init;
  w.trainable = options.trainable;
  weights.push_back(std::move(w));
  return {this, std::move(weight_name)};
}
Indexed Definition::variable(std::string variable_name, std::initializer_list<IndexHandle>) {
  return {this, std::move(variable_name)};
}
Indexed Definition::random(std::string variable_name, std::initializer_list<IndexHandle>) {
  return {this, std::move(variable_name)};
}
void Definition::equation(std::string text) { equations.push_back({std::move(text), {}}); }
void Definition::function(std::string text) { functions.push_back({std::move(text), {}}); }
void Definition::import(ImportDeclaration declaration) {
  imports.push_back(std::move(declaration));
}
void Definition::loss_term(std::string text) {
  loss.push_back({std::move(text), {}});
  loss_is_list = loss.size() > 1;
}
void Definition::ends_when(const IndexHandle& over, std::string condition) {
  ends.emplace_back(over.text, Text{std::move(condition), {}});
}

}  // namespace taugrad
