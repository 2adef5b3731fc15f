#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taugrad/base/tensor.h"
#include "taugrad/ops/along.h"

namespace taugrad {

/// Where a piece of a definition was written; line 0: built in C++.
struct Source {
  std::string file;
  int line = 0;
  int column = 0;            ///< of the first character of the text
  std::string pointer;       ///< "/equations/2"
  std::vector<int> columns;  ///< column of each character, where escapes make it differ
};

/// A piece of text of the definition language, and where it stands.
struct Text {
  Text() = default;
  Text(std::string written, Source from = {}) : text(std::move(written)), source(std::move(from)) {}
  Text(const char* written) : text(written) {}
  std::string text;
  Source source;
};

struct IndexDeclaration {
  std::string name;  ///< "t"
  std::string
      length;  ///< "tau", the name of a size, an integer, or arithmetic of lengths: "(tau + 1) / 2"
  Source source;
};
struct SizeDeclaration {
  std::string name;
  std::int64_t value = 0;
  Source source;
};
struct ConstantDeclaration {
  std::string name;
  double value = 0;
  Source source;
};
struct InputDeclaration {
  Text name;                     ///< "x[t]" as written
  std::vector<Text> shape;       ///< each an integer expression over sizes
  std::optional<Text> category;  ///< size expression of a symbol; shape is empty then
  std::optional<Text> position =
      {};                       ///< index of which it holds positions; shape is empty then    (R17)
  bool position_after = false;  ///< "position(t) > t"
};
struct WeightDeclaration {
  Text name;  ///< "W", or "W[t]": untied, one per position
  std::vector<Text> shape;
  bool plain = true;             ///< written as a bare shape, without an object
  std::string init;              ///< "" (default), zeros, ones, ..., "uniform(0.1)", a number
  std::optional<Tensor> values;  ///< init {"values": ...}, as float64
  std::string values_json;       ///< as written: fractions such as "1/3" stay exact
  std::optional<bool> trainable;
  Source source;
};
struct ImportDeclaration {
  std::string prefix;
  std::string from;
  std::vector<std::pair<std::string, Text>> sizes = {};         ///< inner size -> outer expression
  std::vector<std::pair<std::string, std::string>> index = {};  ///< inner letter -> outer letter
  std::vector<std::pair<std::string, Text>> inputs = {};        ///< "x[t]" -> outer expression
  std::vector<std::pair<std::string, std::string>> weights = {};  ///< inner weight -> outer one
  std::vector<std::string> reverse = {};                          ///< inner letters
  Source source = {};
};

// ---- equations in C++: every handle is text with a precedence ----------------------------------

class Expr;

/// `t - 1`, `0`, `last`: one position inside brackets.
struct Position {
  std::string text;
  int precedence = 9;                           ///< of the arithmetic in it
  Position(int i) : text(std::to_string(i)) {}  // NOLINT: h(0) reads as the textbook does
  explicit Position(std::string t, int p = 9) : text(std::move(t)), precedence(p) {}
  /// Arithmetic of positions, sizes and lengths, or a position input: x(2 * t - 1), h(left(t)).
  explicit Position(const Expr& e);
};
Position operator+(const Position& p, int offset);
Position operator-(const Position& p, int offset);
// 2 * t - 1, tau + 1 - t, (t + 1) / 2, which rounds down: integers, sizes and lengths among the
// letters
Position operator+(const Position& a, const Position& b);
Position operator-(const Position& a, const Position& b);
Position operator+(int a, const Position& b);
Position operator-(int a, const Position& b);
Position operator*(int a, const Position& b);
Position operator*(const Position& a, int b);
Position operator/(const Position& a, int b);
Position product_of(const Position& a, const Position& b);
Position operator+(const Position& a, const Expr& b);
Position operator-(const Position& a, const Expr& b);
Position operator*(const Position& a, const Expr& b);
Position operator/(const Position& a, const Expr& b);
inline const Position last{std::string("last")};

/// An expression of the definition language.
class Expr {
 public:
  Expr(double number);  // NOLINT: 1 - s(t) reads as the textbook does
  Expr(int number) : Expr(static_cast<double>(number)) {}  // NOLINT
  Expr(std::string text, int precedence) : text_(std::move(text)), precedence_(precedence) {}
  const std::string& text() const { return text_; }
  int precedence() const { return precedence_; }

