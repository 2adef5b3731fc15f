#pragma once

namespace taugrad {

/// Which elements a reduction takes, and what is left of their axes.
struct Along {
  static constexpr int kAll = 1 << 20;
  int axis = kAll;    ///< from 0, negative from the end
  bool keep = false;  ///< what is reduced stays, with size 1
};

/// A number that `{}` does not stand for: it would be 0, where every element is meant.
struct GivenNumber {
  constexpr GivenNumber(double number) : value(number) {}
  double value;
};

}  // namespace taugrad
