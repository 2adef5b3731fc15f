#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "language/syntax/ast.h"

namespace taugrad {

struct ResolvedModel;
struct PositionForm;

/// A position: letter±offset (index number), an integer, the item's own length + offset, or one
/// that is computed.
struct At {
  Place::Kind kind = Place::Kind::number;
  int index = -1;
  int offset = 0;
  std::shared_ptr<const PositionForm> form =
      {};  ///< of a computed one; its offset counts, `offset` does not
  bool operator==(const At& o) const;
};

/// A position that is computed, in normal form: offset + the sum of its terms (R17). Two that are
/// equal for all values of letters, lengths and data by the laws of arithmetic used here are the
/// same.
struct PositionForm {
  struct Term {
    enum class Kind { letter, length, quotient, data };
    Kind kind = Kind::letter;
    int number = -1;           ///< of the index, of the length; of data the symbol of the input
    std::int64_t times = 1;    ///< never 0
    std::int64_t divisor = 1;  ///< of a quotient, which is rounded down: above 1
    std::shared_ptr<const PositionForm> of = {};  ///< what a quotient divides
    std::vector<At> places = {};                  ///< where data are read
    std::string text =
        {};  ///< as it is written, without `times`: tells terms apart, and orders them
  };
  std::int64_t offset = 0;
  std::vector<Term> terms = {};

  bool is_number() const { return terms.empty(); }
  /// The term that it is, with an offset; null: it is more than one, or a multiple.
  const Term* single() const {
    return terms.size() == 1 && terms[0].times == 1 ? &terms[0] : nullptr;
  }
};
bool operator==(const PositionForm& a, const PositionForm& b);
std::string to_string(const PositionForm& form);

/// The arithmetic under a node: + - * / of integers, sizes, constants, letters, lengths and
/// position inputs.
/// @param length  number of the length that `last` stands for; -1: it stands for none
/// @throws Error (G014, G017, E021)
/// @param expand  lengths that follow from others are written in terms of those
PositionForm position_form(const ResolvedModel& model, const Ast& ast, int root, int length,
                           bool expand = false);
PositionForm form_of_number(std::int64_t value);
/// @throws Error (G017) where it leaves 32 bits
PositionForm plus(PositionForm a, const PositionForm& b, std::int64_t times = 1);
PositionForm divided(const PositionForm& a, std::int64_t divisor);

std::int64_t floor_divided(std::int64_t a, std::int64_t b);

/// f(term) for every term of a form, those inside quotients included.
template <class F>
void each_term(const PositionForm& form, const F& f) {
  for (const PositionForm::Term& t : form.terms) {
    f(t);
    if (t.of) each_term(*t.of, f);
  }
}

/// The value where nothing in it is data. @param letter f(index number); @param length f(length
/// number)
template <class Letter, class Length>
std::int64_t value_of(const PositionForm& form, const Letter& letter, const Length& length) {
  std::int64_t value = form.offset;
  for (const PositionForm::Term& t : form.terms) {
    using Kind = PositionForm::Term::Kind;
    const std::int64_t v = t.kind == Kind::letter   ? letter(t.number)
                           : t.kind == Kind::length ? length(t.number)
                           : t.kind == Kind::quotient
                               ? floor_divided(value_of(*t.of, letter, length), t.divisor)
                               : 0;
    value += t.times * v;
  }
  return value;
}

bool has_data(const PositionForm& form);
bool has_length(const PositionForm& form);
/// Index numbers of the letters in it, those of the data it reads included; ascending.
std::vector<int> letters_of(const PositionForm& form);

}  // namespace taugrad