 private:
  std::string text_;
  int precedence_;
};

template <std::derived_from<Expr> E, std::derived_from<Position> P>
Position operator+(const E& a, const P& b) {
  return Position(a) + static_cast<const Position&>(b);
}
template <std::derived_from<Expr> E, std::derived_from<Position> P>
Position operator-(const E& a, const P& b) {
  return Position(a) - static_cast<const Position&>(b);
}
template <std::derived_from<Expr> E, std::derived_from<Position> P>
Position operator*(const E& a, const P& b) {
  return product_of(Position(a), b);
}

Expr operator-(const Expr& a);
Expr operator+(const Expr& a, const Expr& b);
Expr operator-(const Expr& a, const Expr& b);
Expr operator*(const Expr& a, const Expr& b);
Expr operator/(const Expr& a, const Expr& b);
Expr operator<(const Expr& a, const Expr& b);
Expr operator<=(const Expr& a, const Expr& b);
Expr operator>(const Expr& a, const Expr& b);
Expr operator>=(const Expr& a, const Expr& b);
Expr operator==(const Expr& a, const Expr& b);
Expr operator!=(const Expr& a, const Expr& b);
Expr matmul(const Expr& a, const Expr& b);
/// Any function of the language: call("slice", {a, 0, m}).
Expr call(std::string_view function, std::initializer_list<Expr> arguments);
/// A reduction over an index: reduce("sum", {t}, h(t)); conv: reduce("conv", {t}, K, x(t - 2)).
Expr reduce(std::string_view function, std::initializer_list<Position> over, const Expr& a);
Expr reduce(std::string_view function, std::initializer_list<Position> over, const Expr& a,
            const Expr& b);
Expr tanh(const Expr& a);
Expr sigmoid(const Expr& a);
Expr relu(const Expr& a);
Expr exp(const Expr& a);
Expr log(const Expr& a);
Expr sqrt(const Expr& a);
Expr abs(const Expr& a);
Expr sin(const Expr& a);
Expr cos(const Expr& a);
Expr floor(const Expr& a);
Expr sign(const Expr& a);
Expr erf(const Expr& a);
Expr log1p(const Expr& a);
Expr expm1(const Expr& a);
Expr softplus(const Expr& a);
Expr log_sigmoid(const Expr& a);
Expr silu(const Expr& a);
Expr gelu(const Expr& a);
Expr elu(const Expr& a);
Expr leaky_relu(const Expr& a, const Expr& slope);
Expr pow(const Expr& a, const Expr& b);
Expr mod(const Expr& a, const Expr& b);
Expr max(const Expr& a, const Expr& b);
Expr min(const Expr& a, const Expr& b);
// of all elements, or along an axis: sum(a, {.axis = 1, .keep = true})
Expr sum(const Expr& a, const Along& along = {});
Expr mean(const Expr& a, const Along& along = {});
Expr max(const Expr& a, const Along& along = {});
Expr min(const Expr& a, const Along& along = {});
Expr prod(const Expr& a, const Along& along = {});
Expr norm(const Expr& a, const Along& along = {});
Expr logsumexp(const Expr& a, const Along& along = {});
Expr softmax(const Expr& a, int axis = -1);
Expr log_softmax(const Expr& a, int axis = -1);
Expr cumsum(const Expr& a, int axis = -1);
Expr unit(const Expr& a);
Expr layer_norm(const Expr& a);
Expr layer_norm(const Expr& a, const Expr& gain, const Expr& bias);
Expr rms_norm(const Expr& a, const Expr& gain);
Expr outer(const Expr& a, const Expr& b);
Expr matvec(const Expr& a, const Expr& x);
Expr vecdot(const Expr& a, const Expr& b);
Expr solve(const Expr& a, const Expr& b);
Expr logdet(const Expr& a);
Expr eye(const Expr& size);
Expr at(const Expr& a, const Expr& i);
Expr argmax(const Expr& a);
Expr stop_gradient(const Expr& a);
Expr dropout(const Expr& a, const Expr& p);
Expr stack(std::initializer_list<Expr> parts);
Expr reshape(const Expr& a, std::initializer_list<Expr> shape);
Expr transpose(const Expr& a);
Expr transpose(const Expr& a, std::initializer_list<int> axes);
Expr concat(std::initializer_list<Expr> parts);
Expr slice(const Expr& a, const Expr& from, const Expr& to);
Expr embed(const Expr& table, const Expr& category);
Expr one_hot(const Expr& category, const Expr& size);
Expr clamp(const Expr& a, const Expr& lo, const Expr& hi);
Expr where(const Expr& c, const Expr& a, const Expr& b);
/// The partial derivative of a number by a name as it stands in it, such as W(t - 1), or by a
/// weight.
Expr grad(const Expr& e, const Expr& by);

/// The right side of `~`.
struct Distribution {
  std::string text;
};
struct CategoricalArguments {
  std::optional<Expr> logits = {};
  std::optional<Expr> p = {};
};
struct BernoulliArguments {
  std::optional<Expr> logits = {};
  std::optional<Expr> p = {};
};
struct NormalArguments {
  Expr mean;
  Expr std;
};
Distribution categorical(const CategoricalArguments& a);
Distribution bernoulli(const BernoulliArguments& a);
Distribution normal(const NormalArguments& a);

class Definition;

/// How handles find their definition; empty where it is gone, or has moved elsewhere.
class Anchor {
 public:
  Anchor() = default;
  Anchor(const Anchor&) {}  // NOLINT: a copy has handles of its own
  Anchor(Anchor&& other) noexcept { other.let_go(); }
  Anchor& operator=(const Anchor&) { return *this; }  // NOLINT: those of this one stay
  Anchor& operator=(Anchor&& other) noexcept {
    if (this != &other) other.let_go();
    return *this;
  }
  ~Anchor() { let_go(); }
  std::shared_ptr<Definition*> of(Definition* d) {
    if (!home_) home_ = std::make_shared<Definition*>(d);
    return home_;
  }

