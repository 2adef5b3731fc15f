#include "language/resolve/position_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/fail.h"
#include "base/suggest.h"
#include "language/resolve/resolved_model.h"

namespace taugrad {
namespace {

using Term = PositionForm::Term;

constexpr std::int64_t kMost = 2'147'483'647;

[[noreturn]] void too_large() {
  fail(Status::bad_input, "G017", "a position is computed with numbers of more than 32 bits");
}

std::int64_t checked(std::int64_t value) {
  if (value > kMost || value < -kMost) too_large();
  return value;
}
std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) too_large();
  return checked(result);
}

void normalise(PositionForm& form) {
  std::sort(form.terms.begin(), form.terms.end(),
            [](const Term& a, const Term& b) { return a.text < b.text; });
  std::vector<Term> terms;
  for (Term& t : form.terms) {
    if (!terms.empty() && terms.back().text == t.text)
      terms.back().times = checked(terms.back().times + t.times);
    else
      terms.push_back(std::move(t));
    if (terms.back().times == 0) terms.pop_back();
  }
  form.terms = std::move(terms);
}

PositionForm form_of(Term term) {
  PositionForm form;
  form.terms.push_back(std::move(term));
  return form;
}

/// What an expression of positions is made of.
class Builder {
 public:
  Builder(const ResolvedModel& model, const Ast& ast, int length, bool expand)
      : model_(model), ast_(ast), length_(length), expand_(expand) {}

  PositionForm operator()(int root) {
    std::vector<char> needed(static_cast<std::size_t>(root) + 1, 0);
    needed.back() = 1;
    for (std::size_t id = needed.size(); id-- > 0;)
      if (const AstNode& n = ast_.nodes[id]; needed[id] && n.kind != AstNode::Kind::reference)
        for (const int child : n.children) needed[static_cast<std::size_t>(child)] = 1;
    std::vector<PositionForm> forms(needed.size());
    for (std::size_t id = 0; id < needed.size(); ++id)
      if (needed[id]) forms[id] = node(ast_.nodes[id], forms);
    return forms.back();
  }

 private:
  static PositionForm integer(double value, const AstNode& n) {
    if (value != std::floor(value))
      fail_at("G017", fmt::format("a position must be an integer, got {}", value), n,
              "positions are whole steps");
    if (!(std::abs(value) <= 1e6))
      fail_at("G017", fmt::format("a number of {} in a position is more than 1000000", value), n);
    return form_of_number(static_cast<std::int64_t>(value));
  }

  PositionForm node(const AstNode& n, const std::vector<PositionForm>& forms) {
    const auto child = [&](std::size_t i) -> const PositionForm& {
      return forms[static_cast<std::size_t>(n.children[i])];
    };
    switch (n.kind) {
      case AstNode::Kind::number:
        return integer(n.number, n);
      case AstNode::Kind::name:
      case AstNode::Kind::reference:
        return named(n);
      case AstNode::Kind::negative:
        return plus({}, child(0), -1);
      case AstNode::Kind::binary:
        return binary(n, child(0), child(1));
      default:
        break;
    }
    fail_at("E021", fmt::format("a position is no place for {}", n.name), n,
            "positions are made of integers, indices, lengths and position inputs by + - * /");
  }

  PositionForm binary(const AstNode& n, const PositionForm& a, const PositionForm& b) {
    if (n.name == "+") return plus(a, b);
    if (n.name == "-") return plus(a, b, -1);
    if (n.name == "*" && (a.is_number() || b.is_number()))
      return plus({}, a.is_number() ? b : a, a.is_number() ? a.offset : b.offset);
    if (n.name == "/" && b.is_number() && b.offset != 0)
      return b.offset > 0 ? divided(a, b.offset) : divided(plus({}, a, -1), -b.offset);
    if (n.name == "/" && b.is_number()) fail_at("E021", "a position is divided by 0", n);
    fail_at("E021",
            fmt::format("a position is linear: {} takes a number on one side",
                        n.name == "/" ? "/ takes a number on its right," : n.name),
            n, "write an integer, a size or a constant, as in 2*t");
  }

  PositionForm named(const AstNode& n) {
    const FlatDefinition& s = model_.system;
    if (const auto size = s.sizes.find(n.name); size != s.sizes.end())
      return form_of_number(size->second);
    if (const auto c = s.constants.find(n.name); c != s.constants.end())
      return integer(c->second, n);
    if (n.name == "last" && length_ >= 0) return of_length(length_);
    for (std::size_t l = 0; l < model_.lengths.size(); ++l)
      if (model_.lengths[l] == n.name) return of_length(static_cast<int>(l));
    for (std::size_t i = 0; i < s.indices.size(); ++i)
      if (s.indices[i].name == n.name)
        return form_of({.kind = Term::Kind::letter, .number = static_cast<int>(i), .text = n.name});
    const int symbol = model_.find(n.name);
    if (symbol >= 0 && model_.symbols[static_cast<std::size_t>(symbol)].position >= 0)
      return data(n, symbol);
    if (symbol >= 0)
      fail_at("E021", fmt::format("\"{}\" is no position", n.name), n,
              "declare it as an input that holds some: \"a[t]\": \"position(t)\"");
    std::vector<std::string> known;
    for (const FlatIndex& i : s.indices) known.push_back(i.name);
    for (const Symbol& other : model_.symbols)
      if (other.position >= 0) known.push_back(other.name);
    fail_at("G014", fmt::format("\"{}\" is neither an index nor a position", n.name), n,
            did_you_mean(n.name, known));
  }

