#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace taugrad {

/// The size of an axis that is given: its value, and how it is written where it is written with
/// names.
struct GivenSize {
  std::int64_t value = 0;
  std::string text = {};
};

/// Sizes of axes, found from what relates them. Sizes that are equal are one class; a class has one
/// value or none yet. Propagation draws only what follows, so its order does not matter; a relation
/// that cannot hold is left out (the operation that it stands for refuses its operands when it is
/// recorded).
class SizeSystem {
 public:
  int unknown();
  int given(const GivenSize& size);
  bool equal(int a, int b);  ///< false: they have two values
  /// out = 1, or the one size other than 1 among `in`. `origin` comes back from choose().
  void broadcast(int out, std::vector<int> in, int origin);
  void total(int out, std::vector<int> parts, int origin);  ///< out = the sum of the parts
  void elements(std::vector<int> axes, std::int64_t product, int origin);
  void at_least(int a, std::int64_t least);

  /// Draws what follows.
  void propagate();
  /// The origins of relations that cannot hold.
  const std::vector<int>& broken() const { return broken_; }
  /// What may broadcast is of one size: for equations whose sizes are nowhere stated.
  void join();
  /// Gives every unknown the smallest value, from which the others follow; returns the origins that
  /// then do not hold.
  std::vector<int> choose();
  bool is_known(int a) { return classes_[static_cast<std::size_t>(find(a))].known; }
  std::int64_t value(int a) { return classes_[static_cast<std::size_t>(find(a))].value; }
  /// The value, or, before a choice, the least that it may be.
  const std::string& text(int a) { return classes_[static_cast<std::size_t>(find(a))].text; }
  int find(int a);
  /// The parts of which an unknown is the sum; empty where it is none.
  std::vector<int> parts_of(int a);

 private:
  enum class Kind { broadcast, total, elements };
  struct Relation {
    Kind kind;
    int out;  ///< -1: of elements
    std::vector<int> in;
    std::int64_t number;
    int origin;
    bool holds = true;  ///< false: cannot
  };
  struct Class {
    bool known = false;
    std::int64_t value = 1;  ///< while not known: the smallest that is possible
    std::string text = {};
    std::vector<int> relations = {};
    int raises = 0;
  };

  Class& at(int a) { return classes_[static_cast<std::size_t>(find(a))]; }
  void add(Relation r);
  bool set(int a, std::int64_t value);
  bool unite(int a, int b);
  void wake(int a);
  bool draw(Relation& r);
  bool draw_broadcast(const Relation& r);
  bool draw_total(const Relation& r);
  bool draw_elements(const Relation& r);
  bool raise(int a, std::int64_t least);
  bool lift(const Relation& r);
  bool satisfied(const Relation& r);

  std::vector<int> parent_;
  std::vector<Class> classes_;
  std::vector<Relation> relations_;
  std::vector<int> due_, broken_;
  std::vector<char> is_due_;
};

}  // namespace taugrad