 private:
  void let_go() noexcept {
    if (home_) *home_ = nullptr;
    home_.reset();
  }
  std::shared_ptr<Definition*> home_;
};

/// h(t), h(t - 1), h(last): reads as an expression, and assigned to it is an equation.
class Reference : public Expr {
 public:
  Reference(std::shared_ptr<Definition*> home, std::string text)
      : Expr(std::move(text), 9), home_(std::move(home)) {}
  Reference(const Reference&) = default;
  Reference& operator=(const Expr& e);
  Reference& operator=(const Reference& r);
  Reference& operator=(const Distribution& d);

 private:
  Definition& definition() const;  // @throws Error (U021) where it is gone
  std::shared_ptr<Definition*> home_;
};

/// A name that takes positions: a variable, an indexed input, an untied weight.
class Indexed {
 public:
  Indexed(Definition* d, std::string name);
  template <class... P>
  Reference operator()(P... positions) const {
    return at({Position(positions)...});
  }

 private:
  Reference at(std::initializer_list<Position> positions) const;
  std::shared_ptr<Definition*> home_;
  std::string name_;
};

struct IndexHandle : Position {  ///< the letter of an index
  using Position::Position;
  Expr value() const { return Expr(text, 9); }  ///< t as a number inside an expression
};

struct WeightOptions {
  std::string init = {};
  std::optional<bool> trainable = {};
};

/// A system of recurrence equations over index domains: what a definition file holds. (language.md)
/// Building it checks nothing but names; `resolve`, `unfold` and every command check the whole.
/// Handles (Indexed, Reference) belong to the object that gave them: assigning to one whose
/// definition is gone or was moved from is a usage Error (U021).
class Definition {
 public:
  explicit Definition(std::string title = {}) : name(std::move(title)) {}

  IndexHandle index(std::string letter, std::string length);
  IndexHandle index(std::string letter,
                    const Expr& length);  ///< derived: (d.length("tau") + 1) / 2
  Expr length(std::string title) const {
    return {std::move(title), 9};
  }  ///< as a number, of an index
  Expr size(std::string title, std::int64_t value);
  Expr constant(std::string title, double value);
  Indexed input(std::string title, std::initializer_list<IndexHandle> over,
                std::initializer_list<Expr> shape);
  Expr input(std::string title, std::initializer_list<Expr> shape);  ///< without an index
  Indexed category(std::string title, std::initializer_list<IndexHandle> over, const Expr& symbols);
  /// An input that holds positions of an index: h(left(t)). `after`: they lie behind the item's
  /// own.
  Indexed position(std::string title, std::initializer_list<IndexHandle> over,
                   const IndexHandle& of, bool after = false);
  Expr weight(std::string title, std::initializer_list<Expr> shape,
              const WeightOptions& options = {});
  Indexed untied_weight(std::string title, std::initializer_list<IndexHandle> over,
                        std::initializer_list<Expr> shape, const WeightOptions& options = {});
  Indexed variable(std::string title, std::initializer_list<IndexHandle> over = {});
  Indexed random(std::string title, std::initializer_list<IndexHandle> over = {});
  void equation(std::string text);
  void function(std::string text);
  void import(ImportDeclaration declaration);
  void loss_term(std::string text);
  void ends_when(const IndexHandle& over, std::string condition);

  // the sections of the file, in its order
  std::string name;
  std::string about;
  std::vector<IndexDeclaration> indices;
  std::vector<SizeDeclaration> sizes;
  std::vector<ConstantDeclaration> constants;
  std::vector<InputDeclaration> inputs;
  std::vector<WeightDeclaration> weights;
  std::vector<Text> functions;
  std::vector<ImportDeclaration> imports;
  std::vector<Text> equations;
  std::vector<Text> loss;
  bool loss_is_list = false;
  std::vector<std::pair<std::string, Text>> ends;
  std::string file;                     ///< where it was read from; imports are looked up beside it
  std::vector<std::string> notes = {};  ///< what was inferred (equations on a command line)
  Anchor anchor;                        ///< of the handles
};

/// Reads a definition from JSON text. @throws Error with every problem of form found (G001-G011,
/// ...)
Definition parse_definition(std::string_view json_text, std::string_view filename);
/// A file's path, or the bare name of a shipped definition ("elman"). @throws Error
Definition load_definition(std::string_view file_or_name);
/// A definition from equations alone: left of @ matrices, other unknown names vectors, x[t] an
/// input, sizes inferred. A line "loss = .." is a term of the loss, as each of `loss` is; "ends =
/// y[t] == 0" says where a sequence ends.
Definition definition_from_equations(const std::vector<std::string>& equations,
                                     const std::vector<std::string>& loss = {});
/// The canonical JSON form; reading and writing a shipped file is byte-equal.
std::string to_json(const Definition& d);
/// Folders searched for shipped definitions, first match wins: TAUGRAD_GRAPHS, graphs/, those of
/// the prefix (docs/cpp.md).
std::vector<std::string> definition_folders();

}  // namespace taugrad