  PositionForm of_length(int number) const {
    const std::int64_t fixed = model_.fixed_lengths[static_cast<std::size_t>(number)];
    if (fixed >= 0) return form_of_number(fixed);
    if (expand_ && model_.is_derived(number))
      return *model_.derived[static_cast<std::size_t>(number)];
    return form_of(
        {.kind = Term::Kind::length, .number = number, .text = model_.length_name(number)});
  }

  // where it is read: at positions of its own
  PositionForm data(const AstNode& n, int number) {
    const Symbol& symbol = model_.symbols[static_cast<std::size_t>(number)];
    Term t{.kind = Term::Kind::data, .number = number};
    t.places = places_at(model_, ast_, n, symbol);
    std::string text;
    for (const At& p : t.places) text += (text.empty() ? "" : ",") + to_string(model_, p);
    t.text = t.places.empty() ? symbol.name : fmt::format("{}[{}]", symbol.name, text);
    return form_of(std::move(t));
  }

  const ResolvedModel& model_;
  const Ast& ast_;
  int length_;
  bool expand_;
};

}  // namespace

std::int64_t floor_divided(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

bool At::operator==(const At& o) const {
  if (kind != o.kind || index != o.index || offset != o.offset) return false;
  return form == o.form || (form && o.form && *form == *o.form);
}

bool operator==(const PositionForm& a, const PositionForm& b) {
  return a.offset == b.offset && std::equal(a.terms.begin(), a.terms.end(), b.terms.begin(),
                                            b.terms.end(), [](const Term& x, const Term& y) {
                                              return x.times == y.times && x.text == y.text;
                                            });
}

std::string to_string(const PositionForm& form) {
  std::string text;
  for (const Term& t : form.terms) {
    const std::int64_t many = std::abs(t.times);
    text += t.times < 0 ? "-" : text.empty() ? "" : "+";
    text += many == 1 ? t.text : fmt::format("{}*{}", many, t.text);
  }
  if (text.empty()) return std::to_string(form.offset);
  return form.offset == 0 ? text : fmt::format("{}{:+}", text, form.offset);
}

PositionForm form_of_number(std::int64_t value) {
  PositionForm form;
  form.offset = checked(value);
  return form;
}

PositionForm plus(PositionForm a, const PositionForm& b, std::int64_t times) {
  a.offset = checked(a.offset + product(times, b.offset));
  for (Term t : b.terms) {
    t.times = product(t.times, times);
    a.terms.push_back(std::move(t));
  }
  normalise(a);
  return a;
}

// What divides without a rest stands outside, so that equal quotients look alike: (t + 3)/2 is (t +
// 1)/2 + 1.
PositionForm divided(const PositionForm& a, std::int64_t divisor) {
  if (divisor == 1) return a;
  PositionForm whole, rest;
  whole.offset = floor_divided(a.offset, divisor);
  rest.offset = a.offset - divisor * whole.offset;
  for (const Term& t : a.terms) {
    Term out = t, in = t;
    out.times = floor_divided(t.times, divisor);
    in.times = t.times - divisor * out.times;
    if (out.times != 0) whole.terms.push_back(std::move(out));
    if (in.times != 0) rest.terms.push_back(std::move(in));
  }
  if (const Term* inner = rest.single();
      inner && inner->kind == Term::Kind::quotient) {  // (a/2)/2 is a/4
    const std::int64_t by = product(inner->divisor, divisor);
    return plus(
        whole, divided(plus(*inner->of, form_of_number(product(rest.offset, inner->divisor))), by));
  }
  if (rest.is_number()) {
    normalise(whole);
    return whole;
  }
  const bool bare = rest.offset == 0 && rest.single() != nullptr;
  Term quotient{.kind = Term::Kind::quotient, .divisor = divisor};
  quotient.text = bare ? fmt::format("{}/{}", to_string(rest), divisor)
                       : fmt::format("({})/{}", to_string(rest), divisor);
  quotient.of = std::make_shared<const PositionForm>(std::move(rest));
  whole.terms.push_back(std::move(quotient));
  normalise(whole);
  return whole;
}

PositionForm position_form(const ResolvedModel& model, const Ast& ast, int root, int length,
                           bool expand) {
  try {
    return Builder(model, ast, length, expand)(root);
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostics().front();
    if (!d.excerpt.empty()) throw;
    fail_at(d.code, d.message, ast.nodes[static_cast<std::size_t>(root)], d.help);
  }
}

bool has_data(const PositionForm& form) {
  bool any = false;
  each_term(form, [&](const Term& t) { any = any || t.kind == Term::Kind::data; });
  return any;
}

bool has_length(const PositionForm& form) {
  bool any = false;
  each_term(form, [&](const Term& t) {
    any = any || t.kind == Term::Kind::length;
    for (const At& p : t.places)
      any = any || p.kind == Place::Kind::end || (p.form && has_length(*p.form));
  });
  return any;
}

std::vector<int> letters_of(const PositionForm& form) {
  std::set<int> letters;
  each_term(form, [&](const Term& t) {
    if (t.kind == Term::Kind::letter) letters.insert(t.number);
    for (const int letter : letters_of(t.places)) letters.insert(letter);
  });
  return {letters.begin(), letters.end()};
}

}  // namespace taugrad
